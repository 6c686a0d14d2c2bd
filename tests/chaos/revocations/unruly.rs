//! A bus that does whatever a bus may do, when it is told to: it loses, repeats and reorders messages, and goes away. It
//! does nothing by itself.

use std::{
    fmt,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use oauth_core::bus::{Bus, BusError, BusFuture, Heard, Listening, Post, Topic};
use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    watch,
};

/// Clones share it.
#[derive(Clone)]
pub(super) struct Unruly(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Whether nobody is told that the bus was away: a driver that fails to notice.
    hides_cuts: bool,
}

#[derive(Default)]
struct State {
    parties: Vec<Party>,
    lines: u64,
}

struct Party {
    line: Option<Line>,
    up: watch::Sender<bool>,
}

/// One subscription.
struct Line {
    id: u64,
    topics: Vec<Topic>,
    ear: UnboundedSender<Heard>,
    /// How many messages have come for it, and those that wait.
    sent: usize,
    waiting: Vec<(usize, Post)>,
    lost: Vec<usize>,
}

/// A moment on the subscription of someone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mark {
    line: u64,
    sent: usize,
}

/// The bus, as one process has it.
#[derive(Clone)]
pub(super) struct Connection {
    bus: Unruly,
    number: usize,
}

impl Unruly {
    pub(super) fn new(parties: usize, hides_cuts: bool) -> Self {
        let party = || Party { line: None, up: watch::Sender::new(true) };
        let state = State { parties: (0..parties).map(|_| party()).collect(), lines: 0 };
        Self(Arc::new(Shared { state: Mutex::new(state), hides_cuts }))
    }

    pub(super) fn connection(&self, number: usize) -> Connection {
        Connection { bus: self.clone(), number }
    }

    /// Delivers one of those that wait, not always the first.
    pub(super) fn deliver(&self, number: usize, which: usize) {
        self.each(number, which, |line, at| {
            let (_, post) = line.waiting.remove(at);
            drop(line.ear.send(Heard::Message(post)));
        });
    }

    /// Delivers one, and keeps it to be delivered again.
    pub(super) fn repeat(&self, number: usize, which: usize) {
        self.each(number, which, |line, at| drop(line.ear.send(Heard::Message(line.waiting[at].1.clone()))));
    }

    /// Loses one, and says nothing.
    pub(super) fn lose(&self, number: usize, which: usize) {
        self.each(number, which, |line, at| {
            let (sent, _) = line.waiting.remove(at);
            line.lost.push(sent);
        });
    }

    /// Delivers all that wait, the last first.
    pub(super) fn deliver_all(&self, number: usize) {
        let mut state = self.lock();
        let Some(line) = &mut state.parties[number].line else { return };
        while let Some((_, post)) = line.waiting.pop() {
            drop(line.ear.send(Heard::Message(post)));
        }
    }

    fn each(&self, number: usize, which: usize, act: impl FnOnce(&mut Line, usize)) {
        let mut state = self.lock();
        let Some(line) = &mut state.parties[number].line else { return };
        if !line.waiting.is_empty() {
            act(line, which % line.waiting.len());
        }
    }

    /// Cuts off someone, until mended.
    pub(super) fn cut(&self, number: usize) {
        let mut state = self.lock();
        let party = &mut state.parties[number];
        party.up.send_replace(false);
        match &mut party.line {
            Some(line) if self.0.hides_cuts => line.lose_all(),
            line => *line = None,
        }
    }

    pub(super) fn mend(&self, number: usize) {
        self.lock().parties[number].up.send_replace(true);
    }

    pub(super) fn is_up(&self, number: usize) -> bool {
        *self.lock().parties[number].up.borrow()
    }

    pub(super) fn is_listening(&self, number: usize) -> bool {
        self.lock().parties[number].line.as_ref().is_some_and(|line| !line.ear.is_closed())
    }

    pub(super) fn mark(&self, number: usize) -> Option<Mark> {
        self.lock().parties[number].line.as_ref().map(|line| Mark { line: line.id, sent: line.sent })
    }

    /// Whether all that was said between two moments has been delivered, and something was.
    pub(super) fn has_heard(&self, number: usize, from: Option<Mark>, to: Option<Mark>) -> bool {
        let (Some(from), Some(to)) = (from, to) else { return false };
        let state = self.lock();
        let Some(line) = state.parties[number].line.as_ref().filter(|line| [from.line, to.line] == [line.id; 2]) else {
            return false;
        };
        let said = from.sent..to.sent;
        !said.is_empty() && !line.lacks(&said)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }
}

impl Line {
    fn lacks(&self, said: &Range<usize>) -> bool {
        self.waiting.iter().map(|(sent, _)| sent).chain(&self.lost).any(|sent| said.contains(sent))
    }

    fn lose_all(&mut self) {
        self.lost.extend(self.waiting.drain(..).map(|(sent, _)| sent));
    }
}

impl Bus for Connection {
    fn publish(&self, posts: Vec<Post>) -> BusFuture<'_, Result<(), BusError>> {
        Box::pin(async move {
            let mut state = self.bus.lock();
            if !*state.parties[self.number].up.borrow() {
                return Err(BusError::new("cut"));
            }
            for party in &mut state.parties {
                let is_up = *party.up.borrow();
                let Some(line) = &mut party.line else { continue };
                for post in posts.iter().filter(|post| line.topics.contains(&post.topic)) {
                    line.waiting.push((line.sent, post.clone()));
                    line.sent += 1;
                }
                if !is_up {
                    line.lose_all();
                }
            }
            Ok(())
        })
    }

    fn listen(&self, topics: Vec<Topic>) -> BusFuture<'_, Result<Box<dyn Listening>, BusError>> {
        Box::pin(async move {
            let mut state = self.bus.lock();
            state.lines += 1;
            let (id, (ear, hears)) = (state.lines, unbounded_channel());
            let party = &mut state.parties[self.number];
            if !*party.up.borrow() {
                return Err(BusError::new("cut"));
            }
            party.line = Some(Line { id, topics, ear, sent: 0, waiting: Vec::new(), lost: Vec::new() });
            Ok(Box::new(Ear(hears)) as Box<dyn Listening>)
        })
    }

    /// However long that would be: until there is something to be tried.
    fn pause(&self, _time: Duration) -> BusFuture<'_, ()> {
        let mut up = self.bus.lock().parties[self.number].up.subscribe();
        Box::pin(async move { drop(up.wait_for(|up| *up).await) })
    }
}

struct Ear(UnboundedReceiver<Heard>);

impl Listening for Ear {
    fn next(&mut self) -> BusFuture<'_, Result<Heard, BusError>> {
        Box::pin(async { self.0.recv().await.ok_or_else(|| BusError::new("cut")) })
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("number", &self.number).finish_non_exhaustive()
    }
}
