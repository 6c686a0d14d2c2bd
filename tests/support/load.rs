//! Clients that keep nodes busy, and remember what they were told. Whatever an answer must not be is kept as a
//! complaint, so that one that is seen does not hide the next.

mod client;
mod losses;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use self::client::Client;
use super::{Caller, Remote, Tokens};

/// What all clients together have seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Steps whose caller was told that they were taken.
    pub(crate) acknowledged: AtomicU64,
    /// Answers 503.
    pub(crate) unavailable: AtomicU64,
    /// Requests without an answer.
    pub(crate) broken: AtomicU64,
    /// Codes that were presented twice at once.
    pub(crate) raced: AtomicU64,
    /// Refresh tokens that were presented again because no answer came.
    pub(crate) retried: AtomicU64,
    complaints: Mutex<Vec<String>>,
}

/// What a client knows of one grant, because a server has said so.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) caller: Caller,
    /// The code, which was redeemed.
    pub(crate) code: Option<String>,
    /// Every answer with tokens, the newest last.
    pub(crate) issued: Vec<Tokens>,
    /// Access tokens whose revocation was acknowledged.
    pub(crate) revoked: Vec<String>,
    /// Whether the grant has ended; nothing if no answer said so.
    pub(crate) ended: Option<bool>,
}

/// What the servers have forgotten, one line for each.
pub(crate) type Lost = Vec<String>;

/// The clients of some nodes, each with one request at a time. Clones share them.
#[derive(Clone)]
pub(crate) struct Load {
    nodes: Vec<Remote>,
    shared: Arc<Shared>,
}

struct Shared {
    tally: Tally,
    stop: AtomicBool,
    /// Each client's acknowledgements.
    progress: Vec<AtomicU64>,
    /// How long each answer took.
    heard: Box<dyn Fn(Duration) + Send + Sync>,
    memory: Memory,
}

/// What clients keep of grants that they are done with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Memory {
    Everything,
    Nothing,
}

/// No answer, or one that says nothing.
#[derive(Debug)]
struct Outage;

/// What only servers that do not recover exceed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

impl Load {
    /// `clients`, who tell `heard` how long each answer took.
    pub(crate) fn new(
        nodes: Vec<Remote>,
        clients: usize,
        memory: Memory,
        heard: impl Fn(Duration) + Send + Sync + 'static,
    ) -> Self {
        let progress = (0..clients).map(|_| AtomicU64::new(0)).collect();
        let (tally, stop) = (Tally::default(), AtomicBool::new(false));
        Self { nodes, shared: Arc::new(Shared { tally, stop, progress, heard: Box::new(heard), memory }) }
    }

    /// Lets the clients run; they return what they were told.
    pub(crate) fn start(&self) -> JoinSet<Vec<Life>> {
        let run = |number| Client::new(self, number).run();
        (0..self.shared.progress.len()).map(run).collect()
    }

    /// Lets each client end what it is at.
    pub(crate) fn stop(&self) {
        self.shared.stop.store(true, Relaxed);
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.shared.tally
    }

    pub(crate) fn nodes(&self) -> &[Remote] {
        &self.nodes
    }

    /// Waits until every client has been told of that many more steps.
    pub(crate) async fn progress(&self, steps: u64) {
        let counts = || self.shared.progress.iter().map(|count| count.load(Relaxed));
        let goals: Vec<u64> = counts().map(|count| count + steps).collect();
        let began = Instant::now();
        while counts().zip(&goals).any(|(count, goal)| count < *goal) {
            let behind: Vec<_> = counts().zip(&goals).map(|(count, goal)| goal.saturating_sub(count)).collect();
            assert!(began.elapsed() < PATIENCE, "clients do not recover: {behind:?}, {:?}", self.tally());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What is no longer as the clients of these lives were told, at any of the nodes.
    pub(crate) async fn lost(&self, lives: Vec<Life>) -> Lost {
        let mut checks = JoinSet::new();
        let mut lost = Lost::new();
        for (number, life) in lives.into_iter().enumerate() {
            let (client, nodes) = (Client::new(self, number), self.nodes.clone());
            checks.spawn(async move { life.losses(&client, &nodes).await });
            if checks.len() >= 16 {
                lost.extend(checks.join_next().await.unwrap().unwrap());
            }
        }
        lost.extend(checks.join_all().await.into_iter().flatten());
        lost
    }
}

impl Tally {
    /// Something that no server may say.
    pub(crate) fn complain(&self, complaint: String) {
        self.complaints.lock().unwrap().push(complaint);
    }

    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.lock().unwrap().clone()
    }
}

impl Life {
    fn new(caller: Caller, code: Option<String>) -> Self {
        Self { caller, code, issued: Vec::new(), revoked: Vec::new(), ended: Some(false) }
    }

    fn newest(&self) -> &Tokens {
        self.issued.last().unwrap()
    }

    /// The one that is `back` generations old.
    fn refresh_token(&self, back: usize) -> &str {
        self.issued[self.issued.len() - 1 - back].refresh.as_deref().unwrap()
    }
}
