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
    client::AuthMethod,
    engine::{
        authorization::ResponseMode, key_ring::JWKS_MAX_AGE, matrix::MatrixSettings, registration::RegistrationSettings,
    },
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
    let offered = ResponseMode::ALL.into_iter().filter(|mode| server.authorization().offers(*mode));
    metadata.response_modes_supported = offered.map(|mode| mode.as_str().to_owned()).collect();
    let prompts = server.authorization().prompts.iter();
    metadata.prompt_values_supported = prompts.map(|prompt| prompt.as_str().to_owned()).collect();
    metadata.acr_values_supported.clone_from(&server.authorization().acr_values);
    metadata.ui_locales_supported.clone_from(&server.authorization().ui_locales);
    let grants = server.grants().iter();
    metadata.grant_types_supported = grants.map(|(name, _)| name.as_str().to_owned()).collect();
    metadata.token_endpoint_auth_methods_supported.clone_from(&methods);
    metadata.token_endpoint_auth_signing_alg_values_supported.clone_from(&algorithms);
    let registration = server.registration();
    // Where nobody can register, management alone needs no endpoint: each client knows its own.
    if registration.is_some_and(RegistrationSettings::has_endpoint) {
        metadata.registration_endpoint = at("/register");
    }
    metadata.client_id_metadata_document_supported = registration.is_some_and(RegistrationSettings::takes_documents);
    metadata.introspection_endpoint = at("/introspect");
    // RFC 7662 section 2.1: a name alone is no authorization.
    let proven = methods.iter().filter(|method| *method != AuthMethod::None.as_str());
    metadata.introspection_endpoint_auth_methods_supported = proven.cloned().collect();
    metadata.introspection_endpoint_auth_signing_alg_values_supported.clone_from(&algorithms);
    let signed = server.introspection().signing_algorithms.iter();
    metadata.introspection_signing_alg_values_supported = signed.map(|one| one.as_str().to_owned()).collect();
    if server.revocation_policy().advertise {
        metadata.revocation_endpoint = at("/revoke");
        metadata.revocation_endpoint_auth_methods_supported = methods;
        metadata.revocation_endpoint_auth_signing_alg_values_supported = algorithms;
    }
    if server.devices().is_some() {
        metadata.device_authorization_endpoint = at("/device_authorization");
    }
    if server.status_lists().is_some() {
        metadata.status_list_aggregation_endpoint = at("/status");
    }
    if let Some(account) = server.account_management_uri() {
        // "Account management".
        let actions = MatrixSettings::actions().into_iter().collect();
        metadata.extra.insert("account_management_uri".to_owned(), account.into());
        metadata.extra.insert("account_management_actions_supported".to_owned(), actions);
    }
    describe_requests(server, &mut metadata);
    metadata.code_challenge_methods_supported = vec!["S256".into()];
    let of_proofs = server.dpop().algorithms.iter();
    metadata.dpop_signing_alg_values_supported = of_proofs.map(|one| one.as_str().to_owned()).collect();
    metadata.tls_client_certificate_bound_access_tokens = server.binds_to_certificates();
    let types = server.authorization().detail_types.names();
    metadata.authorization_details_types_supported = types.map(str::to_owned).collect();
    metadata.authorization_response_iss_parameter_supported = true;
    metadata
}

/// How authorization requests may come (RFC 9126 section 5, RFC 9101 section 10.5,
/// OpenID Connect Discovery section 3).
fn describe_requests(server: &AuthorizationServer, metadata: &mut AuthorizationServerMetadata) {
    let (pushed, objects) = (&server.authorization().pushed, &server.authorization().request_objects);
    if pushed.offered {
        metadata.pushed_authorization_request_endpoint = Some(format!("{}/par", server.issuer()));
        metadata.require_pushed_authorization_requests = pushed.required;
    }
    let by_reference = server.fetches_requests();
    metadata.request_parameter_supported = objects.by_value;
    metadata.request_uri_parameter_supported = Some(by_reference);
    metadata.require_request_uri_registration = by_reference;
    if objects.by_value || by_reference {
        let algorithms = objects.algorithms.iter().map(|algorithm| algorithm.as_str().to_owned());
        metadata.request_object_signing_alg_values_supported = algorithms.collect();
        metadata.require_signed_request_object = objects.required;
    }
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
