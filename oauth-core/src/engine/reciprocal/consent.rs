//! Party A: its user agrees to what party B asks, and B is given a code.

use std::{fmt, sync::Arc};

use crate::{
    authorization_details::AuthorizationDetails,
    client::{Client, ClientId, GrantType},
    engine::{fault::Fault, interaction::Approval},
    event::Event,
    scope::Scope,
    secret::{Digest, Secret},
    server::AuthorizationServer,
    store::{Code, Grant, GrantFacts, StoreError},
    token::{GrantId, TokenKind, TokenResponse},
};

/// Why there is no reciprocal code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReciprocalError {
    /// [`AuthorizationServerBuilder::reciprocal`] was not called.
    ///
    /// [`AuthorizationServerBuilder::reciprocal`]: crate::server::AuthorizationServerBuilder::reciprocal
    #[error("there is no Reciprocal OAuth here")]
    Off,
    /// No client of this name is registered.
    #[error("there is no such client")]
    UnknownClient,
    /// The client cannot prove who it is, or is not registered for
    /// `authorization_code`.
    #[error("the client is public, or not registered for codes")]
    UnfitClient,
    /// The scope is empty, more than the client is registered for, or means nothing
    /// at any resource.
    #[error("the scope is empty, or not one that the client may have")]
    Scope,
    /// The user does not exist, or may not act.
    #[error("the user may not act")]
    Subject,
    /// The server is at fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreError> for ReciprocalError {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

/// What party B would like, as the user of party A is to be asked.
pub struct ReciprocalRequest {
    server: AuthorizationServer,
    client: Arc<Client>,
    scope: Scope,
    resources: Vec<String>,
}

impl AuthorizationServer {
    /// What to ask the user before `client`, which is party B here, is given a code:
    /// what it `said` by the `reciprocal` parameter of its answer. Where it said
    /// nothing, or what is no scope, it is what the two have `agreed` on
    /// (draft-ietf-oauth-reciprocal-04 section 2.1).
    ///
    /// # Errors
    /// [`ReciprocalError`] if the client may not have that, or none.
    pub async fn reciprocal_request(
        &self,
        client: &ClientId,
        said: Option<&str>,
        agreed: &Scope,
    ) -> Result<ReciprocalRequest, ReciprocalError> {
        let scope = said.and_then(TokenResponse::parse_reciprocal).unwrap_or_else(|| agreed.clone());
        if self.reciprocity().is_none() {
            return Err(ReciprocalError::Off);
        }
        // Nothing is fetched: a stranger that describes itself is nobody's peer.
        let client = self.client(client).await?.ok_or(ReciprocalError::UnknownClient)?;
        if client.is_public() || !client.may_use(&GrantType::AUTHORIZATION_CODE) {
            return Err(ReciprocalError::UnfitClient);
        }
        if scope.is_empty() || !scope.is_subset_of(&client.scope) {
            return Err(ReciprocalError::Scope);
        }
        let resources = self.resources_for(&scope).ok_or(ReciprocalError::Scope)?;
        Ok(ReciprocalRequest { server: self.clone(), client, scope, resources })
    }

    /// A code for `client`, which is party B here: `subject` has agreed to `scope`.
    /// Send it to B within [`ReciprocalSettings::code_lifetime`] seconds. Only that
    /// client can redeem it, once, without a redirect URI and a verifier.
    ///
    /// # Errors
    /// [`ReciprocalError`]; no code exists then.
    ///
    /// [`ReciprocalSettings::code_lifetime`]: super::ReciprocalSettings::code_lifetime
    pub async fn reciprocal_code(
        &self,
        subject: &str,
        client: &ClientId,
        scope: &Scope,
    ) -> Result<Secret, ReciprocalError> {
        self.reciprocal_request(client, None, scope).await?.approve(Approval::new(subject)).await
    }

    /// The resources, as few as will do, at which all of `scope` means something.
    fn resources_for(&self, scope: &Scope) -> Option<Vec<String>> {
        let (mut resources, mut left) = (Vec::new(), scope.clone());
        for resource in self.resources() {
            let rest = if resource.scopes.is_empty() { Scope::empty() } else { left.without(&resource.scopes) };
            if rest.len() < left.len() {
                resources.push(resource.identifier.clone());
                left = rest;
            }
        }
        left.is_empty().then_some(resources)
    }
}

impl ReciprocalRequest {
    /// Who asks: party B, as the client that it is here.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What it asks for. Show exactly this.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Where it would be good.
    #[must_use]
    pub fn resources(&self) -> &[String] {
        &self.resources
    }

    /// The user's yes: makes the grant, and the code that is to be sent to party B.
    /// By [`Approval::scope`] they may give less, never more.
    ///
    /// # Errors
    /// [`ReciprocalError`] if the user may not act, gives nothing, or has the
    /// identifier of a client, or if the store fails; no code exists then.
    pub async fn approve(self, approval: Approval) -> Result<Secret, ReciprocalError> {
        let server = &self.server;
        if let Ok(namesake) = ClientId::new(&approval.subject)
            && server.knows_client(&namesake).await?
        {
            return Err(Fault::SubjectIsClient.into());
        }
        if !server.subjects().is_active(&approval.subject).await? {
            return Err(ReciprocalError::Subject);
        }
        let scope = approval.scope.as_ref().map_or_else(|| self.scope.clone(), |given| self.scope.intersection(given));
        if scope.is_empty() {
            return Err(ReciprocalError::Scope);
        }
        let id = GrantId::generate(server.random()).map_err(Fault::from)?;
        let code = server.codec().mint(TokenKind::Code, id, 0, server.random()).map_err(Fault::from)?;
        server.store().insert_grant(self.grant(id, code.digest, scope, approval)?, None).await?;
        server.tell(&Event::Approved { grant: id, client: &self.client.id });
        Ok(code.text)
    }

    fn grant(&self, id: GrantId, digest: Digest, scope: Scope, approval: Approval) -> Result<Grant, ReciprocalError> {
        let now = self.server.now();
        let lifetimes = self.server.lifetimes();
        let settings = self.server.reciprocity().ok_or(ReciprocalError::Off)?;
        let code_ends = now.saturating_add(settings.settings.code_lifetime);
        let lives_on = self.client.may_use(&GrantType::REFRESH_TOKEN);
        let lasts = if lives_on { now.saturating_add(lifetimes.refresh) } else { code_ends };
        let facts = GrantFacts {
            client: self.client.id.clone(),
            subject: Some(approval.subject),
            resources: self.server.resources_for(&scope).ok_or(ReciprocalError::Scope)?,
            scope,
            auth_time: approval.auth_time,
            acr: approval.acr,
            authorization_details: AuthorizationDetails::default(),
            dpop_jkt: None,
        };
        Ok(Grant {
            id,
            facts,
            created_at: now,
            expires_at: lasts.max(code_ends.saturating_add(lifetimes.access)),
            revoked_at: None,
            code: Some(Code::reciprocal(digest, code_ends)),
            refresh: None,
        })
    }
}

impl fmt::Debug for ReciprocalRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, scope, resources, .. } = self;
        f.debug_struct("ReciprocalRequest")
            .field("client", &client.id)
            .field("scope", scope)
            .field("resources", resources)
            .finish_non_exhaustive()
    }
}
