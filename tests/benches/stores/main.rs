//! What the stores cost: `cargo bench -p tests --bench stores -- [SECONDS [LIVE_TOKENS [STORE...]]]`.
//!
//! First how many tokens a second the token endpoint issues on each store, beside the serial limit: what issuing costs in
//! memory and what the same rows cost through the same driver, one after the other. Then whether SQLite, which commits
//! for many at once, beats one commit for each. Then what a step costs in a store with many live tokens, beside
//! one with a thousand. All figures of a line are taken in turns, in the same run: absolute ones are of this machine and
//! this moment; the ratios travel.

#![expect(
    dead_code,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it is run by hand, and shares its servers with the tests, which use more of them"
)]

mod flat;
mod issue;
mod postgres;
mod rate;
mod redis;
mod sqlite;

#[path = "../../support"]
mod support {
    mod cost;
    mod fill;
    mod folder;
    mod port;
    mod postgres;
    mod records;
    mod redis;

    pub(crate) use self::{cost::*, fill::*, folder::Folder, port::free_port, postgres::*, records::*, redis::*};
}

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use oauth_core::store::Store;

use crate::support::{Folder, Postgres, Redis};

/// What a caller does again and again; the number says which of them it is.
type Step = Arc<dyn Fn(usize) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A store, its server, and the same rows through its driver.
struct Candidate {
    name: &'static str,
    store: Arc<dyn Store>,
    /// Writes what issuing one token writes.
    raw: Step,
    /// How many may do that at once: SQLite has one writer.
    writers: Option<usize>,
}

/// Whether a bar is met.
struct Bar(bool);

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.0 { "met" } else { "MISSED" })
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let numbers: Vec<u64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let patience = Duration::from_secs(numbers.first().copied().unwrap_or(3));
    let live = numbers.get(1).copied().unwrap_or(1_000_000);
    let names: Vec<String> = arguments.into_iter().filter(|argument| argument.parse::<u64>().is_err()).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(patience, live, &names));
}

async fn run(patience: Duration, live: u64, names: &[String]) {
    let wanted = |name: &str| names.is_empty() || names.iter().any(|one| one == name);
    println!("load average {}", load_average());
    if wanted("sqlite") {
        let (folder, file) = (Folder::new(), Folder::new());
        issue::compare(&sqlite::candidate(&folder, &file).await, patience).await;
        sqlite::group_commit(patience).await;
        flat::compare("SQLite", live, sqlite::filled).await;
    }
    if wanted("postgres") {
        let server = Postgres::start(postgres::SETTINGS);
        issue::compare(&postgres::candidate(&server).await, patience).await;
        flat::compare("PostgreSQL", live, |live, some| postgres::filled(&server, live, some)).await;
    }
    if wanted("redis") {
        let server = Redis::start("");
        issue::compare(&redis::candidate(&server).await, patience).await;
        flat::compare("Redis", live, redis::filled).await;
    }
    println!("load average {}", load_average());
}

fn load_average() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim_end().to_owned()
}
