//! Verdicts that fall because somebody says so.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use oauth_core::clock::UnixTime;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::service_fn;

use super::{ISSUER, Key, NOW, RESOURCE, builder, headers, server, upstream::Upstream, verifications};
use crate::{
    outgoing::HttpClient,
    resource::{Issuer, ResourceServer},
};

const URL: &str = "https://as.example/introspect";

async fn accepts(server: &ResourceServer, token: &str) -> bool {
    server.validate_headers(&headers(token)).await.is_ok()
}

fn asked(upstream: &Upstream) -> ResourceServer {
    let issuer = Issuer::introspection(ISSUER, URL).client_basic("api", "secret");
    builder(issuer).http(upstream.client()).build().unwrap()
}

fn answer(active: bool) -> Value {
    json!({ "active": active, "sub": "ada", "aud": RESOURCE, "grant_ref": "g1" })
}

#[tokio::test]
async fn a_token_that_is_forgotten_is_asked_about_again_and_others_are_not() {
    let upstream = Upstream::new();
    let server = asked(&upstream);
    upstream.json(URL, &answer(true));
    assert!(accepts(&server, "one").await && accepts(&server, "other").await);
    upstream.json(URL, &answer(false));
    server.forget_token("one");
    assert!(!accepts(&server, "one").await);
    assert!(accepts(&server, "other").await, "still out of the cache");
    assert_eq!(upstream.calls(), 3);
    // A denial is forgotten as well.
    upstream.json(URL, &answer(true));
    assert!(!accepts(&server, "one").await);
    server.forget_token("one");
    assert!(accepts(&server, "one").await);
}

#[tokio::test]
async fn a_grant_that_is_forgotten_takes_its_tokens_along() {
    let upstream = Upstream::new();
    let server = asked(&upstream);
    upstream.json(URL, &answer(true));
    assert!(accepts(&server, "one").await && accepts(&server, "two").await);
    upstream.json(URL, &answer(false));
    server.forget_grant("https://elsewhere.example", "g1");
    server.forget_grant(ISSUER, "g2");
    assert!(accepts(&server, "one").await, "another grant");
    server.forget_grant(ISSUER, "g1");
    assert!(!accepts(&server, "one").await && !accepts(&server, "two").await);
}

#[tokio::test]
async fn keys_grants_and_issuers_of_jwts_are_forgotten_alike() {
    let key = Key::es256();
    let server = server(&key);
    let token = key.token(json!({ "grant_ref": "g1" }));
    let steps: [&dyn Fn(); 5] = [
        &|| server.forget_key(ISSUER, key.key.public_key().thumbprint()),
        &|| server.forget_grant(ISSUER, "g1"),
        &|| server.forget_issuer(ISSUER),
        &|| server.forget_token(&token),
        &|| server.forget_all(),
    ];
    for (number, forget) in steps.into_iter().enumerate() {
        for _ in 0..3 {
            assert!(accepts(&server, &token).await);
        }
        assert_eq!(verifications(&server), number + 1);
        forget();
    }
    server.forget_key(ISSUER, "another");
    server.forget_issuer("https://elsewhere.example");
    assert!(accepts(&server, &token).await);
    assert_eq!(verifications(&server), 6);
}

/// An issuer that is asked twice: it calls the token active, and then not.
fn wavering(gate: &watch::Sender<bool>, calls: &Arc<AtomicUsize>) -> HttpClient {
    let (gate, calls) = (gate.clone(), Arc::clone(calls));
    HttpClient::new(service_fn(move |_: Request<Bytes>| {
        let (gate, number) = (gate.clone(), calls.fetch_add(1, Ordering::SeqCst));
        async move {
            gate.subscribe().wait_for(|open| *open).await.unwrap();
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(answer(number == 0).to_string())))
        }
    }))
}

#[tokio::test]
async fn a_token_forgotten_while_it_is_asked_about_is_asked_about_again() {
    let (gate, calls) = (watch::Sender::new(false), Arc::new(AtomicUsize::new(0)));
    let issuer = Issuer::introspection(ISSUER, URL).client_basic("api", "secret");
    let server = builder(issuer).http(wavering(&gate, &calls)).build().unwrap();
    let waiting = tokio::spawn({
        let server = server.clone();
        async move { accepts(&server, "one").await }
    });
    while calls.load(Ordering::SeqCst) < 1 {
        tokio::task::yield_now().await;
    }
    server.forget_token("one");
    gate.send_replace(true);
    assert!(!waiting.await.unwrap(), "the answer to the question that was put before is void");
    assert!(!accepts(&server, "one").await);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_void_answer_is_not_kept_although_nobody_waits_for_a_better_one() {
    let (gate, calls) = (watch::Sender::new(true), Arc::new(AtomicUsize::new(0)));
    let issuer = Issuer::introspection(ISSUER, URL).client_basic("api", "secret");
    let server = builder(issuer).http(wavering(&gate, &calls)).build().unwrap();
    let lookup = server.judge.cache.lookup(b"one");
    let old = server.validate_headers(&headers("one")).await.unwrap();
    server.forget_token("one");
    server.judge.keep(&lookup, &old, UnixTime(NOW));
    assert!(!accepts(&server, "one").await, "it was found before the token was forgotten");
}

#[tokio::test]
async fn a_key_that_is_forgotten_is_good_again_only_if_it_is_still_published() {
    const KEYS: &str = "https://as.example/jwks";
    let (key, upstream) = (Key::es256(), Upstream::new());
    upstream.json(KEYS, &key.document());
    let server = builder(Issuer::jwt(ISSUER).jwks_uri(KEYS)).http(upstream.client()).build().unwrap();
    let thumbprint = key.key.public_key().thumbprint();
    let token = key.good();
    assert!(accepts(&server, &token).await);
    server.forget_key(ISSUER, thumbprint);
    assert!(accepts(&server, &token).await, "it was only a rumour");
    assert_eq!(upstream.calls(), 2);
    upstream.json(KEYS, &Key::es256().document());
    server.forget_key(ISSUER, thumbprint);
    assert!(!accepts(&server, &token).await);
    // Until the keys are known again, nobody says yes or no.
    server.forget_key(ISSUER, thumbprint);
    upstream.answer(KEYS, 500, &[], "");
    assert_eq!(server.validate_headers(&headers(&token)).await.unwrap_err().status(), 503);
}

#[tokio::test]
async fn keys_that_were_asked_for_before_are_not_waited_for() {
    const KEYS: &str = "https://as.example/jwks";
    let (key, upstream) = (Key::es256(), Upstream::new());
    upstream.json(KEYS, &key.document()).close();
    let server = builder(Issuer::jwt(ISSUER).jwks_uri(KEYS)).http(upstream.client()).build().unwrap();
    let ask = |token: String| {
        let server = server.clone();
        tokio::spawn(async move { accepts(&server, &token).await })
    };
    let early = ask(key.good());
    while upstream.calls() < 1 {
        tokio::task::yield_now().await;
    }
    server.forget_key(ISSUER, key.key.public_key().thumbprint());
    let late = ask(key.token(json!({ "jti": "2" })));
    while upstream.calls() < 2 {
        tokio::task::yield_now().await;
    }
    upstream.open();
    assert!(early.await.unwrap() && late.await.unwrap());
    assert!(accepts(&server, &key.token(json!({ "jti": "3" }))).await);
}
