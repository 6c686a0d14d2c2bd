//! Objects that are taken, and what counts of them.

use oauth_core::jwt::{self, Algorithm};
use serde_json::json;

use super::{NOW, SIGNER, Signer, bring, claims, get, is_parked, with};
use crate::support::*;

// spec: AUZ-42
#[tokio::test]
async fn what_the_client_has_signed_is_the_request() {
    for algorithm in Algorithm::ALL {
        let signer = Signer::with(*algorithm);
        let w = signer.world().await;
        let response = response_at(CALLBACK, &Browser::new(&w).approve(&bring(&signer.sign(&claims()))).await);
        assert_eq!(response.get("state"), Some("inside"), "{algorithm}");
        let answer = w.redeem(SIGNER, response.get("code").unwrap()).await;
        assert_eq!(answer.member("scope"), "read");
    }
}

// spec: AUZ-42
#[tokio::test]
async fn only_what_is_in_the_object_counts() {
    let signer = Signer::new();
    let w = signer.world().await;
    let object = signer.sign(&claims());
    let outside = bring(&object)
        .with("redirect_uri", "https://evil.example/cb")
        .with("response_type", "token")
        .with("scope", "write")
        .with("state", "outside")
        .with("response_mode", "fragment")
        .with("code_challenge", &"A".repeat(43))
        .with("resource", "https://elsewhere.example")
        .and("nonce", "1")
        .and("nonce", "2");
    let response = response_at(CALLBACK, &Browser::new(&w).approve(&outside).await);
    assert_eq!(response.get("state"), Some("inside"));
    assert_eq!(w.redeem(SIGNER, response.get("code").unwrap()).await.member("scope"), "read");
    // And what is not there is not there.
    for name in ["code_challenge", "code_challenge_method", "response_type"] {
        let object = signer.sign(&with(claims(), &json!({ name: null })));
        let whole = Ask::of(SIGNER).with("request", &object).with("state", "outside");
        let response = get(&w, &whole).await.is_error_redirect("invalid_request");
        assert_eq!(response.get("state"), Some("inside"), "{name}");
    }
    let object = signer.sign(&with(claims(), &json!({ "state": null })));
    let response = Browser::new(&w).approve(&bring(&object).with("state", "outside")).await;
    assert_eq!(response_at(CALLBACK, &response).get("state"), None);
}

/// It is a request like any other.
// spec: AUZ-42
#[tokio::test]
async fn what_is_in_the_object_is_judged_like_any_request() {
    let signer = Signer::new();
    let w = signer.world().await;
    for (change, code) in [
        (json!({ "response_type": "token" }), "unsupported_response_type"),
        (json!({ "scope": "nonsense" }), "invalid_scope"),
        (json!({ "scope": ["read"] }), "invalid_scope"),
        (json!({ "resource": ["https://elsewhere.example"] }), "invalid_target"),
        (json!({ "resource": [API, "https://elsewhere.example"] }), "invalid_target"),
        (json!({ "code_challenge_method": "plain" }), "invalid_request"),
        (json!({ "code_challenge": 7 }), "invalid_request"),
        (json!({ "max_age": -1 }), "invalid_request"),
        (json!({ "max_age": 1.5 }), "invalid_request"),
        (json!({ "response_mode": "web_message" }), "invalid_request"),
    ] {
        let answer = get(&w, &bring(&signer.sign(&with(claims(), &change)))).await;
        assert_eq!(answer.is_error_redirect(code).get("state"), Some("inside"), "{change}");
    }
    for uri in [json!("https://evil.example/cb"), json!([CALLBACK]), json!(1), json!("")] {
        let answer = get(&w, &bring(&signer.sign(&with(claims(), &json!({ "redirect_uri": uri }))))).await;
        if uri == "" { is_parked(&answer) } else { answer.is_error_page() }
    }
}

// spec: AUZ-42, AUZ-44
#[tokio::test]
async fn objects_at_the_edge_of_what_is_allowed_are_taken() {
    let signer = Signer::new();
    let w = signer.world().await;
    for change in [
        json!({ "aud": [ISSUER] }),
        json!({ "aud": ["https://other.example", ISSUER] }),
        json!({ "exp": null, "iat": null }),
        json!({ "exp": NOW + 1 }),
        json!({ "exp": NOW as f64 + 1.5 }),
        json!({ "nbf": NOW + 30, "iat": NOW + 30 }),
        json!({ "nbf": 0 }),
        json!({ "sub": "alice" }),
        json!({ "jti": null }),
        json!({ "redirect_uri": null, "scope": null }),
        json!({ "max_age": 300 }),
        json!({ "resource": [API, OTHER_API] }),
        json!({ "resource": API }),
        json!({ "https://app.example/extension": { "a": [null, 1.5, true] } }),
        json!({ "claims": { "id_token": { "acr": null } } }),
    ] {
        let answer = get(&w, &bring(&signer.sign(&with(claims(), &change)))).await;
        assert!(answer.header("location").starts_with("/interaction?"), "{change} {answer}");
    }
    for typ in ["JWT", "jwt", "application/jwt", "oauth-authz-req+jwt", "application/OAuth-Authz-Req+JWT"] {
        is_parked(&get(&w, &bring(&jwt::sign(&signer.0, typ, &claims()).unwrap())).await);
    }
    let header = with(signer.header(), &json!({ "typ": null, "kid": null }));
    is_parked(&get(&w, &bring(&signer.sign_text(&header.to_string(), &claims().to_string()))).await);
    // By POST as well.
    let object = signer.sign(&claims());
    let form = post("/authorize", Caller::Nobody, &[]).map(|_| bring(&object).form().into());
    is_parked(&w.send(form).await);
}

#[tokio::test]
async fn resources_reach_the_grant() {
    let signer = Signer::new();
    let w = signer.world().await;
    let change = json!({ "resource": [OTHER_API, API], "scope": "read write" });
    let location = Browser::new(&w).approve(&bring(&signer.sign(&with(claims(), &change)))).await;
    let code = response_at(CALLBACK, &location).get("code").unwrap().to_owned();
    let access = w.redeem(SIGNER, &code).await.tokens().access;
    assert_eq!(w.introspect(AUDITOR, &access).await.member("aud"), json!([OTHER_API, API]));
}
