//! Answers as JWTs ([RFC 9701]).
//!
//! [RFC 9701]: https://www.rfc-editor.org/rfc/rfc9701

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response,
    header::{ACCEPT, CONTENT_TYPE, VARY},
};
use serde_json::{Map, Value, json as value};

use super::super::no_store;
use crate::{
    claims::INTROSPECTION_RESPONSE_TYPE,
    client::Client,
    engine::fault::Fault,
    jwt::{self, Algorithm},
    server::AuthorizationServer,
};

const MEDIA_TYPE: &str = "application/token-introspection+jwt";

/// With what the answer is to be signed; `None` if it is to be plain.
pub(super) fn wanted(server: &AuthorizationServer, headers: &HeaderMap, caller: &Client) -> Option<Algorithm> {
    server.introspection().algorithm_for(caller).filter(|_| prefers_jwt(headers))
}

/// `body`, signed for `caller`. RFC 9701 section 5: no `sub` and no `exp` beside it, so
/// that nobody takes it for an access token.
pub(super) fn response(
    server: &AuthorizationServer,
    caller: &Client,
    algorithm: Algorithm,
    body: &Map<String, Value>,
) -> Result<Response<Bytes>, Fault> {
    let key = server.signing_key_of(algorithm).ok_or(Fault::Internal("no key signs introspection responses"))?;
    let claims = value!({
        "iss": server.issuer(),
        "aud": caller.id,
        "iat": server.now(),
        "token_introspection": body,
    });
    let text = jwt::sign(&key, INTROSPECTION_RESPONSE_TYPE, &claims)?;
    let mut response = Response::new(Bytes::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    Ok(no_store(response))
}

/// Whether `Accept` names the JWT, and JSON by name no more than that (RFC 9110
/// section 12.5.1). Whoever takes anything gets JSON.
fn prefers_jwt(headers: &HeaderMap) -> bool {
    let values = || headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let weight_of =
        |wanted: &str| values().flat_map(|value| value.split(',')).filter_map(|range| weight(range, wanted)).max();
    weight_of(MEDIA_TYPE).is_some_and(|jwt| jwt > 0 && weight_of("application/json").is_none_or(|json| json <= jwt))
}

/// In thousandths, how much `range` is wanted if it is `media_type`; of what cannot
/// be read, nothing.
fn weight(range: &str, media_type: &str) -> Option<u32> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(media_type) {
        return None;
    }
    let q = parts.find_map(|part| part.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("q")));
    let Some((_, q)) = q else { return Some(1000) };
    let (whole, rest) = q.split_once('.').unwrap_or((q, ""));
    let digits = |text: &str| text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    let thousandths = format!("{rest:0<3}").parse().ok().filter(|_| digits(rest));
    match (whole, thousandths) {
        ("0", Some(thousandths)) => Some(thousandths),
        ("1", Some(0)) => Some(1000),
        _ => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jwt_is_for_whoever_asks_for_it_by_name_and_wants_it_as_much_as_json() {
        let asks = |values: &[&'static str]| {
            let pair = |value: &&'static str| (ACCEPT, HeaderValue::from_static(value));
            prefers_jwt(&values.iter().map(pair).collect())
        };
        let jwt = MEDIA_TYPE;
        for good in [
            &[jwt][..],
            &["Application/Token-Introspection+JWT"],
            &["text/html, application/token-introspection+jwt;q=0.5"],
            &["application/json;q=0.9, application/token-introspection+jwt"],
            &["application/json, application/token-introspection+jwt"],
            &["application/json; q=0.001", "application/token-introspection+jwt; v=1 ;Q=0.01"],
            &["*/*", jwt],
        ] {
            assert!(asks(good), "{good:?}");
        }
        for bad in [
            &[][..],
            &["*/*"],
            &["application/*"],
            &["application/json"],
            &["application/jwt"],
            &["application/token-introspection+jwt;q=0"],
            &["application/token-introspection+jwt;q=0.000"],
            &["application/token-introspection+jwt;q=0.5, application/json"],
            &["application/token-introspection+jwt;q=2"],
            &["application/token-introspection+jwt;q=0.5555"],
            &["application/token-introspection+jwt;q=x"],
            &["application/token-introspection+jwtx"],
        ] {
            assert!(!asks(bad), "{bad:?}");
        }
    }
}
