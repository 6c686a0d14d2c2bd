//! Many clients at several nodes on one store, while one of them, or the store under them, goes down and comes back:
//! nothing that a client was told is lost, no code is redeemed twice, and whoever is not served hears 503 and goes on.

mod checker;
mod postgres;
mod redis;
mod revocations;
mod service;
mod sqlite;

use std::{fmt, sync::atomic::Ordering::Relaxed};

use tokio::task::JoinSet;

use crate::support::*;

/// With one request each at a time.
const CLIENTS: usize = 12;

/// Nodes, and clients that are at work.
struct Scene {
    reference: Reference,
    nodes: Vec<Node>,
    load: Load,
    clients: JoinSet<Vec<Life>>,
}

/// Whether a request may stay without an answer: only if a node was killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Broken {
    Some,
    None,
}

/// What has come of it.
struct Outcome {
    what: String,
    grants: usize,
    load: Load,
    lost: Lost,
}

impl Scene {
    /// `count` nodes on `store`, which have served everyone already.
    async fn start(store: &str, count: usize) -> Self {
        let (reference, nodes) = nodes(store, count, |text| text);
        let load = Load::new(nodes.iter().map(|node| node.remote.clone()).collect(), CLIENTS, Memory::Everything, drop);
        let clients = load.start();
        load.progress(10).await;
        Self { reference, nodes, load, clients }
    }

    /// Kills a node, lets the clients go on without it, and starts it again.
    async fn kill_and_restart(&mut self, number: usize) {
        let before = self.load.tally().broken.load(Relaxed);
        self.nodes[number].kill();
        self.until("the node is missed", |tally| tally.broken.load(Relaxed) > before).await;
        self.load.progress(2).await;
        self.nodes[number].start(&self.reference);
        self.load.progress(2).await;
    }

    /// Waits until every client has had the time to hear that it cannot be served.
    async fn until_unavailable(&self) {
        let goal = self.load.tally().unavailable.load(Relaxed) + 2 * u64::try_from(CLIENTS).unwrap();
        self.until("the store is missed", |tally| tally.unavailable.load(Relaxed) >= goal).await;
    }

    /// Waits until every client has had the time to be told something, good or bad.
    async fn until_told(&self) {
        let count = |tally: &Tally| tally.acknowledged.load(Relaxed) / 2 + tally.unavailable.load(Relaxed);
        let goal = count(self.load.tally()) + 2 * u64::try_from(CLIENTS).unwrap();
        self.until("anything happens", |tally| count(tally) >= goal).await;
    }

    async fn until(&self, what: &str, holds: impl Fn(&Tally) -> bool) {
        let hold = async {
            while !holds(self.load.tally()) {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        };
        let patience = std::time::Duration::from_secs(60);
        let held = tokio::time::timeout(patience, hold).await;
        assert!(held.is_ok(), "not until {what}: {:?}", self.load.tally());
    }

    /// Lets everyone recover and come to an end, and asks all nodes what they know.
    async fn end(mut self, what: &str) -> Outcome {
        self.load.progress(10).await;
        self.load.stop();
        let mut lives = Vec::new();
        while let Some(client) = self.clients.join_next().await {
            lives.extend(client.unwrap());
        }
        let what = format!("{what}, {} nodes", self.nodes.len());
        let grants = lives.len();
        let lost = self.load.lost(lives).await;
        Outcome { what, grants, load: self.load, lost }
    }
}

impl Outcome {
    /// All is as it must be.
    #[track_caller]
    fn is_good(&self, broken: Broken) {
        println!("{self}");
        assert!(self.lost.is_empty(), "{self}, the first: {}", self.lost[0]);
        self.is_civil(broken);
    }

    /// The clients have heard nothing but answers and 503.
    #[track_caller]
    fn is_civil(&self, broken: Broken) {
        let complaints = self.load.tally().complaints();
        assert!(complaints.is_empty(), "{self}, {} complaints, the first: {}", complaints.len(), complaints[0]);
        assert!(broken == Broken::Some || self.load.tally().broken.load(Relaxed) == 0, "{self}");
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = self.load.tally();
        let [acknowledged, unavailable, broken, raced, retried] =
            [&tally.acknowledged, &tally.unavailable, &tally.broken, &tally.raced, &tally.retried]
                .map(|count| count.load(Relaxed));
        write!(
            f,
            "{}: {} grants, {acknowledged} steps acknowledged, {unavailable} answers 503, {broken} requests without an \
             answer, {raced} codes raced, {retried} refresh tokens retried, lost = {}",
            self.what,
            self.grants,
            self.lost.len()
        )
    }
}
