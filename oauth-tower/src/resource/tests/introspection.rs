//! Tokens that somebody else is asked about.

use std::time::Duration;

use futures_util::FutureExt;
use http::header::CONTENT_TYPE;

use super::*;
use crate::resource::{IntrospectionIssuer, RefusalKind};

pub(super) const ENDPOINT: &str = "https://as.example/introspect";

pub(super) fn issuer() -> IntrospectionIssuer {
    Issuer::introspection(ISSUER, ENDPOINT).client_basic("api", "hush")
}

pub(super) fn active() -> Value {
    json!({ "active": true, "sub": "ada", "client_id": "app", "aud": RESOURCE, "scope": "read" })
}

pub(super) fn setup(issuer: IntrospectionIssuer, answer: &Value) -> (ResourceServer, Upstream, ManualClock) {
    let (upstream, clock) = (Upstream::new(), clock());
    upstream.json(ENDPOINT, answer);
    let server = builder(issuer).http(upstream.client()).clock(clock.clone()).build().unwrap();
    (server, upstream, clock)
}

#[tokio::test]
async fn the_question_is_a_form_with_the_token_and_our_credentials() {
    let (server, upstream, _) = setup(issuer(), &active());
    let (response, served) = send(&server.layer().require_scope("read"), request("opaque+/token==")).await;
    assert!(served);
    assert_eq!(response.body(), "ada");
    let question = upstream.last();
    assert_eq!(question.method(), "POST");
    assert_eq!(question.headers()[CONTENT_TYPE], "application/x-www-form-urlencoded");
    assert_eq!(question.headers()[AUTHORIZATION], "Basic YXBpOmh1c2g=");
    assert_eq!(question.body(), "token=opaque%2B%2Ftoken%3D%3D&token_type_hint=access_token");
    assert!(question.uri().query().is_none());
}

#[tokio::test]
async fn other_ways_to_authenticate_work_too() {
    let endpoint = || Issuer::introspection(ISSUER, ENDPOINT);
    let (server, upstream, _) = setup(endpoint().client_post("api", "hush"), &active());
    assert!(present(&server, "t").await.1);
    assert!(upstream.last().body().ends_with(b"client_id=api&client_secret=hush"));
    let (server, upstream, _) = setup(endpoint().bearer("secret"), &active());
    assert!(present(&server, "t").await.1);
    assert_eq!(upstream.last().headers()[AUTHORIZATION], "Bearer secret");
}

#[tokio::test]
async fn the_endpoint_can_be_discovered() {
    let (upstream, metadata) = (Upstream::new(), json!({ "issuer": ISSUER, "introspection_endpoint": ENDPOINT }));
    upstream.json("https://as.example/.well-known/oauth-authorization-server", &metadata);
    upstream.json(ENDPOINT, &active());
    let issuer = Issuer::introspection_discovered(ISSUER).client_basic("api", "hush");
    let server = builder(issuer).http(upstream.client()).build().unwrap();
    assert!(present(&server, "one").await.1);
    assert!(present(&server, "two").await.1);
    assert_eq!(upstream.calls(), 3, "metadata once, then two questions");
}

// spec: INT-12
#[tokio::test]
async fn whoever_is_not_plainly_active_is_refused() {
    for answer in [json!({}), json!({ "active": false }), json!({ "active": "true" }), json!({ "active": 1 })] {
        let (server, _, _) = setup(issuer(), &changed(active(), json!({ "active": null })));
        assert_eq!(present(&server, "t").await, (StatusCode::UNAUTHORIZED, false));
        let (server, _, _) = setup(issuer(), &answer);
        assert_eq!(present(&server, "t").await, (StatusCode::UNAUTHORIZED, false));
    }
    for changes in [
        json!({ "aud": "https://other.example" }),
        json!({ "aud": null }),
        json!({ "exp": NOW - 31 }),
        json!({ "nbf": NOW + 31 }),
        json!({ "iss": "https://evil.example" }),
        json!({ "cnf": { "jkt": "x" } }),
        json!({ "cnf": { "unknown": "x" } }),
        json!({ "token_type": "refresh_token" }),
    ] {
        let (server, _, _) = setup(issuer(), &changed(active(), changes.clone()));
        assert_eq!(present(&server, "t").await, (StatusCode::UNAUTHORIZED, false), "{changes}");
    }
    let (server, _, _) = setup(issuer(), &active());
    let (response, _) = send(&server.layer().require_scope("write"), request("t")).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}

// spec: INT-13
#[tokio::test]
async fn an_answer_is_kept_for_its_time_and_never_beyond_exp() {
    let answer = changed(active(), json!({ "exp": NOW + 70 }));
    let (server, upstream, clock) = setup(issuer().cache_for(Duration::from_secs(50)), &answer);
    for (advance, calls) in [(0, 1), (49, 1), (1, 2), (19, 2)] {
        clock.advance(advance);
        assert!(present(&server, "t").await.1);
        assert_eq!(upstream.calls(), calls);
    }
    // `exp` has come, 20 seconds into the second 50: asked again, and the
    // token has the grace of the skew.
    clock.advance(1);
    assert!(present(&server, "t").await.1);
    assert_eq!(upstream.calls(), 3);
}

// spec: INT-13
#[tokio::test]
async fn a_revoked_token_is_refused_once_the_answer_is_over() {
    let (server, upstream, clock) = setup(issuer().cache_for(Duration::from_secs(30)), &active());
    assert!(present(&server, "t").await.1);
    upstream.json(ENDPOINT, &json!({ "active": false }));
    clock.advance(29);
    assert!(present(&server, "t").await.1);
    clock.advance(1);
    assert_eq!(present(&server, "t").await.0, StatusCode::UNAUTHORIZED);
    // The denial is remembered more briefly.
    upstream.json(ENDPOINT, &active());
    assert_eq!(present(&server, "t").await.0, StatusCode::UNAUTHORIZED);
    clock.advance(5);
    assert!(present(&server, "t").await.1);
}

#[tokio::test]
async fn without_cache_time_every_request_asks() {
    let (server, upstream, _) = setup(issuer().cache_for(Duration::ZERO), &active());
    for calls in 1..=3 {
        assert!(present(&server, "t").await.1);
        assert_eq!(upstream.calls(), calls);
    }
}

// spec: INT-14
#[tokio::test]
async fn an_endpoint_that_is_down_or_refuses_us_is_503_and_never_401() {
    for (status, headers, body) in [
        (500, &[][..], ""),
        (503, &[("retry-after", "17")], ""),
        (401, &[("www-authenticate", "Basic realm=x")], "{}"),
        (403, &[], ""),
        (400, &[], r#"{"error":"invalid_request"}"#),
        (404, &[], ""),
        (302, &[("location", "https://evil.example")], ""),
        (200, &[], "<html>"),
        (200, &[], "[]"),
        (200, &[], r#"{"active":false,"active":true}"#),
        (200, &[], ""),
    ] {
        let (server, upstream, _) = setup(issuer(), &json!({}));
        upstream.answer(ENDPOINT, status, headers, body);
        let (response, served) = send(&server.layer(), request("t")).await;
        assert!(!served);
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{status} {body}");
        let retry_after = if status == 503 { "17" } else { "2" };
        assert_eq!(response.headers()["retry-after"], retry_after);
        assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
        assert_eq!(upstream.calls(), 1, "a redirect is not followed");
    }
}

// spec: INT-14
#[tokio::test(start_paused = true)]
async fn an_endpoint_that_hangs_is_503_after_the_timeout() {
    let (server, upstream, _) = setup(issuer(), &active());
    upstream.close();
    assert_eq!(present(&server, "t").await, (StatusCode::SERVICE_UNAVAILABLE, false));
}

#[tokio::test]
async fn a_known_token_outlives_an_outage_for_as_long_as_its_answer() {
    let (server, upstream, clock) = setup(issuer().cache_for(Duration::from_secs(30)), &active());
    assert!(present(&server, "t").await.1);
    upstream.answer(ENDPOINT, 500, &[], "");
    clock.advance(29);
    assert!(present(&server, "t").await.1);
    clock.advance(1);
    assert_eq!(present(&server, "t").await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn random_tokens_are_capped_and_known_ones_do_not_notice() {
    let (server, upstream, clock) = setup(issuer().concurrency(8), &active());
    assert!(present(&server, "known").await.1);
    upstream.close();
    let flood = futures_util::future::join_all((0..100).map(|n| {
        let server = server.clone();
        tokio::spawn(async move { present(&server, &format!("random{n}")).await.0 })
    }));
    futures_util::pin_mut!(flood);
    for _ in 0..10 {
        assert!(flood.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    assert_eq!(upstream.calls(), 1 + 8);
    assert!(present(&server, "known").await.1);
    upstream.open();
    let statuses = flood.await;
    let capped = statuses.iter().filter(|status| *status.as_ref().unwrap() == StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(capped.count(), 92);
    clock.advance(2);
    assert!(present(&server, "random99").await.1, "the places are free again");
}

#[tokio::test]
async fn a_jwt_of_another_issuer_is_not_shown_to_this_one() {
    let (server, upstream, _) = setup(issuer(), &active());
    let key = Key::es256();
    let foreign = key.token(json!({ "iss": "https://evil.example" }));
    assert_eq!(present(&server, &foreign).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(upstream.calls(), 0);
    // Its own, it may know.
    assert!(present(&server, &key.good()).await.1);
    assert_eq!(upstream.calls(), 1);
}

#[test]
fn an_endpoint_in_the_clear_is_refused_when_building() {
    let build = |url: &str, insecure: bool| {
        let builder = builder(Issuer::introspection(ISSUER, url).bearer("t")).http(Upstream::new().client());
        if insecure { builder.insecure_http().build() } else { builder.build() }
    };
    assert!(build("http://as.example/introspect", false).is_err());
    assert!(build("http://as.example/introspect", true).is_err());
    assert!(build("http://127.0.0.1:80/introspect", false).is_err());
    assert!(build("http://127.0.0.1:80/introspect", true).is_ok());
    assert!(build("https://as.example/introspect", false).is_ok());
}

#[tokio::test]
async fn a_refusal_shows_no_token() {
    let (server, _, _) = setup(issuer(), &json!({ "active": false }));
    let refusal = server.validate_headers(&headers("very-secret")).await.unwrap_err();
    assert!(matches!(refusal.kind(), RefusalKind::InvalidToken(_)));
    let shown = format!("{refusal} {refusal:?} {server:?} {:?}", server.judge);
    assert!(!shown.contains("very-secret") && !shown.contains("hush"), "{shown}");
}
