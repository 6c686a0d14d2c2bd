//! Where codes may be sent: to a registered URI, byte for byte, and nowhere else.

use oauth_core::{client::Client, server::AuthorizationServerBuilder};

use crate::support::*;

async fn get(w: &World, ask: &Ask) -> Answer {
    w.get(&ask.uri()).await
}

/// A server that also knows a native app, and a client with a query in its redirect URI.
async fn with_other_clients() -> World {
    let native = Client::builder("native").redirect_uri("http://127.0.0.1/cb").redirect_uri("com.example.app:/cb");
    let query = Client::builder("query").redirect_uri("https://app.example/cb?a=1");
    let clients = [native, query].map(|client| client.build().unwrap());
    on_memory_with(|builder| clients.iter().cloned().fold(builder, AuthorizationServerBuilder::client)).await
}

// spec: AUZ-05, AUZ-06
#[tokio::test]
async fn a_redirect_uri_is_compared_byte_for_byte() {
    let w = on_memory().await;
    for wrong in [
        "https://evil.example/cb",
        "https://APP.example/cb",
        "HTTPS://app.example/cb",
        "https://app.example/CB",
        "https://app.example/cb/",
        "https://app.example/",
        "https://app.example:443/cb",
        "https://app.example/%63b",
        "https://app.example/x/../cb",
        "https://app.example/./cb",
        "https://app.example/cb?",
        "https://app.example/cb?x=1",
        "https://app.example/cb#",
        "https://app.example/cb#x",
        "https://app.example@evil.example/cb",
        "https://app.example\\@evil.example/cb",
        " https://app.example/cb",
        "https://app.example/cb\r\nX: y",
        "http://app.example/cb",
        "javascript:alert(1)",
        "//app.example/cb",
        "/cb",
        "nonsense",
    ] {
        let answer = get(&w, &Ask::of(APP).with("redirect_uri", wrong)).await;
        answer.is_error_page();
        assert!(!answer.body.contains("href"), "{wrong}");
    }
}

// spec: AUZ-05, AUZ-08
#[tokio::test]
async fn a_redirect_uri_may_be_left_out_where_only_one_is_registered() {
    let w = with_other_clients().await;
    let ask = Ask::of(APP).without("redirect_uri");
    Browser::new(&w).approve(&ask).await.strip_prefix(CALLBACK).unwrap();
    get(&w, &ask.with("scope", "nonsense")).await.is_error_redirect("invalid_scope");
    get(&w, &Ask::of(Caller::Public("native")).without("redirect_uri")).await.is_error_page();
}

// spec: AUZ-07
#[tokio::test]
async fn only_the_port_of_a_loopback_redirect_uri_is_free() {
    let w = with_other_clients().await;
    let native = Ask::of(Caller::Public("native"));
    for good in ["http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", "com.example.app:/cb"] {
        let location = Browser::new(&w).approve(&native.clone().with("redirect_uri", good)).await;
        assert!(response_at(good, &location).get("code").is_some());
    }
    for wrong in [
        "https://127.0.0.1:51004/cb",
        "http://localhost:51004/cb",
        "http://[::1]:51004/cb",
        "http://127.0.0.1:51004/cb/",
        "http://127.0.0.1:51004/cb?x",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1@evil.example/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "com.example.app:/other",
        "com.example.app://cb",
    ] {
        get(&w, &native.clone().with("redirect_uri", wrong)).await.is_error_page();
    }
}

// spec: AUZ-15
#[tokio::test]
async fn a_response_keeps_the_query_that_the_redirect_uri_has() {
    let w = with_other_clients().await;
    let uri = "https://app.example/cb?a=1";
    let ask = Ask::of(Caller::Public("query")).with("redirect_uri", uri).with("state", "a b");
    let success = Browser::new(&w).approve(&ask).await;
    assert!(success.starts_with("https://app.example/cb?a=1&code=oac_"), "{success}");
    assert!(success.ends_with("&state=a+b&iss=https%3A%2F%2Fas.example"), "{success}");
    let error = get(&w, &ask.with("scope", "nonsense")).await;
    assert_eq!(error.redirected_to(uri).get("error"), Some("invalid_scope"));
}
