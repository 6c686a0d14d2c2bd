//! Revocations on a bus between processes: `NOTIFY` of PostgreSQL, pub/sub of Redis and of a cluster.

mod drivers;
mod nodes;
mod programs;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use oauth_core::{
    bus::Bus,
    store::{
        postgres::{PostgresBus, PostgresBusBuilder},
        redis::{RedisBus, RedisBusBuilder},
    },
};

use crate::support::*;

/// A server that carries a bus, and a store.
pub(crate) enum Place {
    Postgres(String),
    Redis(Redis),
    Cluster(Cluster),
}

const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `test` on a PostgreSQL database, then on a Redis server, then on a cluster.
async fn on_every_bus(test: impl AsyncFn(&Place)) {
    println!("on PostgreSQL");
    test(&Place::Postgres(new_database().await)).await;
    println!("on Redis");
    test(&Place::Redis(Redis::start(""))).await;
    println!("on a cluster of Redis");
    test(&Place::Cluster(Cluster::start())).await;
}

fn patient_postgres(url: &str) -> PostgresBusBuilder {
    PostgresBus::builder(url).connect_timeout(PATIENCE).response_timeout(PATIENCE)
}

fn patient_redis_bus<U: AsRef<str>>(urls: impl IntoIterator<Item = U>) -> RedisBusBuilder {
    RedisBus::builder(urls).connect_timeout(PATIENCE).response_timeout(PATIENCE)
}

impl Place {
    /// What a configuration calls it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Postgres(url) => url.clone(),
            Self::Redis(server) => server.url(),
            Self::Cluster(cluster) => cluster.urls().join(","),
        }
    }

    /// A bus with connections of its own, in a cluster to the server of this number.
    fn bus(&self, number: usize, keepalive: Duration) -> Arc<dyn Bus> {
        match self {
            Self::Postgres(url) => Arc::new(patient_postgres(url).keepalive(keepalive).build().unwrap()),
            Self::Redis(server) => Arc::new(patient_redis_bus([server.url()]).keepalive(keepalive).build().unwrap()),
            Self::Cluster(cluster) => {
                let mut urls = cluster.urls();
                urls.rotate_left(number);
                Arc::new(patient_redis_bus(urls).keepalive(keepalive).build().unwrap())
            }
        }
    }

    /// How many listen.
    pub(crate) async fn listeners(&self) -> usize {
        match self {
            Self::Postgres(url) => {
                let row = raw(url).await.query_one(&format!("SELECT count(*) {LISTENERS}"), &[]).await.unwrap();
                usize::try_from(row.get::<_, i64>(0)).unwrap()
            }
            Self::Redis(server) => listeners_of(server),
            Self::Cluster(cluster) => cluster.nodes.iter().map(listeners_of).sum(),
        }
    }

    pub(crate) async fn until_listeners(&self, count: usize) {
        until("all listen", async || self.listeners().await == count).await;
    }

    /// Ends every connection of a bus, by force.
    async fn cut(&self) {
        match self {
            Self::Postgres(url) => {
                let admin = raw(url).await;
                let end = |which: &str| format!("SELECT pg_terminate_backend(pid) {which}");
                admin.query(&end(LISTENERS), &[]).await.unwrap();
                admin.query(&end(TELLERS), &[]).await.unwrap();
            }
            Self::Redis(server) => cut(server),
            Self::Cluster(cluster) => cluster.nodes.iter().for_each(cut),
        }
    }
}

/// Whoever listens tells itself something now and then.
const LISTENERS: &str = "FROM pg_stat_activity WHERE datname = current_database() \
     AND (query LIKE 'LISTEN oauth%' OR query LIKE 'NOTIFY oauth_own%')";
const TELLERS: &str = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'NOTIFY oauth%' \
     AND query NOT LIKE 'NOTIFY oauth_own%'";

fn listeners_of(server: &Redis) -> usize {
    server.say(&["CLIENT", "LIST"]).lines().filter(|line| line.contains(" sub=") && !line.contains(" sub=0 ")).count()
}

fn cut(server: &Redis) {
    for line in server.say(&["CLIENT", "LIST"]).lines().filter(|line| !line.contains(" flags=M ")) {
        let of_a_bus = line.contains("cmd=publish") || (line.contains(" sub=") && !line.contains(" sub=0 "));
        if of_a_bus {
            let id = line.strip_prefix("id=").and_then(|line| line.split(' ').next()).unwrap();
            server.say(&["CLIENT", "KILL", "ID", id]);
        }
    }
}

/// Waits for something that takes others a moment.
pub(crate) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
