//! Everybody in turns, and the processor's time rather than the wall's: what
//! else the machine does is then in nobody's figure.

use std::time::Duration;

/// Nanoseconds per call of each of `variants`, which take turns for `rounds`
/// rounds: each is called `calls` times in a round, with a number of its own.
pub(crate) fn interleaved<const N: usize>(
    rounds: usize,
    calls: usize,
    mut variants: [&mut dyn FnMut(usize); N],
) -> [f64; N] {
    let mut times: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for round in 0..rounds {
        for (variant, times) in variants.iter_mut().zip(&mut times) {
            let before = thread_time();
            for call in 0..calls {
                variant(round * calls + call);
            }
            times.push((thread_time() - before).as_nanos() as f64 / calls as f64);
        }
    }
    times.map(|mut times| lower_quartile(&mut times))
}

/// What a quarter of the rounds stay below: whatever else the machine does only
/// ever adds.
pub(crate) fn lower_quartile(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 4]
}

/// The processor's time that this thread has used.
#[cfg(unix)]
pub(crate) fn thread_time() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).try_into().unwrap()
}

/// Where there is no such clock, the wall's.
#[cfg(not(unix))]
pub(crate) fn thread_time() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}
