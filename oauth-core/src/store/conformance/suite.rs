//! Running the checks.

use std::{fmt, future::Future, sync::Arc};

use super::{CHECKS, Check, RACES, SWEEPS, Swept, Task, context::Context};
use crate::store::Store;

/// The suite, for the stores that `M` makes, with tasks that `P` spawns.
pub struct Suite<M, P> {
    make: M,
    spawn: P,
    /// What sweeps are there to remove.
    swept: &'static [Swept],
}

/// How often each race is run: whether its bad end comes about is luck.
const ROUNDS: usize = 10;

impl<M, P> fmt::Debug for Suite<M, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite").finish_non_exhaustive()
    }
}

/// A check that a store did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// What the store should do: the name of the check, a sentence.
    pub check: String,
    /// What it did.
    pub found: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.found)
    }
}

impl<S, F, M, P> Suite<M, P>
where
    S: Store,
    F: Future<Output = S>,
    M: Fn() -> F,
    P: Fn(Task),
{
    /// The suite for the stores that `make` makes: one for each check, or
    /// handles of a single one. `spawn` must run the tasks it is given, in
    /// parallel, where the store's futures can run.
    pub fn new(make: M, spawn: P) -> Self {
        Self { make, spawn, swept: &[Swept::Grants, Swept::ShortLived] }
    }

    /// For a store that removes what has ended by itself, at times of its own,
    /// as a server does whose keys can expire: its sweeps have nothing to do.
    #[must_use]
    pub fn without_sweeps(self) -> Self {
        Self { swept: &[], ..self }
    }

    /// For a store that leaves to sweeps what has to do with grants and
    /// consents, and removes interactions and uses by itself: a
    /// [`Composite`](crate::store::composite::Composite) of two kinds.
    #[must_use]
    pub fn without_sweeps_of_what_is_short_lived(self) -> Self {
        Self { swept: &[Swept::Grants], ..self }
    }

    /// Runs every check.
    ///
    /// # Panics
    /// If the store fails a check; the message names all that failed.
    #[expect(clippy::panic, reason = "a failed suite should fail its test")]
    pub async fn run(&self) {
        let failures = self.failures().await;
        if !failures.is_empty() {
            let lines: Vec<_> = failures.iter().map(|failure| format!("\n  {failure}")).collect();
            panic!("the store fails {} of {} checks:{}", failures.len(), self.checks().count(), lines.concat());
        }
    }

    /// Runs every check and returns those that the store fails.
    pub async fn failures(&self) -> Vec<Failure> {
        self.failures_among(|_| true).await
    }

    /// Those that are run, with their names and how often each.
    fn checks(&self) -> impl Iterator<Item = (&'static str, Check, usize)> {
        let sweeps =
            SWEEPS.iter().flat_map(|(what, swept, unswept)| if self.swept.contains(what) { *swept } else { *unswept });
        let once = CHECKS.iter().chain(sweeps).map(|(name, check)| (*name, *check, 1));
        once.chain(RACES.iter().map(|(name, check)| (*name, *check, ROUNDS)))
    }

    pub(super) async fn failures_among(&self, chosen: impl Fn(&str) -> bool) -> Vec<Failure> {
        let mut failures = Vec::new();
        for (name, check, rounds) in self.checks().filter(|(name, ..)| chosen(name)) {
            let store: Arc<dyn Store> = Arc::new((self.make)().await);
            let context = Context::new(store, &self.spawn);
            for _ in 0..rounds {
                if let Err(broken) = check(&context).await {
                    failures.push(Failure { check: name.replace('_', " "), found: broken.to_string() });
                    break;
                }
            }
        }
        failures
    }
}
