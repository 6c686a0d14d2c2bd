//! Guessing is slowed down, and nobody is locked out by others (OAuth 2.1 section 2.3.1).

use http::{Request, header};
use oauth_core::{engine::client_auth::ClientAuthentication, jwt::Algorithm, server::AuthorizationServerBuilder};
use oauth_tower::proxy::PeerAddress;

use super::{
    ENDPOINTS, PARAMS,
    assertion::{Signer, body},
};
use crate::support::*;

/// Two failures in a minute.
fn two(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    builder.client_authentication(|how: &mut ClientAuthentication| how.failures_per_minute = 2)
}

/// A request from `address`, as the listener hands it on.
async fn from(w: &World, address: &str, uri: &str, pair: &str) -> Answer {
    let request = Request::post(uri).header(header::AUTHORIZATION, basic(pair));
    ask(w, address, request, PARAMS).await
}

async fn ask(w: &World, address: &str, request: http::request::Builder, body: &str) -> Answer {
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = request.extension(PeerAddress(format!("{address}:50000").parse().unwrap()));
    w.send(request.body(body.to_owned().into()).unwrap()).await
}

const GOOD: &str = "web:web-secret-7Xk2";

#[track_caller]
fn is_limited(answer: &Answer) {
    answer.is_refused(429, "temporarily_unavailable");
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{answer}");
}

// spec: CAU-11
#[tokio::test]
async fn after_too_many_failures_an_address_waits_and_the_secret_works_from_elsewhere_all_the_while() {
    for endpoint in ENDPOINTS {
        let w = on_memory_with(two).await;
        for _ in 0..2 {
            from(&w, "192.0.2.1", endpoint, "web:wrong").await.is_refused(401, "invalid_client");
        }
        for uri in ENDPOINTS {
            // Whether it would be right is not looked at.
            for pair in ["web:wrong", GOOD] {
                is_limited(&from(&w, "192.0.2.1", uri, pair).await);
            }
            assert_eq!(from(&w, "192.0.2.2", uri, GOOD).await.status, 200);
        }
        // Another client at the same address.
        assert_ne!(from(&w, "192.0.2.1", endpoint, "auditor:auditor-secret-5Rt0").await.status, 429);
        w.clock.advance(59);
        is_limited(&from(&w, "192.0.2.1", endpoint, GOOD).await);
        w.clock.advance(1);
        assert_eq!(from(&w, "192.0.2.1", endpoint, GOOD).await.status, 200);
        assert!(w.events.count("client_authentication_limited") > 6);
    }
}

// spec: CAU-11
#[tokio::test]
async fn a_client_that_does_not_exist_is_limited_just_the_same_and_so_is_every_method() {
    let signer = Signer::new("signer", Algorithm::ES256);
    let thief = Signer::new("signer", Algorithm::ES256);
    let w = on_memory_with(|builder| two(builder).client(signer.registered())).await;
    for _ in 0..2 {
        from(&w, "192.0.2.1", "/token", "who:wrong").await.is_refused(401, "invalid_client");
        let forged = ask(&w, "192.0.2.1", Request::post("/token"), &body(&thief.good("1"))).await;
        forged.is_refused(401, "invalid_client");
        let posted = format!("{PARAMS}&client_id=form&client_secret=x");
        ask(&w, "192.0.2.1", Request::post("/token"), &posted).await.is_refused(401, "invalid_client");
    }
    is_limited(&from(&w, "192.0.2.1", "/token", "who:wrong").await);
    is_limited(&ask(&w, "192.0.2.1", Request::post("/token"), &body(&signer.good("1"))).await);
    let posted = format!("{PARAMS}&client_id=form&client_secret=form-secret-9Qz4");
    is_limited(&ask(&w, "192.0.2.1", Request::post("/revoke"), &posted).await);
    // The assertion was not used up.
    assert_eq!(ask(&w, "192.0.2.2", Request::post("/token"), &body(&signer.good("1"))).await.status, 200);
}

// spec: CAU-11
#[tokio::test]
async fn one_address_tries_ten_clients_and_no_more() {
    let w = on_memory_with(two).await;
    for client in 0..20 {
        from(&w, "[2001:db8::1]", "/token", &format!("c{client}:x")).await.is_refused(401, "invalid_client");
    }
    is_limited(&from(&w, "[2001:db8::2]", "/token", GOOD).await);
    assert_eq!(from(&w, "[2001:db8:0:1::1]", "/token", GOOD).await.status, 200);
}

// spec: CAU-11
#[tokio::test]
async fn success_is_not_counted_and_malformed_requests_are_no_guesses() {
    let w = on_memory_with(two).await;
    for _ in 0..10 {
        assert_eq!(from(&w, "192.0.2.1", "/token", GOOD).await.status, 200);
        ask(&w, "192.0.2.1", Request::post("/token"), PARAMS).await.is_refused(401, "invalid_client");
        let twice = format!("{PARAMS}&client_id=web&client_secret=x&client_assertion=y");
        ask(&w, "192.0.2.1", Request::post("/token"), &twice).await.is_refused(400, "invalid_request");
    }
    from(&w, "192.0.2.1", "/token", "web:wrong").await.is_refused(401, "invalid_client");
    assert_eq!(from(&w, "192.0.2.1", "/token", GOOD).await.status, 200);
}

// spec: CAU-11
#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_once_do_not_slip_through_together() {
    let w = on_memory_with(two).await;
    let statuses = all_at_once(50, |_| {
        let w = w.clone();
        async move { from(&w, "192.0.2.1", "/token", "web:wrong").await.status.as_u16() }
    })
    .await;
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 2);
}

// spec: CAU-11
#[tokio::test]
async fn nodes_on_one_store_share_the_limit() {
    on_every_store_with(two, async |w| {
        let node = w.another(two).await.unwrap();
        from(&w, "192.0.2.1", "/token", "web:wrong").await.is_refused(401, "invalid_client");
        from(&node, "192.0.2.1", "/token", "web:wrong").await.is_refused(401, "invalid_client");
        is_limited(&from(&node, "192.0.2.1", "/token", GOOD).await);
        from(&w, "192.0.2.1", "/token", "web:wrong").await.is_refused(401, "invalid_client");
        is_limited(&from(&w, "192.0.2.1", "/token", GOOD).await);
        assert_eq!(from(&node, "192.0.2.2", "/token", GOOD).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn zero_is_no_limit_and_an_outage_is_no_failure() {
    let off = |builder: AuthorizationServerBuilder| builder.client_authentication(|how| how.failures_per_minute = 0);
    let w = on_memory_with(off).await;
    for _ in 0..100 {
        from(&w, "192.0.2.1", "/token", "web:wrong").await.is_refused(401, "invalid_client");
    }
    let w = on_memory_with(two).await;
    w.store.set_down(true);
    for _ in 0..10 {
        from(&w, "192.0.2.1", "/token", "stored:secret").await.is_unavailable();
    }
    // What the client does not hear of does not wait for the store either.
    from(&w, "192.0.2.1", "/token", "web:wrong").await.is_refused(401, "invalid_client");
    w.store.set_down(false);
    from(&w, "192.0.2.1", "/token", "stored:secret").await.is_refused(401, "invalid_client");
}
