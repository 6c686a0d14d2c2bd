//! The checks, tested: a listing with one planted flaw at a time must fail the
//! check that is about it.

use std::{future::ready, sync::Mutex};

use super::*;
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{Epoch, LinkState, SealedKey, SigningKeys, StatusPlace, Statuses, Uses, memory::MemoryStore},
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    LosesTheLastOfAPage,
    EndsEarly,
    NeverEnds,
    IgnoresTheLimit,
    CountsRows,
    ForgetsRevocations,
    MixesUpGrants,
    NarrowsConsents,
    ForgetsCodesOfLinks,
    TakesAnyCursor,
}
use Flaw as F;

/// Lists what is in memory, with one planted flaw.
#[derive(Debug)]
struct Flawed {
    flaw: Flaw,
    store: MemoryStore,
    seen: Mutex<Vec<(GrantId, AccessToken)>>,
}

impl Flawed {
    async fn list<T: Clone>(
        &self,
        list: impl Fn(Option<Cursor>) -> StoreFuture<'static, Page<T>>,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<T>, StoreError> {
        let mut all: Vec<T> = all(list).await.map_err(|broken| StoreError::unavailable(broken.to_string()))?;
        // An offset is right only while nothing changes before it.
        let from = after.and_then(|cursor| cursor.as_bytes().try_into().ok()).map_or(0, usize::from_be_bytes);
        let limit = if self.flaw == F::IgnoresTheLimit { usize::MAX } else { limit };
        let mut items: Vec<T> = all.drain(from.min(all.len())..).take(limit).collect();
        let to = from + items.len();
        let last = items.len() < limit || (self.flaw == F::EndsEarly && to >= 3);
        if self.flaw == F::LosesTheLastOfAPage && limit > 1 && !last {
            items.pop();
        }
        let next = (!last).then(|| Cursor::new(to.to_be_bytes()));
        Ok(Page { items, next })
    }

    fn by_offset(&self) -> bool {
        !matches!(
            self.flaw,
            F::None
                | F::ForgetsRevocations
                | F::MixesUpGrants
                | F::NarrowsConsents
                | F::ForgetsCodesOfLinks
                | F::NeverEnds
        )
    }
}

macro_rules! listed {
    ($($verb:ident -> $out:ty;)*) => { $(
        fn $verb(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<$out>> {
            Box::pin(async move {
                if self.by_offset() {
                    if self.flaw != F::TakesAnyCursor && after.as_ref().is_some_and(|after| after.as_bytes().len() != 8) {
                        return Err(StoreError::Corrupt("cursor"));
                    }
                    let store = self.store.clone();
                    let list = move |after| {
                        let store = store.clone();
                        Box::pin(async move { store.$verb(after, 100).await }) as StoreFuture<'static, _>
                    };
                    return self.list(list, after, limit).await;
                }
                let page = self.store.$verb(after.clone(), limit).await?;
                let next = page.next.or(after.filter(|_| self.flaw == F::NeverEnds));
                Ok(Page { items: page.items.into_iter().map(|item| self.bend(item)).collect(), next })
            })
        }
    )* };
}

trait Bend<T> {
    fn bend(&self, item: T) -> T;
}

impl Bend<Arc<Client>> for Flawed {
    fn bend(&self, item: Arc<Client>) -> Arc<Client> {
        item
    }
}

impl Bend<Grant> for Flawed {
    fn bend(&self, grant: Grant) -> Grant {
        let revoked_at = if self.flaw == F::ForgetsRevocations { None } else { grant.revoked_at };
        Grant { revoked_at, ..grant }
    }
}

impl Bend<Consent> for Flawed {
    fn bend(&self, consent: Consent) -> Consent {
        match self.flaw {
            F::NarrowsConsents => Consent { granted: consent.granted.into_iter().skip(1).collect(), ..consent },
            _ => consent,
        }
    }
}

impl Bend<LinkState> for Flawed {
    fn bend(&self, state: LinkState) -> LinkState {
        let code = if self.flaw == F::ForgetsCodesOfLinks { None } else { state.code };
        LinkState { code, ..state }
    }
}

impl Bend<(GrantId, AccessToken)> for Flawed {
    fn bend(&self, item: (GrantId, AccessToken)) -> (GrantId, AccessToken) {
        let mut seen = self.seen.lock().unwrap();
        seen.push(item.clone());
        match self.flaw {
            F::MixesUpGrants => (seen[0].0, item.1),
            _ => item,
        }
    }
}

impl Transfer for Flawed {
    listed! {
        list_clients -> Arc<Client>;
        list_grants -> Grant;
        list_access -> (GrantId, AccessToken);
        list_consents -> Consent;
        list_links -> LinkState;
    }
}

impl Epoch for Flawed {
    fn epoch(&self) -> StoreFuture<'_, UnixTime> {
        self.store.epoch()
    }

    fn raise_epoch(&self, to: UnixTime) -> StoreFuture<'_, UnixTime> {
        self.store.raise_epoch(to)
    }
}

impl Uses for Flawed {
    fn first_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, bool> {
        self.store.first_use(digest, until, now)
    }

    fn count_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, u64> {
        self.store.count_use(digest, until, now)
    }

    fn uses(&self, digest: Digest, now: UnixTime) -> StoreFuture<'_, u64> {
        self.store.uses(digest, now)
    }
}

impl Statuses for Flawed {
    fn grant_statuses(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Vec<StatusPlace>> {
        self.store.grant_statuses(id, now)
    }

    fn revoke_statuses(&self, list: u64, indices: Vec<u32>, until: UnixTime) -> StoreFuture<'_, ()> {
        self.store.revoke_statuses(list, indices, until)
    }

    fn revoked_statuses(&self, list: u64, now: UnixTime) -> StoreFuture<'_, Vec<u32>> {
        self.store.revoked_statuses(list, now)
    }
}

impl SigningKeys for Flawed {
    fn signing_keys(&self) -> StoreFuture<'_, Vec<SealedKey>> {
        self.store.signing_keys()
    }

    fn insert_signing_key(&self, key: SealedKey, newest: Option<UnixTime>) -> StoreFuture<'_, bool> {
        self.store.insert_signing_key(key, newest)
    }

    fn delete_signing_key(&self, _: String) -> StoreFuture<'_, bool> {
        Box::pin(ready(Ok(false)))
    }
}

async fn failed(flaw: Flaw) -> Vec<String> {
    let store = MemoryStore::default();
    let flawed = Flawed { flaw, store: store.clone(), seen: Mutex::default() };
    failures(Arc::new(store), &flawed).await.into_iter().map(|failure| failure.check).collect()
}

#[tokio::test]
async fn the_memory_store_can_be_listed() {
    transfer(MemoryStore::default()).await;
    assert_eq!(failed(F::None).await, [""; 0]);
}

#[tokio::test]
async fn every_planted_flaw_fails_the_check_that_is_about_it() {
    for (flaw, check) in [
        (F::LosesTheLastOfAPage, "every client is listed"),
        (F::LosesTheLastOfAPage, "every grant is listed as it is, revoked or not"),
        (F::LosesTheLastOfAPage, "every access token is listed with its grant"),
        (F::LosesTheLastOfAPage, "every consent is listed as it is"),
        (F::NarrowsConsents, "every consent is listed as it is"),
        (F::LosesTheLastOfAPage, "every link is listed as it is"),
        (F::ForgetsCodesOfLinks, "every link is listed as it is"),
        (F::EndsEarly, "every client is listed"),
        (F::NeverEnds, "every client is listed"),
        (F::IgnoresTheLimit, "a page has about as many records as it should"),
        (F::CountsRows, "what stays is listed while others come and go"),
        (F::ForgetsRevocations, "every grant is listed as it is, revoked or not"),
        (F::MixesUpGrants, "every access token is listed with its grant"),
        (F::TakesAnyCursor, "a cursor from elsewhere is refused"),
    ] {
        let failed = failed(flaw).await;
        assert!(failed.iter().any(|one| one == check), "{flaw:?} passes {check:?}: {failed:?}");
    }
}
