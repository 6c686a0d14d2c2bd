//! Software statements: what somebody else vouches for.

use oauth_core::{
    dpop::DpopKey,
    jwt::{Algorithm, sign},
    keys::SigningKey,
};
use serde_json::{Value, json};

use super::{app_with, is_refused, post_json, registered, that};
use crate::support::*;

const VENDOR: &str = "https://vendor.example";

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap()
}

/// A server that trusts the vendor.
async fn trusting(key: &SigningKey) -> World {
    that(|it| it.open().manageable().per_minute(0).trust_software_statements(VENDOR, [key].into_iter().collect())).await
}

fn claims() -> Value {
    json!({ "iss": VENDOR, "client_name": "Vouched for", "software_id": "4NRB1", "scope": "read", "exp": 1_800_000_060 })
}

fn statement(key: &SigningKey, claims: &Value) -> String {
    sign(key, "JWT", claims).unwrap()
}

// spec: REG-20
#[tokio::test]
async fn what_a_statement_claims_wins_over_what_the_client_says() {
    let key = key();
    let w = trusting(&key).await;
    let text = statement(&key, &claims());
    let mut body = app_with("client_name", "Something else");
    body["scope"] = "admin".into();
    body["software_version"] = "7".into();
    body["software_statement"] = text.clone().into();
    let client = registered(&w, &body).await;
    for (name, value) in
        [("client_name", "Vouched for"), ("software_id", "4NRB1"), ("scope", "read"), ("software_version", "7")]
    {
        assert_eq!(client.0[name], value);
    }
    // RFC 7591 section 3.2.1: "its value MUST be returned unmodified".
    assert_eq!(client.0["software_statement"], text);
    let shown = client.manage(&w, http::Method::GET, "").await;
    assert_eq!(shown.member("software_statement"), text);
    // Left out, it is gone, and what it claimed too.
    let mut without = client.replacement();
    without.as_object_mut().unwrap().remove("software_statement");
    without["client_name"] = "Something else".into();
    let answer = client.put(&w, &without).await;
    assert_eq!(
        (answer.member("client_name"), answer.json().get("software_statement")),
        ("Something else".into(), None)
    );
}

// spec: REG-20
#[tokio::test]
async fn what_a_statement_claims_must_be_legal_too() {
    let key = key();
    let w = trusting(&key).await;
    let mut claims = claims();
    claims["redirect_uris"] = json!(["http://app.example/cb"]);
    let body = json!({ "redirect_uris": [CALLBACK], "software_statement": statement(&key, &claims) });
    is_refused(&post_json(&w, &body).await, "invalid_redirect_uri");
    claims["redirect_uris"] = json!(["https://app.example/vouched"]);
    // What it says about itself is about itself.
    claims["client_id"] = "chosen".into();
    claims["client_secret"] = "chosen".into();
    let body = json!({ "redirect_uris": [CALLBACK], "software_statement": statement(&key, &claims) });
    let client = registered(&w, &body).await;
    assert_eq!(client.0["redirect_uris"], json!(["https://app.example/vouched"]));
    assert!(client.id() != "chosen" && client.text("client_secret") != "chosen");
}

// spec: REG-20
#[tokio::test]
async fn a_statement_that_cannot_be_relied_upon_is_refused() {
    let (own, other) = (key(), key());
    let w = trusting(&own).await;
    let changed = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        statement(&own, &claims)
    };
    let good = statement(&own, &claims());
    let (head, signature) = good.rsplit_once('.').unwrap();
    let payload = good.split('.').nth(1).unwrap();
    let none = format!("eyJhbGciOiJub25lIn0.{payload}.");
    let hmac = format!("eyJhbGciOiJIUzI1NiJ9.{payload}.{signature}");
    let forger = DpopKey::from(own.clone());
    let twice = r#"{"iss":"https://vendor.example","scope":"read","scope":"admin"}"#;
    let bad = [
        ("by another key", statement(&other, &claims())),
        ("with a signature cut off", format!("{head}.")),
        ("with another signature", format!("{head}.{}", signature.chars().rev().collect::<String>())),
        ("unsigned", none),
        ("with an HMAC", hmac),
        ("no JWT", "x".to_owned()),
        ("no JWT at all", String::new()),
        ("expired", changed("exp", 1_800_000_000.into())),
        ("without a date where one is", changed("exp", "soon".into())),
        ("from the future", changed("iat", 1_800_000_031.into())),
        ("not yet good", changed("nbf", 1_800_000_031.into())),
        ("for another server", changed("aud", "https://other.example".into())),
        ("for no server", changed("aud", json!([]))),
        ("without an issuer", statement(&own, &json!({ "client_name": "x" }))),
        ("an access token", sign(&own, "at+jwt", &claims()).unwrap()),
        ("which says two things", forger.forge(r#"{"alg":"ES256"}"#, twice).unwrap()),
    ];
    for (what, text) in bad {
        println!("{what}");
        is_refused(&post_json(&w, &app_with("software_statement", text)).await, "invalid_software_statement");
    }
    for issuer in ["https://evil.example", "https://vendor.example/", "https://VENDOR.example", ""] {
        let text = changed("iss", issuer.into());
        is_refused(&post_json(&w, &app_with("software_statement", text)).await, "unapproved_software_statement");
    }
    let untrusting = super::open_world().await;
    is_refused(
        &post_json(&untrusting, &app_with("software_statement", good.clone())).await,
        "unapproved_software_statement",
    );
    for aud in [json!(ISSUER), json!(["https://other.example", ISSUER])] {
        registered(&w, &app_with("software_statement", changed("aud", aud))).await;
    }
    assert_eq!(w.events.count("client_registered"), 2);
}
