//! A line in time: whatever was granted before it is dead.

use super::{Clients, StoreError, StoreFuture};
use crate::{client::ClientId, clock::UnixTime};

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

/// Raises [`grants_since`](crate::client::Client::grants_since) of a client that
/// is there, whoever else changes its record. `false` if others do so all the
/// time.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(crate) async fn disown(
    store: &(impl Clients + ?Sized),
    id: &ClientId,
    since: UnixTime,
) -> Result<bool, StoreError> {
    /// More than that many are no accident.
    const ATTEMPTS: usize = 100;
    for _ in 0..ATTEMPTS {
        let Some(current) = store.client(id.clone()).await? else { return Ok(true) };
        if current.grants_since >= since {
            return Ok(true);
        }
        let mut next = (*current).clone();
        next.grants_since = since;
        next.revision = current.revision.saturating_add(1);
        if store.replace_client(next, current.revision).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::AtomicUsize, atomic::Ordering::SeqCst};

    use futures_util::FutureExt;

    use super::*;
    use crate::{client::Client, store::memory::MemoryStore};

    /// Of the next replacements so many come a moment after somebody else's.
    struct Busy(MemoryStore, AtomicUsize);

    impl Clients for Busy {
        fn client(&self, id: ClientId) -> StoreFuture<'_, Option<Arc<Client>>> {
            self.0.client(id)
        }

        fn put_client(&self, client: Client) -> StoreFuture<'_, ()> {
            self.0.put_client(client)
        }

        fn replace_client(&self, client: Client, revision: u64) -> StoreFuture<'_, bool> {
            Box::pin(async move {
                if self.1.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
                    let current = self.0.client(client.id.clone()).await?.unwrap();
                    let name = Some(format!("{} times", current.revision + 1));
                    let other = Client { name, revision: current.revision + 1, ..(*current).clone() };
                    assert!(self.0.replace_client(other, current.revision).await?);
                }
                self.0.replace_client(client, revision).await
            })
        }

        fn delete_client(&self, id: ClientId) -> StoreFuture<'_, bool> {
            self.0.delete_client(id)
        }
    }

    fn busy(times: usize) -> (Busy, ClientId) {
        let client = Client::builder("app").redirect_uri("https://app.example/cb").grants_since(UnixTime(5)).build();
        let (store, client) = (Busy(MemoryStore::default(), AtomicUsize::new(times)), client.unwrap());
        store.put_client(client.clone()).now_or_never().unwrap().unwrap();
        (store, client.id)
    }

    fn raised(store: &Busy, id: &ClientId, since: u64) -> (bool, Client) {
        let done = disown(store, id, UnixTime(since)).now_or_never().unwrap().unwrap();
        (done, (*store.client(id.clone()).now_or_never().unwrap().unwrap().unwrap()).clone())
    }

    #[test]
    fn a_client_is_disowned_though_others_change_it_and_what_they_change_stays() {
        let (store, id) = busy(3);
        let (done, client) = raised(&store, &id, 9);
        assert!(done);
        assert_eq!((client.grants_since, client.revision, client.name.as_deref()), (UnixTime(9), 4, Some("3 times")));
        // Never back, and not for nothing.
        for since in [9, 8] {
            let (done, client) = raised(&store, &id, since);
            assert_eq!((done, client.grants_since, client.revision), (true, UnixTime(9), 4));
        }
    }

    #[test]
    fn one_that_is_replaced_all_the_time_is_given_up_and_nothing_is_said_to_be_done() {
        let (store, id) = busy(usize::MAX);
        let (done, client) = raised(&store, &id, 9);
        assert_eq!((done, client.grants_since), (false, UnixTime(5)));
    }
}
