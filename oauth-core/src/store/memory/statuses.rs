//! Which tokens that others verify were revoked.

use std::collections::{BTreeMap, BTreeSet};

use super::{MemoryStore, lock};
use crate::{
    clock::UnixTime,
    store::{StatusPlace, Statuses, StoreFuture},
    token::GrantId,
};

#[derive(Default)]
pub(super) struct Lists {
    lists: BTreeMap<u64, List>,
}

struct List {
    revoked: BTreeSet<u32>,
    until: UnixTime,
}

impl Lists {
    fn revoke(&mut self, list: u64, indices: Vec<u32>, until: UnixTime) {
        let list = self.lists.entry(list).or_insert_with(|| List { revoked: BTreeSet::new(), until });
        list.until = list.until.max(until);
        list.revoked.extend(indices);
    }

    fn revoked(&self, list: u64, now: UnixTime) -> Vec<u32> {
        let list = self.lists.get(&list).filter(|list| now < list.until);
        list.map(|list| list.revoked.iter().copied().collect()).unwrap_or_default()
    }

    /// At most `limit` of them, as other stores do.
    pub(super) fn sweep(&mut self, now: UnixTime, limit: usize) -> usize {
        let mut removed = 0;
        self.lists.retain(|_, list| {
            while removed < limit && list.until <= now && list.revoked.pop_first().is_some() {
                removed += 1;
            }
            now < list.until || !list.revoked.is_empty()
        });
        removed
    }
}

impl Statuses for MemoryStore {
    fn grant_statuses(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Vec<StatusPlace>> {
        Box::pin(async move {
            let shard = self.0.shard(id);
            let live = shard.tokens(id).iter().filter(|access| access.is_live(now));
            Ok(live.filter_map(|access| access.status).collect())
        })
    }

    fn revoke_statuses(&self, list: u64, indices: Vec<u32>, until: UnixTime) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            if !indices.is_empty() {
                lock(&self.0.statuses).revoke(list, indices, until);
            }
            Ok(())
        })
    }

    fn revoked_statuses(&self, list: u64, now: UnixTime) -> StoreFuture<'_, Vec<u32>> {
        Box::pin(async move { Ok(lock(&self.0.statuses).revoked(list, now)) })
    }
}
