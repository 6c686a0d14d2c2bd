//! What the steps of a store cost that holds a million tokens, or ten.

use std::sync::Arc;

use oauth_core::store::{Store, postgres::PostgresStore};

use crate::{process::load_average, support::*};

/// What the others are compared with, and what lies in between.
const SMALL: [u64; 3] = [1_000, 10_000, 100_000];

/// So that the cost of a step is not hidden behind the disk's.
const SETTINGS: &str =
    "shared_buffers = 2GB\nmax_wal_size = 1GB\ncheckpoint_timeout = 1h\nmaintenance_work_mem = 1GB\n";

pub(crate) async fn run(tokens: &[u64], at: Option<&str>, rounds: usize) -> bool {
    let server = at.is_none_or(|at| at == "postgres").then(|| Postgres::start(SETTINGS));
    let mut sizes: Vec<u64> = SMALL.iter().chain(tokens).copied().collect();
    sizes.sort_unstable();
    sizes.dedup();
    let mut stores = Vec::new();
    for live in sizes {
        let url = match &server {
            Some(server) => server.database().await,
            None => database(at.unwrap_or_default(), live).await,
        };
        stores.push(filled(&url, live, rounds).await);
    }
    println!("{rounds} rounds, load average {}", load_average());
    let figures = costs(&mut stores, rounds, |round| {
        if round.is_multiple_of(10) {
            println!("round {round} of {rounds}, load average {}", load_average());
        }
    })
    .await;
    print(&stores, &figures);
    true
}

async fn filled(url: &str, live: u64, rounds: usize) -> Filled {
    let store: Arc<dyn Store> = Arc::new(patient(url).build().await.unwrap());
    let tell = |done: u64, seconds: f64| {
        if done.is_multiple_of(1_000_000) {
            println!("{live} tokens: {done} after {seconds:.0} s");
        }
    };
    let filled = fill_postgres(url, store, live, (rounds + 2) * PER_ROUND, tell).await;
    let size = "SELECT pg_size_pretty(pg_database_size(current_database()))";
    let size: String = raw(url).await.query_one(size, &[]).await.unwrap().get(0);
    println!("{live} tokens are {size}");
    filled
}

/// A database of that name at a server of somebody's own.
async fn database(server: &str, live: u64) -> String {
    let beside = raw(server).await;
    let name = format!("soak_{live}");
    for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
        beside.batch_execute(&statement).await.unwrap();
    }
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(&name);
    url.into()
}

fn print(stores: &[Filled], figures: &[[f64; STEPS.len()]]) {
    println!("microseconds a step (in proportion to {} live tokens)", stores[0].live);
    print!("{:>12}", "live tokens");
    println!("{}", STEPS.map(|step| format!("{step:>20}")).concat());
    for (store, costs) in stores.iter().zip(figures) {
        let cells = costs.iter().zip(&figures[0]).map(|(cost, first)| format!("{cost:>12.1} ({:.2})", cost / first));
        println!("{:>12}{}", store.live, cells.map(|cell| format!("{cell:>20}")).collect::<String>());
    }
}
