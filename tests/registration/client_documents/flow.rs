//! From the document to tokens.

use oauth_core::{client::ClientJwks, store::Clients};
use serde_json::json;

use super::*;

// spec: REG-28, REG-29, REG-31
#[tokio::test]
async fn a_public_client_that_describes_itself_gets_codes_and_tokens_and_no_record() {
    let web = Web::with(&document());
    let w = world(&web).await;
    let code = w.code_for(&Ask::of(CLIENT).with("scope", "read fly")).await;
    let answer = w.redeem(CLIENT, &code).await;
    assert_eq!(answer.member("scope"), "read", "narrowed, as for whoever registers itself");
    let tokens = answer.tokens();
    assert!(w.lives(&tokens.access).await);
    let next = w.refresh(CLIENT, tokens.refresh.as_deref().unwrap()).await.tokens();
    assert_eq!(w.introspect(AUDITOR, &next.access).await.member("client_id"), URL);
    w.revoke(CLIENT, next.refresh.as_deref().unwrap()).await.is_revoked();
    assert!(!w.lives(&next.access).await);
    assert!(w.store.client(CLIENT.client_id()).await.unwrap().is_none());
    assert!(web.asked.lock().unwrap().iter().all(|url| url == URL));
}

// spec: REG-31
#[tokio::test]
async fn the_redirect_uris_in_the_document_are_those_of_the_client_byte_for_byte() {
    let other = "https://app.example/other?x=1";
    let web = Web::with(&document_with("redirect_uris", json!([CALLBACK, other, "http://127.0.0.1/cb"])));
    let w = world(&web).await;
    for good in [CALLBACK, other, "http://127.0.0.1:51004/cb"] {
        is_parked(&w.get(&Ask::of(CLIENT).with("redirect_uri", good).uri()).await);
    }
    for bad in [
        "https://app.example/cb/",
        "https://app.example/cb?x",
        "https://app.example:443/cb",
        "https://APP.example/cb",
        "https://app.example/other",
        "https://app.example/client.json",
        "https://app.example/cb/../cb",
        "http://127.0.0.1/other",
        "http://localhost/cb",
    ] {
        w.get(&Ask::of(CLIENT).with("redirect_uri", bad).uri()).await.is_error_page();
    }
    w.get(&Ask::of(CLIENT).without("redirect_uri").uri()).await.is_error_page();
}

// spec: REG-31
#[tokio::test]
async fn a_client_whose_document_says_private_key_jwt_must_prove_itself_by_the_keys_in_it() {
    let (own, foreign) = (key(), key());
    let jwks = ClientJwks::of([&own]).document().clone();
    let web = Web::with(&document_with("token_endpoint_auth_method", "private_key_jwt"));
    let elsewhere = "https://keys.example/jwks";
    web.put(elsewhere, &jwks.to_string());
    for (name, value) in [("jwks", jwks), ("jwks_uri", json!(elsewhere))] {
        let mut document = document_with("token_endpoint_auth_method", "private_key_jwt");
        document[name] = value;
        web.put(URL, &document.to_string());
        let w = world(&web).await;
        let code = w.code(CLIENT).await;
        for caller in [CLIENT, Caller::Post(URL, ""), Caller::Post(URL, "x")] {
            w.redeem(caller, &code).await.is_refused(401, "invalid_client");
        }
        prove(&w, &redemption(&code), &proof(&foreign, "1")).await.is_refused(401, "invalid_client");
        let tokens = prove(&w, &redemption(&code), &proof(&own, "2")).await.tokens();
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_deref().unwrap())];
        w.token(CLIENT, &refresh).await.is_refused(401, "invalid_client");
        prove(&w, &refresh, &proof(&own, "3")).await.tokens();
    }
}

#[tokio::test]
async fn a_document_that_names_no_method_is_that_of_a_public_client() {
    for absent in [Value::Null, json!("none")] {
        let web = Web::with(&document_with("token_endpoint_auth_method", absent));
        let w = world(&web).await;
        let code = w.code(CLIENT).await;
        w.redeem(Caller::Post(URL, "secret"), &code).await.is_refused(401, "invalid_client");
        w.redeem(CLIENT, &code).await.tokens();
    }
}

// spec: REG-34
#[tokio::test]
async fn the_consent_page_shows_the_host_of_the_document_and_no_host_for_others() {
    let url = "https://docs.example:8443/client.json";
    let web = Web::default();
    web.put(url, &document_at(url).to_string());
    let w = world(&web).await;
    let (_, page) = Browser::new(&w).consent(&Ask::of(Caller::Public(url))).await;
    assert!(page.body.contains("An App") && page.body.contains("<bdi>docs.example</bdi>"), "{page}");
    let mut browser = Browser::new(&w);
    let id = browser.begin(&Ask::of(Caller::Public(url))).await;
    let interaction = browser.interaction(&id).await.unwrap();
    assert_eq!(interaction.client_host().as_deref(), Some("docs.example"));
    assert!(!interaction.client().is_vouched_for());
    let id = browser.begin(&Ask::of(APP)).await;
    let interaction = browser.interaction(&id).await.unwrap();
    assert_eq!((interaction.client_host(), interaction.client().is_vouched_for()), (None, true));
}

// spec: REG-34
#[tokio::test]
async fn no_identifier_that_the_server_makes_up_is_one_of_a_document() {
    let w = super::super::open_world().await;
    for _ in 0..50 {
        let client = super::super::registered(&w, &super::super::app()).await;
        assert!(!client.id().starts_with("http") && !client.id().contains(':'), "{}", client.id());
    }
}
