//! Issuers that are down, slow or wrong.

use std::time::Duration;

use futures_util::{FutureExt, future::join_all};

use super::{
    keys::{JWKS, fixture, fixture_with},
    *,
};
use crate::resource::RefusalKind;

// spec: MET-10
#[tokio::test]
async fn a_failed_fetch_keeps_the_last_good_set_for_a_bounded_time() {
    let f = fixture_with(|b| b.stale_limit(Duration::from_secs(1000)));
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    f.upstream.answer(JWKS, 500, &[], "");
    f.clock.advance(601);
    assert_eq!(f.status(&f.key).await, StatusCode::OK, "over, and stale");
    let calls = f.upstream.calls();
    assert_eq!(calls, 2);
    for _ in 0..50 {
        assert_eq!(f.status(&f.key).await, StatusCode::OK);
    }
    assert_eq!(f.upstream.calls(), calls, "it is not asked again at once");
    f.clock.advance(998);
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    f.clock.advance(2);
    assert_eq!(f.status(&f.key).await, StatusCode::SERVICE_UNAVAILABLE, "the hard limit");
    f.upstream.json(JWKS, &f.key.document());
    f.clock.advance(5);
    assert_eq!(f.status(&f.key).await, StatusCode::OK, "recovered without a restart");
}

#[tokio::test]
async fn an_unknown_kid_during_an_outage_is_not_known_to_be_bad() {
    let f = fixture();
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    f.upstream.answer(JWKS, 503, &[], "");
    f.clock.advance(6);
    assert_eq!(f.status(&Key::es256()).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(f.status(&Key::es256()).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    assert_eq!(f.upstream.calls(), 2);
}

#[tokio::test]
async fn an_issuer_that_is_down_is_503_with_retry_after_and_never_401() {
    for (status, body) in [(500, ""), (404, ""), (302, ""), (200, "<html>"), (200, "{}"), (200, r#"{"keys":{}}"#)] {
        let f = fixture();
        f.upstream.answer(JWKS, status, &[], body);
        let (response, served) = send(&f.server.layer(), request(&f.fresh(&f.key))).await;
        assert!(!served);
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
        assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
    }
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_hangs_is_503_after_the_timeout() {
    let f = fixture();
    f.upstream.close();
    let started = tokio::time::Instant::now();
    assert_eq!(f.status(&f.key).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(started.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn keys_that_are_due_are_fetched_by_the_way_and_nobody_waits() {
    let f = fixture();
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    f.clock.advance(500);
    f.upstream.close();
    // The fetch hangs; requests pass all the same, and share it.
    for _ in 0..5 {
        assert_eq!(f.status(&f.key).await, StatusCode::OK);
    }
    assert_eq!((f.upstream.calls(), f.upstream.finished()), (2, 1));
    f.upstream.open();
    for _ in 0..5 {
        tokio::task::yield_now().await;
        assert_eq!(f.status(&f.key).await, StatusCode::OK);
    }
    assert_eq!((f.upstream.calls(), f.upstream.finished()), (2, 2));
    f.clock.advance(400);
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    assert_eq!(f.upstream.calls(), 2, "it counts from the second fetch");
}

#[tokio::test]
async fn a_slow_fetch_does_not_hold_up_other_tokens() {
    let f = fixture();
    let known = f.fresh(&f.key);
    assert_eq!(present(&f.server, &known).await.0, StatusCode::OK);
    f.clock.advance(6);
    f.upstream.close();
    let stranger = Key::es256();
    let waiting = f.status(&stranger);
    futures_util::pin_mut!(waiting);
    assert!(waiting.as_mut().now_or_never().is_none());
    // Known ones from the cache, new ones by the keys at hand.
    assert_eq!(present(&f.server, &known).await.0, StatusCode::OK);
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    f.upstream.open();
    assert_eq!(waiting.await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_thousand_first_tokens_make_one_fetch() {
    for good in [true, false] {
        let f = fixture();
        if !good {
            f.upstream.answer(JWKS, 500, &[], "");
        }
        let token = f.fresh(&f.key);
        let statuses = join_all((0..1_000).map(|_| present(&f.server, &token))).await;
        let expected = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        assert!(statuses.iter().all(|(status, _)| *status == expected));
        assert_eq!(f.upstream.calls(), 1);
        assert_eq!(verifications(&f.server), usize::from(good));
    }
}

#[tokio::test]
async fn a_fetch_whose_first_caller_goes_away_is_carried_on_by_the_next() {
    let f = fixture();
    f.upstream.close();
    for _ in 0..300 {
        let attempt = f.status(&f.key);
        futures_util::pin_mut!(attempt);
        assert!(attempt.as_mut().now_or_never().is_none());
    }
    assert_eq!(f.upstream.calls(), 1);
    f.upstream.open();
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    assert_eq!(f.upstream.calls(), 1);
}

#[tokio::test]
async fn warming_up_says_whose_keys_are_missing() {
    let f = fixture();
    f.upstream.answer(JWKS, 500, &[], "");
    assert_eq!(f.server.warm_up().await.unwrap_err().issuers(), [ISSUER]);
    f.upstream.json(JWKS, &f.key.document());
    f.clock.advance(5);
    f.server.warm_up().await.unwrap();
    let refused = f.server.validate_headers(&HeaderMap::new()).await.unwrap_err();
    assert_eq!(*refused.kind(), RefusalKind::MissingCredentials);
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    assert_eq!(f.upstream.calls(), 2);
}

#[tokio::test]
async fn a_fetch_that_nobody_drove_for_long_is_given_up() {
    let f = fixture();
    f.upstream.close();
    assert!(Box::pin(f.status(&f.key)).now_or_never().is_none());
    assert_eq!(f.upstream.calls(), 1);
    f.clock.advance(11);
    f.upstream.open();
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    assert_eq!(f.upstream.calls(), 2);
}

#[tokio::test]
async fn metadata_that_fail_in_one_place_are_not_looked_for_in_the_next() {
    let (key, upstream) = (Key::es256(), Upstream::new());
    upstream.answer("https://as.example/.well-known/oauth-authorization-server", 500, &[], "");
    let server = builder(Issuer::jwt(ISSUER)).http(upstream.client()).build().unwrap();
    assert_eq!(present(&server, &key.good()).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(upstream.calls(), 1);
}

#[cfg(feature = "tracing")]
#[tokio::test]
async fn whoever_runs_the_program_learns_why_the_answer_is_503() {
    let (journal, _guard) = journal::Journal::start();
    let asked = Issuer::introspection("https://asked.example", "https://asked.example/introspect");
    let upstream = Upstream::new();
    upstream.answer("https://asked.example/introspect", 401, &[], "");
    let server = ResourceServer::builder(RESOURCE).issuer(asked.client_basic("api", "hush"));
    let server = server.issuer(Issuer::jwt("https://keys.example")).http(upstream.client()).build().unwrap();
    assert_eq!(present(&server, "very-secret").await.0, StatusCode::SERVICE_UNAVAILABLE);
    server.warm_up().await.unwrap_err();
    let said = journal.at(tracing::Level::WARN).join("\n");
    for part in ["https://asked.example", "401", "https://keys.example", "there are no metadata"] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[cfg(feature = "tracing")]
#[tokio::test]
async fn a_flood_of_tokens_is_no_flood_of_warnings() {
    use super::introspection::{ENDPOINT, active, issuer};
    let (journal, _guard) = journal::Journal::start();
    let (upstream, clock) = (Upstream::new(), clock());
    upstream.json(ENDPOINT, &active());
    let server = builder(issuer().concurrency(1)).http(upstream.client()).clock(clock.clone()).build().unwrap();
    upstream.close();
    for second in 0..3 {
        let tokens: Vec<String> = (0..50).map(|number| format!("random-{second}-{number}")).collect();
        let flood = join_all(tokens.iter().map(|token| present(&server, token)));
        futures_util::pin_mut!(flood);
        assert!(flood.as_mut().now_or_never().is_none());
        assert_eq!(journal.at(tracing::Level::WARN).len(), 1 + second);
        clock.advance(1);
    }
}
