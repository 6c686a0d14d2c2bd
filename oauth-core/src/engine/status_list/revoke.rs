//! Marking what was revoked.

use std::collections::BTreeMap;

use super::number::{ListNumber, MARGIN};
use crate::{
    engine::fault::Fault,
    server::AuthorizationServer,
    store::{Grant, StatusPlace},
    token::GrantId,
};

impl AuthorizationServer {
    /// Marks every token of a grant that has been revoked already, and is the
    /// last step of that: whoever asked hears of success after it. It can be
    /// repeated, and has to be where somebody broke off before it.
    ///
    /// # Errors
    /// [`Fault`] if the store fails; some may be marked then.
    pub(crate) async fn mark_grant_revoked(&self, id: GrantId) -> Result<(), Fault> {
        if self.status_lists().is_none() {
            return Ok(());
        }
        let places = self.store().grant_statuses(id, self.now()).await?;
        self.mark_revoked(places).await
    }

    /// Does what whoever has revoked this grant may have left undone, if it was
    /// revoked: as long as a token of it may be alive.
    ///
    /// # Errors
    /// [`Fault`] if the store fails; some may be marked then.
    pub(crate) async fn finish_marking(&self, grant: &Grant) -> Result<(), Fault> {
        let Some(revoked_at) = grant.revoked_at else { return Ok(()) };
        let alive_until = revoked_at.saturating_add(self.lifetimes().access).saturating_add(MARGIN);
        if self.now() < alive_until { self.mark_grant_revoked(grant.id).await } else { Ok(()) }
    }

    /// Marks tokens as revoked.
    ///
    /// # Errors
    /// [`Fault`] if the store fails; some may be marked then.
    pub(crate) async fn mark_revoked(&self, places: impl IntoIterator<Item = StatusPlace>) -> Result<(), Fault> {
        if self.status_lists().is_none() {
            return Ok(());
        }
        let mut lists: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for place in places {
            lists.entry(place.list).or_default().push(place.index);
        }
        for (list, indices) in lists {
            let until = self.end_of(ListNumber::of(list));
            self.store().revoke_statuses(list, indices, until).await?;
        }
        Ok(())
    }
}
