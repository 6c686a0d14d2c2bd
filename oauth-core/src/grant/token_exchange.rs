//! `urn:ietf:params:oauth:grant-type:token-exchange`: a token for another token
//! ([RFC 8693]).
//!
//! What comes of a token of this server is issued under the grant of that token, so
//! it ends with it, whoever revokes it and whenever.
//!
//! [RFC 8693]: https://www.rfc-editor.org/rfc/rfc8693

mod chain;
mod may_act;
mod party;
mod rule;
mod target;

use std::{collections::HashMap, sync::Arc};

use self::{chain::Chain, party::Party};
pub use self::{
    may_act::{Acting, MayAct},
    rule::ExchangeRule,
};
use super::{
    Failure, GrantAnswer, GrantFuture, TokenGrant, TokenRequest, subject_may_act,
    trusted_issuer::{Assertion, TrustedIssuer},
};
use crate::{
    client::{ClientId, GrantType},
    error::OAuthError,
    event::Event,
    params::Params,
    server::AuthorizationServer,
    store::{AccessToken, Exchanged, Grant},
    token::TokenResponse,
};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// The grant of RFC 8693. By default, a confidential client that is registered for
/// [`GrantType::TOKEN_EXCHANGE`] gets, for a live access token of this server, one
/// of the same or less scope, for any resource of this server. An [`ExchangeRule`]
/// narrows that for one client.
///
/// - The new token ends when the old one does, at the latest, and with its grant.
///   There is no refresh token.
/// - Without `actor_token`, the client takes the place of whoever had the old token
///   (impersonation). With one, the new token says in `act` who acts (delegation,
///   section 4.1); who acted before stands inside.
/// - `may_act` of another issuer's token is obeyed (section 4.4). Tokens of this server
///   do not bear one, since whoever may act for a person changes while tokens live: the
///   host is asked at each exchange instead, see [`MayAct`].
/// - A token that is bound to a key is taken only from whoever proves that key in the
///   same request, and what comes of it is bound to the same key. The RFC does not
///   say; otherwise a stolen one could be washed clean here.
/// - The client can revoke what it was given, and nothing else of the grant. If the
///   subject token alone is revoked, what was had for it before lives on until its own
///   `exp`: they are two tokens of one grant, known to different resource servers, and
///   verdicts on the second do not depend on the first. To end both, end the grant, or
///   let each revocation do so
///   ([`RevocationPolicy::access_revokes_grant`](crate::engine::policy::RevocationPolicy::access_revokes_grant)).
///
/// ```
/// use oauth_core::{client::ClientId, grant::{ExchangeRule, TokenExchange}, server::AuthorizationServer};
/// let billing = ExchangeRule::default().resources(["https://ledger.example"]).delegation_only();
/// let exchange = TokenExchange::default().rule(ClientId::new("billing")?, billing);
/// let builder = AuthorizationServer::builder("https://auth.example").grant(exchange);
/// # drop(builder);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokenExchange {
    issuers: Vec<TrustedIssuer>,
    rules: HashMap<ClientId, ExchangeRule>,
    may_act: Option<Arc<dyn MayAct>>,
    max_actors: usize,
}

impl Default for TokenExchange {
    fn default() -> Self {
        Self { issuers: Vec::new(), rules: HashMap::new(), may_act: None, max_actors: 4 }
    }
}

impl TokenExchange {
    /// Takes JWTs of these issuers too, as subject and as actor. They must be meant
    /// for this server (`aud`). What comes of one is a grant of its own.
    #[must_use]
    pub fn issuers(mut self, issuers: impl IntoIterator<Item = TrustedIssuer>) -> Self {
        self.issuers.extend(issuers);
        self
    }

    /// Narrows what `client` may exchange.
    #[must_use]
    pub fn rule(mut self, client: ClientId, rule: ExchangeRule) -> Self {
        self.rules.insert(client, rule);
        self
    }

    /// Asks `host` at each exchange who may act for whom (section 4.4). Without this, every
    /// client that may exchange tokens may act for every subject.
    #[must_use]
    pub fn may_act(mut self, host: impl MayAct) -> Self {
        self.may_act = Some(Arc::new(host));
        self
    }

    /// How many may have acted one after another: 4 if not called.
    #[must_use]
    pub const fn max_actors(mut self, most: usize) -> Self {
        self.max_actors = most;
        self
    }
}

impl TokenGrant for TokenExchange {
    fn grant_type(&self) -> GrantType {
        GrantType::TOKEN_EXCHANGE
    }

    fn issue<'a>(&'a self, server: &'a AuthorizationServer, request: TokenRequest<'a>) -> GrantFuture<'a> {
        GrantAnswer::tokens(issue(self, server, request))
    }

    fn check(&self, server: &AuthorizationServer) -> Result<(), String> {
        TrustedIssuer::check_all(&self.issuers, server)
    }
}

async fn issue(
    exchange: &TokenExchange,
    server: &AuthorizationServer,
    request: TokenRequest<'_>,
) -> Result<TokenResponse, Failure> {
    // RFC 8693 section 5: otherwise whoever finds a token finds more.
    if request.client.is_public() {
        return Err(OAuthError::unauthorized_client("a client that cannot authenticate may not exchange tokens").into());
    }
    let everything = ExchangeRule::default();
    let rule = exchange.rules.get(&request.client.id).unwrap_or(&everything);
    let wanted = Wanted::read(request.params)?;
    let (subject, actor) = parties(exchange, server, &request).await?;
    rule.check_subject(&subject)?;
    let chain = Chain { subject: &subject, actor: actor.as_ref(), client: &request.client.id };
    chain.check_may_act(server)?;
    chain.check_host(exchange.may_act.as_deref()).await?;
    if actor.is_none() {
        rule.check_impersonation()?;
    }
    let actor = chain.actor(exchange.max_actors)?;
    let exchanged = Box::new(Exchanged { client: request.client.id.clone(), actor });
    match subject {
        Party::Own(grant, access) => own(server, &request, rule, wanted, (*grant, *access), exchanged).await,
        Party::Foreign(assertion) => foreign(server, &request, rule, wanted, &assertion, exchanged).await,
    }
}

/// Whose tokens they are, each of them good and in the right hands.
async fn parties<'x>(
    exchange: &'x TokenExchange,
    server: &AuthorizationServer,
    request: &TokenRequest<'_>,
) -> Result<(Party<'x>, Option<Party<'x>>), Failure> {
    let params = request.params;
    let subject = (params.require("subject_token")?, params.require("subject_token_type")?);
    let actor = match (params.get("actor_token"), params.get("actor_token_type")) {
        (None, None) => None,
        (Some(token), Some(kind)) => Some((token, kind)),
        // RFC 8693 section 2.1: REQUIRED with an actor_token, and otherwise "MUST
        // NOT be included".
        _ => return Err(OAuthError::invalid_request("actor_token and actor_token_type belong together").into()),
    };
    let subject = Party::read(exchange, server, request, "subject_token", subject).await?;
    let actor = match actor {
        Some(actor) => Some(Party::read(exchange, server, request, "actor_token", actor).await?),
        None => None,
    };
    Ok((subject, actor))
}

/// What a token of this server is exchanged for: one more under its grant.
async fn own(
    server: &AuthorizationServer,
    request: &TokenRequest<'_>,
    rule: &ExchangeRule,
    wanted: Wanted,
    (grant, access): (Grant, AccessToken),
    exchanged: Box<Exchanged>,
) -> Result<TokenResponse, Failure> {
    if !subject_may_act(server, &grant).await? {
        return Err(refused("subject_token", "it is not live").into());
    }
    let mut target = target::of(server, request, rule, &access)?;
    wanted.check(server, &target.audience)?;
    target.exchanged = Some(exchanged);
    // RFC 8693 section 5: what is had for a token lives no longer than it does.
    let ends = Grant { expires_at: grant.expires_at.min(access.expires_at), ..grant };
    let new = server.mint_access(&ends, 0, target).await?;
    // A revocation that races this wins: the step refuses a grant that has ended.
    if !server.store().insert_access(ends.id, new.record.clone(), server.now()).await? {
        return Err(refused("subject_token", "it is not live").into());
    }
    let grant_type = GrantType::TOKEN_EXCHANGE;
    server.tell(&Event::TokensIssued { grant: ends.id, client: &request.client.id, grant_type: grant_type.as_str() });
    Ok(wanted.named(server.response(new.text, &new.record, None)))
}

/// What a JWT of a trusted issuer is exchanged for: the first token of a grant.
async fn foreign(
    server: &AuthorizationServer,
    request: &TokenRequest<'_>,
    rule: &ExchangeRule,
    wanted: Wanted,
    assertion: &Assertion<'_>,
    exchanged: Box<Exchanged>,
) -> Result<TokenResponse, Failure> {
    let resources = target::resources(server, request.params, rule)?;
    let resources = if resources.is_empty() { rule.usual(server)? } else { resources };
    wanted.check(server, &resources)?;
    let scope = assertion.scope().map_err(|why| refused("subject_token", why))?;
    let new = super::NewGrant::for_subject(assertion.sub.as_str()).until(assertion.exp);
    let new = new.at(resources).exchanged(exchanged).bound_like(assertion.confirmation.clone());
    let scopes = [assertion.issuer.most().cloned(), scope, rule.most().cloned()];
    let new = scopes.into_iter().flatten().fold(new, super::NewGrant::scope);
    let response = request.issue(server, new).await.map_err(|failure| match failure {
        // Section 2.2.2: it is the request that is at fault, and no grant.
        Failure::Refused(error) if *error.code() == crate::error::ErrorCode::InvalidGrant => {
            OAuthError::invalid_request(error.description().to_owned()).into()
        }
        other => other,
    })?;
    Ok(wanted.named(response))
}

/// What the client wants to be given.
#[derive(Clone, Copy)]
enum Wanted {
    AccessToken,
    Jwt,
}

impl Wanted {
    fn read(params: &Params) -> Result<Self, OAuthError> {
        match params.get("requested_token_type") {
            None | Some(ACCESS_TOKEN) => Ok(Self::AccessToken),
            Some(JWT) => Ok(Self::Jwt),
            Some(_) => Err(OAuthError::invalid_request("the requested_token_type is not one that is issued")),
        }
    }

    /// A resource takes what it takes.
    fn check(self, server: &AuthorizationServer, audience: &[String]) -> Result<(), OAuthError> {
        if matches!(self, Self::Jwt) && !server.takes_jwts(audience) {
            return Err(OAuthError::invalid_request("the resource does not take JWTs"));
        }
        Ok(())
    }

    /// RFC 8693 section 2.2.1. A JWT for a resource is an access token all the same, so
    /// its `token_type` says how to use it.
    fn named(self, mut response: TokenResponse) -> TokenResponse {
        let kind = match self {
            Self::AccessToken => ACCESS_TOKEN,
            Self::Jwt => JWT,
        };
        response.issued_token_type = Some(kind.to_owned());
        response
    }
}

/// RFC 8693 section 2.2.2: a token that is invalid "for any reason", or
/// "unacceptable based on policy", is an `invalid_request`.
fn refused(which: &str, why: &str) -> OAuthError {
    OAuthError::invalid_request(format!("the {which} is not good: {why}"))
}
