//! One question per token, whoever asks, leaves or fails.

use std::{pin::pin, time::Duration};

use futures_util::{FutureExt, future::join_all};

use super::{
    introspection::{ENDPOINT, active, issuer},
    *,
};
use crate::resource::invalidate::Slot;

fn setup() -> (ResourceServer, Upstream, ManualClock) {
    let (upstream, clock) = (Upstream::new(), clock());
    upstream.json(ENDPOINT, &active());
    let server = builder(issuer()).http(upstream.client()).clock(clock.clone()).build().unwrap();
    (server, upstream, clock)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_callers_make_one_question() {
    let (server, upstream, _) = setup();
    for round in 0..5 {
        let tasks = (0..1_000).map(|_| {
            let server = server.clone();
            tokio::spawn(async move { present(&server, &format!("t{round}")).await.0 })
        });
        for status in join_all(tasks).await {
            assert_eq!(status.unwrap(), StatusCode::OK);
        }
        assert_eq!(upstream.calls(), round + 1);
        assert_eq!(server.judge.flights.len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_callers_make_one_question_also_when_it_fails() {
    let (server, upstream, clock) = setup();
    upstream.answer(ENDPOINT, 500, &[], "");
    let tasks = (0..1_000).map(|_| {
        let server = server.clone();
        tokio::spawn(async move { present(&server, "t").await.0 })
    });
    for status in join_all(tasks).await {
        assert_eq!(status.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(upstream.calls(), 1);
    upstream.json(ENDPOINT, &active());
    clock.advance(2);
    assert_eq!(present(&server, "t").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_first_caller_that_goes_away_neither_restarts_nor_fails_the_others() {
    let (server, upstream, _) = setup();
    upstream.close();
    let first = tokio::spawn({
        let server = server.clone();
        async move { present(&server, "t").await.0 }
    });
    tokio::task::yield_now().await;
    assert_eq!(upstream.calls(), 1);
    let others: Vec<_> = (0..100)
        .map(|_| {
            let server = server.clone();
            tokio::spawn(async move { present(&server, "t").await.0 })
        })
        .collect();
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    upstream.open();
    for status in join_all(others).await {
        assert_eq!(status.unwrap(), StatusCode::OK);
    }
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test]
async fn three_hundred_callers_who_leave_one_by_one_do_no_harm() {
    let (server, upstream, _) = setup();
    upstream.close();
    let present = |server: &ResourceServer| {
        let server = server.clone();
        tokio::spawn(async move { present(&server, "t").await.0 })
    };
    let mut current = present(&server);
    tokio::task::yield_now().await;
    for _ in 0..300 {
        let next = present(&server);
        tokio::task::yield_now().await;
        current.abort();
        assert!(current.await.unwrap_err().is_cancelled());
        current = next;
    }
    assert_eq!(upstream.calls(), 1);
    upstream.open();
    assert_eq!(current.await.unwrap(), StatusCode::OK);
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test]
async fn a_flight_that_all_have_left_leaves_nothing_behind() {
    let (server, upstream, _) = setup();
    upstream.close();
    for n in 0..300 {
        let server = server.clone();
        let caller = tokio::spawn(async move { present(&server, &format!("t{}", n % 3)).await.0 });
        tokio::task::yield_now().await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
    }
    assert_eq!(server.judge.flights.len(), 0);
    upstream.open();
    // The places under the cap were given back, too: there are 64.
    assert_eq!(present(&server, "t0").await.0, StatusCode::OK);
}

// spec: RS-21
#[tokio::test]
async fn whoever_joins_a_question_after_a_strike_gets_an_answer_from_after_it() {
    let (server, upstream, _) = setup();
    upstream.close();
    let early = present(&server, "t");
    futures_util::pin_mut!(early);
    assert!(early.as_mut().now_or_never().is_none());
    server.judge.ledger.strike(Slot::issuer(0));
    let late = present(&server, "t");
    futures_util::pin_mut!(late);
    assert!(late.as_mut().now_or_never().is_none());
    assert_eq!(upstream.calls(), 1, "the late one has joined");
    upstream.open();
    let late = late.await;
    assert_eq!((late.0, upstream.calls()), (StatusCode::OK, 2));
    assert_eq!(early.await.0, StatusCode::OK);
    assert!(present(&server, "t").await.1);
    assert_eq!(upstream.calls(), 2, "the second answer was kept");
}

// The time of a verdict is counted from the question, so whoever comes when it is
// over asks anew, although the answer has yet to come.
// spec: INT-13
#[tokio::test]
async fn whoever_joins_a_question_whose_answer_is_too_old_for_them_asks_anew_and_once_for_all() {
    for (cache_for, waited, takes, calls) in
        [(2, 0, 5, 1), (2, 1, 0, 1), (2, 2, 0, 2), (2, 5, 2, 2), (0, 0, 0, 2), (0, 0, 9, 2)]
    {
        let (upstream, clock) = (Upstream::new(), clock());
        upstream.json(ENDPOINT, &active()).close();
        let issuer = issuer().cache_for(Duration::from_secs(cache_for));
        let server = builder(issuer).http(upstream.client()).clock(clock.clone()).build().unwrap();
        let mut early = pin!(present(&server, "t"));
        assert!(early.as_mut().now_or_never().is_none());
        // The issuer has read its record and answers late; the token is revoked meanwhile.
        clock.advance(waited);
        let mut late: Vec<_> = (0..50).map(|_| present(&server, "t").boxed()).collect();
        assert!(late.iter_mut().all(|late| late.now_or_never().is_none()));
        assert_eq!(upstream.calls(), 1, "they have joined");
        clock.advance(takes);
        upstream.open();
        // What it answers that one.
        assert_eq!(early.await.0, StatusCode::OK);
        upstream.json(ENDPOINT, &json!({ "active": false }));
        for status in join_all(late).await {
            assert_eq!(status.0 == StatusCode::OK, calls == 1, "{cache_for} {waited}");
        }
        assert_eq!(upstream.calls(), calls, "{cache_for} {waited}");
    }
}

#[tokio::test]
async fn flights_of_different_tokens_do_not_wait_for_each_other() {
    let (server, upstream, _) = setup();
    upstream.close();
    let slow = present(&server, "slow");
    futures_util::pin_mut!(slow);
    assert!(slow.as_mut().now_or_never().is_none());
    let other = present(&server, "other");
    futures_util::pin_mut!(other);
    assert!(other.as_mut().now_or_never().is_none());
    assert_eq!(upstream.calls(), 2);
    upstream.open();
    assert!(other.await.1);
    assert!(slow.await.1);
}
