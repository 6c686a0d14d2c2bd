//! How long answers take.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Counts by size: eight sizes to each doubling, so that a figure is right to a tenth.
#[derive(Debug)]
pub(crate) struct Latency(Vec<AtomicU64>);

const SIZES: usize = 8 * 40;

impl Latency {
    pub(crate) fn new() -> Self {
        Self((0..SIZES).map(|_| AtomicU64::new(0)).collect())
    }

    pub(crate) fn add(&self, took: Duration) {
        let doublings = (took.as_secs_f64() * 1e6).max(1.0).log2() * 8.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is small and positive")]
        let size = doublings as usize;
        self.0[size.min(SIZES - 1)].fetch_add(1, Relaxed);
    }

    /// How many there were, and in how many milliseconds half and 99 of 100 came; and forgets them.
    pub(crate) fn take(&self) -> (u64, f64, f64) {
        let counts: Vec<u64> = self.0.iter().map(|count| count.swap(0, Relaxed)).collect();
        let all = counts.iter().sum();
        (all, within(&counts, all, 0.5), within(&counts, all, 0.99))
    }
}

fn within(counts: &[u64], all: u64, share: f64) -> f64 {
    let mut seen = 0;
    let size = counts.iter().position(|count| {
        seen += count;
        seen as f64 >= all as f64 * share
    });
    ((size.unwrap_or(0) + 1) as f64 / 8.0).exp2() / 1e3
}
