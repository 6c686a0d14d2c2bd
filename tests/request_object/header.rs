//! Who has signed, with what.

use oauth_core::jwt::{self, Algorithm};
use serde_json::json;

use super::{NOW, SIGNER, Signer, bring, claims, get, is_invalid, is_parked, unsigned, with};
use crate::support::*;

// spec: AUZ-42
#[tokio::test]
async fn only_a_key_that_the_client_registered_counts_whatever_the_header_brings_along() {
    let (signer, thief) = (Signer::new(), Signer::new());
    let w = signer.world().await;
    let own = serde_json::to_value(thief.0.public_jwk()).unwrap();
    for change in [
        json!({}),
        json!({ "kid": signer.0.kid() }),
        json!({ "kid": null }),
        json!({ "jwk": own }),
        json!({ "jwk": own, "kid": null }),
        json!({ "jku": "https://evil.example/jwks" }),
        json!({ "x5u": "https://evil.example/cert", "kid": null }),
        json!({ "kid": "../../etc/passwd" }),
        json!({ "kid": 7 }),
    ] {
        let header = with(thief.header(), &change).to_string();
        is_invalid(&get(&w, &bring(&thief.sign_text(&header, &claims().to_string()))).await);
    }
    for change in [json!({ "crit": ["exp"] }), json!({ "b64": true }), json!({ "kid": "another" })] {
        let header = with(signer.header(), &change).to_string();
        is_invalid(&get(&w, &bring(&signer.sign_text(&header, &claims().to_string()))).await);
    }
    is_parked(&get(&w, &bring(&signer.sign_text(&signer.header().to_string(), &claims().to_string()))).await);
}

// spec: AUZ-42, AUZ-45
#[tokio::test]
async fn an_object_that_nobody_signed_is_none() {
    let signer = Signer::new();
    let w = signer.world().await;
    let good = signer.sign(&claims());
    let (input, signature) = good.rsplit_once('.').unwrap();
    let plain = unsigned(r#"{"alg":"none"}"#, &claims().to_string());
    let changed = unsigned(&signer.header().to_string(), &with(claims(), &json!({ "scope": "write" })).to_string());
    let secret = jsonwebtoken::EncodingKey::from_secret(&serde_json::to_vec(&signer.0.public_jwk()).unwrap());
    let hmac = |input: &str| jsonwebtoken::crypto::sign(input.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256);
    let symmetric = unsigned(r#"{"alg":"HS256"}"#, &claims().to_string());
    for object in [
        format!("{plain}."),
        format!("{plain}.{signature}"),
        plain.clone(),
        format!("{changed}.{signature}"),
        format!("{symmetric}.{}", hmac(&symmetric).unwrap()),
        format!("{input}."),
        format!("{input}.{}", "A".repeat(86)),
        input.to_owned(),
        format!("{good}."),
        format!("{good}="),
        format!("{good}.{signature}"),
        // Encrypted, perhaps.
        format!("{good}.{signature}.{signature}"),
        " ".to_owned(),
        "{}".to_owned(),
        "a.b.c".to_owned(),
        "x".repeat(40_000),
        signer.sign(&with(claims(), &json!({ "state": "x".repeat(32 * 1024) }))),
    ] {
        is_invalid(&get(&w, &bring(&object)).await);
    }
    // A client without keys has signed nothing.
    let theirs = signer.sign(&with(claims(), &json!({ "iss": "app", "client_id": "app" })));
    get(&w, &Ask::of(APP).with("request", &theirs)).await.is_error_redirect("invalid_request_object");
}

// spec: AUZ-44, SEC-16
#[tokio::test]
async fn what_says_that_it_is_something_else_is_no_request() {
    let signer = Signer::new();
    let w = signer.world().await;
    for typ in ["at+jwt", "dpop+jwt", "client-authentication+jwt", "token-introspection+jwt", "text/jwt", "", "JOSE"] {
        is_invalid(&get(&w, &bring(&jwt::sign(&signer.0, typ, &claims()).unwrap())).await);
    }
    for typ in [json!(["JWT"]), json!(1)] {
        let header = with(signer.header(), &json!({ "typ": typ })).to_string();
        is_invalid(&get(&w, &bring(&signer.sign_text(&header, &claims().to_string()))).await);
    }
}

/// What proves a client at the token endpoint must not pass for its request.
// spec: AUZ-44, SEC-16
#[tokio::test]
async fn an_object_that_could_be_an_assertion_is_refused() {
    let signer = Signer::new();
    let w = signer.world().await;
    let object = with(claims(), &json!({ "sub": "signer" }));
    for typ in ["JWT", "oauth-authz-req+jwt"] {
        is_invalid(&get(&w, &bring(&jwt::sign(&signer.0, typ, &object).unwrap())).await);
    }
    let assertion = json!({ "iss": "signer", "sub": "signer", "aud": ISSUER, "exp": NOW + 60, "jti": "1" });
    is_invalid(&get(&w, &bring(&jwt::sign(&signer.0, "JWT", &assertion).unwrap())).await);
}

// spec: AUZ-42
#[tokio::test]
async fn the_algorithm_is_one_that_the_server_and_the_client_allow() {
    let signer = Signer::with(Algorithm::RS256);
    // A key without `alg`, so that another RSA algorithm would be possible.
    let mut jwk = serde_json::to_value(signer.0.public_jwk()).unwrap();
    jwk.as_object_mut().unwrap().remove("alg");
    let jwks = json!({ "keys": [jwk] }).to_string();
    let client = |only: Option<Algorithm>| {
        let jwks = oauth_core::client::ClientJwks::parse(jwks.as_bytes()).unwrap();
        signer.client().jwks(jwks).requests(|how| how.request_object_signing_alg = only).build().unwrap()
    };
    let object = signer.sign(&claims());
    for (only, taken) in [(None, true), (Some(Algorithm::RS256), true), (Some(Algorithm::PS256), false)] {
        let w = on_memory_with(|builder| builder.client(client(only))).await;
        let answer = get(&w, &bring(&object)).await;
        if taken { is_parked(&answer) } else { is_invalid(&answer) }
    }
    let other = |builder: oauth_core::server::AuthorizationServerBuilder| {
        let builder = builder.client(client(None));
        builder.authorization(|settings| settings.request_objects.algorithms = vec![Algorithm::ES256])
    };
    let w = on_memory_with(other).await;
    is_invalid(&get(&w, &bring(&object)).await);
    let metadata = w.get(super::METADATA).await;
    assert_eq!(metadata.member("request_object_signing_alg_values_supported"), json!(["ES256"]));
}

// spec: AUZ-42
#[tokio::test]
async fn the_request_names_the_client_and_the_object_names_the_same() {
    let signer = Signer::new();
    let w = signer.world().await;
    let object = signer.sign(&claims());
    get(&w, &bring(&object).without("client_id")).await.is_error_page();
    get(&w, &bring(&object).with("client_id", "nobody")).await.is_error_page();
    get(&w, &bring(&object).and("client_id", "signer")).await.is_error_page();
    // Another client, that has even the same key.
    let other = oauth_core::client::Client::builder("twin").redirect_uri(CALLBACK).scope("read");
    let other = other.jwks(oauth_core::client::ClientJwks::of([&signer.0])).build().unwrap();
    let w = signer.world_with(|builder| builder.client(other.clone())).await;
    is_invalid(&get(&w, &bring(&object).with("client_id", "twin")).await);
    is_parked(&get(&w, &bring(&object).with("client_id", SIGNER.id())).await);
}
