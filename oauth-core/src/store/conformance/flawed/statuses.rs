//! Flaws in lists of revoked tokens.

use std::collections::BTreeMap;

use super::{Flaw as F, Flawed};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{StatusPlace, Statuses, StoreFuture, Uses},
    token::GrantId,
};

impl Statuses for Flawed {
    fn grant_statuses(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Vec<StatusPlace>> {
        let grants = self.grants.lock().unwrap();
        let Some((grant, tokens)) = grants.get(&id) else { return Box::pin(std::future::ready(Ok(Vec::new()))) };
        let hidden = self.has(F::HidesPlacesOfRevokedGrants) && grant.revoked_at.is_some();
        let tokens = tokens.iter().filter(|access| access.is_live(now) || self.has(F::ShowsPlacesForever));
        let skipped = usize::from(self.has(F::LosesTheFirstPlace));
        let places = tokens.filter_map(|access| access.status).filter(|_| !hidden).skip(skipped).collect();
        Box::pin(std::future::ready(Ok(places)))
    }

    fn revoke_statuses(&self, list: u64, indices: Vec<u32>, until: UnixTime) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let list = if self.has(F::SharesStatusLists) { 0 } else { list };
            let replaced = self.has(F::ReplacesStatusLists);
            let add = |revoked: &mut BTreeMap<u32, UnixTime>| {
                if replaced {
                    revoked.clear();
                }
                revoked.extend(indices.into_iter().map(|index| (index, until)));
            };
            if self.has(F::RevokesStatusesInTwoSteps) {
                let mut revoked = self.revoked.lock().unwrap().get(&list).cloned().unwrap_or_default();
                tokio::task::yield_now().await;
                add(&mut revoked);
                self.revoked.lock().unwrap().insert(list, revoked);
            } else {
                add(self.revoked.lock().unwrap().entry(list).or_default());
            }
            Ok(())
        })
    }

    fn revoked_statuses(&self, list: u64, _: UnixTime) -> StoreFuture<'_, Vec<u32>> {
        let list = if self.has(F::SharesStatusLists) { 0 } else { list };
        let found = self.revoked.lock().unwrap().get(&list).cloned().unwrap_or_default();
        Box::pin(std::future::ready(Ok(found.into_keys().collect())))
    }

    fn claim_statuses(&self, group: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            if self.has(F::ClaimsBlocksInTwoSteps) {
                let claimed = self.uses(group, now).await? + 1;
                tokio::task::yield_now().await;
                self.used.lock().unwrap().insert(group, (claimed, until));
                return Ok(claimed);
            }
            self.count_use(group, until, now).await
        })
    }
}
