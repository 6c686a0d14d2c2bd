//! Whether a step costs as much in a full store as in one that is almost empty.

use std::{
    any::Any,
    future::Future,
    sync::{Mutex, PoisonError},
};

use crate::{Bar, support::*};

/// Of the almost empty one. A second one of that size shows what is noise.
const SMALL: u64 = 1_000;

/// How many times the cost in the almost empty one still counts as flat: some levels of a tree, and no more.
const MOST: f64 = 1.5;

const ROUNDS: usize = 31;

pub(crate) async fn compare<F: Future<Output = Filled>>(name: &str, live: u64, filled: impl Fn(u64, usize) -> F) {
    let mut stores = Vec::new();
    for live in [SMALL, SMALL, live] {
        stores.push(filled(live, (ROUNDS + 1) * PER_ROUND).await);
    }
    let figures = costs(&mut stores, ROUNDS, |_| ()).await;
    println!("\nmicroseconds a step, {name}, by live tokens; load average {}", crate::load_average());
    let sizes = [SMALL.to_string(), format!("{SMALL}, too"), live.to_string()];
    let head = ["step".to_owned()].into_iter().chain(sizes).chain(["noise", "ratio", "bar"].map(str::to_owned));
    println!("{}", head.map(|title| format!("{title:>15}")).collect::<String>());
    for (step, name) in STEPS.iter().enumerate() {
        let [one, two, full] = [0, 1, 2].map(|at| figures[at][step]);
        let base = (one + two) / 2.0;
        let (noise, ratio) = (one.max(two) / one.min(two), full / base);
        let bar = Bar(ratio <= MOST.max(noise));
        println!("{name:>15}{one:>15.1}{two:>15.1}{full:>15.1}{noise:>15.2}{ratio:>15.2}{bar:>15}");
    }
}

/// Keeps what a store stands on until the next comparison has begun.
pub(crate) fn keep(what: impl Any + Send) {
    static KEPT: Mutex<Vec<Box<dyn Any + Send>>> = Mutex::new(Vec::new());
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(what));
}
