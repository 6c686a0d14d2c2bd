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
    let (methods, algorithms) = authentication(server);
    let scopes = server.declared_scope();

    let mut metadata = AuthorizationServerMetadata::new(server.issuer());
    metadata.authorization_endpoint = at("/authorize");
    metadata.token_endpoint = at("/token");
    metadata.jwks_uri = at("/jwks");
    metadata.scopes_supported = scopes.iter().map(str::to_owned).collect();
    metadata.response_types_supported = vec!["code".into()];
    metadata.response_modes_supported = vec!["query".into()];
    metadata.grant_types_supported = grant::IMPLEMENTED.iter().map(GrantType::as_str).map(str::to_owned).collect();
    metadata.token_endpoint_auth_methods_supported.clone_from(&methods);
    metadata.token_endpoint_auth_signing_alg_values_supported.clone_from(&algorithms);
    if server.registration().is_some() {
        metadata.registration_endpoint = at("/register");
    }
    metadata.introspection_endpoint = at("/introspect");
    // RFC 7662 section 2.1: a name alone is no authorization.
    let proven = methods.iter().filter(|method| *method != AuthMethod::None.as_str());
    metadata.introspection_endpoint_auth_methods_supported = proven.cloned().collect();
    metadata.introspection_endpoint_auth_signing_alg_values_supported.clone_from(&algorithms);
    if server.revocation_policy().advertise {
        metadata.revocation_endpoint = at("/revoke");
        metadata.revocation_endpoint_auth_methods_supported = methods;
        metadata.revocation_endpoint_auth_signing_alg_values_supported = algorithms;
    }
    metadata.code_challenge_methods_supported = vec!["S256".into()];
    metadata.authorization_response_iss_parameter_supported = true;
    metadata
}

/// The methods that are offered, and with those that need one (RFC 8414 section 2)
/// the algorithms of assertions, without any for the others.
fn authentication(server: &AuthorizationServer) -> (Vec<String>, Vec<String>) {
    let settings = server.client_authentication();
    let offered = AuthMethod::ALL.into_iter().filter(|method| settings.methods.contains(method));
    let algorithms = settings.algorithms().map(|algorithm| algorithm.as_str().to_owned());
    (offered.map(|method| method.as_str().to_owned()).collect(), algorithms.collect())
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
