//! One core serves, another asks.

use std::thread;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

pub struct Cores {
    serving: usize,
    asking: usize,
}

impl Cores {
    /// The first and the last that this process may use; from now on the calling thread uses
    /// the last.
    pub fn two() -> Self {
        let may = sched_getaffinity(None).expect("the cores of this process");
        let cores: Vec<_> = (0..CpuSet::MAX_CPU).filter(|core| may.is_set(*core)).collect();
        let cores = Self { serving: cores[0], asking: cores[cores.len() - 1] };
        if cores.serving == cores.asking {
            println!("only one core here: who asks takes its turns from who serves");
        }
        stay_on(cores.asking);
        cores
    }

    /// Does `what` on the core that serves; a process that it starts stays there.
    pub fn serving<T: Send>(&self, what: impl FnOnce() -> T + Send) -> T {
        let here = || {
            stay_on(self.serving);
            what()
        };
        thread::scope(|scope| scope.spawn(here).join().expect("it ends"))
    }
}

fn stay_on(core: usize) {
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).expect("a core of this process");
}
