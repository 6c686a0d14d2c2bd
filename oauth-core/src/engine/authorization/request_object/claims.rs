//! What a request object says: who says it to whom and when, and then the
//! parameters of the request ([RFC 9101 section 4]).
//!
//! [RFC 9101 section 4]: https://www.rfc-editor.org/rfc/rfc9101#section-4

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{RequestObjects, invalid};
use crate::{
    claims::ClockSkew,
    client::{Client, metadata::object},
    clock::UnixTime,
    error::OAuthError,
    jwt::NumericDate,
    params::Params,
    server::AuthorizationServer,
};

/// Claims about the object itself (RFC 7519 section 4.1): no parameters.
const ABOUT: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// Parameters that repeat, which a list stands for.
const LISTS: [&str; 2] = ["resource", "audience"];

/// The parameters in `payload`, which `client` has signed.
pub(super) fn read(server: &AuthorizationServer, client: &Client, payload: &[u8]) -> Result<Params, OAuthError> {
    let claims = object(payload).map_err(|_| invalid("the request object is not JSON, or repeats a name"))?;
    check_parties(server, client, &claims)?;
    check_times(server.now(), &server.authorization().request_objects, &claims)?;
    // Section 4: "request and request_uri parameters MUST NOT be included in
    // Request Objects".
    if ["request", "request_uri"].iter().any(|name| claims.contains_key(*name)) {
        return Err(invalid("a request object must not have another one in it"));
    }
    let claims = claims.into_iter().filter(|(name, _)| !ABOUT.contains(&name.as_str()));
    Params::of(claims.flat_map(|(name, value)| parameters(name, value)))
}

/// From the client, which the request names, to this server.
fn check_parties(server: &AuthorizationServer, client: &Client, claims: &Map<String, Value>) -> Result<(), OAuthError> {
    let is_client = |name: &str| claims.get(name).and_then(Value::as_str) == Some(client.id.as_str());
    // Section 5: "The value MUST match" the client_id in the request object.
    if !is_client("client_id") {
        return Err(invalid("client_id of the request object is not the client_id of the request"));
    }
    if !is_client("iss") {
        return Err(invalid("iss of the request object is not the client_id"));
    }
    // Section 10.8: else it could be taken for the client's assertion.
    if is_client("sub") {
        return Err(invalid("a request object must not have the client_id as sub"));
    }
    let is_own = |audience: &Value| audience.as_str() == Some(server.issuer());
    let for_us = match claims.get("aud") {
        Some(Value::Array(audiences)) => audiences.iter().any(is_own),
        audience => audience.is_some_and(is_own),
    };
    if for_us { Ok(()) } else { Err(invalid("aud of the request object does not have the issuer identifier")) }
}

fn check_times(now: UnixTime, settings: &RequestObjects, claims: &Map<String, Value>) -> Result<(), OAuthError> {
    let (exp, nbf, iat) = (time(claims, "exp")?, time(claims, "nbf")?, time(claims, "iat")?);
    if exp.is_some_and(|exp| exp <= now) {
        return Err(invalid("the request object has expired"));
    }
    let latest_start = now.saturating_add(ClockSkew::default().as_secs());
    if [nbf, iat].into_iter().flatten().any(|time| time > latest_start) {
        return Err(invalid("the request object is not good yet"));
    }
    let Some(longest) = settings.lifetime else { return Ok(()) };
    match (nbf, exp) {
        // `exp` is to come, so `nbf` is no further back either.
        (Some(nbf), Some(exp)) if nbf.until(exp) <= longest => Ok(()),
        (Some(_), Some(_)) => Err(invalid("the request object is good for too long")),
        _ => Err(invalid("the request object must have nbf and exp")),
    }
}

fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<UnixTime>, OAuthError> {
    let read = |value| NumericDate::deserialize(value).map(|date| date.0);
    let outcome = claims.get(name).map(read).transpose();
    outcome.map_err(|_| invalid(format!("{name} of the request object is not a time")))
}

/// A claim as the parameter it stands for: section 4 has numbers as JSON numbers
/// and structures as JSON. A structure where text belongs stays JSON, which is no
/// legal value there.
fn parameters(name: String, value: Value) -> Vec<(String, String)> {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) if LISTS.contains(&name.as_str()) => {
            values.into_iter().map(|value| (name.clone(), text(value))).collect()
        }
        value => vec![(name, text(value))],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(claims: Value) -> Vec<(String, String)> {
        let Value::Object(claims) = claims else { panic!("not an object") };
        claims.into_iter().flat_map(|(name, value)| parameters(name, value)).collect()
    }

    #[test]
    fn a_claim_stands_for_the_parameter_of_its_name() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read(json!({ "max_age": 300 })), [pair("max_age", "300")]);
        assert_eq!(read(json!({ "state": "a b" })), [pair("state", "a b")]);
        assert_eq!(read(json!({ "state": null, "resource": [] })), []);
        assert_eq!(read(json!({ "resource": ["a", "b"] })), [pair("resource", "a"), pair("resource", "b")]);
        assert_eq!(read(json!({ "resource": "a" })), [pair("resource", "a")]);
        let details = json!([{ "type": "x" }]);
        assert_eq!(
            read(json!({ "authorization_details": details })),
            [pair("authorization_details", r#"[{"type":"x"}]"#)]
        );
        // Never the string in it.
        assert_eq!(read(json!({ "redirect_uri": ["a"] })), [pair("redirect_uri", r#"["a"]"#)]);
        assert_eq!(read(json!({ "scope": true })), [pair("scope", "true")]);
    }
}
