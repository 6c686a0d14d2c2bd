//! Several handles of one store, as several nodes would have them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::{
    client::{Client, ClientId},
    clock::UnixTime,
    secret::Digest,
    store::{
        AccessToken, Clients, FinishInteraction, Grant, Grants, Interactions, ParkedInteraction, RedeemCode,
        Redemption, RefreshOutcome, Revocation, RotateRefresh, SealedKey, SigningKeys, Store, StoreFuture,
    },
    token::GrantId,
};

/// Several handles of one store that take turns, call by call: what the suite
/// then finds holds across nodes, their reads of each other's writes included.
///
/// ```
/// use oauth_core::store::{conformance::{Nodes, Suite}, memory::MemoryStore};
///
/// # tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?.block_on(async {
/// let nodes = || async {
///     let one = MemoryStore::default();
///     Nodes::new(one.clone(), [one])
/// };
/// Suite::new(nodes, |task| drop(tokio::spawn(task))).run().await;
/// # });
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Nodes<S> {
    first: S,
    others: Vec<S>,
    turn: AtomicUsize,
}

impl<S: Store> Nodes<S> {
    /// All of these, which must be handles of one store.
    pub fn new(first: S, others: impl IntoIterator<Item = S>) -> Self {
        Self { first, others: others.into_iter().collect(), turn: AtomicUsize::new(0) }
    }

    fn next(&self) -> &S {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % (self.others.len() + 1);
        self.others.get(turn).unwrap_or(&self.first)
    }
}

impl<S: Store> Grants for Nodes<S> {
    fn insert_grant(&self, grant: Grant, access: Option<AccessToken>) -> StoreFuture<'_, ()> {
        self.next().insert_grant(grant, access)
    }

    fn grant(&self, id: GrantId) -> StoreFuture<'_, Option<Grant>> {
        self.next().grant(id)
    }

    fn access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, Option<(Grant, AccessToken)>> {
        self.next().access(id, digest)
    }

    fn redeem_code(&self, redeem: RedeemCode) -> StoreFuture<'_, Redemption> {
        self.next().redeem_code(redeem)
    }

    fn rotate_refresh(&self, rotate: RotateRefresh) -> StoreFuture<'_, RefreshOutcome> {
        self.next().rotate_refresh(rotate)
    }

    fn insert_access(&self, id: GrantId, access: AccessToken, now: UnixTime) -> StoreFuture<'_, bool> {
        self.next().insert_access(id, access, now)
    }

    fn revoke_grant(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Revocation> {
        self.next().revoke_grant(id, now)
    }

    fn revoke_access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, bool> {
        self.next().revoke_access(id, digest)
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> StoreFuture<'_, usize> {
        self.next().sweep(now, limit)
    }
}

impl<S: Store> Clients for Nodes<S> {
    fn client(&self, id: ClientId) -> StoreFuture<'_, Option<Arc<Client>>> {
        self.next().client(id)
    }

    fn put_client(&self, client: Client) -> StoreFuture<'_, ()> {
        self.next().put_client(client)
    }

    fn delete_client(&self, id: ClientId) -> StoreFuture<'_, bool> {
        self.next().delete_client(id)
    }
}

impl<S: Store> Interactions for Nodes<S> {
    fn park_interaction(&self, parked: ParkedInteraction) -> StoreFuture<'_, ()> {
        self.next().park_interaction(parked)
    }

    fn interaction(&self, id: Digest, browser: Digest, now: UnixTime) -> StoreFuture<'_, Option<ParkedInteraction>> {
        self.next().interaction(id, browser, now)
    }

    fn finish_interaction(&self, finish: FinishInteraction) -> StoreFuture<'_, bool> {
        self.next().finish_interaction(finish)
    }
}

impl<S: Store> SigningKeys for Nodes<S> {
    fn signing_keys(&self) -> StoreFuture<'_, Vec<SealedKey>> {
        self.next().signing_keys()
    }

    fn insert_signing_key(&self, key: SealedKey, newest: Option<UnixTime>) -> StoreFuture<'_, bool> {
        self.next().insert_signing_key(key, newest)
    }

    fn delete_signing_key(&self, kid: String) -> StoreFuture<'_, bool> {
        self.next().delete_signing_key(kid)
    }
}

impl<S: Store> Store for Nodes<S> {
    fn check(&self) -> StoreFuture<'_, ()> {
        self.next().check()
    }
}
