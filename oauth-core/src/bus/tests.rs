//! Subscriptions on buses that fail.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::*;
use crate::clock::{RandomError, SystemRandom};

fn topic(name: &str) -> Topic {
    Topic::audience("https://as.example", name)
}

fn post(name: &str, text: &str) -> Post {
    Post { topic: topic(name), bytes: text.into() }
}

#[tokio::test]
async fn everyone_hears_what_is_said_on_their_topics_and_nothing_else() {
    let bus = MemoryBus::default();
    let mut both = bus.listen(vec![topic("a"), topic("b")]).await.unwrap();
    let mut one = bus.listen(vec![topic("b")]).await.unwrap();
    bus.publish(vec![post("a", "1"), post("c", "2"), post("b", "3")]).await.unwrap();
    assert_eq!(both.next().await.unwrap(), Heard::Message(post("a", "1")));
    assert_eq!(both.next().await.unwrap(), Heard::Message(post("b", "3")));
    assert_eq!(one.next().await.unwrap(), Heard::Message(post("b", "3")));
    drop(one);
    bus.publish(vec![post("b", "4")]).await.unwrap();
    assert_eq!(both.next().await.unwrap(), Heard::Message(post("b", "4")));
}

#[tokio::test]
async fn whoever_falls_behind_hears_of_a_gap_once_and_then_what_follows() {
    let bus = MemoryBus::default();
    let mut ear = bus.listen(vec![topic("a")]).await.unwrap();
    for _ in 0..2_000 {
        bus.publish(vec![post("a", "old")]).await.unwrap();
    }
    assert_eq!(ear.next().await.unwrap(), Heard::Gap);
    bus.publish(vec![post("a", "new")]).await.unwrap();
    assert_eq!(ear.next().await.unwrap(), Heard::Message(post("a", "new")));
}

#[tokio::test]
async fn a_message_that_is_too_long_is_not_published() {
    let bus = MemoryBus::default();
    let long = Post { topic: topic("a"), bytes: vec![0; LONGEST_MESSAGE + 1] };
    assert!(bus.publish(vec![long]).await.is_err());
}

/// A bus that does as it is told, and writes down how long it was to pause.
#[derive(Debug, Default)]
struct Scripted {
    attempts: Mutex<VecDeque<Option<Vec<Heard>>>>,
    pauses: Mutex<Vec<Duration>>,
}

impl Bus for Scripted {
    fn publish(&self, _posts: Vec<Post>) -> BusFuture<'_, Result<(), BusError>> {
        Box::pin(async { Err(BusError::new("nobody speaks here")) })
    }

    fn listen(&self, _topics: Vec<Topic>) -> BusFuture<'_, Result<Box<dyn Listening>, BusError>> {
        let attempt = self.attempts.lock().unwrap().pop_front().flatten();
        Box::pin(async move {
            let heard = attempt.ok_or_else(|| BusError::new("no connection"))?;
            Ok(Box::new(Tape(heard.into())) as Box<dyn Listening>)
        })
    }

    fn pause(&self, time: Duration) -> BusFuture<'_, ()> {
        self.pauses.lock().unwrap().push(time);
        Box::pin(async {})
    }
}

/// What is heard until the connection is lost.
struct Tape(VecDeque<Heard>);

impl Listening for Tape {
    fn next(&mut self) -> BusFuture<'_, Result<Heard, BusError>> {
        let next = self.0.pop_front().ok_or_else(|| BusError::new("lost"));
        Box::pin(async { next })
    }
}

async fn news(receiver: &mut Receiver) -> &'static str {
    match receiver.next().await {
        News::Message(_) => "message",
        News::Gap => "gap",
        News::Lost(_) => "lost",
    }
}

#[tokio::test]
async fn every_connection_begins_with_a_gap_and_a_loss_is_said_once() {
    let said = || Some(vec![Heard::Message(post("a", "1"))]);
    let attempts = [None, None, said(), None, Some(vec![Heard::Gap]), said()];
    let bus = Arc::new(Scripted { attempts: Mutex::new(attempts.into()), ..Scripted::default() });
    let mut receiver = Receiver::new(Arc::clone(&bus), vec![topic("a")]);
    for expected in ["lost", "gap", "message", "lost", "gap", "gap", "lost", "gap", "message", "lost"] {
        assert_eq!(news(&mut receiver).await, expected);
    }
    assert_eq!(bus.pauses.lock().unwrap().len(), 5, "one before each attempt but the first");
}

/// As likely as anything.
#[derive(Debug)]
struct Dice(u8);

impl crate::clock::Random for Dice {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        bytes.fill(self.0);
        Ok(())
    }
}

#[tokio::test]
async fn pauses_grow_up_to_half_a_minute_and_differ_by_chance() {
    let pauses = async |random: Arc<dyn crate::clock::Random>| {
        let bus = Arc::new(Scripted::default());
        bus.attempts.lock().unwrap().extend((0..12).map(|_| None));
        bus.attempts.lock().unwrap().push_back(Some(vec![]));
        let mut receiver = Receiver::new(Arc::clone(&bus), vec![topic("a")]).random(random);
        for expected in ["lost", "gap", "lost"] {
            assert_eq!(news(&mut receiver).await, expected);
        }
        bus.attempts.lock().unwrap().push_back(Some(vec![]));
        assert_eq!(news(&mut receiver).await, "gap");
        let pauses: Vec<_> = bus.pauses.lock().unwrap().iter().map(Duration::as_millis).collect();
        pauses
    };
    let longest = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000, 30_000, 30_000, 500];
    assert_eq!(pauses(Arc::new(Dice(255))).await, longest);
    assert_eq!(pauses(Arc::new(Dice(0))).await, longest.map(|time| time / 2));
    let between = pauses(Arc::new(SystemRandom)).await;
    assert!(between.iter().zip(longest).all(|(pause, longest)| (longest / 2..=longest).contains(pause)));
}
