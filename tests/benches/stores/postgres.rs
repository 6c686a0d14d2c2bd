//! PostgreSQL.

use std::sync::Arc;

use tokio_postgres::{Client, Statement};

use crate::{Candidate, Step, support::*};

pub(crate) const SETTINGS: &str =
    "fsync = on\nfull_page_writes = on\nshared_buffers = 1GB\nmax_wal_size = 4GB\ncheckpoint_timeout = 1h\n";

const CONNECTIONS: usize = 16;

/// What the store inserts, in as many rows, indexes and references, without what decides.
const ROWS: &str = "WITH g AS (
        INSERT INTO oauth_grants (id, client, facts, created_at, expires_at, ends_at)
        VALUES ($1, 'machine', $2, 1800000000, 1800003600, 1800003600) RETURNING no)
    INSERT INTO oauth_access_tokens (grant_no, digest, record, expires_at) SELECT no, $3, $2, 1800000600 FROM g";

pub(crate) async fn candidate(server: &Postgres) -> Candidate {
    let url = server.database().await;
    let store = patient(&url).connections(CONNECTIONS).build().await.unwrap();
    // The same schema, in a database of its own.
    let beside = server.database().await;
    store_at(&beside).await.close();
    Candidate { name: "PostgreSQL", store: Arc::new(store), raw: rows(&beside).await, writers: None }
}

/// The driver alone, with one statement prepared on each connection.
async fn rows(url: &str) -> Step {
    let mut connections: Vec<(Client, Statement)> = Vec::new();
    for _ in 0..CONNECTIONS {
        let client = raw(url).await;
        let statement = client.prepare(ROWS).await.unwrap();
        connections.push((client, statement));
    }
    let connections = Arc::new(connections);
    Arc::new(move |caller| {
        let connections = Arc::clone(&connections);
        Box::pin(async move {
            let (client, statement) = &connections[caller % CONNECTIONS];
            let (id, record) = (fresh_digest(), "x".repeat(150));
            let (id, digest) = (&id.as_bytes()[..16], id.as_bytes().as_slice());
            client.execute(statement, &[&id, &record, &digest]).await.unwrap();
        })
    })
}

/// A database with that many live tokens.
pub(crate) async fn filled(server: &Postgres, live: u64, some: usize) -> Filled {
    let url = server.database().await;
    let store = patient(&url).connections(CONNECTIONS).build().await.unwrap();
    fill_postgres(&url, Arc::new(store), live, some, |_, _| ()).await
}
