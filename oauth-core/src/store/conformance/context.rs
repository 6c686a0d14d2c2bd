//! What a check works with: the store, the present, and a way to race.

use std::{fmt, future::Future, sync::Arc};

use futures_channel::oneshot;
use futures_util::{FutureExt, future::join_all};

use super::Task;
use crate::{
    clock::{Clock, SystemClock, UnixTime},
    store::{Store, StoreError},
};

/// How many tasks a race has.
pub(super) const RUNNERS: u8 = 100;

/// How a check ends.
pub(super) type Verdict = Result<(), Broken>;

/// What a store did that it should not have done.
#[derive(Debug)]
pub(super) struct Broken(String);

impl Broken {
    pub(super) const fn new(found: String) -> Self {
        Self(found)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self(format!("a call failed: {error}"))
    }
}

/// Fails with what was found, unless `holds`.
pub(super) fn ensure(holds: bool, found: impl Into<String>) -> Verdict {
    if holds { Ok(()) } else { Err(Broken(found.into())) }
}

/// Fails unless `found` is `expected`.
pub(super) fn same<T: PartialEq + fmt::Debug>(what: &str, found: &T, expected: &T) -> Verdict {
    ensure(found == expected, format!("{what}: found {found:?}, expected {expected:?}"))
}

/// Fails unless `outcome` is a conflict.
pub(super) fn conflicts<T: fmt::Debug>(what: &str, outcome: &Result<T, StoreError>) -> Verdict {
    ensure(matches!(outcome, Err(StoreError::Conflict(_))), format!("{what}: {outcome:?} instead of a conflict"))
}

pub(super) struct Context<'a> {
    pub(super) store: Arc<dyn Store>,
    /// The present, so that stores which clean up by themselves keep what the
    /// checks make.
    pub(super) now: UnixTime,
    spawn: &'a dyn Fn(Task),
}

impl<'a> Context<'a> {
    pub(super) fn new(store: Arc<dyn Store>, spawn: &'a dyn Fn(Task)) -> Self {
        Self { store, now: SystemClock.now(), spawn }
    }

    pub(super) fn after(&self, seconds: u64) -> UnixTime {
        self.now.saturating_add(seconds)
    }

    /// Lets `runners` start together, and returns what each came to.
    pub(super) async fn race<T, R>(&self, runners: impl IntoIterator<Item = R>) -> Result<Vec<T>, Broken>
    where
        T: Send + 'static,
        R: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let (start, started) = oneshot::channel::<()>();
        let started = started.map(|_| ()).shared();
        let finish = runners.into_iter().map(|runner| {
            let (done, outcome) = oneshot::channel();
            let started = started.clone();
            (self.spawn)(Box::pin(async move {
                started.await;
                drop(done.send(runner.await));
            }));
            outcome
        });
        let finish: Vec<_> = finish.collect();
        drop(start);
        let mut outcomes = Vec::new();
        for outcome in join_all(finish).await {
            let outcome = outcome.map_err(|_| Broken("a racing call never returned".to_owned()))?;
            outcomes.push(outcome?);
        }
        Ok(outcomes)
    }
}

/// How often `outcome` occurs.
pub(super) fn count<T: PartialEq>(outcomes: &[T], outcome: &T) -> usize {
    outcomes.iter().filter(|other| *other == outcome).count()
}
