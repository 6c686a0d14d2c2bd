//! The grants of one shard, and an index of when each needs a sweep.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, hash_map},
};

use crate::{
    clock::UnixTime,
    random_keys::RandomKeys,
    secret::Digest,
    store::{AccessToken, Grant, RedeemCode, Redemption, RefreshOutcome, Revocation, RotateRefresh, StoreError},
    token::GrantId,
};

#[derive(Default)]
pub(super) struct Shard {
    /// Boxed, so that a growing map moves pointers, not grants.
    entries: HashMap<GrantId, Box<Entry>, RandomKeys>,
    /// Each entry stands here under its `due`; whatever else stands here is
    /// out of date and ignored.
    due: BinaryHeap<Reverse<(UnixTime, GrantId)>>,
}

struct Entry {
    grant: Grant,
    /// Sorted by digest.
    access: Vec<AccessToken>,
    /// When a sweep must look at it, or earlier.
    due: UnixTime,
}

impl Shard {
    pub(super) fn insert(&mut self, grant: Grant, access: Option<AccessToken>) -> Result<(), StoreError> {
        let id = grant.id;
        let hash_map::Entry::Vacant(place) = self.entries.entry(id) else {
            return Err(StoreError::Conflict("grant"));
        };
        let mut entry = Entry { grant, access: access.into_iter().collect(), due: UnixTime::MAX };
        entry.due = entry.next_due();
        self.due.push(Reverse((entry.due, id)));
        place.insert(Box::new(entry));
        Ok(())
    }

    pub(super) fn grant(&self, id: GrantId) -> Option<Grant> {
        self.entries.get(&id).map(|entry| entry.grant.clone())
    }

    pub(super) fn access(&self, id: GrantId, digest: Digest) -> Option<(Grant, AccessToken)> {
        let entry = self.entries.get(&id)?;
        let access = entry.access.get(entry.find(digest).ok()?)?;
        Some((entry.grant.clone(), access.clone()))
    }

    /// The grants behind `after`, in no particular order.
    pub(super) fn ids_after(&self, after: Option<GrantId>) -> Vec<GrantId> {
        self.entries.keys().copied().filter(|id| after.is_none_or(|after| *id > after)).collect()
    }

    /// The access tokens of a grant.
    pub(super) fn tokens(&self, id: GrantId) -> &[AccessToken] {
        self.entries.get(&id).map_or(&[], |entry| &entry.access)
    }

    pub(super) fn redeem_code(&mut self, redeem: RedeemCode) -> Redemption {
        self.step(redeem.grant, Redemption::Refused, |entry| {
            let outcome = entry.grant.redeem_code(&redeem);
            if outcome == Redemption::Redeemed {
                entry.keep(redeem.access, redeem.now);
            }
            outcome
        })
    }

    pub(super) fn rotate_refresh(&mut self, rotate: RotateRefresh) -> RefreshOutcome {
        self.step(rotate.grant, RefreshOutcome::Refused, |entry| {
            let outcome = entry.grant.rotate_refresh(&rotate);
            if outcome == RefreshOutcome::Rotated {
                entry.keep(rotate.access, rotate.now);
            }
            outcome
        })
    }

    pub(super) fn insert_access(&mut self, id: GrantId, access: AccessToken, now: UnixTime) -> bool {
        self.step(id, false, |entry| {
            let live = entry.grant.is_live(now);
            if live {
                entry.keep(access, now);
            }
            live
        })
    }

    pub(super) fn confirm_refresh(&mut self, id: GrantId, access: Digest, now: UnixTime) -> bool {
        self.step(id, false, |entry| entry.grant.confirm_refresh(access, now))
    }

    pub(super) fn revoke(&mut self, id: GrantId, now: UnixTime) -> Revocation {
        self.step(id, Revocation::Unknown, |entry| entry.grant.revoke(now))
    }

    pub(super) fn revoke_access(&mut self, id: GrantId, digest: Digest) -> bool {
        self.step(id, false, |entry| entry.find(digest).map(|at| entry.access.remove(at)).is_ok())
    }

    /// Removes at most `limit` rows, and tells `gone` of each grant among them.
    pub(super) fn sweep(&mut self, now: UnixTime, limit: usize, mut gone: impl FnMut(Grant)) -> usize {
        let mut removed = 0;
        while removed < limit
            && let Some(Reverse((due, id))) = self.due.peek().copied()
            && due <= now
        {
            self.due.pop();
            let hash_map::Entry::Occupied(mut place) = self.entries.entry(id) else { continue };
            let entry = place.get_mut();
            if entry.due != due {
                continue;
            }
            removed += entry.sweep(now, limit - removed);
            if removed < limit && entry.grant.has_ended(now) {
                gone(place.remove().grant);
                removed += 1;
                continue;
            }
            entry.due = entry.next_due();
            self.due.push(Reverse((entry.due, id)));
        }
        removed
    }

    /// Lets `change` at the entry, and keeps the index of sweeps true.
    fn step<T>(&mut self, id: GrantId, unknown: T, change: impl FnOnce(&mut Entry) -> T) -> T {
        let Some(entry) = self.entries.get_mut(&id) else { return unknown };
        let outcome = change(entry);
        let due = entry.next_due();
        // A later moment needs no new place: the sweep finds it out.
        if due < entry.due {
            entry.due = due;
            self.due.push(Reverse((due, id)));
        }
        outcome
    }
}

impl Entry {
    fn find(&self, digest: Digest) -> Result<usize, usize> {
        self.access.binary_search_by(|access| access.digest.cmp(&digest))
    }

    fn keep(&mut self, access: AccessToken, now: UnixTime) {
        self.access.retain(|old| old.is_live(now));
        match self.find(access.digest) {
            Ok(at) => self.access.splice(at..=at, [access]).for_each(drop),
            Err(at) => self.access.insert(at, access),
        }
    }

    fn next_due(&self) -> UnixTime {
        let retry = self.grant.refresh.as_ref().and_then(|refresh| refresh.retry.as_ref()).map(|retry| retry.until);
        let access = self.access.iter().map(|access| access.expires_at).min();
        let ends = self.grant.ends_at();
        ends.min(retry.unwrap_or(ends)).min(access.unwrap_or(ends))
    }

    fn sweep(&mut self, now: UnixTime, limit: usize) -> usize {
        let mut removed = 0;
        self.access.retain(|access| {
            let goes = removed < limit && !access.is_live(now);
            removed += usize::from(goes);
            !goes
        });
        let over =
            |refresh: &&mut crate::store::Refresh| refresh.retry.as_ref().is_some_and(|retry| retry.until <= now);
        if removed < limit
            && let Some(refresh) = self.grant.refresh.as_mut().filter(over)
        {
            refresh.retry = None;
            removed += 1;
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        authorization_details::AuthorizationDetails,
        client::ClientId,
        store::{GrantFacts, NextRefresh, Refresh},
    };

    fn digest(number: u64) -> Digest {
        Digest::of(&[&number.to_be_bytes()])
    }

    fn token(number: u64) -> AccessToken {
        let (scope, issued_at) = ("a".parse().unwrap(), UnixTime(number));
        AccessToken {
            digest: digest(number),
            scope,
            audience: Vec::new(),
            issued_at,
            expires_at: UnixTime(number + 10),
            authorization_details: AuthorizationDetails::default(),
            confirmation: None,
            exchanged: None,
            status: None,
        }
    }

    fn grant() -> Grant {
        let facts = GrantFacts {
            client: ClientId::new("app").unwrap(),
            subject: None,
            scope: "a".parse().unwrap(),
            resources: Vec::new(),
            auth_time: None,
            acr: None,
            authorization_details: AuthorizationDetails::default(),
            dpop_jkt: None,
        };
        Grant {
            id: GrantId::from_bytes([1; 16]),
            facts,
            created_at: UnixTime(0),
            expires_at: UnixTime(1_000_000),
            revoked_at: None,
            code: None,
            refresh: Some(Refresh { digest: digest(0), generation: 0, used_at: UnixTime(0), retry: None }),
        }
    }

    #[test]
    fn a_grant_stays_small_however_often_it_is_refreshed() {
        let mut shard = Shard::default();
        let grant = grant();
        let id = grant.id;
        shard.insert(grant.clone(), Some(token(0))).unwrap();
        for second in 1..5_000 {
            let retry = Some((vec![0; 64], UnixTime(second + 5)));
            let rotate = RotateRefresh {
                grant: id,
                digest: digest(second - 1),
                generation: second - 1,
                client: grant.facts.client.clone(),
                now: UnixTime(second),
                idle_lifetime: 60,
                next: NextRefresh::Successor { digest: digest(second), retry },
                access: token(second),
            };
            assert_eq!(shard.rotate_refresh(rotate), RefreshOutcome::Rotated);
            if second % 100 == 0 {
                shard.sweep(UnixTime(second), 100, drop);
            }
            assert!(shard.entries[&id].access.len() <= 10 && shard.due.len() <= 100);
        }
        shard.sweep(UnixTime::MAX, 1_000, drop);
        assert!(shard.entries.is_empty() && shard.due.is_empty());
    }
}
