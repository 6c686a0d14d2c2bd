//! Tokens that must never get through.

use oauth_core::claims::ClaimsError;

use super::*;
use crate::resource::{InvalidToken, RefusalKind};

async fn reason(server: &ResourceServer, token: &str) -> InvalidToken {
    assert_eq!(present(server, token).await, (StatusCode::UNAUTHORIZED, false), "{token}");
    match server.validate_headers(&headers(token)).await.unwrap_err().kind() {
        RefusalKind::InvalidToken(reason) => reason.clone(),
        other => panic!("{other:?}"),
    }
}

async fn reason_of(changes: Value) -> InvalidToken {
    let key = Key::es256();
    reason(&server(&key), &key.token(changes)).await
}

// spec: RS-15
#[tokio::test]
async fn unsigned_and_symmetric_tokens_are_refused() {
    let key = Key::es256();
    let server = server(&key);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for alg in ["none", "None", "NONE", "", "HS256", "ES512"] {
        let header = part(&json!({ "typ": "at+jwt", "alg": alg, "kid": key.kid() }));
        for signature in ["", "AA", key.good().rsplit('.').next().unwrap()] {
            reason(&server, &format!("{header}.{}.{signature}", part(&claims()))).await;
        }
    }
    // HMAC keyed with the public key, which everybody knows.
    let jwk = serde_json::to_vec(key.key.public_jwk()).unwrap();
    let secret = EncodingKey::from_secret(&jwk);
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.typ = Some("at+jwt".into());
    header.kid = Some(key.kid().into());
    reason(&server, &jsonwebtoken::encode(&header, &claims(), &secret).unwrap()).await;
}

// spec: RS-15
#[tokio::test]
async fn a_header_neither_demands_extensions_nor_brings_its_own_key() {
    let (key, evil) = (Key::es256(), Key::es256());
    let server = server(&key);
    let token = key.sign(&changed(key.header(), json!({ "crit": ["x"], "x": 1 })), &claims());
    reason(&server, &token).await;
    let own = serde_json::to_value(evil.key.public_jwk()).unwrap();
    for lure in [
        json!({ "jwk": own }),
        json!({ "jku": "https://evil.example/jwks" }),
        json!({ "x5u": "https://evil.example/cert" }),
        json!({ "x5c": ["AAAA"] }),
    ] {
        let header = changed(changed(evil.header(), json!({ "kid": key.kid() })), lure);
        reason(&server, &evil.sign(&header, &claims())).await;
    }
}

// spec: RS-15
#[tokio::test]
async fn an_algorithm_outside_the_issuers_list_is_refused() {
    let key = Key::es256();
    let picky = builder(fixed(&key).algorithms([Algorithm::RS256])).build().unwrap();
    reason(&picky, &key.good()).await;
    let fitting = builder(fixed(&key).algorithms([Algorithm::ES256])).build().unwrap();
    assert!(present(&fitting, &key.good()).await.1);
}

// spec: RS-14
#[tokio::test]
async fn only_an_access_token_is_an_access_token() {
    let key = Key::es256();
    let server = server(&key);
    for typ in ["JWT", "dpop+jwt", "token-introspection+jwt", "logout+jwt", "at", "application/jwt", "at+jwt+x", ""] {
        reason(&server, &key.sign(&changed(key.header(), json!({ "typ": typ })), &claims())).await;
    }
    reason(&server, &key.sign(&changed(key.header(), json!({ "typ": null })), &claims())).await;
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        let token = key.sign(&changed(key.header(), json!({ "typ": typ })), &claims());
        assert!(present(&server, &token).await.1, "{typ}");
    }
}

// spec: RS-16
#[tokio::test]
async fn the_issuer_is_compared_byte_for_byte() {
    for iss in [
        json!("https://as.example/"),
        json!("https://AS.example"),
        json!("https://evil.example"),
        json!(""),
        json!(["https://as.example"]),
        json!(42),
        json!(null),
    ] {
        reason_of(json!({ "iss": iss })).await;
    }
}

// spec: RS-17
#[tokio::test]
async fn the_audience_must_name_this_resource() {
    let key = Key::es256();
    let server = server(&key);
    for aud in [
        json!("https://other.example"),
        json!("https://api.example/"),
        json!([]),
        json!(["https://other.example"]),
        json!(42),
        json!([42, "https://api.example"]),
        json!({ "https://api.example": 1 }),
        json!(null),
    ] {
        reason(&server, &key.token(json!({ "aud": aud }))).await;
    }
    let several = key.token(json!({ "aud": ["https://other.example", RESOURCE] }));
    assert!(present(&server, &several).await.1);
}

// spec: RS-18
#[tokio::test]
async fn time_is_checked_with_the_skew_that_was_set() {
    let key = Key::es256();
    let with_skew = |seconds| builder(fixed(&key)).skew(seconds).build().unwrap();
    for (skew, claims, good) in [
        (0, json!({ "exp": NOW }), false),
        (0, json!({ "exp": NOW + 1 }), true),
        (30, json!({ "exp": NOW - 30 }), false),
        (30, json!({ "exp": NOW - 29 }), true),
        (30, json!({ "nbf": NOW + 30 }), true),
        (30, json!({ "nbf": NOW + 31 }), false),
        (30, json!({ "iat": NOW + 30 }), true),
        (30, json!({ "iat": NOW + 31 }), false),
        (60, json!({ "exp": NOW - 59 }), true),
        (0, json!({ "exp": (NOW + 300).to_string() }), false),
        (0, json!({ "exp": -1 }), false),
        (0, json!({ "nbf": "0" }), false),
        (0, json!({ "exp": (NOW + 300) as f64 + 0.5 }), true),
    ] {
        assert_eq!(present(&with_skew(skew), &key.token(claims.clone())).await.1, good, "{skew} {claims}");
    }
    assert!(builder(fixed(&key)).skew(61).build().is_err());
}

// spec: RS-19
#[tokio::test]
async fn every_claim_that_rfc_9068_requires_must_be_there_and_of_its_type() {
    for name in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        let missing = reason_of(json!({ name: null })).await;
        assert_eq!(missing, ClaimsError::Missing(name).into());
        let mistyped = reason_of(json!({ name: { "a": 1 } })).await;
        assert_eq!(mistyped, ClaimsError::Malformed(name).into());
    }
    for (name, value) in [("scope", json!(["read"])), ("cnf", json!("x")), ("scope", json!("a  b"))] {
        assert_eq!(reason_of(json!({ name: value })).await, ClaimsError::Malformed(name).into());
    }
}

#[tokio::test]
async fn a_tampered_token_is_refused_wherever_it_was_touched() {
    let key = Key::es256();
    let server = server(&key);
    let token = key.good();
    for at in (0..token.len()).filter(|at| at % 7 == 0 || *at + 1 == token.len()) {
        // The low bits of a part's last character may be padding: pick far ones.
        let other = if token.as_bytes()[at] < b'a' { "z" } else { "A" };
        let bent = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        assert!(!present(&server, &bent).await.1, "position {at}");
    }
    for cut in [token.len() - 1, token.len() - 10, token.rfind('.').unwrap(), token.rfind('.').unwrap() + 1] {
        assert!(!present(&server, &token[..cut]).await.1);
    }
    for more in ["x", ".x", "=", "AAAA"] {
        assert!(!present(&server, &format!("{token}{more}")).await.1);
    }
}

#[tokio::test]
async fn junk_is_refused_and_nothing_panics() {
    let server = server(&Key::es256());
    for junk in ["a", ".", "..", "...", "a.b.c", "a.-.c", "e30.e30.AA", "eyJ9.e30.AA", "-", "_", "a.b.c.d.e"] {
        assert_eq!(present(&server, junk).await, (StatusCode::UNAUTHORIZED, false), "{junk}");
    }
    let long = "x".repeat(20_000);
    assert_eq!(present(&server, &long).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_claim_that_stands_twice_is_refused() {
    let key = Key::es256();
    let header = URL_SAFE_NO_PAD.encode(key.header().to_string());
    let twice = claims().to_string().replacen('{', r#"{"sub":"eve","#, 1);
    let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(twice));
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key.encoding, key.algorithm).unwrap();
    reason(&server(&key), &format!("{input}.{signature}")).await;
}
