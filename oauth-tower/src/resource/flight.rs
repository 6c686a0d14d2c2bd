//! One question at a time: concurrent misses for one token share one answer.
//!
//! A flight is a shared future that any of its waiters drives. If the first
//! caller goes away, the others carry on; if all go away, the flight is
//! dropped where it is and leaves nothing behind.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::{FutureExt, future::BoxFuture};

use super::{
    cache::{TokenKey, Verbatim},
    shared::{Shared, WeakShared},
    validate::Verdict,
};

pub(super) type Flight = Shared<Verdict>;

/// The flights under way.
#[derive(Debug, Default)]
pub(super) struct Flights {
    map: Mutex<HashMap<TokenKey, Entry, Verbatim>>,
    next: AtomicU64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    flight: WeakShared<Verdict>,
}

impl Flights {
    /// Joins the flight for `key`, or starts one.
    pub(super) fn join(
        self: &Arc<Self>,
        key: &TokenKey,
        start: impl FnOnce() -> BoxFuture<'static, Verdict>,
    ) -> Flight {
        let mut map = self.lock();
        if let Some(flight) = map.get(key).and_then(|entry| entry.flight.upgrade()) {
            return flight;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let landing = Landing { flights: Arc::clone(self), key: key.clone(), number };
        let question = start();
        let flight = async move {
            let verdict = question.await;
            drop(landing);
            verdict
        };
        let flight = Shared::new(flight.boxed());
        map.insert(key.clone(), Entry { number, flight: flight.downgrade() });
        flight
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenKey, Entry, Verbatim>> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}

/// Takes a flight off the map when it ends, one way or the other.
struct Landing {
    flights: Arc<Flights>,
    key: TokenKey,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut map = self.flights.lock();
        // A flight that was abandoned may have a successor by now.
        if map.get(&self.key).is_some_and(|entry| entry.number == self.number) {
            map.remove(&self.key);
        }
    }
}
