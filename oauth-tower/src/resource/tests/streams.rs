//! Streams that end with their token.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};

use super::{
    introspection::{ENDPOINT, active, setup},
    *,
};
use crate::resource::{TokenEnd, TokenLife};

/// How long the token that was accepted is good.
async fn lifetime(api: &ResourceServer, token: &str) -> TokenLife {
    let headers = headers(token);
    let accepted = api.validate_headers(&headers).await.unwrap();
    api.lifetime(&accepted, &headers)
}

/// Time goes on for everybody: the clock, and those who sleep.
async fn pass(clock: &ManualClock, seconds: u64) {
    for _ in 0..seconds {
        clock.advance(1);
        tokio::time::advance(Duration::from_secs(1)).await;
        settle().await;
    }
}

/// Everybody who can go on does.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_its_token_expires() {
    let (key, clock) = (Key::es256(), clock());
    let api = builder(fixed(&key)).clock(clock.clone()).build().unwrap();
    let mut life = tokio::spawn(lifetime(&api, &key.good()).await);
    pass(&clock, 299).await;
    assert!((&mut life).now_or_never().is_none());
    pass(&clock, 1).await;
    assert_eq!(life.await.unwrap(), TokenEnd::Expired);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_is_noticed_within_half_a_minute() {
    let (key, clock) = (Key::es256(), clock());
    let api = builder(fixed(&key)).clock(clock.clone()).build().unwrap();
    let life = tokio::spawn(lifetime(&api, &key.good()).await);
    tokio::task::yield_now().await;
    clock.advance(10_000);
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(life.await.unwrap(), TokenEnd::Expired);
}

#[tokio::test(start_paused = true)]
async fn it_ends_at_once_when_the_token_is_known_to_be_revoked() {
    let (api, upstream, _) = setup(introspection::issuer().cache_for(Duration::from_secs(60)), &active());
    let mut life = tokio::spawn(lifetime(&api, "t").await);
    tokio::task::yield_now().await;
    // Something else was revoked: asked anew, and good still.
    api.forget_issuer(ISSUER);
    tokio::time::advance(Duration::from_millis(1)).await;
    settle().await;
    assert!((&mut life).now_or_never().is_none());
    assert_eq!(upstream.calls(), 2);
    upstream.json(ENDPOINT, &json!({ "active": false }));
    api.forget_token("t");
    assert_eq!(life.await.unwrap(), TokenEnd::Refused);
    assert_eq!(upstream.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn without_word_of_it_the_issuer_is_asked_when_the_verdict_is_over() {
    let (api, upstream, clock) = setup(introspection::issuer().cache_for(Duration::from_secs(10)), &active());
    let mut life = tokio::spawn(lifetime(&api, "t").await);
    pass(&clock, 25).await;
    assert!((&mut life).now_or_never().is_none());
    assert_eq!(upstream.calls(), 3);
    upstream.json(ENDPOINT, &json!({ "active": false }));
    pass(&clock, 4).await;
    assert!((&mut life).now_or_never().is_none());
    pass(&clock, 2).await;
    assert_eq!(life.await.unwrap(), TokenEnd::Refused);
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_remembered_it_is_asked_once_a_second_and_no_more() {
    let (api, upstream, clock) = setup(introspection::issuer().cache_for(Duration::ZERO), &active());
    let life = tokio::spawn(lifetime(&api, "t").await);
    pass(&clock, 10).await;
    assert!((9..=12).contains(&upstream.calls()), "{}", upstream.calls());
    life.abort();
}

#[tokio::test(start_paused = true)]
async fn another_subject_or_less_scope_is_the_end() {
    for change in [json!({ "sub": "eve" }), json!({ "client_id": "other" }), json!({ "scope": "write" })] {
        let (api, upstream, _) = setup(introspection::issuer().cache_for(Duration::from_secs(60)), &active());
        let life = tokio::spawn(lifetime(&api, "t").await);
        tokio::task::yield_now().await;
        upstream.json(ENDPOINT, &changed(active(), change));
        api.forget_all();
        assert_eq!(life.await.unwrap(), TokenEnd::Refused);
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_can_be_asked_it_ends_unless_it_has_patience() {
    let issuer = || introspection::issuer().cache_for(Duration::from_secs(10));
    let (api, upstream, clock) = setup(issuer(), &active());
    let life = tokio::spawn(lifetime(&api, "t").await);
    let patient = tokio::spawn(lifetime(&api, "t").await.patience(Duration::from_secs(60)));
    tokio::task::yield_now().await;
    upstream.answer(ENDPOINT, 500, &[], "");
    pass(&clock, 11).await;
    assert_eq!(life.await.unwrap(), TokenEnd::Unavailable);
    assert!(!patient.is_finished());
    pass(&clock, 100).await;
    assert_eq!(patient.await.unwrap(), TokenEnd::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn bodies_and_streams_end_with_it_and_not_before_they_are_through() {
    let (key, clock) = (Key::es256(), clock());
    let api = builder(fixed(&key)).clock(clock.clone()).build().unwrap();
    let life = lifetime(&api, &key.good()).await;
    assert_eq!(life.stream(stream::iter([1, 2, 3])).collect::<Vec<_>>().await, [1, 2, 3]);
    // One that never ends by itself.
    let frames = stream::iter([Ok::<_, Infallible>(http_body::Frame::data(Bytes::from("a")))]);
    let endless = frames.chain(stream::pending());
    let response = lifetime(&api, &key.good()).await.response(Response::new(StreamBody::new(endless)));
    let read = tokio::spawn(BodyExt::collect(response.into_body()));
    pass(&clock, 301).await;
    assert_eq!(read.await.unwrap().unwrap().to_bytes(), "a");
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_the_resource_server() {
    let key = Key::es256();
    let api = server(&key);
    let life = tokio::spawn(lifetime(&api, &key.good()).await);
    tokio::task::yield_now().await;
    drop(api);
    assert_eq!(life.await.unwrap(), TokenEnd::Unavailable);
}
