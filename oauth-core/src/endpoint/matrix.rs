//! What Matrix has beside OAuth's endpoints ([client-server API], "OAuth 2.0 API"): the
//! metadata at the homeserver's address, and introspection for a homeserver in another process.
//!
//! [client-server API]: https://spec.matrix.org/latest/client-server-api/#oauth-20-api

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header::WWW_AUTHENTICATE};
use serde_json::{Map, Value, json as value};

use super::{failure, is_post, is_read, json, metadata, method_not_allowed, not_found, read_form, register::bearer};
use crate::{
    challenge::Challenge,
    engine::{fault::Failure, validate::Located},
    matrix::{API, DEVICE, UNSTABLE_API, UNSTABLE_DEVICE, UserId, device_of, has_api},
    scope::Scope,
    server::AuthorizationServer,
    store::{AccessToken, Grant},
    token::TokenKind,
};

/// `GET /_matrix/client/v1/auth_metadata` ("Server metadata discovery"): what
/// `/.well-known/oauth-authorization-server` says. Where the OAuth 2.0 API is not supported,
/// 404 `M_UNRECOGNIZED`.
pub async fn auth_metadata(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    if !server.matrix().is_some_and(|settings| settings.api) {
        return unrecognized(StatusCode::NOT_FOUND);
    }
    if !is_read(request) {
        return unrecognized(StatusCode::METHOD_NOT_ALLOWED);
    }
    metadata::public_json(&metadata::describe(server))
}

/// "Common error codes": this is no endpoint of OAuth, so its errors are Matrix's.
fn unrecognized(status: StatusCode) -> Response<Bytes> {
    let error = value!({ "errcode": "M_UNRECOGNIZED", "error": "there is no such endpoint here" });
    json(status, error.as_object().cloned().unwrap_or_default())
}

/// `POST /oauth2/introspect`: as homeservers ask an authentication service about a token, with a
/// secret that both know. An answer counts as a use of the token
/// ([`Rotation::UntilFirstUse`](crate::engine::policy::Rotation::UntilFirstUse)). 404 where there is
/// no secret.
pub async fn introspect(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    let Some(secret) = server.matrix().and_then(|settings| settings.introspection_secret.as_ref()) else {
        return not_found();
    };
    if !is_post(request) {
        return method_not_allowed("POST");
    }
    if bearer(request.headers()).as_ref() != Some(secret) {
        return refused();
    }
    match answer(server, request).await {
        Ok(body) => json(StatusCode::OK, body),
        Err(error) => failure(server, &error),
    }
}

fn refused() -> Response<Bytes> {
    let error = value!({ "error": "access_denied", "error_description": "the bearer token is not the shared secret" });
    let mut response = json(StatusCode::UNAUTHORIZED, error.as_object().cloned().unwrap_or_default());
    if let Ok(challenge) = HeaderValue::from_str(&Challenge::bearer().to_header_value()) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

async fn answer(server: &AuthorizationServer, request: &Request<Bytes>) -> Result<Map<String, Value>, Failure> {
    let params = read_form(request)?;
    let inactive = || Map::from_iter([("active".to_owned(), false.into())]);
    // A refresh token opens nothing, whatever the hint says of it.
    let located = server.locate(params.require("token")?).filter(|located| located.kind == TokenKind::Access);
    let Some(located) = located else { return Ok(inactive()) };
    let Some(user) = user_of(server, &located).await? else { return Ok(inactive()) };
    let Some((grant, access)) = server.live_access(&located).await? else { return Ok(inactive()) };
    Ok(describe(server, request.headers(), &user, &grant, &access, &located.name()).unwrap_or_else(inactive))
}

/// Whose token it is, if they may act: whoever was deactivated may not.
async fn user_of(server: &AuthorizationServer, located: &Located) -> Result<Option<UserId>, Failure> {
    let Some(grant) = server.grant_of(located).await? else { return Ok(None) };
    let Some(subject) = &grant.facts.subject else { return Ok(None) };
    if !server.subjects().is_active(subject).await? {
        return Ok(None);
    }
    Ok(server.matrix().and_then(|settings| settings.user(subject)))
}

/// `None` for a token that is not one for the client-server API.
fn describe(
    server: &AuthorizationServer,
    headers: &HeaderMap,
    user: &UserId,
    grant: &Grant,
    access: &AccessToken,
    jti: &str,
) -> Option<Map<String, Value>> {
    let device = device_of(&access.scope).ok()??;
    if !has_api(&access.scope) {
        return None;
    }
    let apart = headers.get("x-mas-supports-device-id").is_some_and(|value| value == "1");
    let now = server.now();
    let body = value!({
        "active": true,
        "scope": scope(&access.scope, (!apart).then_some(device.as_str())),
        "client_id": access.client(grant),
        "username": user.localpart(),
        "sub": user.localpart(),
        "token_type": "access_token",
        "exp": access.expires_at,
        "expires_in": now.until(access.expires_at),
        "iat": access.issued_at,
        "nbf": access.issued_at,
        "jti": jti,
    });
    let Value::Object(mut body) = body else { return None };
    if apart {
        body.insert("device_id".to_owned(), device.as_str().into());
    }
    Some(body)
}

/// With both names of everything, since some homeservers know the one and some the other. The
/// device is left out where it is told apart from the scope.
fn scope(granted: &Scope, device: Option<&str>) -> String {
    let others = granted.iter().filter(|token| !token.starts_with("urn:matrix:")).map(str::to_owned);
    let of_api = [API, UNSTABLE_API].map(str::to_owned);
    let of_device = device.into_iter().flat_map(|id| [format!("{DEVICE}{id}"), format!("{UNSTABLE_DEVICE}{id}")]);
    of_api.into_iter().chain(of_device).chain(others).collect::<Vec<_>>().join(" ")
}
