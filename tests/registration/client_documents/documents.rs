//! Documents that no client should have.

use oauth_core::client::ClientJwks;

use super::*;

/// A private key as nobody should publish it.
fn private_jwk() -> Value {
    let mut jwk = serde_json::to_value(key().public_jwk()).unwrap();
    jwk["d"] = json!("AAAA");
    jwk
}

/// What is wrong, and the document.
fn hostile() -> Vec<(&'static str, String)> {
    let with = |name: &str, value: Value| document_with(name, value).to_string();
    let without = |name: &str| {
        let mut document = document();
        document.as_object_mut().unwrap().remove(name);
        document.to_string()
    };
    let keyed = |name: &str, value: Value| {
        let mut document = document_with("token_endpoint_auth_method", "private_key_jwt");
        document[name] = value;
        document.to_string()
    };
    let text = document().to_string();
    let twice = text.replacen('{', "{\"redirect_uris\":[\"https://evil.example/cb\"],", 1);
    let public = || serde_json::to_value(key().public_jwk()).unwrap();
    let both = {
        let mut document = document_with("jwks_uri", "https://app.example/jwks");
        document["jwks"] = ClientJwks::of([&key()]).document().clone();
        document.to_string()
    };
    vec![
        ("not a JSON object", String::new()),
        ("not a JSON object", "[]".to_owned()),
        ("not a JSON object", "null".to_owned()),
        ("not a JSON object", format!("[{text}]")),
        ("not a JSON object", format!("{text}{text}")),
        ("not a JSON object", text[..text.len() - 1].to_owned()),
        ("not a JSON object", "<!DOCTYPE html>".to_owned()),
        ("not a JSON object", format!("{}{text}", "[".repeat(4000))),
        ("repeated", twice),
        ("repeated", text.replacen('{', &format!("{{\"client_id\":\"{URL}\","), 1)),
        ("client_id:", without("client_id")),
        ("client_id:", with("client_id", json!("https://evil.example/client.json"))),
        ("client_id:", with("client_id", json!("https://app.example:443/client.json"))),
        ("client_id:", with("client_id", json!("https://APP.example/client.json"))),
        ("client_id:", with("client_id", json!(format!("{URL} ")))),
        ("client_id:", with("client_id", json!(format!("{URL}#")))),
        ("client_id:", with("client_id", json!([URL]))),
        ("client_id:", with("client_id", Value::Null)),
        ("client_secret:", with("client_secret", json!("hunter2"))),
        ("client_secret:", with("client_secret", json!(""))),
        ("client_secret:", with("client_secret", Value::Null)),
        ("client_secret_expires_at:", with("client_secret_expires_at", json!(0))),
        ("client_secret_expires_at:", with("client_secret_expires_at", Value::Null)),
        ("client and server share", with("token_endpoint_auth_method", json!("client_secret_basic"))),
        ("client and server share", with("token_endpoint_auth_method", json!("client_secret_post"))),
        ("client and server share", with("token_endpoint_auth_method", json!("client_secret_jwt"))),
        ("token_endpoint_auth_method:", with("token_endpoint_auth_method", json!("shared_phrase"))),
        ("token_endpoint_auth_method:", with("token_endpoint_auth_method", json!(["none"]))),
        ("private or symmetric key", keyed("jwks", json!({ "keys": [private_jwk()] }))),
        ("private or symmetric key", keyed("jwks", json!({ "keys": [public(), private_jwk()] }))),
        ("private or symmetric key", with("jwks", json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] }))),
        ("private or symmetric key", with("x", json!({ "deep": [[{ "jwk": private_jwk() }]] }))),
        ("private or symmetric key", with("jwks", json!({ "keys": [{ "kty": "AKP", "priv": "AAAA" }] }))),
        ("jwks:", with("token_endpoint_auth_method", json!("private_key_jwt"))),
        ("jwks:", keyed("jwks", json!({ "keys": [] }))),
        ("jwks:", keyed("jwks", json!([]))),
        ("jwks_uri:", keyed("jwks_uri", json!("http://app.example/jwks"))),
        ("jwks_uri:", keyed("jwks_uri", json!("https://ada@app.example/jwks"))),
        ("jwks_uri:", both),
        ("redirect_uris:", without("redirect_uris")),
        ("redirect_uris:", with("redirect_uris", json!([]))),
        ("redirect_uris:", with("redirect_uris", json!(CALLBACK))),
        ("redirect_uris:", with("redirect_uris", json!([CALLBACK, "https://*.app.example/cb"]))),
        ("redirect_uris:", with("redirect_uris", json!([CALLBACK, "javascript:alert(1)"]))),
        ("redirect_uris:", with("redirect_uris", json!([CALLBACK, "http://app.example/cb"]))),
        ("redirect_uris:", with("redirect_uris", json!([CALLBACK, "https://app.example/cb#f"]))),
        ("redirect_uris:", with("redirect_uris", json!(["http://localhost/cb"]))),
        ("redirect_uris:", with("redirect_uris", json!(vec![CALLBACK; 33]))),
        ("client_name:", with("client_name", json!("Your Bank\u{202e}"))),
        ("client_name:", with("client_name", json!("x".repeat(600)))),
        ("logo_uri:", with("logo_uri", json!("javascript:alert(1)"))),
        ("response_types:", with("response_types", json!(["token"]))),
        ("grant_types:", with("grant_types", json!("authorization_code"))),
        ("scope:", with("scope", json!("read\n"))),
    ]
}

// spec: REG-28, REG-29, REG-30, REG-31
#[tokio::test]
async fn a_document_that_is_not_one_of_a_client_ends_the_request_with_a_page_that_says_why() {
    let web = Web::default();
    let w = on_memory_with(|builder| {
        let builder = builder.fetch(web.clone()).client_authentication(|how| how.failures_per_minute = 0);
        builder.registration(RegistrationSettings::client_id_metadata_documents)
    })
    .await;
    for (rule, text) in hostile() {
        web.put(URL, &text);
        let page = authorize(&w).await;
        page.is_error_page();
        assert!(unescape(&page.body).contains(rule), "{rule}: {text}\n{page}");
        assert!(!page.body.contains("hunter2") && !page.body.contains("evil.example"), "{page}");
        let params = [("grant_type", "authorization_code"), ("code", "x")];
        w.token(CLIENT, &params).await.is_refused(401, "invalid_client");
    }
    assert!(w.events.all().iter().all(|event| !event.contains("hunter2")));
    // And what was not wrong with any of them:
    web.put(URL, &document().to_string());
    is_parked(&authorize(&w).await);
}

#[tokio::test]
async fn what_a_document_says_beside_is_no_reason_to_refuse_it() {
    let web = Web::default();
    let w = world(&web).await;
    for (name, value) in [
        ("shoe_size", json!(43)),
        ("logo_uri", json!("https://app.example/logo.png")),
        ("scope", json!("read openid offline_access")),
        ("grant_types", json!(["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"])),
        ("grant_types", json!(["authorization_code", "client_credentials"])),
        ("response_types", json!(["code", "none"])),
        ("redirect_uris", json!([CALLBACK, "http://localhost/cb", "http://127.0.0.1/cb"])),
        ("software_statement", json!("not.even.signed")),
        ("jwks", ClientJwks::of([&key()]).document().clone()),
        ("client_name", Value::Null),
    ] {
        web.put(URL, &document_with(name, value).to_string());
        is_parked(&authorize(&w).await);
    }
}
