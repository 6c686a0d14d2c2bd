//! A client's record as metadata.
#![cfg(feature = "server")]

use serde_json::{Map, Value};

use serde::Serialize;

use super::super::{Client, ClientKeys, GrantType, RedirectUri};

/// All registered metadata about `client` (RFC 7591 section 3.2.1), defaults
/// and what was substituted included.
pub(crate) fn describe(client: &Client) -> Map<String, Value> {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
    put("client_id", client.id.as_str().into());
    put("redirect_uris", client.redirect_uris.iter().map(RedirectUri::as_str).collect());
    put("token_endpoint_auth_method", client.auth_method.as_str().into());
    put("grant_types", client.grant_types.iter().map(GrantType::as_str).collect());
    let code = client.may_use(&GrantType::AUTHORIZATION_CODE);
    put("response_types", code.then_some("code").into_iter().collect());
    let registration = client.registration.as_deref();
    let scope = registration.map_or(&client.scope, |registration| &registration.scope);
    // RFC 6749 section 3.3: a scope is one token at least.
    if !scope.is_empty() {
        put("scope", scope.to_string().into());
    }
    if let Some(name) = &client.name {
        put("client_name", name.as_str().into());
    }
    if let Some(algorithm) = client.signing_algorithm {
        put("token_endpoint_auth_signing_alg", algorithm.as_str().into());
    }
    match &client.keys {
        Some(ClientKeys::Inline(jwks)) => put("jwks", jwks.document().clone()),
        Some(ClientKeys::Uri(uri)) => put("jwks_uri", uri.as_str().into()),
        None => {}
    }
    if let Some((name, value)) = client.tls_subject.as_ref().map(super::TlsSubject::member) {
        put(name, value.into());
    }
    if let Some(registration) = registration {
        put("client_id_issued_at", registration.issued_at.0.into());
        if let Some(statement) = &registration.software_statement {
            put("software_statement", statement.as_str().into());
        }
    }
    members.extend(as_at_rest(&client.requests));
    members.extend(as_at_rest(&client.tokens));
    members.extend(as_at_rest(&client.profile));
    members
}

/// What is called at rest as it is on the wire.
fn as_at_rest(part: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(part) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}
