//! Whose grants are whose.

use std::collections::BTreeSet;

use super::{Inner, lock};
use crate::{
    store::{AccessToken, Grant, StoreError},
    token::GrantId,
};

/// The grants of each user, in their order.
#[derive(Default)]
pub(super) struct Owned(BTreeSet<(String, GrantId)>);

impl Owned {
    pub(super) fn remove(&mut self, grant: Grant) {
        if let Some(subject) = grant.facts.subject {
            self.0.remove(&(subject, grant.id));
        }
    }

    fn after(&self, subject: &str, after: Option<GrantId>, limit: usize) -> Vec<GrantId> {
        let start = after.unwrap_or(GrantId::from_bytes([0; 16]));
        let behind = self.0.range((subject.to_owned(), start)..).take_while(|(owner, _)| owner == subject);
        behind.map(|(_, id)| *id).filter(|id| after.is_none_or(|after| *id > after)).take(limit).collect()
    }
}

impl Inner {
    /// The shard's lock is held until the grant is in the list, too.
    pub(super) fn insert(&self, grant: Grant, access: Option<AccessToken>) -> Result<(), StoreError> {
        let (subject, id) = (grant.facts.subject.clone(), grant.id);
        let mut shard = self.shard(id);
        shard.insert(grant, access)?;
        if let Some(subject) = subject {
            lock(&self.owned).0.insert((subject, id));
        }
        Ok(())
    }

    /// What is listed and has been swept since is passed over.
    pub(super) fn grants_of(&self, subject: &str, mut after: Option<GrantId>, limit: usize) -> Vec<Grant> {
        let limit = limit.max(1);
        let mut found = Vec::new();
        while found.len() < limit {
            let ids = lock(&self.owned).after(subject, after, limit - found.len());
            let Some(last) = ids.last() else { break };
            after = Some(*last);
            found.extend(ids.into_iter().filter_map(|id| self.shard(id).grant(id)));
        }
        found
    }
}
