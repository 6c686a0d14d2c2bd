//! How things stand with the issuers, through outage and recovery.

use std::time::Duration;

use futures_util::future::join_all;

use super::{
    introspection::{ENDPOINT, active, issuer},
    keys::{JWKS, fixture, fixture_with},
    *,
};
use crate::resource::{Health, IssuerHealth, IssuerKind, IssuerState};

const METADATA: &str = "https://as.example/.well-known/oauth-authorization-server";

fn only(server: &ResourceServer) -> IssuerHealth {
    let Health { issuers, .. } = server.health();
    let [issuer] = <[IssuerHealth; 1]>::try_from(issuers).unwrap();
    issuer
}

#[tokio::test]
async fn keys_are_unfetched_then_ready_then_stale_then_failing_then_ready_again() {
    let f = fixture_with(|b| b.stale_limit(Duration::from_secs(1000)));
    let state = || {
        let health = only(&f.server);
        (health.state, health.key_age, health.keys_last_for, health.last_failure)
    };
    assert_eq!(state(), (IssuerState::Unfetched, None, None, None));
    assert!(f.server.health().is_ready(), "or nobody would ever send it a token");
    assert_eq!(f.upstream.calls(), 0, "looking asks nobody");
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    assert_eq!(state(), (IssuerState::Ready, Some(0), Some(1600), None));
    f.clock.advance(599);
    assert_eq!(state(), (IssuerState::Ready, Some(599), Some(1001), None));
    f.clock.advance(1);
    assert_eq!(state(), (IssuerState::Stale, Some(600), Some(1000), None));
    f.upstream.answer(JWKS, 500, &[], "");
    f.clock.advance(10);
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    let failed = Some(UnixTime(NOW + 610));
    assert_eq!(state(), (IssuerState::Stale, Some(610), Some(990), failed));
    assert!(f.server.health().is_ready());
    f.clock.advance(990);
    assert_eq!(state(), (IssuerState::Failing, Some(1600), Some(0), failed));
    assert!(!f.server.health().is_ready());
    assert_eq!(f.status(&f.key).await, StatusCode::SERVICE_UNAVAILABLE);
    f.upstream.json(JWKS, &f.key.document());
    f.clock.advance(5);
    f.server.warm_up().await.unwrap();
    let failed = Some(UnixTime(NOW + 1600));
    assert_eq!(state(), (IssuerState::Ready, Some(0), Some(1600), failed), "it is known that it failed");
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
}

#[tokio::test]
async fn an_issuer_that_was_down_from_the_start_is_failing_until_it_is_back() {
    let f = fixture();
    f.upstream.answer(JWKS, 500, &[], "");
    assert_eq!(f.status(&f.key).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(only(&f.server).state, IssuerState::Failing);
    assert_eq!(f.server.health().to_string(), "https://as.example (jwt): failing\n");
    // While it fails, one attempt in each pause goes out, and nobody waits.
    for pause in 0..3 {
        assert_eq!(f.upstream.calls(), 1 + pause);
        for _ in 0..20 {
            assert_eq!(f.status(&f.key).await, StatusCode::SERVICE_UNAVAILABLE);
        }
        f.clock.advance(5);
        let tokens: Vec<String> = (0..20).map(|_| f.fresh(&f.key)).collect();
        join_all(tokens.iter().map(|token| present(&f.server, token))).await;
    }
    f.upstream.json(JWKS, &f.key.document());
    f.clock.advance(5);
    f.server.warm_up().await.unwrap();
    assert_eq!(f.server.health().to_string(), "https://as.example (jwt): ready, keys 0 seconds old\n");
}

#[tokio::test]
async fn keys_that_nobody_needed_for_long_are_no_failure() {
    let f = fixture();
    f.server.warm_up().await.unwrap();
    f.clock.advance(1_000_000);
    let health = only(&f.server);
    assert_eq!((health.state, health.key_age), (IssuerState::Unfetched, Some(1_000_000)));
}

#[tokio::test]
async fn given_keys_are_always_ready_and_have_no_age() {
    let key = Key::es256();
    let server = server(&key);
    assert!(present(&server, &key.good()).await.1);
    let health = server.health();
    assert_eq!((health.verdicts, health.denials), (1, 0));
    let [issuer] = &*health.issuers else { panic!() };
    assert_eq!((issuer.kind, issuer.state, issuer.key_age), (IssuerKind::Jwt, IssuerState::Ready, None));
}

#[tokio::test]
async fn one_failing_issuer_of_two_is_named() {
    let (key, upstream) = (Key::es256(), Upstream::new());
    upstream.answer(JWKS, 500, &[], "");
    let down = Issuer::jwt("https://down.example").jwks_uri(JWKS);
    let server = builder(fixed(&key)).issuer(down).http(upstream.client()).build().unwrap();
    server.warm_up().await.unwrap_err();
    let health = server.health();
    assert!(!health.is_ready());
    let ready: Vec<(&str, bool)> = health.issuers.iter().map(|one| (&*one.issuer, one.is_ready())).collect();
    assert_eq!(ready, [(ISSUER, true), ("https://down.example", false)]);
}

// spec: INT-14
#[tokio::test(start_paused = true)]
async fn a_dead_introspection_endpoint_is_left_alone_and_nobody_waits_for_it() {
    let (upstream, clock) = (Upstream::new(), clock());
    upstream.json(ENDPOINT, &active());
    let server = builder(issuer()).http(upstream.client()).clock(clock.clone()).build().unwrap();
    assert!(present(&server, "known").await.1);
    upstream.close();
    for number in 0..5 {
        assert_eq!(only(&server).state, IssuerState::Ready);
        let began = tokio::time::Instant::now();
        assert_eq!(present(&server, &format!("waits{number}")).await.0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(began.elapsed().as_secs(), 5);
    }
    let (state, failed) = (only(&server).state, only(&server).last_failure);
    assert_eq!((state, failed), (IssuerState::Failing, Some(UnixTime(NOW))));
    // From here on, however many come.
    let (began, calls) = (tokio::time::Instant::now(), upstream.calls());
    for number in 0..100 {
        let (response, served) = send(&server.layer(), request(&format!("random{number}"))).await;
        assert_eq!((response.status(), served), (StatusCode::SERVICE_UNAVAILABLE, false));
        assert!(response.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    }
    assert_eq!((began.elapsed().as_secs(), upstream.calls()), (0, calls));
    assert!(present(&server, "known").await.1, "what is known is not asked");
    // The pause is over: one looks, the others do not wait.
    clock.advance(5);
    assert_eq!(only(&server).state, IssuerState::Ready);
    let tokens: Vec<String> = (0..50).map(|number| format!("after{number}")).collect();
    join_all(tokens.iter().map(|token| present(&server, token))).await;
    assert_eq!((began.elapsed().as_secs(), upstream.calls()), (5, calls + 1));
    clock.advance(5);
    upstream.open();
    assert!(present(&server, "back").await.1);
    assert!(present(&server, "again").await.1);
    assert!(server.health().is_ready());
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_answers_badly_is_asked_all_the_same() {
    let (upstream, clock) = (Upstream::new(), clock());
    let server = builder(issuer()).http(upstream.client()).clock(clock).build().unwrap();
    // Whoever finds a token that breaks the endpoint must not end it for all.
    for number in 0..50 {
        upstream.answer(ENDPOINT, 500, &[], "");
        assert_eq!(present(&server, &format!("bad{number}")).await.0, StatusCode::SERVICE_UNAVAILABLE);
    }
    upstream.json(ENDPOINT, &active());
    assert!(present(&server, "good").await.1);
}

#[tokio::test]
async fn metadata_that_introspection_needs_are_warmed_up_and_watched_too() {
    let (upstream, clock) = (Upstream::new(), clock());
    let issuer = Issuer::introspection_discovered(ISSUER).client_basic("api", "hush");
    let server = builder(issuer).http(upstream.client()).clock(clock.clone()).build().unwrap();
    assert_eq!(only(&server).state, IssuerState::Unfetched);
    assert_eq!(server.warm_up().await.unwrap_err().issuers(), [ISSUER]);
    let health = only(&server);
    assert_eq!((health.kind, health.state, health.key_age), (IssuerKind::Introspection, IssuerState::Failing, None));
    upstream.json(METADATA, &json!({ "issuer": ISSUER, "introspection_endpoint": ENDPOINT }));
    clock.advance(5);
    server.warm_up().await.unwrap();
    assert_eq!(only(&server).state, IssuerState::Ready);
}

#[test]
fn the_words_of_states_and_kinds_are_stable() {
    let states = [IssuerState::Ready, IssuerState::Stale, IssuerState::Unfetched, IssuerState::Failing];
    assert_eq!(states.map(IssuerState::as_str), ["ready", "stale", "unfetched", "failing"]);
    let kinds = [IssuerKind::Jwt, IssuerKind::Introspection, IssuerKind::Local];
    assert_eq!(kinds.map(IssuerKind::as_str), ["jwt", "introspection", "local"]);
}
