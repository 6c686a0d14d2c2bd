//! What has been used, for all who ask without a time of their own.

use std::{fmt, sync::Arc};

use super::{Store, StoreError};
use crate::{
    clock::{Clock, UnixTime},
    dpop::{ReplayCache, ReplayError, ReplayFuture},
    secret::Digest,
};

/// A [`ReplayCache`] in a [`Store`]: what one node has seen, all know.
///
/// It costs one write to the store for each proof. A failover that loses the
/// store's last moments forgets what was used in them.
///
/// ```
/// use std::sync::Arc;
/// use oauth_core::{
///     clock::{Clock, SystemClock},
///     dpop::ReplayCache,
///     secret::Digest,
///     store::{SharedReplayCache, Store, memory::MemoryStore},
/// };
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), oauth_core::dpop::ReplayError> {
/// let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
/// let cache = SharedReplayCache::new(store, Arc::new(SystemClock));
/// let until = SystemClock.now().saturating_add(60);
/// assert!(cache.first_use(Digest::of(&[b"one"]), until).await?);
/// assert!(!cache.first_use(Digest::of(&[b"one"]), until).await?);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SharedReplayCache {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

impl SharedReplayCache {
    /// What is used by `clock` is remembered in `store`, beside whatever else
    /// it holds.
    #[must_use]
    pub const fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }
}

impl ReplayCache for SharedReplayCache {
    fn first_use(&self, digest: Digest, until: UnixTime) -> ReplayFuture<'_> {
        let unavailable = |error: StoreError| ReplayError::Unavailable(Box::new(error));
        let first = self.store.first_use(digest, until, self.clock.now());
        Box::pin(async move { first.await.map_err(unavailable) })
    }
}

impl fmt::Debug for SharedReplayCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedReplayCache").field("store", &self.store).finish_non_exhaustive()
    }
}
