//! A store in memory: for tests, for a server whose sessions may die with it,
//! and the yardstick for every other store.

mod consents;
mod owned;
mod reciprocals;
mod shard;
mod statuses;
mod transfer;
mod uses;

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use self::{consents::Given, owned::Owned, reciprocals::Links, shard::Shard, statuses::Lists, uses::Used};
use super::{
    AccessToken, Clients, Epoch, FinishInteraction, Grant, Grants, Interactions, ParkedInteraction, RedeemCode,
    Redemption, RefreshOutcome, Revocation, RotateRefresh, SealedKey, SigningKeys, Store, StoreError, StoreFuture,
};
use crate::{
    client::{Client, ClientId},
    clock::UnixTime,
    secret::Digest,
    token::GrantId,
};

/// Everything in memory, gone when the last clone is dropped.
///
/// Clones share one store. No call blocks for longer than a few map
/// operations take, and expired rows stay until [`Grants::sweep`] is called.
///
/// ```
/// use oauth_core::{client::Client, store::{Clients, memory::MemoryStore}};
/// # futures_util::FutureExt::now_or_never(async {
/// let store = MemoryStore::default();
/// let app = Client::builder("app").redirect_uri("https://app.example/callback").build()?;
/// let id = app.id.clone();
/// store.put_client(app).await?;
/// assert!(store.client(id).await?.is_some());
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap().unwrap();
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Inner>);

/// Enough that two calls seldom meet in one, few enough to walk in a sweep.
const SHARDS: usize = 64;

/// How much a sweep removes before it lets others at the shard.
const SWEEP_STEP: usize = 64;

struct Inner {
    shards: [Mutex<Shard>; SHARDS],
    /// Where the next sweep begins, so that small ones reach every shard.
    swept: AtomicUsize,
    clients: RwLock<HashMap<ClientId, Arc<Client>>>,
    parked: Mutex<Parked>,
    used: Mutex<Used>,
    given: Mutex<Given>,
    owned: Mutex<Owned>,
    epoch: Mutex<UnixTime>,
    links: Mutex<Links>,
    statuses: Mutex<Lists>,
    keys: Mutex<Vec<SealedKey>>,
}

#[derive(Default)]
struct Parked {
    interactions: HashMap<Digest, ParkedInteraction>,
    by_end: BTreeSet<(UnixTime, Digest)>,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            swept: AtomicUsize::new(0),
            clients: RwLock::default(),
            parked: Mutex::default(),
            used: Mutex::default(),
            given: Mutex::default(),
            owned: Mutex::default(),
            epoch: Mutex::new(UnixTime(0)),
            links: Mutex::default(),
            statuses: Mutex::default(),
            keys: Mutex::default(),
        }
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

/// A step that panicked half-way changed nothing that a later one reads: each
/// computes first and stores last.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    /// A grant's name is random: any byte of it will do.
    #[expect(clippy::indexing_slicing, reason = "the remainder of SHARDS is below SHARDS")]
    fn shard(&self, id: GrantId) -> MutexGuard<'_, Shard> {
        lock(&self.shards[usize::from(id.as_bytes()[0]) % SHARDS])
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> usize {
        let mut removed = in_steps(limit, |step| lock(&self.parked).sweep(now, step));
        removed += in_steps(limit - removed, |step| lock(&self.used).sweep(now, step));
        removed += in_steps(limit - removed, |step| lock(&self.given).sweep(now, step));
        removed += in_steps(limit - removed, |step| lock(&self.links).sweep(now, step));
        removed += in_steps(limit - removed, |step| lock(&self.statuses).sweep(now, step));
        let first = self.swept.fetch_add(1, Ordering::Relaxed);
        for shard in self.shards.iter().cycle().skip(first % SHARDS).take(SHARDS) {
            removed +=
                in_steps(limit - removed, |step| lock(shard).sweep(now, step, |grant| lock(&self.owned).remove(grant)));
        }
        removed
    }

    fn finish(&self, finish: FinishInteraction) -> Result<bool, StoreError> {
        let mut parked = lock(&self.parked);
        if parked.open(finish.id, finish.browser, finish.now).is_none() {
            return Ok(false);
        }
        // The lock on `parked` is held until the grant is in: one step.
        if let Some(grant) = finish.grant {
            self.insert(grant, None)?;
        }
        parked.remove(finish.id);
        Ok(true)
    }
}

/// Lets `sweep` remove at most `limit`, a few at a time.
fn in_steps(limit: usize, mut sweep: impl FnMut(usize) -> usize) -> usize {
    let mut removed = 0;
    while removed < limit {
        let step = SWEEP_STEP.min(limit - removed);
        let gone = sweep(step);
        removed += gone;
        if gone < step {
            break;
        }
    }
    removed
}

impl Parked {
    fn open(&self, id: Digest, browser: Digest, now: UnixTime) -> Option<&ParkedInteraction> {
        self.interactions.get(&id).filter(|found| found.browser == browser && now < found.expires_at)
    }

    fn insert(&mut self, parked: ParkedInteraction) -> Result<(), StoreError> {
        if self.interactions.contains_key(&parked.id) {
            return Err(StoreError::Conflict("interaction"));
        }
        self.by_end.insert((parked.expires_at, parked.id));
        self.interactions.insert(parked.id, parked);
        Ok(())
    }

    fn remove(&mut self, id: Digest) {
        if let Some(gone) = self.interactions.remove(&id) {
            self.by_end.remove(&(gone.expires_at, id));
        }
    }

    fn sweep(&mut self, now: UnixTime, limit: usize) -> usize {
        let mut removed = 0;
        while removed < limit
            && let Some((end, id)) = self.by_end.first().copied()
            && end <= now
        {
            self.remove(id);
            removed += 1;
        }
        removed
    }
}

impl Grants for MemoryStore {
    /// At once, and not when it is polled: a future that holds the records is a large one.
    fn insert_grant(&self, grant: Grant, access: Option<AccessToken>) -> StoreFuture<'_, ()> {
        Box::pin(std::future::ready(self.0.insert(grant, access)))
    }

    fn grant(&self, id: GrantId) -> StoreFuture<'_, Option<Grant>> {
        Box::pin(async move { Ok(self.0.shard(id).grant(id)) })
    }

    fn access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, Option<(Grant, AccessToken)>> {
        Box::pin(async move { Ok(self.0.shard(id).access(id, digest)) })
    }

    fn redeem_code(&self, redeem: RedeemCode) -> StoreFuture<'_, Redemption> {
        Box::pin(async move { Ok(self.0.shard(redeem.grant).redeem_code(redeem)) })
    }

    fn rotate_refresh(&self, rotate: RotateRefresh) -> StoreFuture<'_, RefreshOutcome> {
        Box::pin(async move { Ok(self.0.shard(rotate.grant).rotate_refresh(rotate)) })
    }

    fn confirm_refresh(&self, id: GrantId, access: Digest, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.0.shard(id).confirm_refresh(id, access, now)) })
    }

    fn grants_of(&self, subject: String, after: Option<GrantId>, limit: usize) -> StoreFuture<'_, Vec<Grant>> {
        Box::pin(async move { Ok(self.0.grants_of(&subject, after, limit)) })
    }

    fn insert_access(&self, id: GrantId, access: AccessToken, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.0.shard(id).insert_access(id, access, now)) })
    }

    fn revoke_grant(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Revocation> {
        Box::pin(async move { Ok(self.0.shard(id).revoke(id, now)) })
    }

    fn revoke_access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.0.shard(id).revoke_access(id, digest)) })
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> StoreFuture<'_, usize> {
        Box::pin(async move { Ok(self.0.sweep(now, limit)) })
    }
}

impl Clients for MemoryStore {
    fn client(&self, id: ClientId) -> StoreFuture<'_, Option<Arc<Client>>> {
        Box::pin(async move {
            let clients = self.0.clients.read().unwrap_or_else(PoisonError::into_inner);
            Ok(clients.get(&id).cloned())
        })
    }

    fn put_client(&self, client: Client) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let mut clients = self.0.clients.write().unwrap_or_else(PoisonError::into_inner);
            clients.insert(client.id.clone(), Arc::new(client));
            Ok(())
        })
    }

    fn replace_client(&self, client: Client, revision: u64) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let mut clients = self.0.clients.write().unwrap_or_else(PoisonError::into_inner);
            match clients.get_mut(&client.id).filter(|current| current.revision == revision) {
                Some(current) => *current = Arc::new(client),
                None => return Ok(false),
            }
            Ok(true)
        })
    }

    fn delete_client(&self, id: ClientId) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let mut clients = self.0.clients.write().unwrap_or_else(PoisonError::into_inner);
            Ok(clients.remove(&id).is_some())
        })
    }
}

impl Interactions for MemoryStore {
    fn park_interaction(&self, parked: ParkedInteraction) -> StoreFuture<'_, ()> {
        Box::pin(async move { lock(&self.0.parked).insert(parked) })
    }

    fn interaction(&self, id: Digest, browser: Digest, now: UnixTime) -> StoreFuture<'_, Option<ParkedInteraction>> {
        Box::pin(async move { Ok(lock(&self.0.parked).open(id, browser, now).cloned()) })
    }

    fn finish_interaction(&self, finish: FinishInteraction) -> StoreFuture<'_, bool> {
        Box::pin(async move { self.0.finish(finish) })
    }
}

impl SigningKeys for MemoryStore {
    fn signing_keys(&self) -> StoreFuture<'_, Vec<SealedKey>> {
        Box::pin(async move { Ok(lock(&self.0.keys).clone()) })
    }

    fn insert_signing_key(&self, key: SealedKey, newest: Option<UnixTime>) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let mut keys = lock(&self.0.keys);
            let later = |other: &SealedKey| newest.is_none_or(|newest| other.active_from > newest);
            let barred = |other: &SealedKey| other.kid == key.kid || (other.algorithm == key.algorithm && later(other));
            if keys.iter().any(barred) {
                return Ok(false);
            }
            keys.push(key);
            Ok(true)
        })
    }

    fn delete_signing_key(&self, kid: String) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let mut keys = lock(&self.0.keys);
            let before = keys.len();
            keys.retain(|key| key.kid != kid);
            Ok(keys.len() < before)
        })
    }
}

impl Epoch for MemoryStore {
    fn epoch(&self) -> StoreFuture<'_, UnixTime> {
        Box::pin(async move { Ok(*lock(&self.0.epoch)) })
    }

    fn raise_epoch(&self, to: UnixTime) -> StoreFuture<'_, UnixTime> {
        Box::pin(async move {
            let mut epoch = lock(&self.0.epoch);
            *epoch = to.max(*epoch);
            Ok(*epoch)
        })
    }
}

impl Store for MemoryStore {
    fn check(&self) -> StoreFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}
