//! How often a second something is done.

use std::time::{Duration, Instant};

use crate::Step;

/// How many times a second `callers` together get through `step`.
pub(crate) async fn rate(patience: Duration, callers: usize, step: &Step) -> f64 {
    let began = Instant::now();
    let end = began + patience;
    let caller = |number: usize| {
        let step = Step::clone(step);
        tokio::spawn(async move {
            let mut done = 0_u32;
            while Instant::now() < end {
                step(number).await;
                done += 1;
            }
            done
        })
    };
    let callers: Vec<_> = (0..callers).map(caller).collect();
    let mut sum = 0;
    for caller in callers {
        sum += caller.await.unwrap();
    }
    f64::from(sum) / began.elapsed().as_secs_f64()
}
