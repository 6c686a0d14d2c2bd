//! `urn:ietf:params:oauth:grant-type:jwt-bearer`: an assertion for tokens
//! ([RFC 7523 section 2.1]).
//!
//! [RFC 7523 section 2.1]: https://www.rfc-editor.org/rfc/rfc7523#section-2.1

use super::{
    Failure, GrantAnswer, GrantFuture, NewGrant, TokenGrant, TokenRequest,
    trusted_issuer::{Assertion, TrustedIssuer, Untrusted},
};
use crate::{
    client::{Client, ClientId, GrantType},
    error::OAuthError,
    params::Params,
    scope::Scope,
    secret::Digest,
    server::AuthorizationServer,
    token::TokenResponse,
};

/// What a JWT for this grant may say that it is (draft-ietf-oauth-rfc7523bis
/// section 4); most say nothing.
const TYPES: [&str; 2] = ["JWT", "authorization-grant+jwt"];

/// How long after the assertion the token may still live, in seconds.
const PAST_ASSERTION: u64 = 300;

/// The grant of RFC 7523: whoever brings an assertion of a trusted issuer gets
/// tokens for its subject. Each is good once (`jti`), for an hour at most.
///
/// A client that names itself must prove who it is and be registered for
/// [`GrantType::JWT_BEARER`]. A request that names none counts for a public client
/// that is called like the issuer (RFC 7521 section 4.1), which may ask for the
/// scope of the [`TrustedIssuer`]; so those tokens have the issuer as `client_id`.
/// If a client of that name is configured, nobody stands for it.
///
/// There is no refresh token: the client brings the next assertion (RFC 7521
/// section 4.1).
///
/// ```
/// use oauth_core::{
///     client::ClientJwks, grant::{JwtBearer, TrustedIssuer}, jwt::Algorithm, keys::SigningKey,
///     server::AuthorizationServer,
/// };
/// let key = SigningKey::generate(Algorithm::ES256)?; // theirs
/// let issuer = TrustedIssuer::new("https://idp.example", ClientJwks::of([&key])).scope("albums:read".parse()?);
/// let builder = AuthorizationServer::builder("https://auth.example").grant(JwtBearer::new([issuer]));
/// # drop(builder);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct JwtBearer {
    issuers: Vec<TrustedIssuer>,
    anonymous: bool,
}

impl JwtBearer {
    /// Believes these.
    pub fn new(issuers: impl IntoIterator<Item = TrustedIssuer>) -> Self {
        Self { issuers: issuers.into_iter().collect(), anonymous: true }
    }

    /// Demands that a client proves who it is.
    #[must_use]
    pub const fn authenticated_only(mut self) -> Self {
        self.anonymous = false;
        self
    }

    fn stands_for(&self, issuer: &TrustedIssuer) -> Option<ClientId> {
        ClientId::new(issuer.issuer()).ok().filter(|_| self.anonymous)
    }
}

impl TokenGrant for JwtBearer {
    fn grant_type(&self) -> GrantType {
        GrantType::JWT_BEARER
    }

    fn issue<'a>(&'a self, server: &'a AuthorizationServer, request: TokenRequest<'a>) -> GrantFuture<'a> {
        GrantAnswer::tokens(issue(self, server, request))
    }

    fn client_of_nobody(&self, params: &Params) -> Option<ClientId> {
        self.stands_for(TrustedIssuer::of(&self.issuers, params.get("assertion")?)?)
    }

    fn clients(&self, declared: &Scope) -> Vec<Client> {
        let client = |issuer: &TrustedIssuer| {
            let client = Client::builder(self.stands_for(issuer)?.as_str()).grant_type(GrantType::JWT_BEARER);
            client.scope(issuer.most().unwrap_or(declared).to_string()).build().ok()
        };
        self.issuers.iter().filter_map(client).collect()
    }

    fn check(&self, server: &AuthorizationServer) -> Result<(), String> {
        TrustedIssuer::check_all(&self.issuers, server)
    }
}

async fn issue(
    bearer: &JwtBearer,
    server: &AuthorizationServer,
    request: TokenRequest<'_>,
) -> Result<TokenResponse, Failure> {
    let token = request.params.require("assertion")?;
    let assertion = Assertion::verify(server, &bearer.issuers, token, &TYPES).await.map_err(not_good)?;
    check_client(bearer, &request, &assertion)?;
    // RFC 7800 section 3: whoever has not the key cannot use it.
    if !request.sender.holds_all(assertion.confirmation.as_ref()) {
        return Err(refused("it is bound to a key that is not proven").into());
    }
    let new = NewGrant::for_subject(assertion.sub.as_str());
    // RFC 7521 section 4.1: not longer than the assertion "by a significant period".
    let new = new.bound_like(assertion.confirmation.clone());
    let new = new.until(assertion.exp.max(server.now().saturating_add(PAST_ASSERTION)));
    let scopes = [assertion.issuer.most().cloned(), assertion.scope().map_err(refused)?];
    let new = scopes.into_iter().flatten().fold(new, NewGrant::scope);
    use_up(server, &assertion).await?;
    request.issue(server, new).await
}

/// One that stands for nobody stands for one issuer.
fn check_client(bearer: &JwtBearer, request: &TokenRequest<'_>, assertion: &Assertion<'_>) -> Result<(), OAuthError> {
    let id = &request.client.id;
    let named = bearer.issuers.iter().find(|issuer| issuer.issuer() == id.as_str());
    if request.client.is_public() && named.is_some_and(|named| named.issuer() != assertion.issuer.issuer()) {
        return Err(refused("it is of another issuer than the client"));
    }
    Ok(())
}

/// RFC 7523 section 3, item 7: once, on whichever node.
async fn use_up(server: &AuthorizationServer, assertion: &Assertion<'_>) -> Result<(), Failure> {
    let jti = assertion.jti.as_deref().ok_or_else(|| refused("the claim jti is missing"))?;
    let issuer = assertion.issuer.issuer();
    let digest = Digest::of(&[b"jwt bearer jti ", issuer.as_bytes(), b"\0", jti.as_bytes()]);
    if server.store().first_use(digest, assertion.exp, server.now()).await? {
        return Ok(());
    }
    Err(refused("it was used before").into())
}

fn not_good(why: Untrusted) -> Failure {
    match why {
        Untrusted::Refused(why) => refused(why).into(),
        Untrusted::Fault(fault) => fault.into(),
    }
}

/// RFC 7523 section 3.1: `invalid_grant`, and why.
fn refused(why: &'static str) -> OAuthError {
    OAuthError::invalid_grant(format!("the assertion is not good: {why}"))
}
