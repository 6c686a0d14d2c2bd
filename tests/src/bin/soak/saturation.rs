//! A server that has as much to do as it can.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use crate::{
    latency::Latency,
    process::{load_average, memory},
    rows::Rows,
    support::*,
};

/// How often a line is printed.
const EVERY: Duration = Duration::from_secs(10);

/// What is issued lives for half a minute, and is swept within the next one.
const SHORT: &str = "access_lifetime = 30\nrefresh_lifetime = 30\nrefresh_idle_lifetime = 30\ncode_lifetime = 30";

/// By then as much ends as begins, and the allocator has seen the busiest minute of a changing machine.
const WARM: Duration = Duration::from_secs(240);

/// How much the last minute may have above the first one, and still be flat: what an allocator keeps.
const NOISE: f64 = 1.05;

pub(crate) async fn run(store: &str, minutes: u64, clients: usize) -> bool {
    let server = (store == "postgres").then(|| Postgres::start("fsync = on\nfull_page_writes = on\n"));
    let url = match &server {
        Some(server) => server.database().await,
        None => store.replace("memory", "memory:").replace("memory::", "memory:"),
    };
    let url = if url == "sqlite" { "sqlite:oauth.db".to_owned() } else { url };
    let short = |text: String| {
        text.replace("access_lifetime = 3600", SHORT).replace("grace_seconds = 3600", "grace_seconds = 20")
    };
    let (reference, nodes) = nodes(&url, 1, short);
    let rows = Rows::of(&url, reference.authority.folder.path()).await;
    let process = nodes[0].program.as_ref().unwrap().id();
    let latency = Arc::new(Latency::new());
    let heard = Arc::clone(&latency);
    let remotes = nodes.iter().map(|node| node.remote.clone()).collect();
    let load = Load::new(remotes, clients, Memory::Nothing, move |took| heard.add(took));
    println!("{clients} clients at one server on {store}, for {minutes} minutes and {} s before", WARM.as_secs());
    println!(
        "{:>6} {:>9} {:>9} {:>9} {:>9} {:>9} {:>18}",
        "s", "answers/s", "p50 ms", "p99 ms", "RSS MB", "rows", "load average"
    );
    let began = Instant::now();
    let at_work = load.start();
    let mut memories = Vec::new();
    let end = WARM + Duration::from_secs(60 * minutes);
    while began.elapsed() < end {
        let slice = Instant::now();
        tokio::time::sleep(EVERY).await;
        let (answers, p50, p99) = latency.take();
        let rate = answers as f64 / slice.elapsed().as_secs_f64();
        let (now, count) = (memory(process), rows.count().await);
        println!(
            "{:>6} {rate:>9.0} {p50:>9.1} {p99:>9.1} {now:>9.1} {count:>9} {:>18}",
            began.elapsed().as_secs(),
            load_average()
        );
        if began.elapsed() > WARM {
            memories.push(now);
        }
    }
    load.stop();
    drop(at_work.join_all().await);
    verdict(&memories) & told(load.tally())
}

/// Whether the last minute has as much memory as the first.
fn verdict(memories: &[f64]) -> bool {
    let minute = memories.len().min(6);
    let (first, last) = (mean(&memories[..minute]), mean(&memories[memories.len() - minute..]));
    let flat = last <= first * NOISE;
    let word = if flat { "flat" } else { "GROWS" };
    println!("RSS, first minute {first:.1} MB, last minute {last:.1} MB, ratio {:.3}: {word}", last / first);
    flat
}

fn mean(figures: &[f64]) -> f64 {
    figures.iter().sum::<f64>() / figures.len() as f64
}

fn told(tally: &Tally) -> bool {
    let complaints = tally.complaints();
    println!(
        "{} steps acknowledged, {} answers 503, {} requests without an answer, {} wrong answers",
        tally.acknowledged.load(Relaxed),
        tally.unavailable.load(Relaxed),
        tally.broken.load(Relaxed),
        complaints.len()
    );
    for complaint in complaints.iter().take(10) {
        println!("  {complaint}");
    }
    complaints.is_empty()
}
