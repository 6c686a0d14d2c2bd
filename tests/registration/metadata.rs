//! What a client says of itself, and what it is told.

use http::{Method, Request, header};
use oauth_core::{jwt::Algorithm, keys::SigningKey, store::Clients};
use serde_json::json;

use super::{app, app_with, is_refused, open, open_world, post_json, registered, request};
use crate::support::*;

// spec: REG-13, REG-03
#[tokio::test]
async fn a_client_is_registered_with_201_and_all_that_was_registered() {
    on_every_store_with(open, async |w| {
        let body = json!({
            "redirect_uris": ["https://app.example/cb?a=1", "http://127.0.0.1/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_post",
            "client_name": "Zwölf \u{1F980}",
            "client_uri": "https://app.example/",
            "logo_uri": "http://app.example/logo.png",
            "tos_uri": "https://app.example/tos",
            "policy_uri": "https://app.example/policy",
            "contacts": ["ada@app.example", "+41 44 668 18 00"],
            "software_id": "4NRB1-0XZABZI9E6-5SM3R",
            "software_version": "2.1",
            "application_type": "native",
            "scope": "read write",
            "jwks_uri": "https://app.example/jwks",
        });
        let answer = post_json(&w, &body).await;
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (201, "no-store"));
        let shown = answer.json();
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(&shown[name], value, "{name}");
        }
        assert_eq!(shown["client_secret_expires_at"], 0);
        assert_eq!(shown["client_id_issued_at"], 1_800_000_000);
        // It is kept as it was shown, and can be used.
        let caller = super::Registered::read(&answer).caller();
        assert_eq!(
            w.server.client(&caller.client_id()).await.unwrap().unwrap().name.as_deref(),
            body["client_name"].as_str()
        );
        assert_eq!(w.introspect(caller, "oat_x").await.status, 200);
        assert_eq!(w.events.count("client_registered"), 1);
    })
    .await;
}

// spec: REG-13
#[tokio::test]
async fn the_expiry_of_a_secret_is_there_where_a_secret_is_and_nowhere_else() {
    let w = super::that(|registration| registration.open().secret_lifetime(60)).await;
    let app = registered(&w, &app()).await;
    assert_eq!(app.0["client_secret_expires_at"], 1_800_000_060);
    assert_eq!(w.introspect(app.caller(), "oat_x").await.status, 200);
    w.clock.advance(60);
    w.introspect(app.caller(), "oat_x").await.is_refused(401, "invalid_client");
    let public = registered(&w, &app_with("token_endpoint_auth_method", "none")).await;
    assert!(!public.0.contains_key("client_secret") && !public.0.contains_key("client_secret_expires_at"));
}

// spec: REG-14
#[tokio::test]
async fn what_is_left_out_has_its_default_and_the_default_is_shown() {
    let shown = registered(&open_world().await, &app()).await.0;
    assert_eq!(shown["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(shown["grant_types"], json!(["authorization_code"]));
    assert_eq!(shown["response_types"], json!(["code"]));
}

// spec: REG-15
#[tokio::test]
async fn what_is_not_known_is_ignored_and_what_is_substituted_is_shown() {
    let w = open_world().await;
    let mut body = app_with("grant_types", json!(["authorization_code", "implicit", "client_credentials"]));
    body["client_name#ja-Jpan-JP"] = "クライアント名".into();
    body["client_uri#fr"] = 3.into();
    body["shoe_size"] = json!({ "eu": [43] });
    body["scope"] = "read fly admin".into();
    let shown = registered(&w, &body).await.0;
    assert_eq!(shown["grant_types"], json!(["authorization_code"]));
    assert_eq!(shown["scope"], "read admin");
    assert!(shown.keys().all(|name| !name.contains('#') && name != "shoe_size"), "{shown:?}");
}

// spec: REG-03, REG-05
#[tokio::test]
async fn an_identifier_is_made_here_whatever_the_client_would_like() {
    let w = open_world().await;
    let mut seen = Vec::new();
    for wish in ["app", "alice", "https://app.example/metadata", ""] {
        let mut body = app_with("client_id", wish);
        body["client_secret"] = "shipped-in-the-app".into();
        body["client_id_issued_at"] = 1.into();
        let client = registered(&w, &body).await;
        let (id, secret) = (client.id(), client.text("client_secret"));
        // 128 bits behind "dyn-", and 256 bits, in base64url.
        assert_eq!((id.len(), secret.len()), (4 + 22, 43), "documented");
        for text in [id, secret] {
            assert!(text.bytes().all(|b| (0x20..=0x7E).contains(&b)));
        }
        assert!(!id.starts_with("https://") && secret != "shipped-in-the-app" && !seen.contains(&id));
        seen.push(id);
    }
    // The one whose name was wished for is untouched.
    w.redeem(APP, &w.code(APP).await).await.tokens();
}

// spec: REG-16
#[tokio::test]
async fn a_body_that_is_no_metadata_is_400_and_registers_nothing() {
    let w = open_world().await;
    let before = w.store.calls();
    let with_type = |body: &str, content_type: &str| {
        let request = Request::post("/register").header(header::CONTENT_TYPE, content_type);
        request.body(body.to_owned().into()).unwrap()
    };
    for body in ["", "[]", "x", "{", r#"{"a":1,"a":2}"#, "redirect_uris=https%3A%2F%2Fapp.example%2Fcb"] {
        is_refused(&w.send(with_type(body, "application/json")).await, "invalid_client_metadata");
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        is_refused(&w.send(with_type(&app().to_string(), content_type)).await, "invalid_client_metadata");
    }
    for (name, value, code) in [
        ("redirect_uris", json!(["nonsense"]), "invalid_redirect_uri"),
        ("redirect_uris", json!([]), "invalid_redirect_uri"),
        ("redirect_uris", json!("https://app.example/cb"), "invalid_redirect_uri"),
        ("redirect_uris", json!([7]), "invalid_redirect_uri"),
        ("redirect_uris", json!(vec![CALLBACK; 33]), "invalid_redirect_uri"),
        ("client_name", json!(7), "invalid_client_metadata"),
        ("token_endpoint_auth_method", json!("magic"), "invalid_client_metadata"),
        ("software_statement", json!("x"), "invalid_software_statement"),
    ] {
        let answer = post_json(&w, &app_with(name, value)).await;
        is_refused(&answer, code);
        assert!(answer.member("error_description").as_str().unwrap().starts_with(name), "{answer}");
    }
    assert_eq!(w.store.calls(), before, "the store was not asked");
    assert_eq!(w.events.count("registration_refused"), 18);
    let mut twice = with_type(&app().to_string(), "application/json");
    twice.headers_mut().append(header::CONTENT_TYPE, "application/json".parse().unwrap());
    is_refused(&w.send(twice).await, "invalid_client_metadata");
    let utf16 = with_type(&app().to_string(), "application/json; charset=utf-16");
    is_refused(&w.send(utf16).await, "invalid_client_metadata");
    let typed = with_type(&app().to_string(), "Application/JSON; charset=utf-8");
    assert_eq!(w.send(typed).await.status, 201);
}

// spec: REG-17
#[tokio::test]
async fn grants_that_are_no_longer_are_never_given() {
    let w = open_world().await;
    for (grants, responses) in [
        (json!(["implicit"]), json!(["token"])),
        (json!(["password"]), json!([])),
        (json!(["implicit", "password"]), json!(null)),
        (json!(["refresh_token"]), json!([])),
        (json!(["authorization_code"]), json!(["token"])),
        (json!(["client_credentials"]), json!(["code"])),
        (json!([]), json!([])),
    ] {
        let mut body = app_with("grant_types", grants);
        body["response_types"] = responses;
        is_refused(&post_json(&w, &body).await, "invalid_client_metadata");
    }
    let mut body = app_with("grant_types", json!(["implicit", "authorization_code", "password"]));
    body["response_types"] = json!(["code", "token", "code id_token"]);
    let client = registered(&w, &body).await;
    assert_eq!(
        (&client.0["grant_types"], &client.0["response_types"]),
        (&json!(["authorization_code"]), &json!(["code"]))
    );
    let asked = w.token(client.caller(), &[("grant_type", "password"), ("username", "alice")]).await;
    asked.is_refused(400, "unsupported_grant_type");
}

// spec: REG-18
#[tokio::test]
async fn keys_come_one_way_and_never_with_their_private_half() {
    let w = open_world().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let public = serde_json::to_value(key.public_jwk()).unwrap();
    let mut private = public.clone();
    private["d"] = json!("AA");
    for (name, value) in [
        ("jwks", json!({ "keys": [private] })),
        ("jwks", json!({ "keys": [public, { "kty": "oct", "k": "AA" }] })),
        ("jwks", json!({ "keys": 1 })),
        ("jwks_uri", json!("http://app.example/jwks")),
        ("jwks_uri", json!("file:///etc/passwd")),
    ] {
        is_refused(&post_json(&w, &app_with(name, value)).await, "invalid_client_metadata");
    }
    let mut both = app_with("jwks", json!({ "keys": [public] }));
    both["jwks_uri"] = "https://app.example/jwks".into();
    is_refused(&post_json(&w, &both).await, "invalid_client_metadata");
    is_refused(&post_json(&w, &json!({})).await, "invalid_redirect_uri");
    is_refused(&post_json(&w, &json!({ "grant_types": ["authorization_code"] })).await, "invalid_redirect_uri");
    let mut good = app_with("jwks", json!({ "keys": [public] }));
    good["token_endpoint_auth_method"] = "private_key_jwt".into();
    let client = registered(&w, &good).await;
    assert_eq!(client.0["jwks"], good["jwks"]);
    assert!(!client.0.contains_key("client_secret"));
    good.as_object_mut().unwrap().remove("jwks");
    is_refused(&post_json(&w, &good).await, "invalid_client_metadata");
    // Keys that nobody here would fetch.
    good["jwks_uri"] = "https://app.example/jwks".into();
    is_refused(&post_json(&w, &good).await, "invalid_client_metadata");
}

// spec: REG-22
#[tokio::test]
async fn what_people_see_of_a_client_is_escaped_and_loads_nothing_from_it() {
    let w = open_world().await;
    for name in ["client_uri", "logo_uri", "tos_uri", "policy_uri"] {
        for bad in
            ["javascript:alert(1)", "data:text/html,x", "ftp://app.example/", "/logo.png", "https://a\" onload=\"x"]
        {
            is_refused(&post_json(&w, &app_with(name, bad)).await, "invalid_client_metadata");
        }
    }
    let mut body = app_with("client_name", "<script>alert(1)</script>\"'&");
    body["token_endpoint_auth_method"] = "none".into();
    for name in ["client_uri", "logo_uri", "tos_uri", "policy_uri"] {
        body[name] = format!("https://tracker.example/{name}").into();
    }
    let client = registered(&w, &body).await;
    let (_, page) = Browser::new(&w).consent(&Ask::of(client.caller())).await;
    assert!(!page.body.contains("<script>alert") && page.body.contains("script"), "{page}");
    for tag in ["<img", "<link rel=\"icon", "<iframe", "src=\"http", "url(http"] {
        assert!(!page.body.contains(tag), "{tag}: {page}");
    }
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("tracker.example"), "{policy}");
}

#[tokio::test]
async fn where_it_is_not_set_up_there_is_no_registration() {
    let w = on_memory().await;
    for (method, path) in [(Method::POST, "/register"), (Method::GET, "/register/app"), (Method::DELETE, "/register/x")]
    {
        assert_eq!(w.send(request(method, path, Some("x"), "{}")).await.status, 404);
    }
    let metadata = w.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata.get("registration_endpoint"), None);
    let metadata = open_world().await.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.member("registration_endpoint"), format!("{ISSUER}/register"));
}

#[tokio::test]
async fn only_post_registers() {
    let w = open_world().await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS] {
        let answer = w.send(request(method, "/register", None, "")).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"));
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_503_and_not_a_refusal() {
    let w = open_world().await;
    w.store.set_down(true);
    post_json(&w, &app()).await.is_unavailable();
    w.store.set_down(false);
    let shown = registered(&w, &app()).await;
    let found = w.store.client(shown.caller().client_id()).await.unwrap();
    assert_eq!(found.unwrap().redirect_uris[0].as_str(), CALLBACK);
}
