//! A line in time: whatever was granted before it is dead.

use super::StoreFuture;
use crate::clock::UnixTime;

/// The store's epoch: every grant that was made before it is dead, and with it
/// every token under it, as if all of them had been revoked in one step.
///
/// [`AuthorizationServer::revoke_all`](crate::server::AuthorizationServer::revoke_all)
/// raises it, where everything that was issued before some time is to end. The
/// steps of [`Grants`](super::Grants) do not look at it: whoever judges a grant
/// does.
pub trait Epoch: Send + Sync {
    /// The epoch; [`UnixTime`]`(0)`, before which there was nothing, if it has
    /// never been raised.
    fn epoch(&self) -> StoreFuture<'_, UnixTime>;

    /// Raises the epoch to `to`, and says what it is now: that, or a later one
    /// that was there already. It is never lowered, whoever asks at the same
    /// moment.
    ///
    /// ```
    /// # use oauth_core::{clock::UnixTime, store::{Epoch, memory::MemoryStore}};
    /// # futures_util::FutureExt::now_or_never(async {
    /// let store = MemoryStore::default();
    /// assert_eq!(store.raise_epoch(UnixTime(20)).await?, UnixTime(20));
    /// assert_eq!(store.raise_epoch(UnixTime(10)).await?, UnixTime(20));
    /// assert_eq!(store.epoch().await?, UnixTime(20));
    /// # Ok::<_, oauth_core::store::StoreError>(()) }).unwrap().unwrap();
    /// ```
    fn raise_epoch(&self, to: UnixTime) -> StoreFuture<'_, UnixTime>;
}
