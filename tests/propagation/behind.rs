//! A listener that falls behind hears everything, or that it has not.

use std::pin::pin;

use oauth_core::{
    bus::{Bus, Heard, Post, Topic},
    store::{postgres::PostgresBus, redis::RedisBus},
};
use tokio::time::timeout;

use super::{
    Duration,
    wire::{Mood, Wire},
};
use crate::support::*;

const PATIENCE: Duration = Duration::from_secs(60);

/// More than any listener keeps.
const MANY: usize = 4_000;

/// `ear` leads over the wire, and asks all the time whether it still hears.
async fn falls_behind(wire: &Wire, ear: impl Bus, teller: impl Bus) {
    let topic = Topic::audience(ISSUER, ALBUMS);
    let post = |text: String| Post { topic, bytes: text.into_bytes() };
    let mut ear = ear.listen(vec![topic]).await.unwrap();
    wire.set(Mood::Stalled);
    let mut all = Vec::new();
    {
        let mut next = pin!(ear.next());
        // Now it waits for an answer, and what comes before that must be kept.
        assert!(timeout(Duration::from_millis(50), &mut next).await.is_err());
        for first in (0..MANY).step_by(500) {
            teller.publish((first..first + 500).map(|number| post(number.to_string())).collect()).await.unwrap();
        }
        wire.set(Mood::Well);
        all.push(timeout(PATIENCE, next).await.expect("nothing is heard").unwrap());
    }
    teller.publish(vec![post("the last".to_owned())]).await.unwrap();
    while !all.iter().any(|heard| *heard == Heard::Gap || *heard == Heard::Message(post("the last".to_owned()))) {
        all.push(timeout(PATIENCE, ear.next()).await.expect("nothing is heard").unwrap());
    }
    let is_whole = all.len() == MANY + 1;
    assert!(
        all.contains(&Heard::Gap) || is_whole,
        "{} of {MANY} were lost, and nobody has said so",
        MANY + 1 - all.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_falls_behind_misses_nothing_without_being_told() {
    let patient = |url: &str| PostgresBus::builder(url).connect_timeout(PATIENCE).response_timeout(PATIENCE);
    let database = new_database().await;
    let wire = Wire::to(shared_postgres().port()).await;
    let over = url_at(wire.port, database.rsplit('/').next().unwrap());
    let ear = patient(&over).keepalive(Duration::from_millis(1)).build().unwrap();
    falls_behind(&wire, ear, patient(&database).build().unwrap()).await;

    let patient = |url: String| RedisBus::builder([url]).connect_timeout(PATIENCE).response_timeout(PATIENCE);
    let redis = Redis::start("");
    let wire = Wire::to(redis.port()).await;
    let ear = patient(redis_url_at(wire.port)).keepalive(Duration::from_millis(1)).build().unwrap();
    falls_behind(&wire, ear, patient(redis.url()).build().unwrap()).await;
}
