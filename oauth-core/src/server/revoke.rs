//! Ending grants, and telling of it.

use super::AuthorizationServer;
use crate::{
    client::GrantType,
    engine::{
        fault::Fault,
        revocations::{Announcement, Revocations, Revoked},
    },
    event::Event,
    store::{Grant, Revocation},
    token::GrantId,
};

impl AuthorizationServer {
    /// Where to subscribe to revocations in this process.
    #[must_use]
    pub fn revocations(&self) -> &Revocations {
        &self.inner.revocations.0
    }

    /// Ends a grant and every token under it: at once in this process, and as
    /// soon as they hear of it in those that [follow](Self::follow) a bus.
    ///
    /// # Errors
    /// [`Fault`] if the store fails: the grant then still lives.
    pub async fn revoke_grant(&self, id: GrantId) -> Result<Revocation, Fault> {
        self.revoke_announced(id, self.announce(Revoked::Grant(id))).await
    }

    /// The same, where it is known what the grant is good for.
    pub(crate) async fn end_grant(&self, grant: &Grant) -> Result<Revocation, Fault> {
        let announcement = self.announce(Revoked::Grant(grant.id)).at(&grant.facts.resources);
        self.revoke_announced(grant.id, announcement).await
    }

    async fn revoke_announced(&self, id: GrantId, announcement: Announcement<'_>) -> Result<Revocation, Fault> {
        let announcement = announcement.intended();
        let outcome = self.store().revoke_grant(id, self.now()).await?;
        drop(announcement);
        // Also where it was revoked before: whoever did that may have broken off.
        if outcome != Revocation::Unknown {
            self.mark_grant_revoked(id).await?;
        }
        if outcome == Revocation::Revoked {
            self.tell(&Event::GrantRevoked { grant: id });
        }
        Ok(outcome)
    }

    /// What comes after a step that has ended a grant because something was used twice: whoever did
    /// that is answered, as whoever revokes, after those who have to be told over a network.
    pub(crate) async fn ended_by_replay(&self, id: GrantId, announcement: Announcement<'_>) -> Result<(), Fault> {
        announcement.happened();
        self.mark_grant_revoked(id).await?;
        self.revocations().settled().await;
        Ok(())
    }

    /// Tells of a revocation when the result is dropped.
    pub(crate) fn announce(&self, what: Revoked) -> Announcement<'_> {
        let until = self.now().saturating_add(self.inner.lifetimes.access);
        let exchanged = self.grants().contains(&GrantType::TOKEN_EXCHANGE);
        Announcement::new(self.revocations(), what, until).anywhere_if(exchanged)
    }
}
