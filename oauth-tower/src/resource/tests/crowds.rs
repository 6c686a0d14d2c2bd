//! A thousand callers at once, none of whom has been here before: one of them
//! asks for all, whoever leaves and however it ends.

use futures_util::future::join_all;
use tokio::task::JoinHandle;

use super::{
    introspection::{ENDPOINT, active, issuer},
    keys::{JWKS, fixture},
    *,
};

const METADATA: &str = "https://as.example/.well-known/oauth-authorization-server";
const CROWD: usize = 1_000;

fn caller(server: &ResourceServer, token: &str) -> JoinHandle<StatusCode> {
    let (server, token) = (server.clone(), token.to_owned());
    tokio::spawn(async move { present(&server, &token).await.0 })
}

async fn all(callers: impl IntoIterator<Item = JoinHandle<StatusCode>>, expected: StatusCode) {
    for status in join_all(callers).await {
        assert_eq!(status.unwrap(), expected);
    }
}

/// Until the first request is on its way.
async fn asked(upstream: &Upstream) {
    while upstream.calls() == 0 {
        tokio::task::yield_now().await;
    }
}

/// A different token for each.
fn tokens(key: &Key) -> Vec<String> {
    (0..CROWD).map(|jti| key.token(json!({ "jti": jti.to_string(), "exp": NOW + 3_600 }))).collect()
}

// spec: MET-10
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_different_tokens_make_one_fetch_of_keys_and_one_verification_each() {
    let f = fixture();
    f.upstream.close();
    let callers: Vec<_> = tokens(&f.key).iter().map(|token| caller(&f.server, token)).collect();
    asked(&f.upstream).await;
    f.upstream.open();
    all(callers, StatusCode::OK).await;
    assert_eq!((f.upstream.calls(), verifications(&f.server)), (1, CROWD));
}

// spec: MET-10
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_different_tokens_make_one_fetch_of_keys_also_when_it_fails() {
    let f = fixture();
    f.upstream.answer(JWKS, 500, &[], "").close();
    let tokens = tokens(&f.key);
    let callers: Vec<_> = tokens.iter().map(|token| caller(&f.server, token)).collect();
    asked(&f.upstream).await;
    f.upstream.open();
    all(callers, StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(f.upstream.calls(), 1);
    f.upstream.json(JWKS, &f.key.document());
    f.clock.advance(5);
    all(tokens.iter().map(|token| caller(&f.server, token)), StatusCode::OK).await;
    assert_eq!(f.upstream.calls(), 2);
}

// spec: MET-10
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_fetch_of_keys_goes_on_although_its_first_caller_and_half_of_the_others_go_away() {
    let f = fixture();
    f.upstream.close();
    let tokens = tokens(&f.key);
    let first = caller(&f.server, &tokens[0]);
    asked(&f.upstream).await;
    let callers: Vec<_> = tokens[1..].iter().map(|token| caller(&f.server, token)).collect();
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let (leaving, staying): (Vec<_>, Vec<_>) = callers.into_iter().enumerate().partition(|(n, _)| n % 2 == 0);
    for (_, caller) in &leaving {
        caller.abort();
    }
    f.upstream.open();
    all(staying.into_iter().map(|(_, caller)| caller), StatusCode::OK).await;
    assert_eq!(f.upstream.calls(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_hundred_who_leave_a_fetch_of_keys_one_after_the_other_do_no_harm() {
    let f = fixture();
    f.upstream.close();
    let mut current = caller(&f.server, &f.fresh(&f.key));
    asked(&f.upstream).await;
    for _ in 0..300 {
        let next = caller(&f.server, &f.fresh(&f.key));
        tokio::task::yield_now().await;
        current.abort();
        drop(current.await);
        current = next;
    }
    assert_eq!(f.upstream.calls(), 1);
    f.upstream.open();
    assert_eq!(current.await.unwrap(), StatusCode::OK);
    assert_eq!(f.upstream.calls(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_first_uses_of_an_issuer_read_its_metadata_and_its_keys_once() {
    for good in [true, false] {
        let (key, upstream) = (Key::es256(), Upstream::new());
        upstream.json(METADATA, &json!({ "issuer": ISSUER, "jwks_uri": JWKS }));
        upstream.answer(JWKS, if good { 200 } else { 500 }, &[], &key.document().to_string()).close();
        let server = builder(Issuer::jwt(ISSUER)).http(upstream.client()).build().unwrap();
        let callers: Vec<_> = tokens(&key).iter().map(|token| caller(&server, token)).collect();
        asked(&upstream).await;
        upstream.open();
        all(callers, if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }).await;
        assert_eq!(upstream.urls(), [METADATA, JWKS]);
    }
}

fn asking() -> (ResourceServer, Upstream) {
    let upstream = Upstream::new();
    upstream.json(ENDPOINT, &active()).close();
    (builder(issuer()).http(upstream.client()).build().unwrap(), upstream)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_question_goes_on_although_its_first_caller_and_half_of_the_others_go_away() {
    let (server, upstream) = asking();
    let first = caller(&server, "t");
    asked(&upstream).await;
    let mut callers: Vec<_> = (1..CROWD).map(|_| caller(&server, "t")).collect();
    first.abort();
    drop(first.await);
    let staying = callers.split_off(CROWD / 2);
    callers.iter().for_each(JoinHandle::abort);
    upstream.open();
    all(staying, StatusCode::OK).await;
    assert_eq!((upstream.calls(), server.judge.flights.len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_hundred_who_leave_a_question_one_after_the_other_do_no_harm() {
    let (server, upstream) = asking();
    let mut current = caller(&server, "t");
    asked(&upstream).await;
    for _ in 0..300 {
        let next = caller(&server, "t");
        tokio::task::yield_now().await;
        current.abort();
        drop(current.await);
        current = next;
    }
    upstream.open();
    assert_eq!(current.await.unwrap(), StatusCode::OK);
    assert!(present(&server, "t").await.1);
    assert_eq!(server.judge.flights.len(), 0);
}
