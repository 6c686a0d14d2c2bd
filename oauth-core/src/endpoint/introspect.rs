//! `POST /introspect`: token introspection ([RFC 7662]), signed for those who want it
//! so ([RFC 9701]).
//!
//! [RFC 7662]: https://www.rfc-editor.org/rfc/rfc7662
//! [RFC 9701]: https://www.rfc-editor.org/rfc/rfc9701

mod signed;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Map, Value, json as value};

use super::{failure, is_post, json, method_not_allowed, read_form};
use crate::{
    client::Client,
    engine::{
        client_auth::authenticate,
        fault::Failure,
        guess_limit::{Asker, PER_MINUTE},
        policy::Resource,
        validate::Located,
    },
    error::OAuthError,
    params::Params,
    scope::Scope,
    server::AuthorizationServer,
    store::{AccessToken, Grant},
    token::TokenKind,
};

/// Answers an introspection request.
pub async fn handle(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    if !is_post(request) {
        return method_not_allowed("POST");
    }
    answer(server, request).await.unwrap_or_else(|error| failure(server, &error))
}

async fn answer(server: &AuthorizationServer, request: &Request<Bytes>) -> Result<Response<Bytes>, Failure> {
    let params = read_form(request)?;
    let caller = authenticate(server, request, &params).await?;
    let body = introspect(server, &caller, &params).await?;
    match signed::wanted(server, request.headers(), &caller) {
        Some(algorithm) => Ok(signed::response(server, &caller, algorithm, &body)?),
        None => Ok(json(StatusCode::OK, body)),
    }
}

async fn introspect(
    server: &AuthorizationServer,
    caller: &Client,
    params: &Params,
) -> Result<Map<String, Value>, Failure> {
    if caller.is_public() {
        // Section 2.1: the endpoint MUST require authorization, which a name
        // alone is not.
        let error = OAuthError::invalid_client("introspection needs a client that authenticates");
        return Err(Failure::Unauthenticated(error));
    }
    if let Some(body) = look(server, caller, params.require("token")?).await? {
        return Ok(body);
    }
    // Whatever the reason, as with the answer: were only what is unknown here counted, those beyond the limit
    // would hear which tokens of others were issued here.
    if !is_resource_server(server, caller) {
        server.guesses().count(Asker::introspecting(&caller.id), PER_MINUTE, server.now())?;
    }
    Ok(inactive())
}

/// What the caller may know of the token; `None` if that is nothing.
async fn look(
    server: &AuthorizationServer,
    caller: &Client,
    token: &str,
) -> Result<Option<Map<String, Value>>, Failure> {
    let Some(located) = server.locate(token) else { return Ok(None) };
    match located.kind {
        TokenKind::Access => access(server, caller, &located).await,
        TokenKind::Refresh => refresh(server, caller, &located).await,
        TokenKind::Code | TokenKind::Device => Ok(None),
    }
}

/// Section 2.2: whatever the reason, nothing but this.
fn inactive() -> Map<String, Value> {
    Map::from_iter([("active".to_owned(), false.into())])
}

async fn access(
    server: &AuthorizationServer,
    caller: &Client,
    located: &Located,
) -> Result<Option<Map<String, Value>>, Failure> {
    let Some((grant, mut access)) = server.live_access(located).await? else { return Ok(None) };
    if !cut_to(server, caller, &grant, &mut access) {
        return Ok(None);
    }
    let mut claims = server.claims_of(&grant, &access, located.name());
    if is_resource_server(server, caller) {
        // By this name it will be told if the grant is revoked: see `bus`.
        claims.grant_ref = server.grant_refs().reference(grant.id, &access.audience);
    }
    // RFC 7662 section 2.2 shares these names with RFC 9068.
    let Ok(Value::Object(mut body)) = serde_json::to_value(&claims) else { return Ok(None) };
    body.insert("active".into(), true.into());
    body.insert("token_type".into(), access.token_type().as_str().into());
    Ok(Some(body))
}

/// Cuts the answer to what the caller may know (section 2.2, last paragraph);
/// `false` if that is nothing.
fn cut_to(server: &AuthorizationServer, caller: &Client, grant: &Grant, access: &mut AccessToken) -> bool {
    if *access.client(grant) == caller.id || server.introspection_callers().contains(&caller.id) {
        return true;
    }
    let serves = |identifier: &String| {
        server.resource(identifier).is_some_and(|resource| resource.introspection_caller.as_ref() == Some(&caller.id))
    };
    access.audience.retain(serves);
    let scope: Scope = server.scope_at(&access.audience, &access.scope);
    access.scope = scope;
    access.authorization_details = access.authorization_details.filtered(|detail| detail.is_for(&access.audience));
    !access.audience.is_empty()
}

fn is_resource_server(server: &AuthorizationServer, caller: &Client) -> bool {
    let named = |resource: &Resource| resource.introspection_caller.as_ref() == Some(&caller.id);
    server.introspection_callers().contains(&caller.id) || server.resources().iter().any(named)
}

/// A refresh token is its client's business alone: resource servers must never
/// take one for an access token.
async fn refresh(
    server: &AuthorizationServer,
    caller: &Client,
    located: &Located,
) -> Result<Option<Map<String, Value>>, Failure> {
    let Some(grant) = server.grant_of(located).await? else { return Ok(None) };
    let now = server.now();
    let Some(refresh) = grant.refresh.as_ref().filter(|live| live.digest == located.digest) else { return Ok(None) };
    let idle_end = refresh.used_at.saturating_add(server.lifetimes().refresh_idle);
    let end = idle_end.min(grant.expires_at);
    if grant.facts.client != caller.id || now >= end || !server.lives(&grant).await? {
        return Ok(None);
    }
    let body = value!({
        "active": true,
        "client_id": grant.facts.client,
        "sub": grant.facts.subject.as_deref().unwrap_or(grant.facts.client.as_str()),
        "scope": grant.facts.scope,
        "aud": grant.facts.resources,
        "iss": server.issuer(),
        "iat": refresh.used_at,
        "exp": end,
    });
    Ok(body.as_object().cloned())
}
