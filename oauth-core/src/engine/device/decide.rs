//! A person's yes or no to a device.

use super::{DeviceRequest, no_browser};
use crate::{
    client::{ClientId, GrantType},
    engine::{fault::Fault, interaction::Approval},
    event::Event,
    secret::Digest,
    store::{Code, FinishInteraction, Grant, GrantFacts, StoreError},
    token::GrantId,
};

/// What came of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceDecision {
    /// It is as the person said; the device learns of it when it asks next.
    Decided,
    /// It had been decided before, or it took too long: nothing was done.
    Ended,
    /// [`DeviceRequest::needs_sign_in`] says that they must sign in: nothing was
    /// done.
    SignInNeeded,
}

impl DeviceRequest {
    /// Ends it with a yes: makes the grant that the device asks for, in one step.
    /// Nothing is remembered: the next device is another one.
    ///
    /// # Errors
    /// [`Fault`] if the store fails, or if the subject has the identifier of a
    /// client; nothing was decided then.
    pub async fn approve(self, approval: Approval) -> Result<DeviceDecision, Fault> {
        if let Ok(namesake) = ClientId::new(&approval.subject)
            && self.server.knows_client(&namesake).await?
        {
            return Err(Fault::SubjectIsClient);
        }
        if self.needs_sign_in(approval.auth_time, approval.acr.as_deref()).is_some() {
            return Ok(DeviceDecision::SignInNeeded);
        }
        let grant = self.grant_for(approval);
        if !self.finish(Some(grant)).await? {
            return Ok(DeviceDecision::Ended);
        }
        self.server.tell(&Event::Approved { grant: self.grant_id(), client: &self.client.id });
        Ok(DeviceDecision::Decided)
    }

    /// Ends it with a no: the device hears `access_denied`.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn deny(self) -> Result<DeviceDecision, Fault> {
        if !self.finish(None).await? {
            return Ok(DeviceDecision::Ended);
        }
        // Of two stores, one may hold a grant whose interaction it was not to end.
        if self.server.store().grant(self.grant_id()).await?.is_some() {
            let _outcome = self.server.revoke_grant(self.grant_id()).await?;
        }
        self.server.tell(&Event::Denied { client: &self.client.id });
        Ok(DeviceDecision::Decided)
    }

    async fn finish(&self, grant: Option<Grant>) -> Result<bool, Fault> {
        let finish = FinishInteraction { id: self.row, browser: no_browser(), now: self.server.now(), grant };
        match self.server.store().finish_interaction(finish).await {
            // Somebody else's yes is about to end it.
            Err(StoreError::Conflict(_)) => Ok(false),
            outcome => Ok(outcome?),
        }
    }

    const fn grant_id(&self) -> GrantId {
        GrantId::from_bytes(self.asked.grant)
    }

    fn grant_for(&self, approval: Approval) -> Grant {
        let (now, lifetimes, asked) = (self.server.now(), self.server.lifetimes(), &self.asked);
        let types = &self.server.authorization().detail_types;
        let details = &asked.authorization_details;
        let lives_on = self.client.may_use(&GrantType::REFRESH_TOKEN);
        let lasts = if lives_on { now.saturating_add(lifetimes.refresh) } else { now };
        let facts = GrantFacts {
            client: self.client.id.clone(),
            subject: Some(approval.subject),
            // The person may give less than was asked for, never more.
            scope: approval.scope.map_or_else(|| asked.scope.clone(), |given| asked.scope.intersection(&given)),
            resources: asked.resources.clone(),
            auth_time: approval.auth_time,
            acr: approval.acr,
            authorization_details: approval
                .authorization_details
                .map_or_else(|| details.clone(), |given| given.filtered(|detail| types.is_within(detail, details))),
            dpop_jkt: None,
        };
        Grant {
            id: self.grant_id(),
            facts,
            created_at: now,
            expires_at: lasts.max(asked.ends_at.saturating_add(lifetimes.access)),
            revoked_at: None,
            code: Some(Code {
                digest: Digest::from_bytes(asked.device_code),
                redirect_uri: String::new(),
                redirect_uri_required: false,
                challenge: None,
                expires_at: asked.ends_at,
                redeemed_at: None,
            }),
            refresh: None,
        }
    }
}
