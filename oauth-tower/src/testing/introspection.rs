//! The introspection endpoint of a mock issuer ([RFC 7662]).
//!
//! [RFC 7662]: https://www.rfc-editor.org/rfc/rfc7662

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, WWW_AUTHENTICATE},
};
use oauth_core::{clock::Clock, secret::Secret};
use serde_json::{Map, Value, json};

use super::{
    MockBody, MockIssuer,
    service::{empty, json, typed},
    token::{self, sign},
};

/// RFC 9701 section 4.
const SIGNED: &str = "application/token-introspection+jwt";

impl MockIssuer {
    pub(super) fn introspect(&self, request: &Request<Bytes>) -> Response<MockBody> {
        let Some(asking) = self.authenticate(request) else { return unauthorized() };
        let Some(token) = parameter(request.body(), "token") else { return empty(StatusCode::BAD_REQUEST) };
        let answer = self.claims_of(&token).map_or_else(|| json!({ "active": false }), active);
        let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
        match accepts {
            Some(types) if types.contains(SIGNED) => self.signed(&asking, &answer),
            _ => json(&answer),
        }
    }

    /// The claims of a token that is neither unknown nor revoked nor expired.
    fn claims_of(&self, token: &str) -> Option<Map<String, Value>> {
        let claims = self.state().issued.get(token).cloned()?;
        let now = self.inner.clock.now().0;
        let is_over = claims.get("exp").and_then(Value::as_u64).is_some_and(|exp| now >= exp);
        if is_over { None } else { Some(claims) }
    }

    /// RFC 7662 section 2.1: "the authorization server MUST also require some
    /// form of authorization to access this endpoint". Whose it is.
    fn authenticate(&self, request: &Request<Bytes>) -> Option<String> {
        let Some(header) = request.headers().get(AUTHORIZATION) else {
            let id = parameter(request.body(), "client_id")?;
            return self.resource_server(id, &parameter(request.body(), "client_secret")?);
        };
        let (scheme, credentials) = header.to_str().ok()?.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            let claims = self.claims_of(credentials)?;
            return claims.get("client_id").and_then(Value::as_str).map(str::to_owned);
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
        let (id, secret) = decoded.split_once(':')?;
        self.resource_server(form_decoded(id), &form_decoded(secret))
    }

    fn resource_server(&self, id: String, secret: &str) -> Option<String> {
        let secret = Secret::new(secret);
        let known = self.inner.resource_servers.iter().any(|known| known.0 == id && known.1 == secret);
        known.then_some(id)
    }

    /// RFC 9701 section 5.
    fn signed(&self, asking: &str, answer: &Value) -> Response<MockBody> {
        let claims = [
            ("iss", json!(self.url())),
            ("aud", json!(asking)),
            ("iat", json!(self.inner.clock.now())),
            ("token_introspection", answer.clone()),
        ];
        let claims = claims.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        let Some(key) = self.state().keys.signing(None).cloned() else {
            return empty(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let mut header = token::header(&key);
        header.insert("typ".into(), "token-introspection+jwt".into());
        typed(sign(&key, &header, &claims), SIGNED)
    }
}

/// RFC 7662 section 2.2, and RFC 9449 section 6.2 for what is bound.
fn active(mut claims: Map<String, Value>) -> Value {
    let is_bound = claims.get("cnf").is_some_and(|cnf| cnf.get("jkt").is_some());
    claims.insert("active".into(), true.into());
    claims.entry("token_type").or_insert_with(|| if is_bound { "DPoP" } else { "Bearer" }.into());
    claims.into()
}

fn unauthorized() -> Response<MockBody> {
    let mut response = json(&json!({ "error": "invalid_client" }));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"mock\""));
    response
}

fn parameter(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// RFC 6749 section 2.3.1: both halves are form-encoded.
fn form_decoded(text: &str) -> String {
    // Without a `=` or `&`, which would be encoded, this is one name.
    form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}
