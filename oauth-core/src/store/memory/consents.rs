//! What people have agreed to.

use std::collections::{BTreeMap, BTreeSet};

use super::{MemoryStore, lock};
use crate::{
    client::ClientId,
    clock::UnixTime,
    store::{Consent, Consents, StoreFuture},
};

pub(super) type Key = (String, ClientId);

#[derive(Default)]
pub(super) struct Given {
    consents: BTreeMap<Key, Consent>,
    by_end: BTreeSet<(UnixTime, Key)>,
}

impl Given {
    fn find(&self, key: &Key, now: UnixTime) -> Option<&Consent> {
        self.consents.get(key).filter(|found| now < found.expires_at)
    }

    fn replace(&mut self, consent: Consent, revision: Option<u64>, now: UnixTime) -> bool {
        let key = (consent.subject.clone(), consent.client.clone());
        if self.find(&key, now).map(|found| found.revision) != revision {
            return false;
        }
        self.forget(&key);
        self.by_end.insert((consent.expires_at, key.clone()));
        self.consents.insert(key, consent);
        true
    }

    fn forget(&mut self, key: &Key) -> bool {
        let gone = self.consents.remove(key);
        if let Some(gone) = &gone {
            self.by_end.remove(&(gone.expires_at, key.clone()));
        }
        gone.is_some()
    }

    /// At most `limit`, behind `after`, in their order.
    pub(super) fn after(&self, after: Option<&Key>, limit: usize) -> Vec<Consent> {
        use std::ops::Bound::{Excluded, Unbounded};
        let behind = (after.map_or(Unbounded, Excluded), Unbounded);
        self.consents.range::<Key, _>(behind).take(limit).map(|(_, consent)| consent.clone()).collect()
    }

    pub(super) fn sweep(&mut self, now: UnixTime, limit: usize) -> usize {
        let mut removed = 0;
        while removed < limit
            && let Some((end, key)) = self.by_end.first().cloned()
            && end <= now
        {
            self.forget(&key);
            removed += 1;
        }
        removed
    }
}

impl Consents for MemoryStore {
    fn consent(&self, subject: String, client: ClientId, now: UnixTime) -> StoreFuture<'_, Option<Consent>> {
        Box::pin(async move { Ok(lock(&self.0.given).find(&(subject, client), now).cloned()) })
    }

    fn replace_consent(&self, consent: Consent, revision: Option<u64>, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(lock(&self.0.given).replace(consent, revision, now)) })
    }

    fn forget_consent(&self, subject: String, client: ClientId) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(lock(&self.0.given).forget(&(subject, client))) })
    }
}
