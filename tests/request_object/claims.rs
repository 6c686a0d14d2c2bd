//! What an object must say of itself.

use serde_json::{Value, json};

use super::{NOW, Signer, bring, claims, get, is_invalid, is_parked, with};
use crate::support::*;

/// What may be wrong.
fn wrong() -> Vec<Value> {
    let other = "https://other.example";
    vec![
        json!({ "iss": null }),
        json!({ "iss": "app" }),
        json!({ "iss": "SIGNER" }),
        json!({ "iss": ["signer"] }),
        json!({ "iss": ISSUER }),
        json!({ "client_id": null }),
        json!({ "client_id": "app" }),
        json!({ "client_id": ["signer"] }),
        json!({ "client_id": "signer " }),
        json!({ "sub": "signer" }),
        json!({ "aud": null }),
        json!({ "aud": other }),
        json!({ "aud": [] }),
        json!({ "aud": [other] }),
        json!({ "aud": [[ISSUER]] }),
        json!({ "aud": { "a": ISSUER } }),
        json!({ "aud": format!("{ISSUER}/") }),
        json!({ "aud": format!("{ISSUER}/authorize") }),
        json!({ "aud": "https://as.example.evil.example" }),
        json!({ "exp": NOW }),
        json!({ "exp": NOW - 1 }),
        json!({ "exp": (NOW + 60).to_string() }),
        json!({ "exp": -1 }),
        json!({ "exp": 1e300 }),
        json!({ "exp": u64::MAX }),
        json!({ "exp": [NOW + 60] }),
        json!({ "nbf": NOW + 31 }),
        json!({ "nbf": "now" }),
        json!({ "iat": NOW + 31 }),
        json!({ "iat": true }),
    ]
}

// spec: AUZ-42, AUZ-44
#[tokio::test]
async fn an_object_is_from_the_client_to_this_server_and_of_now() {
    let signer = Signer::new();
    let w = signer.world().await;
    for change in wrong() {
        println!("{change}");
        is_invalid(&get(&w, &bring(&signer.sign(&with(claims(), &change)))).await);
    }
    is_parked(&get(&w, &bring(&signer.sign(&claims()))).await);
    w.clock.advance(300);
    is_invalid(&get(&w, &bring(&signer.sign(&claims()))).await);
}

// spec: AUZ-43
#[tokio::test]
async fn an_object_holds_no_other_one() {
    let signer = Signer::new();
    let w = signer.world().await;
    let inner = signer.sign(&claims());
    for change in [
        json!({ "request": inner }),
        json!({ "request": "" }),
        json!({ "request": {} }),
        json!({ "request_uri": "https://app.example/request" }),
        json!({ "request_uri": "urn:ietf:params:oauth:request_uri:x" }),
        json!({ "request_uri": [] }),
    ] {
        is_invalid(&get(&w, &bring(&signer.sign(&with(claims(), &change)))).await);
    }
    let text = claims().to_string().replacen('{', r#"{"request":null,"#, 1);
    is_invalid(&get(&w, &bring(&signer.sign_text(&signer.header().to_string(), &text))).await);
}

/// Of two, who knows which one somebody else has looked at?
// spec: AUZ-42
#[tokio::test]
async fn no_name_stands_twice_and_the_payload_is_an_object() {
    let signer = Signer::new();
    let w = signer.world().await;
    let good = claims().to_string();
    let more = |text: &str| good.replacen('{', &format!("{{{text},"), 1);
    let names: Vec<String> = (0..101).map(|number| format!(r#""x{number}":1"#)).collect();
    for text in [
        more(r#""scope":"read""#),
        more(r#""redirect_uri":"https://evil.example/cb""#),
        more(r#""sc\u006fpe":"read""#),
        more(r#""x":{"a":1,"a":2}"#),
        more(r#""iss":"signer""#),
        "[]".to_owned(),
        "null".to_owned(),
        "7".to_owned(),
        "not json".to_owned(),
        format!("{good}{good}"),
        format!("{good} x"),
        good.replace('"', "'"),
        "[".repeat(5000),
        more(&format!(r#""x":{}{}"#, "[".repeat(200), "]".repeat(200))),
    ] {
        is_invalid(&get(&w, &bring(&signer.sign_text(&signer.header().to_string(), &text))).await);
    }
    let many = signer.sign_text(&signer.header().to_string(), &more(&names.join(",")));
    get(&w, &bring(&many)).await.is_error_redirect("invalid_request");
    is_parked(&get(&w, &bring(&signer.sign_text(&signer.header().to_string(), &good))).await);
}

/// As FAPI 2.0 has it.
// spec: AUZ-42
#[tokio::test]
async fn where_the_server_bounds_it_an_object_says_from_when_until_when() {
    let signer = Signer::new();
    let bounded = |builder: oauth_core::server::AuthorizationServerBuilder| {
        builder.authorization(|settings| settings.request_objects.lifetime = Some(3600))
    };
    let w = signer.world_with(bounded).await;
    for (nbf, exp, good) in [
        (json!(NOW), json!(NOW + 3600), true),
        (json!(NOW - 3600), json!(NOW - 3600 + 3600), false),
        (json!(NOW - 3599), json!(NOW + 1), true),
        (json!(NOW - 3601), json!(NOW + 1), false),
        (json!(NOW), json!(NOW + 3601), false),
        (json!(NOW + 30), json!(NOW + 3630), true),
        (json!(NOW + 31), json!(NOW + 3600), false),
        (Value::Null, json!(NOW + 60), false),
        (json!(NOW), Value::Null, false),
        (Value::Null, Value::Null, false),
    ] {
        let answer = get(&w, &bring(&signer.sign(&with(claims(), &json!({ "nbf": nbf, "exp": exp }))))).await;
        if good { is_parked(&answer) } else { is_invalid(&answer) }
    }
}
