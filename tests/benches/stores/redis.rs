//! Redis.

use std::sync::Arc;

use redis::{Client, Pipeline, cmd};

use crate::{Candidate, Step, support::*};

/// As many as the store has by default.
const CONNECTIONS: usize = 4;

pub(crate) async fn candidate(server: &Redis) -> Candidate {
    let store = patient_redis([server.url()]).connections(CONNECTIONS).build().await.unwrap();
    Candidate { name: "Redis", store: Arc::new(store), raw: keys(&server.url()).await, writers: None }
}

/// The driver alone: the keys of one token with their ends, in one transaction and one round trip.
async fn keys(url: &str) -> Step {
    let client = Client::open(url).unwrap();
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(client.get_multiplexed_async_connection().await.unwrap());
    }
    Arc::new(move |caller| {
        let mut connection = connections[caller % CONNECTIONS].clone();
        Box::pin(async move {
            transaction().query_async::<()>(&mut connection).await.unwrap();
        })
    })
}

fn transaction() -> Pipeline {
    let id: String = fresh_digest().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let (grant, token, record) = (format!("raw:{{{id}}}:grant"), format!("raw:{{{id}}}:access"), "x".repeat(150));
    let mut pipeline = redis::pipe();
    pipeline.atomic();
    let mut hash = cmd("HSET");
    hash.arg(&grant).arg("client").arg("machine").arg("facts").arg(&record).arg("created_at").arg(1_800_000_000);
    hash.arg("expires_at").arg(1_900_000_000).arg("gone_at").arg(1_900_000_000);
    pipeline.add_command(hash).ignore();
    pipeline.cmd("EXPIREAT").arg(&grant).arg(1_900_000_000).ignore();
    pipeline.cmd("SET").arg(&token).arg(&record).arg("EXAT").arg(1_900_000_000).ignore();
    pipeline
}

/// A server with that many live tokens, which goes with the process.
pub(crate) async fn filled(live: u64, some: usize) -> Filled {
    let server = Redis::start("");
    let store = patient_redis([server.url()]).build().await.unwrap();
    crate::flat::keep(server);
    fill(Arc::new(store), live, some).await
}
