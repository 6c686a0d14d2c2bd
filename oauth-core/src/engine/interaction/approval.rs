//! A person's yes.

use super::{ConsentNeed, Interaction, RefusalReason};
use crate::{
    authorization_details::AuthorizationDetails,
    client::{ClientId, GrantType},
    clock::UnixTime,
    engine::{authorization::AuthorizationResponse, fault::Fault},
    event::Event,
    scope::Scope,
    secret::Digest,
    store::{Code, Grant, GrantFacts},
    token::{GrantId, TokenKind},
};

/// A person's yes.
#[derive(Clone, Debug)]
pub struct Approval {
    pub(crate) subject: String,
    pub(crate) auth_time: Option<UnixTime>,
    pub(crate) acr: Option<String>,
    pub(crate) scope: Option<Scope>,
    pub(crate) authorization_details: Option<AuthorizationDetails>,
    pub(super) remember: bool,
    pub(super) consent_not_needed: bool,
}

impl Approval {
    /// Approval by the user `subject`: the host's stable identifier of them,
    /// which becomes the token's `sub`.
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            auth_time: None,
            acr: None,
            scope: None,
            authorization_details: None,
            remember: false,
            consent_not_needed: false,
        }
    }

    /// Sets when the user last proved who they are. Without it, no request that
    /// wants a fresh sign-in can be approved.
    #[must_use]
    pub const fn auth_time(mut self, time: UnixTime) -> Self {
        self.auth_time = Some(time);
        self
    }

    /// Sets how well they did: an authentication context class reference, one of
    /// [`AuthorizationSettings::acr_values`].
    ///
    /// [`AuthorizationSettings::acr_values`]: crate::engine::authorization::AuthorizationSettings::acr_values
    #[must_use]
    pub fn acr(mut self, acr: impl Into<String>) -> Self {
        self.acr = Some(acr.into());
        self
    }

    /// Grants only these of the scopes that were asked for.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Grants these details instead of those that were asked for. What is not
    /// within one of those is left out.
    #[must_use]
    pub fn authorization_details(mut self, details: AuthorizationDetails) -> Self {
        self.authorization_details = Some(details);
        self
    }

    /// Whether to remember it, for as long as
    /// [`AuthorizationSettings::consent_lifetime`] says: the person was shown
    /// what the client asks for, and agreed. What it is good for the next time,
    /// [`Interaction::consent`] says.
    ///
    /// [`AuthorizationSettings::consent_lifetime`]: crate::engine::authorization::AuthorizationSettings::consent_lifetime
    /// [`Interaction::consent`]: super::Interaction::consent
    #[must_use]
    pub const fn remember(mut self, remember: bool) -> Self {
        self.remember = remember;
        self
    }

    /// Says that this client needs nobody's consent: it is the operator's own.
    /// Without it, a request that forbids pages (`prompt=none`) is approved only
    /// by someone whose consent is remembered.
    #[must_use]
    pub const fn consent_not_needed(mut self) -> Self {
        self.consent_not_needed = true;
        self
    }
}

impl Interaction {
    /// Ends it with a yes: makes the grant and its code in one step. Returns
    /// the answer for the browser; `None` if it had been decided before.
    ///
    /// It grants nothing to whom [`needs_sign_in`](Self::needs_sign_in) says
    /// that they must sign in: the client then hears
    /// `unmet_authentication_requirements`. Nor, where no page may be shown,
    /// without consent that is remembered: `login_required`,
    /// `consent_required`. So ask those first.
    ///
    /// # Errors
    /// [`Fault`] if the store or the source of randomness fails, or if the
    /// subject has the identifier of a client; nothing was decided then.
    pub async fn approve(self, approval: Approval) -> Result<Option<AuthorizationResponse>, Fault> {
        let server = &self.held.server;
        if let Ok(namesake) = ClientId::new(&approval.subject)
            && server.knows_client(&namesake).await?
        {
            return Err(Fault::SubjectIsClient);
        }
        if let Some(reason) = self.objection(&approval).await? {
            return self.refuse(reason).await;
        }
        let id = GrantId::generate(server.random())?;
        let code = server.codec().mint(TokenKind::Code, id, 0, server.random())?;
        let remember = approval.remember;
        let grant = self.grant(id, code.digest, approval);
        let granted = grant.facts.clone();
        if !self.held.finish(Some(grant)).await? {
            return Ok(None);
        }
        if remember {
            self.remember(&granted).await;
        }
        server.tell(&Event::Approved { grant: id, client: &self.client.id });
        Ok(Some(self.request.reply.grant(server, &self.client, &code.text)))
    }

    /// What the client asked for and this is not: no host's page can forget it.
    async fn objection(&self, approval: &Approval) -> Result<Option<RefusalReason>, Fault> {
        let silent = self.is_silent();
        if self.needs_sign_in(approval.auth_time, approval.acr.as_deref()).is_some() {
            let unmet = RefusalReason::UnmetAuthenticationRequirements;
            return Ok(Some(if silent { RefusalReason::LoginRequired } else { unmet }));
        }
        if silent && !approval.consent_not_needed && self.consent(&approval.subject).await? != ConsentNeed::Given {
            return Ok(Some(RefusalReason::ConsentRequired));
        }
        Ok(None)
    }

    fn grant(&self, id: GrantId, digest: Digest, approval: Approval) -> Grant {
        let now = self.held.server.now();
        let lifetimes = self.held.server.lifetimes();
        let code_ends = now.saturating_add(lifetimes.code);
        let lives_on = self.client.may_use(&GrantType::REFRESH_TOKEN);
        let lasts = if lives_on { now.saturating_add(lifetimes.refresh) } else { code_ends };
        let asked = &self.request.scope;
        let facts = GrantFacts {
            client: self.client.id.clone(),
            subject: Some(approval.subject),
            // The person may give less than was asked for, never more.
            scope: approval.scope.map_or_else(|| asked.clone(), |given| asked.intersection(&given)),
            resources: self.request.resources.clone(),
            auth_time: approval.auth_time,
            acr: approval.acr,
            authorization_details: self.granted_details(approval.authorization_details),
            dpop_jkt: self.request.dpop_jkt.clone(),
        };
        Grant {
            id,
            facts,
            created_at: now,
            expires_at: lasts.max(code_ends.saturating_add(lifetimes.access)),
            revoked_at: None,
            code: Some(Code {
                digest,
                redirect_uri: self.request.reply.redirect_uri.clone(),
                redirect_uri_required: self.request.redirect_uri_required,
                challenge: Some(self.request.challenge),
                expires_at: code_ends,
                redeemed_at: None,
            }),
            refresh: None,
        }
    }

    /// Those of `given` that are within what was asked for: the person may give
    /// less, never more.
    fn granted_details(&self, given: Option<AuthorizationDetails>) -> AuthorizationDetails {
        let asked = &self.request.authorization_details;
        let types = &self.held.server.authorization().detail_types;
        given.map_or_else(|| asked.clone(), |given| given.filtered(|detail| types.is_within(detail, asked)))
    }
}
