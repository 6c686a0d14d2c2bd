//! Making tokens: what is asked is narrowed to what is granted, and becomes a
//! token of the resource's format.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{fault::Fault, matrix, policy::TokenFormat, sender::Sender};
use crate::{
    authorization_details::AuthorizationDetails,
    claims::{ACCESS_TOKEN_TYPE, AccessTokenClaims, Confirmation},
    client::{Client, GrantType},
    clock::random_bytes,
    error::OAuthError,
    jwt,
    params::Params,
    scope::Scope,
    secret::{Digest, Secret},
    server::AuthorizationServer,
    status_list::StatusReference,
    store::{AccessToken, Exchanged, Grant, GrantFacts},
    token::{MintedToken, TokenKind, TokenResponse},
};

/// A token request of a client that has proven itself and is registered for the
/// grant type.
#[derive(Clone, Copy, Debug)]
pub struct TokenRequest<'r> {
    pub(crate) client: &'r Client,
    pub(crate) grant_type: &'r GrantType,
    pub(crate) params: &'r Params,
    pub(crate) sender: &'r Sender,
}

impl<'r> TokenRequest<'r> {
    /// The client.
    #[must_use]
    pub const fn client(&self) -> &'r Client {
        self.client
    }

    /// The parameters of the body.
    #[must_use]
    pub const fn params(&self) -> &'r Params {
        self.params
    }

    /// Which keys the request proves.
    #[must_use]
    pub const fn sender(&self) -> &'r Sender {
        self.sender
    }
}

/// A fresh access token, in its two halves.
pub(crate) struct NewAccess {
    pub(crate) text: Secret,
    pub(crate) record: AccessToken,
}

/// What a token request asks for, checked against a grant.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) scope: Scope,
    pub(crate) audience: Vec<String>,
    pub(crate) authorization_details: AuthorizationDetails,
    /// The key that the token will be bound to.
    pub(crate) confirmation: Option<Confirmation>,
    /// To whom it is given for another token.
    pub(crate) exchanged: Option<Box<Exchanged>>,
}

impl Target {
    /// All that a grant gives which has just begun.
    pub(crate) fn whole(
        server: &AuthorizationServer,
        request: &TokenRequest<'_>,
        facts: &GrantFacts,
    ) -> Result<Self, OAuthError> {
        let audience = facts.resources.clone();
        let scope = narrow(server, &audience, &facts.scope)?;
        let authorization_details = facts.authorization_details.filtered(|detail| detail.is_for(&audience));
        let confirmation = request.sender.confirmation.clone();
        Ok(Self { scope, audience, authorization_details, confirmation, exchanged: None })
    }

    /// Reads `resource`, `authorization_details` and, where `may_narrow` allows it,
    /// `scope`, and checks that the grant covers them.
    pub(crate) fn read(
        server: &AuthorizationServer,
        request: &TokenRequest<'_>,
        facts: &GrantFacts,
        may_narrow: bool,
    ) -> Result<Self, OAuthError> {
        let params = request.params;
        let scope = match params.get("scope").filter(|_| may_narrow) {
            Some(scope) => matrix::with_device(server, &facts.scope, read_scope(scope)?),
            None => facts.scope.clone(),
        };
        if !scope.is_subset_of(&facts.scope) {
            return Err(OAuthError::invalid_scope("the scope exceeds what was granted"));
        }
        let mut audience: Vec<String> = Vec::with_capacity(1);
        for resource in params.all("resource") {
            if !facts.resources.iter().any(|granted| granted == resource) {
                return Err(OAuthError::invalid_target("the resource is not one that was granted"));
            }
            if !audience.iter().any(|seen| seen == resource) {
                audience.push(resource.to_owned());
            }
        }
        if audience.is_empty() {
            audience.clone_from(&facts.resources);
        }
        let scope = narrow(server, &audience, &scope)?;
        let details = server.authorization().detail_types.narrowed(params, &facts.authorization_details)?;
        // RFC 9396 section 3: a detail for another API is none of this token's.
        let authorization_details = details.filtered(|detail| detail.is_for(&audience));
        let confirmation = request.sender.confirmation.clone();
        Ok(Self { scope, audience, authorization_details, confirmation, exchanged: None })
    }
}

/// The `scope` a client asks for at the start of a grant; what it is
/// registered for if it does not say.
///
/// A client that registered itself may not know what it can have: it is given
/// what there is of it (OAuth 2.1 section 3.3: "MAY fully or partially ignore
/// the scope requested by the client, based on the authorization server policy").
pub(crate) fn requested_scope(params: &Params, client: &Client) -> Result<Scope, OAuthError> {
    let registration = client.registration.as_deref();
    let Some(scope) = params.get("scope") else {
        return Ok(registration.map_or(&client.scope, |registration| &registration.scope).clone());
    };
    // Mostly it asks for just what it is registered for.
    if client.scope.is_written(scope) {
        return Ok(client.scope.clone());
    }
    let asked = read_scope(scope)?;
    let given = if registration.is_some() { asked.intersection(&client.scope) } else { asked.clone() };
    if given.is_empty() != asked.is_empty() || !given.is_subset_of(&client.scope) {
        return Err(OAuthError::invalid_scope("the scope is unknown, or not one that this client may ask for"));
    }
    Ok(given)
}

/// The `resource`s a client asks for at the start of a grant; the first
/// configured one if it does not say (RFC 8707 section 2).
pub(crate) fn requested_resources(server: &AuthorizationServer, params: &Params) -> Result<Vec<String>, OAuthError> {
    // Mostly one, and it is kept for as long as the token.
    let mut resources: Vec<String> = Vec::with_capacity(1);
    for asked in params.all("resource") {
        if server.resource(asked).is_none() {
            return Err(OAuthError::invalid_target("the resource is malformed, or not served here"));
        }
        if !resources.iter().any(|seen| seen == asked) {
            resources.push(asked.to_owned());
        }
    }
    if resources.is_empty() {
        resources.extend(server.resources().first().map(|first| first.identifier.clone()));
    }
    Ok(resources)
}

/// The part of `scope` that means something at `audience`. A client that asked
/// for something must not take nothing for all of it.
pub(crate) fn narrow(server: &AuthorizationServer, audience: &[String], scope: &Scope) -> Result<Scope, OAuthError> {
    let narrowed = server.scope_at(audience, scope);
    if narrowed.is_empty() && !scope.is_empty() {
        return Err(OAuthError::invalid_scope("nothing of the scope means anything at the resource"));
    }
    Ok(narrowed)
}

fn read_scope(scope: &str) -> Result<Scope, OAuthError> {
    scope.parse().map_err(|_| OAuthError::invalid_scope("the scope is malformed"))
}

impl AuthorizationServer {
    /// Makes an access token under `grant`.
    pub(crate) fn mint_access<'a>(
        &'a self,
        grant: &'a Grant,
        generation: u64,
        target: Target,
    ) -> impl Future<Output = Result<NewAccess, Fault>> + Send + 'a {
        let mut record = self.unminted(grant, target);
        // A block, since an `async` function has room for its arguments twice.
        async move {
            let text = if self.takes_jwts(&record.audience) {
                let jti = URL_SAFE_NO_PAD.encode(random_bytes::<16>(self.random())?);
                record.digest = jwt_digest(&jti);
                if let Some(lists) = self.status_lists() {
                    record.status = Some(lists.place(self, record.issued_at).await?);
                }
                self.sign_access(grant, &record, jti)?
            } else {
                let minted = self.codec().mint(TokenKind::Access, grant.id, generation, self.random())?;
                record.digest = minted.digest;
                minted.text
            };
            Ok(NewAccess { text, record })
        }
    }

    /// What will be kept of a token that is yet to be made.
    fn unminted(&self, grant: &Grant, target: Target) -> AccessToken {
        let now = self.now();
        let Target { scope, audience, authorization_details, confirmation, exchanged } = target;
        AccessToken {
            digest: Digest::from_bytes([0; 32]),
            scope,
            audience,
            issued_at: now,
            // Nothing under a grant outlives it: its end is written on the token.
            expires_at: now.saturating_add(self.lifetimes().access).min(grant.expires_at),
            authorization_details,
            confirmation,
            exchanged,
            status: None,
        }
    }

    /// Whether a token for `audience` is a JWT.
    pub(crate) fn takes_jwts(&self, audience: &[String]) -> bool {
        audience.iter().any(|one| self.resource(one).is_some_and(|r| r.format == TokenFormat::Jwt))
    }

    /// Makes a refresh token under `grant`, for whoever has sent the request.
    pub(crate) fn mint_refresh(&self, grant: &Grant, generation: u64, sender: &Sender) -> Result<MintedToken, Fault> {
        let (codec, random) = (self.codec(), self.random());
        Ok(match sender.refresh_binding() {
            Some(key) => codec.mint_bound(grant.id, generation, &key, random)?,
            None => codec.mint(TokenKind::Refresh, grant.id, generation, random)?,
        })
    }

    fn sign_access(&self, grant: &Grant, record: &AccessToken, jti: String) -> Result<Secret, Fault> {
        let key = self.signing_key().ok_or(Fault::Internal("no signing key is active"))?;
        let reference = self.grant_refs().reference(grant.id, &record.audience);
        let mut claims = self.claims_of(grant, record, jti);
        if let Some(place) = record.status {
            let uri = self.status_list_uri(place.list);
            StatusReference::new(place.index.into(), uri).insert_into(&mut claims.extra);
        }
        claims.grant_ref = Some(reference.ok_or(Fault::Internal("the block cipher failed"))?);
        Ok(Secret::new(jwt::sign(&key, ACCESS_TOKEN_TYPE, &claims)?))
    }

    /// What an access token says, whatever its format.
    pub(crate) fn claims_of(&self, grant: &Grant, record: &AccessToken, jti: String) -> AccessTokenClaims {
        let facts = &grant.facts;
        // RFC 9068 section 2.2: without a user, `sub` is the client.
        let sub = facts.subject.as_deref().unwrap_or_else(|| facts.client.as_str());
        let client = record.client(grant).as_str();
        let audience = record.audience.iter().cloned();
        let (iat, exp) = (record.issued_at, record.expires_at);
        let mut claims = AccessTokenClaims::new(self.issuer(), audience, sub, client, jti, iat, exp);
        claims.scope = (!record.scope.is_empty()).then(|| record.scope.clone());
        claims.auth_time = facts.auth_time;
        claims.acr.clone_from(&facts.acr);
        claims.authorization_details = record.authorization_details.to_values();
        claims.cnf.clone_from(&record.confirmation);
        // RFC 8693 section 4.1.
        let actor = record.exchanged.as_ref().and_then(|exchanged| exchanged.actor.as_ref());
        if let Some(Ok(act)) = actor.map(serde_json::to_value) {
            claims.extra.insert("act".to_owned(), act);
        }
        claims
    }

    /// The token response for `access`, which is what is kept of the token `text`.
    pub(crate) fn response(&self, text: Secret, access: &AccessToken, refresh: Option<Secret>) -> TokenResponse {
        let lifetime = self.now().until(access.expires_at);
        let mut response = TokenResponse::new(text, access.token_type(), lifetime);
        response.refresh_token = refresh;
        response.authorization_details = access.authorization_details.clone();
        response.scope = Some(access.scope.clone()).filter(|scope| !scope.is_empty());
        response
    }
}

/// What the store knows a JWT by.
pub(crate) fn jwt_digest(jti: &str) -> Digest {
    Digest::of(&[b"jti", jti.as_bytes()])
}
