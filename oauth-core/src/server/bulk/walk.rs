//! Through the grants in question, a page at a time.

use futures_util::future::{join_all, try_join_all};

use super::{BulkRevocation, Selection};
use crate::{
    engine::fault::Fault,
    store::{Cursor, Grant, Revocation, StoreError},
    token::GrantId,
};

/// How many grants a step looks at, and revokes at most.
const PAGE: usize = 100;

/// Where it is. What was inserted behind it is found in the next round: the last
/// one has found nothing to revoke.
#[derive(Debug)]
pub(super) struct Walk {
    place: Place,
    /// Whether this round has revoked anything.
    found: bool,
    /// Whether the store has failed at this place before.
    stumbled: bool,
}

#[derive(Debug)]
enum Place {
    /// In the whole store.
    Store(Option<Cursor>),
    /// In the list of a user.
    Subject(Option<GrantId>),
    /// At the end of all rounds.
    End,
}

impl Walk {
    pub(super) const fn new(selection: &Selection) -> Self {
        let place = match selection {
            Selection::Subject(_) | Selection::Device { .. } => Place::Subject(None),
            Selection::Client(_) | Selection::IssuedBefore(_) => Place::Store(None),
        };
        Self { place, found: false, stumbled: false }
    }

    pub(super) const fn is_done(&self) -> bool {
        matches!(self.place, Place::End)
    }
}

impl BulkRevocation {
    /// One page. Where it fails the walk stays where it was, in `self`.
    pub(super) async fn go_on(&mut self, mut walk: Walk) -> Result<Walk, Fault> {
        let (grants, next) = match self.page(&walk.place).await {
            Ok(page) => page,
            Err(error) => {
                // A cursor may be good for nothing any more: once it has failed
                // twice, the walk begins again. What it has done it passes over.
                let lost = std::mem::replace(&mut walk.stumbled, true);
                self.walk = Some(if lost { Walk::new(&self.selection) } else { walk });
                return Err(error.into());
            }
        };
        match self.revoke(&grants).await {
            Ok(revoked) => {
                self.progress.examined += grants.len() as u64;
                self.progress.revoked += revoked;
                walk.found |= revoked > 0;
                walk.stumbled = false;
                Ok(match next {
                    Place::End if walk.found && self.goes_round() => Walk::new(&self.selection),
                    place => Walk { place, ..walk },
                })
            }
            Err(fault) => {
                walk.found = true;
                self.walk = Some(walk);
                Err(fault)
            }
        }
    }

    /// Where the epoch says it all, nothing can be missed.
    const fn goes_round(&self) -> bool {
        !matches!(self.selection, Selection::IssuedBefore(_))
    }

    async fn page(&self, place: &Place) -> Result<(Vec<Grant>, Place), StoreError> {
        let store = self.server.store();
        match (place, &self.selection) {
            (Place::Subject(after), Selection::Subject(subject) | Selection::Device { subject, .. }) => {
                let grants = store.grants_of(subject.clone(), *after, PAGE).await?;
                let last = grants.last().filter(|_| grants.len() >= PAGE).map(|last| last.id);
                Ok((grants, last.map_or(Place::End, |last| Place::Subject(Some(last)))))
            }
            (Place::Store(after), _) => {
                let page = store.list_grants(after.clone(), PAGE).await?;
                Ok((page.items, page.next.map_or(Place::End, |next| Place::Store(Some(next)))))
            }
            _ => Ok((Vec::new(), Place::End)),
        }
    }

    /// Revokes those that are selected and live, together, so that a store can
    /// commit them together. Returns how many it has revoked.
    async fn revoke(&mut self, grants: &[Grant]) -> Result<u64, Fault> {
        let now = self.server.now();
        let (chosen, ended): (Vec<_>, Vec<_>) =
            grants.iter().filter(|grant| self.selects(grant)).partition(|grant| grant.is_live(now));
        // An earlier attempt may have revoked them and not have come to the end of it.
        try_join_all(ended.into_iter().map(|grant| self.server.finish_marking(grant))).await?;
        let mut revoked = 0;
        let mut failed = None;
        for outcome in join_all(chosen.into_iter().map(|grant| self.server.end_grant(grant))).await {
            match outcome {
                Ok(outcome) => revoked += u64::from(outcome == Revocation::Revoked),
                Err(fault) => failed = Some(fault),
            }
        }
        match failed {
            None => Ok(revoked),
            Some(fault) => {
                self.progress.revoked += revoked;
                Err(fault)
            }
        }
    }
}
