//! A grant that begins at the token endpoint, and the first tokens under it.

use super::{Failure, TokenRequest};
use crate::{
    claims::Confirmation,
    client::{ClientId, GrantType},
    clock::UnixTime,
    engine::issue::{Target, requested_resources, requested_scope},
    error::OAuthError,
    event::Event,
    scope::Scope,
    server::AuthorizationServer,
    store::{Exchanged, Grant, GrantFacts, Refresh},
    token::{GrantId, MintedToken, TokenResponse},
};

/// What a [`TokenGrant`](super::TokenGrant) has found out: who gives what to the
/// client. [`TokenRequest::issue`] makes tokens of it.
///
/// ```
/// use oauth_core::{clock::UnixTime, grant::NewGrant};
/// let ends = UnixTime(1_800_000_000);
/// let grant = NewGrant::for_subject("alice").scope("albums:read".parse()?).until(ends);
/// # drop(grant);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct NewGrant {
    subject: Option<String>,
    scope: Option<Scope>,
    until: Option<UnixTime>,
    auth_time: Option<UnixTime>,
    acr: Option<String>,
    refreshable: bool,
    /// Where it is good, if that is known already.
    resources: Option<Vec<String>>,
    /// The keys that its tokens are bound to, besides those of the sender.
    confirmation: Option<Confirmation>,
    exchanged: Option<Box<Exchanged>>,
}

impl NewGrant {
    const fn new(subject: Option<String>) -> Self {
        Self {
            subject,
            scope: None,
            until: None,
            auth_time: None,
            acr: None,
            refreshable: false,
            resources: None,
            confirmation: None,
            exchanged: None,
        }
    }

    /// The client acts for `subject`, a user: the token's `sub`. It must not be the
    /// identifier of a client (OAuth 2.1 section 9.6).
    pub fn for_subject(subject: impl Into<String>) -> Self {
        Self::new(Some(subject.into()))
    }

    /// The client acts for itself. A public client is refused (OAuth 2.1 section
    /// 4.2): anybody can use its name.
    #[must_use]
    pub const fn for_client() -> Self {
        Self::new(None)
    }

    /// At most this, whatever the client is registered for; said twice, what is in
    /// both. Where the request has no `scope`, as much of it as the client is
    /// registered for.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(match self.scope {
            Some(before) => before.intersection(&scope),
            None => scope,
        });
        self
    }

    /// No longer than this, whatever the lifetimes of the server are.
    #[must_use]
    pub const fn until(mut self, end: UnixTime) -> Self {
        self.until = Some(end);
        self
    }

    /// When the user last proved who they are.
    #[must_use]
    pub const fn auth_time(mut self, time: UnixTime) -> Self {
        self.auth_time = Some(time);
        self
    }

    /// How: the authentication context class reference.
    #[must_use]
    pub fn acr(mut self, acr: impl Into<String>) -> Self {
        self.acr = Some(acr.into());
        self
    }

    /// With a refresh token, for a client that is registered for those. Without
    /// this, the client must come back with something new.
    #[must_use]
    pub const fn refreshable(mut self) -> Self {
        self.refreshable = true;
        self
    }

    /// At these, which are resources of the server.
    pub(super) fn at(mut self, resources: Vec<String>) -> Self {
        self.resources = Some(resources);
        self
    }

    /// Bound to these keys too, which the sender holds.
    pub(super) fn bound_like(mut self, confirmation: Option<Confirmation>) -> Self {
        self.confirmation = confirmation;
        self
    }

    pub(super) fn exchanged(mut self, exchanged: Box<Exchanged>) -> Self {
        self.exchanged = Some(exchanged);
        self
    }
}

impl TokenRequest<'_> {
    /// Makes a grant to the client that asks, and the first tokens under it.
    ///
    /// The scope is what the request asks for, and never more than the client is
    /// registered for or `new` allows; the audience, what it names by `resource`
    /// among the resources of this server (RFC 8707). The tokens are bound to the
    /// keys that the request proves. Grant and tokens are stored in one step.
    ///
    /// # Errors
    /// [`Failure`]: what is asked for cannot be had, the subject may not act, or
    /// the store failed. Nothing was stored then.
    pub async fn issue(&self, server: &AuthorizationServer, new: NewGrant) -> Result<TokenResponse, Failure> {
        check_subject(server, self, new.subject.as_deref()).await?;
        let mut grant = self.grant(server, &new)?;
        if grant.expires_at <= grant.created_at {
            return Err(OAuthError::invalid_grant("what was offered has ended").into());
        }
        let target = self.target(server, &grant.facts, &new)?;
        let access = server.mint_access(&grant, 0, target).await?;
        let refresh = self.refresh(server, &mut grant, &new)?;
        let id = grant.id;
        let response = server.response(access.text, &access.record, refresh.map(|minted| minted.text));
        server.store().insert_grant(grant, Some(access.record)).await?;
        server.tell(&Event::TokensIssued { grant: id, client: &self.client.id, grant_type: self.grant_type.as_str() });
        Ok(response)
    }

    fn grant(&self, server: &AuthorizationServer, new: &NewGrant) -> Result<Grant, Failure> {
        let now = server.now();
        let lifetimes = server.lifetimes();
        let lifetime = if self.has_refresh(new) { lifetimes.refresh } else { lifetimes.access };
        let end = now.saturating_add(lifetime);
        let facts = GrantFacts {
            client: self.client.id.clone(),
            subject: new.subject.clone(),
            scope: self.scope(new)?,
            resources: self.resources(server, new)?,
            auth_time: new.auth_time,
            acr: new.acr.clone(),
            authorization_details: server.authorization().detail_types.requested(self.params, self.client)?,
            dpop_jkt: None,
        };
        Ok(Grant {
            id: GrantId::generate(server.random())?,
            facts,
            created_at: now,
            expires_at: new.until.map_or(end, |until| until.min(end)),
            revoked_at: None,
            code: None,
            refresh: None,
        })
    }

    fn target(&self, server: &AuthorizationServer, facts: &GrantFacts, new: &NewGrant) -> Result<Target, OAuthError> {
        let mut target = Target::whole(server, self, facts)?;
        target.confirmation = self.sender.bound_like(new.confirmation.as_ref());
        target.exchanged.clone_from(&new.exchanged);
        Ok(target)
    }

    fn scope(&self, new: &NewGrant) -> Result<Scope, OAuthError> {
        let asked = requested_scope(self.params, self.client)?;
        let Some(most) = &new.scope else { return Ok(asked) };
        if self.params.get("scope").is_some() && !asked.is_subset_of(most) {
            return Err(OAuthError::invalid_scope("the scope exceeds what was offered"));
        }
        Ok(asked.intersection(most))
    }

    fn resources(&self, server: &AuthorizationServer, new: &NewGrant) -> Result<Vec<String>, OAuthError> {
        match &new.resources {
            Some(resources) => Ok(resources.clone()),
            None => requested_resources(server, self.params),
        }
    }

    fn has_refresh(&self, new: &NewGrant) -> bool {
        new.refreshable && self.client.may_use(&GrantType::REFRESH_TOKEN)
    }

    fn refresh(
        &self,
        server: &AuthorizationServer,
        grant: &mut Grant,
        new: &NewGrant,
    ) -> Result<Option<MintedToken>, Failure> {
        if !self.has_refresh(new) {
            return Ok(None);
        }
        let minted = server.mint_refresh(grant, 0, self.sender)?;
        grant.refresh = Some(Refresh { digest: minted.digest, generation: 0, used_at: grant.created_at, retry: None });
        Ok(Some(minted))
    }
}

/// Whether a grant of `subject` to the client may begin.
async fn check_subject(
    server: &AuthorizationServer,
    request: &TokenRequest<'_>,
    subject: Option<&str>,
) -> Result<(), Failure> {
    let Some(subject) = subject else {
        let public = request.client.is_public();
        let error = || OAuthError::unauthorized_client("a client that cannot authenticate may not act for itself");
        return if public { Err(error().into()) } else { Ok(()) };
    };
    // OAuth 2.1 section 9.6: no resource server could tell the one from the other.
    if let Ok(namesake) = ClientId::new(subject)
        && server.knows_client(&namesake).await?
    {
        return Err(OAuthError::invalid_grant("the subject has the identifier of a client").into());
    }
    if subject.is_empty() || !server.subjects().is_active(subject).await? {
        return Err(OAuthError::invalid_grant("the subject is not one who may act").into());
    }
    Ok(())
}
