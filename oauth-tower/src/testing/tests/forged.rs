//! Each forged token is refused, and for its defect alone.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    claims::ClaimsError,
    clock::ManualClock,
    jwt::{Algorithm, Jws, JwtError},
};

use super::{super::forged::Workshop, *};
use crate::resource::{InvalidToken, RefusalKind};

fn forged<'a>(tokens: &'a [ForgedToken], name: &str) -> &'a str {
    tokens.iter().find(|forged| forged.name() == name).unwrap_or_else(|| panic!("{name}")).token()
}

#[tokio::test]
async fn all_are_refused_with_401_and_nobody_else_is_asked() {
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        for issuer in ["https://as.example", "https://as.example/"] {
            let issuer = MockIssuer::builder(issuer).algorithms([algorithm]).build();
            let api = jwt_api(&issuer);
            let good = Workshop::new(&issuer, API).good();
            for forged in issuer.forged_tokens(API) {
                issuer.clock().advance(6); // so that an unknown key is looked for
                let response = send(&api, forged.token()).await;
                assert_eq!(response.status(), 401, "{}", forged.name());
                let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
                assert!(challenge.contains(r#"error="invalid_token""#), "{}: {challenge}", forged.name());
                assert_eq!(status(&api, &good).await, 200, "after {}", forged.name());
            }
            assert!(issuer.calls(Endpoint::Jwks) > 2);
            assert_eq!(issuer.calls(Endpoint::Elsewhere) + issuer.calls(Endpoint::Introspection), 0);
        }
    }
}

#[tokio::test]
async fn an_api_that_asks_about_every_token_refuses_them_too() {
    let issuer = MockIssuer::new(AS);
    let api = asking_api(&issuer);
    for forged in issuer.forged_tokens(API) {
        assert_eq!(status(&api, forged.token()).await, 401, "{}", forged.name());
    }
    assert_eq!(issuer.calls(Endpoint::Introspection), issuer.requests().len());
}

#[test]
fn names_are_unique_and_tokens_are_too_and_can_be_sent() {
    let tokens = MockIssuer::new(AS).forged_tokens(API);
    let names: BTreeSet<_> = tokens.iter().map(ForgedToken::name).collect();
    let texts: BTreeSet<_> = tokens.iter().map(ForgedToken::token).collect();
    assert_eq!((names.len(), texts.len()), (tokens.len(), tokens.len()));
    assert!(tokens.len() > 60, "{}", tokens.len());
    for token in texts {
        assert!(token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b','), "{token}");
    }
}

/// What the layer says of it.
async fn reason(api: &ResourceServer, token: &str) -> InvalidToken {
    let parts = bearer(token).into_parts().0;
    match api.validate(&parts).await.unwrap_err().kind() {
        RefusalKind::InvalidToken(reason) => reason.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_is_refused_for_its_defect() {
    let issuer = MockIssuer::new(AS);
    let (api, tokens) = (jwt_api(&issuer), issuer.forged_tokens(API));
    let expected: [(&str, JwtError); 16] = [
        ("expired", ClaimsError::Expired.into()),
        ("not valid yet", ClaimsError::NotYetValid.into()),
        ("issued in the future", ClaimsError::NotYetValid.into()),
        ("exp as a string", ClaimsError::Malformed("exp").into()),
        ("for another audience", ClaimsError::WrongAudience.into()),
        ("for the audience with another end", ClaimsError::WrongAudience.into()),
        ("of another issuer", ClaimsError::WrongIssuer.into()),
        ("without exp", ClaimsError::Missing("exp").into()),
        ("without aud", ClaimsError::Missing("aud").into()),
        ("with a claim that stands twice", ClaimsError::Repeated.into()),
        ("of the type of an ID token", JwtError::WrongType),
        ("with an unknown critical extension", JwtError::CriticalExtension),
        ("alg none, with a signature", JwtError::UnsupportedAlgorithm),
        ("HMAC keyed with the public key", JwtError::UnsupportedAlgorithm),
        ("signed by another key", JwtError::InvalidSignature),
        ("signed by a key that is not published", JwtError::UnknownKey),
    ];
    for (name, error) in expected {
        let found = reason(&api, forged(&tokens, name)).await;
        assert_eq!(found, error.into(), "{name}");
    }
    assert_eq!(reason(&api, forged(&tokens, "bound to a key, without a proof")).await, InvalidToken::Bound);
}

#[tokio::test]
async fn each_is_accepted_where_its_defect_is_none() {
    let issuer = MockIssuer::new(AS);
    let tokens = issuer.forged_tokens(API);
    let now = oauth_core::clock::Clock::now(&issuer.clock());
    let at = |now: UnixTime| api_of(&issuer, Issuer::jwt(AS)).clock(ManualClock::new(now)).build().unwrap();
    let earlier = at(now.saturating_sub(121));
    assert_eq!(status(&earlier, forged(&tokens, "expired")).await, 200);
    let later = at(now.saturating_add(120));
    assert_eq!(status(&later, forged(&tokens, "not valid yet")).await, 200);
    assert_eq!(status(&later, forged(&tokens, "issued in the future")).await, 200);
    for (name, resource) in [
        ("for another audience", "https://another-api.invalid"),
        ("for several other audiences", "https://third-api.invalid"),
        ("for the audience with another end", "https://api.example/"),
        ("for an audience in capitals", "HTTPS://API.EXAMPLE"),
    ] {
        let other = ResourceServer::builder(resource).issuer(Issuer::jwt(AS).keys(issuer.keys())).clock(issuer.clock());
        assert_eq!(status(&other.build().unwrap(), forged(&tokens, name)).await, 200, "{name}");
    }
    for (name, url) in [
        ("of another issuer", "https://another-issuer.invalid"),
        ("of the issuer with another end", "https://as.example/"),
    ] {
        let other = api_of(&issuer, Issuer::jwt(url).keys(issuer.keys())).build().unwrap();
        assert_eq!(status(&other, forged(&tokens, name)).await, 200, "{name}");
    }
}

/// Tokens that another key signed are good for whoever trusts that key.
#[tokio::test]
async fn what_another_key_signed_is_good_under_that_key() {
    let issuer = MockIssuer::new(AS);
    let tokens = issuer.forged_tokens(API);
    let comes_along = forged(&tokens, "signed by another key, which comes along");
    let header: Value = part(comes_along, 0).unwrap();
    // Under the issuer's key id, as the tokens have it.
    let mut jwk = header["jwk"].clone();
    jwk["kid"] = header["kid"].clone();
    let keys = JwkSet::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap();
    let trusting = api_of(&issuer, Issuer::jwt(AS).keys(keys)).build().unwrap();
    let all: Vec<_> = tokens.iter().filter(|forged| forged.name().contains("signed by another key")).collect();
    assert_eq!(all.len(), 6);
    for forged in all {
        assert_eq!(status(&trusting, forged.token()).await, 200, "{}", forged.name());
    }
}

fn part(token: &str, index: usize) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(index)?).ok()?).ok()
}

/// Which members differ, by name.
fn differences(one: &Value, other: &Value) -> BTreeSet<String> {
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    names(one).union(&names(other)).filter(|name| one.get(name) != other.get(name)).cloned().collect()
}

#[test]
fn each_differs_from_a_good_token_in_one_thing() {
    let issuer = MockIssuer::new(AS);
    let good = Workshop::new(&issuer, API).good();
    let keys = issuer.keys();
    let mut unlike = 0;
    let in_two_things = ["signed by another key, without kid", "signed by a key that is not published"];
    for forged in issuer.forged_tokens(API) {
        let (name, token) = (forged.name(), forged.token());
        let readable = |part: &Option<Value>| part.as_ref().is_some_and(|part| part.is_object() && *part != json!({}));
        let [header, claims] = [part(token, 0), part(token, 1)];
        if !readable(&header) || !readable(&claims) || name.contains("stands twice") {
            unlike += 1;
            continue;
        }
        let (header, claims) = (header.unwrap(), claims.unwrap());
        // The `jti` numbers the tokens of an issuer.
        let mut changed = differences(&claims, &part(&good, 1).unwrap());
        changed.remove("jti");
        if name == "without jti" {
            changed.insert("jti".into());
        }
        let changed_header = differences(&header, &part(&good, 0).unwrap());
        let is_signed = Jws::parse(token).is_ok_and(|jws| jws.verify(&keys.keys()[0]).is_ok());
        let expected = match () {
            // What is well signed differs in one member.
            () if is_signed => changed.len() + changed_header.len() == 1,
            // What cannot be read differs in its header or in its form.
            () if Jws::parse(token).is_err() => changed.is_empty() && changed_header.len() <= 1,
            // What is badly signed may lure with one more member.
            () => changed.len() + changed_header.len() <= 1 || in_two_things.contains(&name),
        };
        assert!(expected, "{name}: {changed:?} {changed_header:?} {is_signed}");
    }
    assert_eq!(unlike, 5, "see `forms`");
}
