//! How many steps a second the PostgreSQL store takes, beside what the same driver does with the same server in the
//! same run: `cargo bench -p tests --bench postgres -- [SECONDS [LIVE_TOKENS]]`.
//!
//! Absolute figures are of this machine and this moment; the ratios travel.

#![expect(
    dead_code,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it is run by hand, and shares its server with the tests, which use more of it"
)]

#[path = "../support"]
mod support {
    mod folder;
    mod port;
    mod postgres;
    mod records;

    pub(crate) use self::{folder::Folder, port::free_port, postgres::*, records::*};
}

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use oauth_core::store::{Grants, RefreshOutcome, postgres::PostgresStore};
use tokio_postgres::{Client, Statement};

use crate::support::*;

const CONNECTIONS: usize = 16;
const CALLERS: [usize; 3] = [1, 16, 64];
const ROUNDS: u32 = 10;

/// How many times a second `callers` together get through `step`.
async fn rate<F: Future<Output = ()> + Send>(
    patience: Duration,
    callers: usize,
    step: impl Fn(usize) -> F + Send + Sync + 'static,
) -> f64 {
    let step = Arc::new(step);
    let end = Instant::now() + patience;
    let caller = |number: usize| {
        let step = Arc::clone(&step);
        async move {
            let mut done = 0_u32;
            while Instant::now() < end {
                step(number).await;
                done += 1;
            }
            done
        }
    };
    let began = Instant::now();
    let counts = join_all((0..callers).map(caller)).await;
    f64::from(counts.into_iter().sum::<u32>()) / began.elapsed().as_secs_f64()
}

/// The driver alone, with one statement prepared on each connection.
struct Raw(Vec<(Client, Statement)>);

impl Raw {
    async fn new(url: &str, sql: &str) -> Arc<Self> {
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            let client = raw(url).await;
            let statement = client.prepare(sql).await.unwrap();
            clients.push((client, statement));
        }
        Arc::new(Self(clients))
    }

    async fn insert(&self, caller: usize) {
        let (client, statement) = &self.0[caller % CONNECTIONS];
        let id = fresh_digest();
        client.execute(statement, &[&id.as_bytes().as_slice(), &"x".repeat(200)]).await.unwrap();
    }
}

const ONE_ROW: &str = "INSERT INTO raw_rows (id, record) VALUES ($1, $2)";

/// What the store inserts, in as many rows, indexes and references, without what decides.
const TWO_ROWS: &str = "WITH g AS (
        INSERT INTO oauth_grants (id, client, subject, facts, created_at, expires_at, ends_at, refresh_digest,
            refresh_generation, refresh_used_at)
        VALUES ($1, 'app', 'alice', $2, 1800000000, 1800003600, 1800003600, $1, 0, 1800000000) RETURNING no)
    INSERT INTO oauth_access_tokens (grant_no, digest, record, expires_at) SELECT no, $1, $2, 1800000600 FROM g";

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let patience = Duration::from_secs(numbers.first().copied().unwrap_or(3));
    let live = numbers.get(1).copied().unwrap_or(0);
    let server = Postgres::start("fsync = on\nfull_page_writes = on\nshared_buffers = 512MB\nmax_wal_size = 4GB\n");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(&server, patience, live));
}

async fn run(server: &Postgres, patience: Duration, live: u64) {
    let url = server.database().await;
    let store = patient(&url).connections(CONNECTIONS).build().await.unwrap();
    let beside = raw(&url).await;
    beside.batch_execute("CREATE TABLE raw_rows (id bytea PRIMARY KEY, record text NOT NULL)").await.unwrap();
    fill(&beside, live).await;
    println!("{live} live tokens, {CONNECTIONS} connections; calls a second");
    println!(
        "{:>8} {:>12} {:>12} {:>14} {:>7} {:>14} {:>14}",
        "callers", "raw, 1 row", "raw, 2 rows", "insert_grant", "ratio", "rotate_refresh", "access"
    );
    let (one, two) = (Raw::new(&url, ONE_ROW).await, Raw::new(&url, TWO_ROWS).await);
    for callers in CALLERS {
        // In turns, so that what else the machine does befalls all of them.
        let (slice, mut sums) = (patience / ROUNDS, [0.0; 5]);
        for _ in 0..ROUNDS {
            let rates = [
                raws(&one, slice, callers).await,
                raws(&two, slice, callers).await,
                inserts(&store, slice, callers).await,
                rotations(&store, slice, callers).await,
                reads(&store, slice, callers).await,
            ];
            for (sum, rate) in sums.iter_mut().zip(rates) {
                *sum += rate / f64::from(ROUNDS);
            }
        }
        let [one, two, insert, rotate, read] = sums;
        let ratio = insert / two;
        println!("{callers:>8} {one:>12.0} {two:>12.0} {insert:>14.0} {ratio:>7.2} {rotate:>14.0} {read:>14.0}");
    }
}

async fn raws(raw: &Arc<Raw>, patience: Duration, callers: usize) -> f64 {
    let raw = Arc::clone(raw);
    let step = move |caller| {
        let raw = Arc::clone(&raw);
        async move { raw.insert(caller).await }
    };
    rate(patience, callers, step).await
}

async fn inserts(store: &PostgresStore, patience: Duration, callers: usize) -> f64 {
    let store = store.clone();
    let step = move |_| {
        let store = store.clone();
        async move {
            let grant = oauth_core::store::Grant { code: None, ..fresh_grant() };
            store.insert_grant(grant, Some(fresh_access())).await.unwrap();
        }
    };
    rate(patience, callers, step).await
}

/// Each caller rotates a grant of its own, over and over.
async fn rotations(store: &PostgresStore, patience: Duration, callers: usize) -> f64 {
    let mut own = Vec::new();
    for _ in 0..callers {
        let grant = fresh_grant();
        store.insert_grant(grant.clone(), None).await.unwrap();
        own.push(tokio::sync::Mutex::new(rotating(&grant)));
    }
    let (store, own) = (store.clone(), Arc::new(own));
    let step = move |caller: usize| {
        let (store, own) = (store.clone(), Arc::clone(&own));
        async move {
            let mut next = own[caller].lock().await;
            assert_eq!(store.rotate_refresh(next.clone()).await.unwrap(), RefreshOutcome::Rotated);
            *next = following(&next);
        }
    };
    rate(patience, callers, step).await
}

async fn reads(store: &PostgresStore, patience: Duration, callers: usize) -> f64 {
    let (grant, access) = (fresh_grant(), fresh_access());
    store.insert_grant(grant.clone(), Some(access.clone())).await.unwrap();
    let store = store.clone();
    let step = move |_| {
        let store = store.clone();
        async move { assert!(store.access(grant.id, access.digest).await.unwrap().is_some()) }
    };
    rate(patience, callers, step).await
}

/// Tokens that live on, each with its grant.
async fn fill(beside: &Client, live: u64) {
    let sql = format!(
        "INSERT INTO oauth_grants (id, client, subject, facts, created_at, expires_at, ends_at)
            SELECT decode(md5(n::text), 'hex'), 'app', 'user-' || n, repeat('x', 200), 0, 1900000000, 1900000000
            FROM generate_series(1, {live}) n;
        INSERT INTO oauth_access_tokens (grant_no, digest, record, expires_at)
            SELECT no, sha256(id), repeat('x', 200), 1900000000 FROM oauth_grants;
        ANALYZE; CHECKPOINT"
    );
    for statement in sql.split(';') {
        beside.batch_execute(statement).await.unwrap();
    }
}
