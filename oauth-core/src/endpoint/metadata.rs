//! `GET /.well-known/oauth-authorization-server`: what this server offers
//! ([RFC 8414]).
//!
//! Everything comes from configuration; nothing from the request, so a forged
//! `Host` changes nothing.
//!
//! [RFC 8414]: https://www.rfc-editor.org/rfc/rfc8414

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE},
};
use serde::Serialize;

use super::{is_read, method_not_allowed};
use crate::{
    client::{AuthMethod, GrantType},
    engine::key_ring::JWKS_MAX_AGE,
    grant,
    metadata::AuthorizationServerMetadata,
    scope::Scope,
    server::AuthorizationServer,
};

/// Answers with the metadata document.
pub async fn handle(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    if !is_read(request) {
        return method_not_allowed("GET, HEAD");
    }
    public_json(&describe(server))
}

/// What the server says about itself.
#[must_use]
pub fn describe(server: &AuthorizationServer) -> AuthorizationServerMetadata {
    let at = |path: &str| Some(format!("{}{path}", server.issuer()));
    let confidential = || AuthMethod::ALL.into_iter().filter(|method| *method != AuthMethod::None);
    let names = |methods: &mut dyn Iterator<Item = AuthMethod>| methods.map(|m| m.as_str().to_owned()).collect();
    let scopes = server.resources().iter().fold(Scope::empty(), |all, resource| all.union(&resource.scopes));

    let mut metadata = AuthorizationServerMetadata::new(server.issuer());
    metadata.authorization_endpoint = at("/authorize");
    metadata.token_endpoint = at("/token");
    metadata.jwks_uri = at("/jwks");
    metadata.scopes_supported = scopes.iter().map(str::to_owned).collect();
    metadata.response_types_supported = vec!["code".into()];
    metadata.response_modes_supported = vec!["query".into()];
    metadata.grant_types_supported = grant::IMPLEMENTED.iter().map(GrantType::as_str).map(str::to_owned).collect();
    metadata.token_endpoint_auth_methods_supported = names(&mut AuthMethod::ALL.into_iter());
    metadata.introspection_endpoint = at("/introspect");
    metadata.introspection_endpoint_auth_methods_supported = names(&mut confidential());
    if server.revocation_policy().advertise {
        metadata.revocation_endpoint = at("/revoke");
        metadata.revocation_endpoint_auth_methods_supported = names(&mut AuthMethod::ALL.into_iter());
    }
    metadata.code_challenge_methods_supported = vec!["S256".into()];
    metadata.authorization_response_iss_parameter_supported = true;
    metadata
}

/// A public document: cacheable, and readable by scripts of any origin.
pub(super) fn public_json(document: &impl Serialize) -> Response<Bytes> {
    let body = serde_json::to_vec(document).unwrap_or_default();
    let mut response = Response::new(Bytes::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if let Ok(cache) = HeaderValue::from_str(&format!("public, max-age={JWKS_MAX_AGE}")) {
        headers.insert(CACHE_CONTROL, cache);
    }
    response
}
