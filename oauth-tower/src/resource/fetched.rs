//! A document of another party's, kept fresh without a background task.
//!
//! Whoever needs it finds it in one of three states. Fresh: used as it is.
//! Due, in the last quarter of its life: used, and fetched again by the way.
//! Over, or never there: waited for. All who fetch share one future that any
//! of them drives; nobody holds a lock meanwhile. When fetching fails, the old
//! document serves on, up to a hard limit, and one request in each pause sees
//! the next attempt through.

mod down;
mod freshness;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use oauth_core::clock::{Clock, UnixTime};
use tokio::time::timeout;

pub(super) use self::{down::Down, freshness::Freshness};
use super::outage;
use crate::shared::Shared;

/// A fetch under way. Drive it or drop it; what it yields is found in the
/// [`Fetched`] afterwards.
pub(super) type Refresh = Shared<()>;

/// Times, all in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetimes {
    /// Where the other party does not say.
    pub(super) usual: u64,
    /// However little the other party says.
    pub(super) shortest: u64,
    /// However much the other party says.
    pub(super) longest: u64,
    /// How long a document that is over may serve while fetching fails.
    pub(super) stale: u64,
    /// Between two attempts, at least.
    pub(super) pause: u64,
    /// What one attempt may take in all; then it has failed, or, if nobody
    /// drove it, is given up.
    pub(super) patience: u64,
}

/// What an attempt yields.
pub(super) struct Loaded<T> {
    pub(super) value: T,
    /// For how many seconds it is good, if the other party said.
    pub(super) max_age: Option<u64>,
}

pub(super) struct Fetched<T> {
    issuer: Box<str>,
    load: Box<Load<T>>,
    replaced: Box<Replaced<T>>,
    clock: Arc<dyn Clock>,
    lifetimes: Lifetimes,
    state: Mutex<State<T>>,
}

type Load<T> = dyn Fn() -> BoxFuture<'static, Result<Loaded<T>, Down>> + Send + Sync;
type Replaced<T> = dyn Fn(&T, &T) + Send + Sync;

struct State<T> {
    current: Option<Current<T>>,
    /// When the last attempt failed, if it did.
    failed: Option<UnixTime>,
    /// When any attempt failed last.
    last_failure: Option<UnixTime>,
    attempt: Option<Attempt>,
    number: u64,
    /// What this attempt and those before it bring is not wanted any more.
    void: u64,
}

struct Current<T> {
    value: Arc<T>,
    /// Of the attempt that fetched it.
    number: u64,
    /// When that attempt began: whatever came later may be missing.
    asked: UnixTime,
    due: UnixTime,
    over: UnixTime,
    dead: UnixTime,
}

struct Attempt {
    number: u64,
    started: UnixTime,
    refresh: Refresh,
}

/// What there is.
pub(super) enum Availability<T> {
    /// The document.
    Ready {
        value: Arc<T>,
        /// From here on, what was concluded from it has to be looked at again.
        until: UnixTime,
        /// A fetch to drive by the way, if it is due.
        refresh: Option<Refresh>,
    },
    /// Nothing yet: wait for this, and ask again.
    Wait(Refresh),
    /// Nothing, and no attempt now: in so many seconds perhaps.
    Down { retry_after: u64 },
}

/// The answer to "is there a newer one?".
pub(super) enum Newer {
    /// There is already: look again.
    Replaced,
    /// Wait for this, and look again.
    Wait(Refresh),
    /// No: it was asked for no earlier than it was looked for.
    No,
    /// Nobody knows: the last attempt was a moment ago, and failed or came too
    /// early.
    Unknown { retry_after: u64 },
}

impl<T: Send + Sync + 'static> Fetched<T> {
    /// A document of `issuer` that `load` fetches. `replaced` hears of the old and the new
    /// one after the new one is in place.
    pub(super) fn new(
        issuer: &str,
        clock: Arc<dyn Clock>,
        lifetimes: Lifetimes,
        load: impl Fn() -> BoxFuture<'static, Result<Loaded<T>, Down>> + Send + Sync + 'static,
        replaced: impl Fn(&T, &T) + Send + Sync + 'static,
    ) -> Arc<Self> {
        let state = State { current: None, failed: None, last_failure: None, attempt: None, number: 0, void: 0 };
        Arc::new(Self {
            issuer: issuer.into(),
            load: Box::new(load),
            replaced: Box::new(replaced),
            clock,
            lifetimes,
            state: Mutex::new(state),
        })
    }

    /// The document, for someone who can still wait or cannot any more.
    pub(super) fn at(self: &Arc<Self>, now: UnixTime, can_wait: bool) -> Availability<T> {
        let mut state = self.lock();
        let failing = state.failed.is_some();
        if let Some(current) = &state.current {
            let (value, until, is_over) =
                (Arc::clone(&current.value), self.until(current, now, failing), now >= current.over);
            // Once an attempt has failed, the old one serves without waiting.
            let serves = !is_over || ((failing || !can_wait) && now < current.dead);
            if now < current.due {
                return Availability::Ready { value, until, refresh: None };
            }
            if serves {
                let attempts = state.number;
                let refresh = self.attempt(&mut state, now, is_over);
                // But for whoever begins the next attempt: by pushes of rare
                // requests alone none would ever come to its end.
                let begun = state.number != attempts;
                return match refresh {
                    Some(refresh) if begun && is_over && can_wait => Availability::Wait(refresh),
                    refresh => Availability::Ready { value, until, refresh },
                };
            }
        }
        match self.attempt(&mut state, now, true) {
            Some(refresh) if can_wait => Availability::Wait(refresh),
            _ => Availability::Down { retry_after: self.retry_after() },
        }
    }

    /// Asks for a newer document than `searched`, which lacked something that
    /// somebody has been looking for since `since`.
    pub(super) fn newer(self: &Arc<Self>, now: UnixTime, since: UnixTime, searched: &Arc<T>) -> Newer {
        let mut state = self.lock();
        let again = |current: &Current<T>| current.asked.saturating_add(self.lifetimes.pause);
        match &state.current {
            // Somebody else's fetch has come in between.
            Some(current) if !Arc::ptr_eq(&current.value, searched) => return Newer::Replaced,
            Some(current) if state.attempt.is_none() && now < again(current) => {
                // It may have come into being since it was last asked for.
                let retry_after = again(current).0.saturating_sub(now.0);
                return if since <= current.asked { Newer::No } else { Newer::Unknown { retry_after } };
            }
            _ => {}
        }
        let attempt = self.attempt(&mut state, now, true);
        attempt.map_or_else(|| Newer::Unknown { retry_after: self.retry_after() }, Newer::Wait)
    }

    /// What is there, and what is on its way, is not good enough any more: it
    /// is asked for anew at the next use, and nothing serves until it comes.
    pub(super) fn distrust(&self) {
        let mut state = self.lock();
        (state.attempt, state.void) = (None, state.number);
        if let Some(current) = &mut state.current {
            (current.due, current.over, current.dead) = (UnixTime(0), UnixTime(0), UnixTime(0));
        }
    }

    /// The document, waiting for it if that is needed.
    pub(super) async fn get(self: &Arc<Self>) -> Result<Arc<T>, Down> {
        let mut can_wait = true;
        loop {
            match self.at(self.clock.now(), can_wait) {
                Availability::Ready { value, refresh, .. } => {
                    if let Some(refresh) = refresh {
                        refresh.now_or_never();
                    }
                    return Ok(value);
                }
                Availability::Wait(refresh) => refresh.await,
                Availability::Down { .. } => return Err(Down::because("the metadata are not there")),
            }
            can_wait = false;
        }
    }

    /// The attempt under way, or a new one unless one has just failed. If it is
    /// to be waited for, one that everybody has left will not do.
    fn attempt(self: &Arc<Self>, state: &mut State<T>, now: UnixTime, awaited: bool) -> Option<Refresh> {
        if let Some(attempt) = state.attempt.as_ref().filter(|attempt| self.goes_on(attempt, now, awaited)) {
            return Some(attempt.refresh.clone());
        }
        if state.failed.is_some_and(|at| now < at.saturating_add(self.lifetimes.pause)) {
            return None;
        }
        state.number += 1;
        let number = state.number;
        let (load, patience) = ((self.load)(), Duration::from_secs(self.lifetimes.patience));
        let this = Arc::downgrade(self);
        let attempt = async move {
            // The timer starts with the first poll, where there is a runtime.
            let outcome = timeout(patience, load).await.unwrap_or_else(|_| Err(Down::because("it takes too long")));
            if let Some(this) = this.upgrade() {
                this.settle(number, now, outcome);
            }
        };
        let refresh = Shared::new(attempt.boxed());
        state.attempt = Some(Attempt { number, started: now, refresh: refresh.clone() });
        Some(refresh)
    }

    /// Whether an attempt is worth joining. One that nobody drives finds what
    /// there was when it was left: a connection that is dead, perhaps.
    fn goes_on(&self, attempt: &Attempt, now: UnixTime, awaited: bool) -> bool {
        let Lifetimes { pause, patience, .. } = self.lifetimes;
        let is_left = attempt.refresh.handles() == 1;
        let limit = if awaited && is_left { pause.min(patience + 1) } else { patience + 1 };
        now < attempt.started.saturating_add(limit)
    }

    fn settle(&self, number: u64, asked: UnixTime, outcome: Result<Loaded<T>, Down>) {
        let now = self.clock.now();
        let mut state = self.lock();
        if state.attempt.as_ref().is_some_and(|attempt| attempt.number == number) {
            state.attempt = None;
        }
        // One that was given up may end after its successor.
        if number <= state.void || state.current.as_ref().is_some_and(|current| current.number > number) {
            return;
        }
        let loaded = match outcome {
            Ok(loaded) => loaded,
            Err(down) => {
                (state.failed, state.last_failure) = (Some(now), Some(now));
                drop(state);
                return outage::report(&self.issuer, down.reason());
            }
        };
        state.failed = None;
        let fresh = self.current(loaded, number, asked);
        let value = Arc::clone(&fresh.value);
        let old = state.current.replace(fresh);
        drop(state);
        if let Some(old) = old {
            (self.replaced)(&old.value, &value);
        }
    }

    fn current(&self, loaded: Loaded<T>, number: u64, asked: UnixTime) -> Current<T> {
        let Lifetimes { usual, shortest, longest, stale, .. } = self.lifetimes;
        let lifetime = loaded.max_age.unwrap_or(usual).min(longest).max(shortest);
        let over = asked.saturating_add(lifetime);
        Current {
            value: Arc::new(loaded.value),
            number,
            asked,
            due: asked.saturating_add(lifetime - lifetime / 4),
            over,
            dead: over.saturating_add(stale),
        }
    }

    /// Until the next one is due; from then on until the next attempt.
    fn until(&self, current: &Current<T>, now: UnixTime, failing: bool) -> UnixTime {
        let next = now.saturating_add(self.retry_after());
        match () {
            () if now < current.due => current.due,
            () if now < current.over => next.min(current.over),
            () if failing => next.min(current.dead),
            // It was over when it came: it is for those who waited for it.
            () => now,
        }
    }

    fn retry_after(&self) -> u64 {
        self.lifetimes.pause.max(1)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for Fetched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched").field("lifetimes", &self.lifetimes).finish_non_exhaustive()
    }
}
