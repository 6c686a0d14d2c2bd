//! A document of another party's, kept fresh without a background task.
//!
//! Whoever needs it finds it in one of three states. Fresh: used as it is.
//! Due, in the last quarter of its life: used, and fetched again by the way.
//! Over, or never there: waited for. All who fetch share one future that any
//! of them drives; nobody holds a lock meanwhile. When fetching fails, the old
//! document serves on, up to a hard limit.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use oauth_core::clock::{Clock, UnixTime};

/// A fetch under way. Drive it or drop it; what it yields is found in the
/// [`Fetched`] afterwards.
pub(super) type Refresh = Shared<BoxFuture<'static, ()>>;

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
    /// After this, an attempt that nobody drove is given up.
    pub(super) patience: u64,
}

/// What an attempt yields.
pub(super) struct Loaded<T> {
    pub(super) value: T,
    /// For how many seconds it is good, if the other party said.
    pub(super) max_age: Option<u64>,
}

/// The attempt failed. What it was matters to nobody who only wants to know
/// whether a token is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Down;

pub(super) struct Fetched<T> {
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
    attempt: Option<Attempt>,
    number: u64,
}

struct Current<T> {
    value: Arc<T>,
    fetched: UnixTime,
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
    /// The document, and a fetch to drive by the way if it is due.
    Ready(Arc<T>, Option<Refresh>),
    /// Nothing yet: wait for this, and ask again.
    Wait(Refresh),
    /// Nothing, and no attempt now: in so many seconds perhaps.
    Down { retry_after: u64 },
}

/// The answer to "is there a newer one?".
pub(super) enum Newer {
    /// Wait for this, and look again.
    Wait(Refresh),
    /// No: it was fetched a moment ago.
    No,
    /// Nobody knows: the last attempt failed a moment ago.
    Unknown { retry_after: u64 },
}

impl<T: Send + Sync + 'static> Fetched<T> {
    /// A document that `load` fetches. `replaced` hears of the old and the new
    /// one after the new one is in place.
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        lifetimes: Lifetimes,
        load: impl Fn() -> BoxFuture<'static, Result<Loaded<T>, Down>> + Send + Sync + 'static,
        replaced: impl Fn(&T, &T) + Send + Sync + 'static,
    ) -> Arc<Self> {
        let state = State { current: None, failed: None, attempt: None, number: 0 };
        Arc::new(Self {
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
            let value = Arc::clone(&current.value);
            // Once an attempt has failed, the old one serves without waiting.
            let serves = now < current.over || ((failing || !can_wait) && now < current.dead);
            if now < current.due {
                return Availability::Ready(value, None);
            }
            if serves {
                return Availability::Ready(value, self.attempt(&mut state, now));
            }
        }
        match self.attempt(&mut state, now) {
            Some(refresh) if can_wait => Availability::Wait(refresh),
            _ => Availability::Down { retry_after: self.retry_after() },
        }
    }

    /// Asks for a newer document than the one at hand, which lacked something.
    pub(super) fn newer(self: &Arc<Self>, now: UnixTime) -> Newer {
        let mut state = self.lock();
        let recent = |at: UnixTime| now < at.saturating_add(self.lifetimes.pause);
        if state.attempt.is_none() && state.current.as_ref().is_some_and(|current| recent(current.fetched)) {
            return Newer::No;
        }
        self.attempt(&mut state, now).map_or_else(|| Newer::Unknown { retry_after: self.retry_after() }, Newer::Wait)
    }

    /// The document, waiting for it if that is needed.
    pub(super) async fn get(self: &Arc<Self>) -> Result<Arc<T>, Down> {
        let mut can_wait = true;
        loop {
            match self.at(self.clock.now(), can_wait) {
                Availability::Ready(value, refresh) => {
                    if let Some(refresh) = refresh {
                        refresh.now_or_never();
                    }
                    return Ok(value);
                }
                Availability::Wait(refresh) => refresh.await,
                Availability::Down { .. } => return Err(Down),
            }
            can_wait = false;
        }
    }

    /// The attempt under way, or a new one unless one has just failed.
    fn attempt(self: &Arc<Self>, state: &mut State<T>, now: UnixTime) -> Option<Refresh> {
        let given_up = |attempt: &Attempt| now > attempt.started.saturating_add(self.lifetimes.patience);
        if let Some(attempt) = state.attempt.as_ref().filter(|attempt| !given_up(attempt)) {
            return Some(attempt.refresh.clone());
        }
        if state.failed.is_some_and(|at| now < at.saturating_add(self.lifetimes.pause)) {
            return None;
        }
        state.number += 1;
        let number = state.number;
        let load = (self.load)();
        let this = Arc::downgrade(self);
        let attempt = async move {
            let outcome = load.await;
            if let Some(this) = this.upgrade() {
                this.settle(number, outcome);
            }
        };
        let refresh = attempt.boxed().shared();
        state.attempt = Some(Attempt { number, started: now, refresh: refresh.clone() });
        Some(refresh)
    }

    fn settle(&self, number: u64, outcome: Result<Loaded<T>, Down>) {
        let now = self.clock.now();
        let mut state = self.lock();
        if state.attempt.as_ref().is_some_and(|attempt| attempt.number == number) {
            state.attempt = None;
        }
        let Ok(loaded) = outcome else {
            state.failed = Some(now);
            return;
        };
        state.failed = None;
        let fresh = self.current(loaded, now);
        let value = Arc::clone(&fresh.value);
        let old = state.current.replace(fresh);
        drop(state);
        if let Some(old) = old {
            (self.replaced)(&old.value, &value);
        }
    }

    fn current(&self, loaded: Loaded<T>, now: UnixTime) -> Current<T> {
        let Lifetimes { usual, shortest, longest, stale, .. } = self.lifetimes;
        let lifetime = loaded.max_age.unwrap_or(usual).min(longest).max(shortest);
        let over = now.saturating_add(lifetime);
        Current {
            value: Arc::new(loaded.value),
            fetched: now,
            due: now.saturating_add(lifetime - lifetime / 4),
            over,
            dead: over.saturating_add(stale),
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
