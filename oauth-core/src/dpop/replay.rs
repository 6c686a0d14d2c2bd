//! Remembering what was used (RFC 9449 section 11.1).

use std::{
    collections::{BTreeMap, HashMap, hash_map},
    fmt,
    future::Future,
    hash::{BuildHasher, RandomState},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    clock::{Clock, SystemClock, UnixTime},
    secret::Digest,
};

/// The answer of a [`ReplayCache`].
pub type ReplayFuture<'a> = Pin<Box<dyn Future<Output = Result<bool, ReplayError>> + Send + 'a>>;

/// Why a replay cache has no answer. It never means "no", nor "yes": the
/// request is refused with 503.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// No room to remember another use.
    #[error("the replay cache is full")]
    Full,
    /// The store behind the cache does not answer.
    #[error("the replay cache is unavailable: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What has been used, in one atomic step that both asks and remembers.
///
/// An implementation that several nodes share is a single conditional write,
/// as `SET key 1 NX EXAT until` is.
pub trait ReplayCache: fmt::Debug + Send + Sync + 'static {
    /// Whether this is the first use of `digest`: `true` for one caller, however
    /// many ask at once, and `false` for all others until `until` has come. A
    /// use at or after `until` is `false` as well: it may have been forgotten.
    fn first_use(&self, digest: Digest, until: UnixTime) -> ReplayFuture<'_>;
}

impl<C: ReplayCache + ?Sized> ReplayCache for Arc<C> {
    fn first_use(&self, digest: Digest, until: UnixTime) -> ReplayFuture<'_> {
        (**self).first_use(digest, until)
    }
}

/// A replay cache in the memory of one process, for a server with one node, or
/// one that sends a client to the same node for a minute.
///
/// It holds a bounded number of digests, some hundred bytes each, and drops
/// each soon after its time. When full it fails: it forgets nothing early.
///
/// ```
/// use std::sync::Arc;
/// use oauth_core::{clock::{Clock, SystemClock}, dpop::{MemoryReplayCache, ReplayCache}, secret::Digest};
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let cache: Arc<dyn ReplayCache> = Arc::new(MemoryReplayCache::default());
/// let until = SystemClock.now().saturating_add(60);
/// assert!(cache.first_use(Digest::of(&[b"one"]), until).await.unwrap());
/// assert!(!cache.first_use(Digest::of(&[b"one"]), until).await.unwrap());
/// # }
/// ```
pub struct MemoryReplayCache {
    clock: Arc<dyn Clock>,
    /// Keyed, so that nobody can aim at one shard.
    hasher: RandomState,
    shards: Box<[Mutex<Shard>]>,
    capacity: usize,
}

const SHARDS: usize = 64;

/// How many digests one call drops at most: its own, and then some.
const SWEEP: usize = 64;

/// A clock that is further back than this was wrong before. Less, and it is
/// another thread that looked at it a moment earlier.
const CLOCK_RESET: u64 = 600;

impl MemoryReplayCache {
    /// The most digests held, unless said otherwise.
    pub const DEFAULT_CAPACITY: usize = 1 << 20;

    /// A cache that goes by `clock` and holds at most `capacity` digests
    /// (rounded up to a multiple of 64).
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, capacity: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { clock, hasher: RandomState::new(), shards, capacity: capacity.div_ceil(SHARDS) }
    }

    fn first_use_now(&self, digest: Digest, until: UnixTime) -> Result<bool, ReplayError> {
        let now = self.clock.now();
        let place = self.hasher.hash_one(digest) % SHARDS as u64;
        let shard = usize::try_from(place).ok().and_then(|place| self.shards.get(place));
        // There are as many shards as places.
        let mut shard = shard.ok_or(ReplayError::Full)?.lock().unwrap_or_else(PoisonError::into_inner);
        shard.first_use(digest, until, now, self.capacity)
    }
}

impl Default for MemoryReplayCache {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock), Self::DEFAULT_CAPACITY)
    }
}

impl ReplayCache for MemoryReplayCache {
    fn first_use(&self, digest: Digest, until: UnixTime) -> ReplayFuture<'_> {
        Box::pin(std::future::ready(self.first_use_now(digest, until)))
    }
}

impl fmt::Debug for MemoryReplayCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayCache").field("capacity", &(self.capacity * SHARDS)).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Shard {
    used: HashMap<Digest, UnixTime>,
    /// The same digests by when they may go.
    due: BTreeMap<UnixTime, Vec<Digest>>,
    /// Whatever was due by then may be gone.
    horizon: UnixTime,
}

impl Shard {
    fn first_use(
        &mut self,
        digest: Digest,
        until: UnixTime,
        now: UnixTime,
        capacity: usize,
    ) -> Result<bool, ReplayError> {
        if now.saturating_add(CLOCK_RESET) < self.horizon {
            self.horizon = now;
        }
        self.horizon = self.horizon.max(now);
        self.sweep();
        if until <= self.horizon {
            return Ok(false);
        }
        let full = self.used.len() >= capacity;
        match self.used.entry(digest) {
            hash_map::Entry::Occupied(used) if *used.get() > self.horizon => return Ok(false),
            hash_map::Entry::Occupied(mut used) => drop(used.insert(until)),
            hash_map::Entry::Vacant(_) if full => return Err(ReplayError::Full),
            hash_map::Entry::Vacant(place) => drop(place.insert(until)),
        }
        self.due.entry(until).or_default().push(digest);
        Ok(true)
    }

    /// Drops some of what is due: more than comes in, so that nothing stays,
    /// and never so much that a caller would wait for it.
    fn sweep(&mut self) {
        for _ in 0..SWEEP {
            let Some(mut first) = self.due.first_entry().filter(|first| *first.key() <= self.horizon) else { return };
            let due = *first.key();
            match first.get_mut().pop() {
                None => drop(first.remove()),
                Some(digest) => {
                    if self.used.get(&digest) == Some(&due) {
                        self.used.remove(&digest);
                    }
                }
            }
        }
    }
}
