//! With the bus: how long after a revocation was acknowledged the last of four processes refuses the token.

use std::{
    fmt,
    time::{Duration, Instant},
};

use super::{ASKS, How, Servers, all_accept, status};
use crate::{bus::Place, support::*};

/// Of each kind on each bus.
const ROUNDS: usize = 60;

/// Only one that never hears of it takes that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long each round took.
struct Times(Vec<Duration>);

impl Times {
    /// The time that so many of a hundred rounds did not exceed.
    fn percentile(&self, percent: usize) -> Duration {
        self.0[(self.0.len() * percent).div_ceil(100).max(1) - 1]
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rounds, in ms:", self.0.len())?;
        for (name, percent) in [("min", 0), ("median", 50), ("p95", 95), ("p99", 99), ("max", 100)] {
            write!(f, " {name} {:.1}", self.percentile(percent).as_secs_f64() * 1e3)?;
        }
        Ok(())
    }
}

async fn measure(name: &str, place: Place) {
    let servers = Servers::start(&place.url(), "");
    // What is remembered lasts for an hour, so that nothing but the bus ends it soon.
    let asks = [&ASKS[..], &["3600"]].concat();
    let (_asking, asking) = servers.api(&place.url(), &asks);
    let (_verifying, verifying) = servers.api(&place.url(), &[]);
    place.until_listeners(4).await;
    let [one, two] = servers.nodes.clone();
    let apis = [one, two, asking, verifying];
    for how in [How::Token, How::Grant, How::Bulk] {
        let mut times = Vec::new();
        for round in 0..ROUNDS {
            times.push(one_round(&servers, &apis, round % 2, how).await);
        }
        times.sort_unstable();
        println!("{name}, {how:?}: {}", Times(times));
    }
}

/// Issued at the one node, and revoked at the other.
async fn one_round(servers: &Servers, apis: &[Remote; 4], at: usize, how: How) -> Duration {
    let (tokens, other) = match how {
        How::Token => (Tokens { access: servers.token(1 - at).await, refresh: None }, servers.token(at).await),
        How::Grant | How::Bulk => (servers.sign_in(1 - at).await, servers.token(at).await),
    };
    all_accept(apis, &tokens.access).await;
    all_accept(apis, &other).await;
    let watchers = apis.clone().map(|api| tokio::spawn(refused(api, tokens.access.clone())));
    servers.revoke(at, how, &tokens).await;
    let acknowledged = Instant::now();
    let mut last = acknowledged;
    for watcher in watchers {
        last = last.max(watcher.await.unwrap());
    }
    for api in apis {
        assert_eq!(status(api, &tokens.access).await, 401, "{how:?}: {} has refused it before", api.url);
        assert_eq!(status(api, &other).await, 200, "{how:?}: {} refuses another", api.url);
    }
    last - acknowledged
}

/// When `api` first refuses it.
async fn refused(api: Remote, token: String) -> Instant {
    let began = Instant::now();
    loop {
        let answer = api.call("/api/whoami", &token).await;
        match answer.status.as_u16() {
            401 => return Instant::now(),
            // Whoever is overtaken by one revocation after the other may say that it cannot tell.
            200 | 503 => {}
            _ => panic!("{answer}"),
        }
        assert!(began.elapsed() < PATIENCE, "{} never hears of it", api.url);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

// spec: REV-14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_revoked_at_one_of_two_nodes_is_soon_refused_by_four_processes_on_postgresql() {
    measure("PostgreSQL", Place::Postgres(new_database().await)).await;
}

// spec: REV-14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_revoked_at_one_of_two_nodes_is_soon_refused_by_four_processes_on_redis() {
    measure("Redis", Place::Redis(Redis::start(""))).await;
}
