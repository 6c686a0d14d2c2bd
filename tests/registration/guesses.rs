//! Guessing tokens: initial access tokens, and those with which clients manage their registrations.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use http::{Method, Request};
use oauth_core::{
    endpoint::RemoteAddress,
    engine::{client_auth::ClientAuthentication, fault::Fault, policy::HostFuture, registration::InitialAccessTokens},
    secret::Secret,
    server::AuthorizationServerBuilder,
};

use super::{Registered, app, is_unauthorized, registered, request};
use crate::support::*;

const RIGHT: &str = "an-initial-access-token-of-ours";
const METHODS: [Method; 3] = [Method::GET, Method::PUT, Method::DELETE];

/// Two wrong secrets in a minute.
fn two(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    builder.client_authentication(|how: &mut ClientAuthentication| how.failures_per_minute = 2)
}

/// Two wrong ones, where whoever has the token may register.
fn closed(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    two(builder).registration(|it| it.initial_access_token(&RIGHT.into()))
}

/// Two wrong ones, where everybody may register and clients manage themselves.
fn managed(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    two(builder).registration(|it| it.open().manageable().per_minute(0))
}

async fn send(w: &World, from: &str, mut request: Request<bytes::Bytes>) -> Answer {
    request.extensions_mut().insert(RemoteAddress(from.parse::<IpAddr>().unwrap()));
    w.send(request).await
}

async fn register(w: &World, from: &str, token: Option<&str>) -> Answer {
    send(w, from, request(Method::POST, "/register", token, &app().to_string())).await
}

async fn manage(w: &World, from: &str, method: Method, path: &str, token: &str) -> Answer {
    send(w, from, request(method, path, Some(token), "nonsense")).await
}

async fn show(w: &World, from: &str, client: &Registered) -> Answer {
    manage(w, from, Method::GET, client.path(), client.token()).await
}

#[track_caller]
fn is_limited(answer: &Answer, seconds: &str) {
    answer.is_refused(429, "temporarily_unavailable");
    assert_eq!(answer.header("retry-after"), seconds);
    assert_eq!(answer.header("www-authenticate"), "");
}

// spec: CAU-11
#[tokio::test]
async fn after_too_many_wrong_initial_access_tokens_an_address_waits_and_the_right_one_works_from_elsewhere() {
    on_every_store_with(closed, async |w| {
        for _ in 0..2 {
            is_unauthorized(&register(&w, "192.0.2.1", Some("guess")).await, true);
        }
        w.clock.advance(13);
        // Whether it would be right is not looked at.
        for (from, token) in [("192.0.2.1", "guess"), ("192.0.2.1", RIGHT), ("::ffff:192.0.2.1", RIGHT)] {
            is_limited(&register(&w, from, Some(token)).await, "47");
            assert_eq!(register(&w, "192.0.2.2", Some(RIGHT)).await.status, 201);
        }
        is_unauthorized(&register(&w, "192.0.2.1", None).await, false);
        assert_eq!(w.events.count("client_authentication_limited"), 3);
        // Another node hears of it at the first guess there.
        let other = w.another(closed).await.unwrap();
        is_unauthorized(&register(&other, "192.0.2.1", Some("guess")).await, true);
        is_limited(&register(&other, "192.0.2.1", Some(RIGHT)).await, "60");
        w.clock.advance(46);
        is_limited(&register(&w, "192.0.2.1", Some(RIGHT)).await, "1");
        w.clock.advance(1);
        assert_eq!(register(&w, "192.0.2.1", Some(RIGHT)).await.status, 201);
    })
    .await;
}

// spec: CAU-11
#[tokio::test]
async fn after_too_many_wrong_registration_access_tokens_an_address_waits_whatever_it_asks_for() {
    on_every_store_with(managed, async |w| {
        let another = registered(&w, &app()).await;
        for wrong in METHODS {
            let client = registered(&w, &app()).await;
            for _ in 0..2 {
                let answer = manage(&w, "192.0.2.1", wrong.clone(), client.path(), another.token()).await;
                is_unauthorized(&answer, true);
            }
            for method in METHODS {
                for token in [client.token(), "x"] {
                    is_limited(&manage(&w, "192.0.2.1", method.clone(), client.path(), token).await, "60");
                }
            }
            // Elsewhere it works, and so do others here.
            assert_eq!(show(&w, "192.0.2.2", &client).await.status, 200);
            assert_eq!(show(&w, "192.0.2.1", &another).await.status, 200);
            w.clock.advance(59);
            is_limited(&show(&w, "192.0.2.1", &client).await, "1");
            w.clock.advance(1);
            assert_eq!(show(&w, "192.0.2.1", &client).await.status, 200);
        }
        assert_eq!((w.events.count("client_deleted"), w.events.count("client_updated")), (0, 0));
    })
    .await;
}

// spec: CAU-11, REG-26
#[tokio::test]
async fn a_client_that_does_not_exist_is_limited_just_the_same_and_one_address_tries_ten_and_no_more() {
    let w = on_memory_with(managed).await;
    let client = registered(&w, &app()).await;
    for stranger in 0..10 {
        let path = format!("/register/dyn-{stranger}");
        for _ in 0..2 {
            is_unauthorized(&manage(&w, "2001:db8::1", Method::GET, &path, "x").await, true);
        }
        is_limited(&manage(&w, "2001:db8::2", Method::GET, &path, "x").await, "60");
    }
    is_limited(&show(&w, "2001:db8::ffff", &client).await, "60");
    assert_eq!(show(&w, "2001:db8:0:1::1", &client).await.status, 200);
}

// spec: CAU-11
#[tokio::test]
async fn the_secrets_of_a_client_are_guessed_at_together() {
    let w = on_memory_with(managed).await;
    let client = registered(&w, &app()).await;
    is_unauthorized(&manage(&w, "192.0.2.1", Method::GET, client.path(), "x").await, true);
    let post_as = |secret: &'static str| post("/token", Caller::Basic(client.id(), secret), &[("grant_type", "x")]);
    send(&w, "192.0.2.1", post_as("wrong")).await.is_refused(401, "invalid_client");
    is_limited(&show(&w, "192.0.2.1", &client).await, "60");
    is_limited(&send(&w, "192.0.2.1", post_as(client.text("client_secret"))).await, "60");
    send(&w, "192.0.2.2", post_as(client.text("client_secret"))).await.is_refused(400, "unsupported_grant_type");
}

// spec: CAU-11
#[tokio::test]
async fn success_is_not_counted_nor_is_what_shows_no_token_and_registering_is_another_limit() {
    let set = |builder| {
        two(builder).registration(|it| it.open().manageable().per_minute(0).initial_access_token(&RIGHT.into()))
    };
    let w = on_memory_with(set).await;
    let client = registered(&w, &app()).await;
    for _ in 0..5 {
        assert_eq!(register(&w, "192.0.2.1", Some(RIGHT)).await.status, 201);
        assert_eq!(show(&w, "192.0.2.1", &client).await.status, 200);
        is_unauthorized(&send(&w, "192.0.2.1", request(Method::GET, client.path(), None, "")).await, false);
    }
    is_unauthorized(&register(&w, "192.0.2.1", Some("x")).await, true);
    is_unauthorized(&manage(&w, "192.0.2.1", Method::GET, client.path(), "x").await, true);
    assert_eq!(show(&w, "192.0.2.1", &client).await.status, 200);
    assert_eq!(register(&w, "192.0.2.1", Some(RIGHT)).await.status, 201);
    // That forgives nothing.
    is_unauthorized(&register(&w, "192.0.2.1", Some("x")).await, true);
    is_limited(&register(&w, "192.0.2.1", Some(RIGHT)).await, "60");
    assert_eq!(register(&w, "192.0.2.1", None).await.status, 201);
    // Where no token is taken, there is none to guess.
    let open = on_memory_with(managed).await;
    for _ in 0..5 {
        assert_eq!(register(&open, "192.0.2.1", Some("x")).await.status, 201);
    }
}

// spec: CAU-11
#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_once_do_not_slip_through_together() {
    let (w, own) = (on_memory_with(closed).await, on_memory_with(managed).await);
    let client = registered(&own, &app()).await;
    let guess = |number| {
        let (w, own, path) = (w.clone(), own.clone(), client.path());
        async move {
            match number % 2 {
                0 => register(&w, "192.0.2.1", Some("x")).await.status.as_u16(),
                _ => manage(&own, "192.0.2.1", Method::GET, path, "x").await.status.as_u16(),
            }
        }
    };
    let statuses = all_at_once(100, guess).await;
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 2 + 2);
}

/// Knows one token, fails when asked about `outage`, and counts how often it is asked.
#[derive(Debug)]
struct Directory;

static ASKED: AtomicUsize = AtomicUsize::new(0);

impl InitialAccessTokens for Directory {
    fn holder<'a>(&'a self, token: &'a Secret) -> HostFuture<'a, Option<String>> {
        ASKED.fetch_add(1, SeqCst);
        Box::pin(async move {
            match token.expose() {
                "outage" => Err(Fault::Host("the directory is away".into())),
                token => Ok((token == RIGHT).then(|| "ada".to_owned())),
            }
        })
    }
}

// spec: CAU-11
#[tokio::test]
async fn an_outage_is_no_guess_and_past_the_limit_nobody_is_asked() {
    let w = on_memory_with(|builder| {
        two(builder).registration(|it| it.open().manageable().per_minute(0).initial_access_tokens(Directory))
    })
    .await;
    let client = registered(&w, &app()).await;
    for _ in 0..5 {
        register(&w, "192.0.2.1", Some("outage")).await.is_unavailable();
        w.store.set_down(true);
        manage(&w, "192.0.2.1", Method::GET, client.path(), "x").await.is_unavailable();
        w.store.set_down(false);
    }
    assert_eq!(show(&w, "192.0.2.1", &client).await.status, 200);
    assert_eq!(register(&w, "192.0.2.1", Some(RIGHT)).await.status, 201);
    // Each node counts, even while the store does not.
    w.store.set_down(true);
    for _ in 0..2 {
        is_unauthorized(&register(&w, "192.0.2.1", Some("x")).await, true);
    }
    w.store.set_down(false);
    let (asked, calls) = (ASKED.load(SeqCst), w.store.calls());
    is_limited(&register(&w, "192.0.2.1", Some(RIGHT)).await, "60");
    assert_eq!((ASKED.load(SeqCst), w.store.calls()), (asked, calls));
}
