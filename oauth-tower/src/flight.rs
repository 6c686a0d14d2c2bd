//! One question at a time: whoever asks the same while it is open shares the
//! answer.
//!
//! A flight is a shared future that any of its waiters drives. If the first
//! caller goes away, the others carry on; if all go away, the flight is
//! dropped where it is and leaves nothing behind.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, Hash},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::quality::RandomState;
use futures_util::{FutureExt, future::BoxFuture};

use crate::shared::{Shared, WeakShared};

/// The flights under way: questions `K` for answers `A`.
pub(crate) struct Flights<K: Eq + Hash, A, S: BuildHasher = RandomState> {
    map: Mutex<HashMap<K, Entry<A>, S>>,
    next: AtomicU64,
}

#[derive(Debug)]
struct Entry<A> {
    number: u64,
    flight: WeakShared<A>,
}

impl<K, A, S> Flights<K, A, S>
where
    K: Clone + Eq + Hash + Send + 'static,
    A: Clone + Send + 'static,
    S: BuildHasher + Send + 'static,
{
    /// Joins the flight for `key`, or starts one.
    pub(crate) fn join(self: &Arc<Self>, key: &K, start: impl FnOnce() -> BoxFuture<'static, A>) -> Shared<A> {
        let mut map = self.lock();
        if let Some(flight) = map.get(key).and_then(|entry| entry.flight.upgrade()) {
            return flight;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let landing = Landing { flights: Arc::clone(self), key: key.clone(), number };
        let question = start();
        let flight = async move {
            let answer = question.await;
            drop(landing);
            answer
        };
        let flight = Shared::new(flight.boxed());
        map.insert(key.clone(), Entry { number, flight: flight.downgrade() });
        flight
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }
}

impl<K: Eq + Hash, A, S: BuildHasher> Flights<K, A, S> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Entry<A>, S>> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, A, S: BuildHasher + Default> Default for Flights<K, A, S> {
    fn default() -> Self {
        Self { map: Mutex::default(), next: AtomicU64::default() }
    }
}

impl<K: Eq + Hash, A, S: BuildHasher> fmt::Debug for Flights<K, A, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights").field("open", &self.lock().len()).finish()
    }
}

/// Takes a flight off the map when it ends, one way or the other.
struct Landing<K: Eq + Hash, A, S: BuildHasher> {
    flights: Arc<Flights<K, A, S>>,
    key: K,
    number: u64,
}

impl<K: Eq + Hash, A, S: BuildHasher> Drop for Landing<K, A, S> {
    fn drop(&mut self) {
        let mut map = self.flights.lock();
        // A flight that was abandoned may have a successor by now.
        if map.get(&self.key).is_some_and(|entry| entry.number == self.number) {
            map.remove(&self.key);
        }
    }
}
