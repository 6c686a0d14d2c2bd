//! How often strangers may register.

use std::net::IpAddr;

use http::Method;
use oauth_core::{endpoint::RemoteAddress, engine::registration::RegistrationSettings};

use super::{app, request, that};
use crate::support::*;

async fn register(w: &World, from: &str, token: Option<&str>) -> Answer {
    let mut request = request(Method::POST, "/register", token, &app().to_string());
    request.extensions_mut().insert(RemoteAddress(from.parse::<IpAddr>().unwrap()));
    w.send(request).await
}

#[track_caller]
fn is_limited(answer: &Answer, seconds: &str) {
    answer.is_refused(429, "temporarily_unavailable");
    assert_eq!(answer.header("retry-after"), seconds);
}

// spec: REG-19
#[tokio::test]
async fn open_registration_is_limited_for_each_address_and_the_next_minute_begins_anew() {
    on_every_store_with(
        |builder| builder.registration(|registration| registration.open().per_minute(2)),
        async |w| {
            w.clock.advance(13);
            for _ in 0..2 {
                assert_eq!(register(&w, "192.0.2.1", None).await.status, 201);
            }
            is_limited(&register(&w, "192.0.2.1", None).await, "47");
            is_limited(&register(&w, "::ffff:192.0.2.1", None).await, "47");
            assert_eq!(register(&w, "192.0.2.2", None).await.status, 201);
            // All nodes count together.
            let other = w.another(|builder| builder.registration(|it| it.open().per_minute(2))).await.unwrap();
            is_limited(&register(&other, "192.0.2.1", None).await, "47");
            w.clock.advance(47);
            assert_eq!(register(&w, "192.0.2.1", None).await.status, 201);
        },
    )
    .await;
}

// spec: REG-19
#[tokio::test]
async fn one_network_is_one_address_and_all_addresses_together_are_limited_too() {
    let w = that(|registration| registration.open().per_minute(1)).await;
    assert_eq!(register(&w, "2001:db8::1", None).await.status, 201);
    is_limited(&register(&w, "2001:db8::ffff:2", None).await, "60");
    for n in 2..=10 {
        assert_eq!(register(&w, &format!("2001:db8:0:{n}::1"), None).await.status, 201, "{n}");
    }
    is_limited(&register(&w, "2001:db8:0:11::1", None).await, "60");
    assert_eq!(w.events.count("client_registered"), 10);
}

// spec: REG-19
#[tokio::test]
async fn whoever_has_an_initial_access_token_is_not_limited_nor_is_a_guess_a_registration() {
    let w = that(|registration| registration.open().per_minute(2).initial_access_token(&"right".into())).await;
    for _ in 0..3 {
        assert_eq!(register(&w, "192.0.2.1", Some("guess")).await.status, 401);
    }
    for _ in 0..2 {
        assert_eq!(register(&w, "192.0.2.1", None).await.status, 201);
    }
    is_limited(&register(&w, "192.0.2.1", None).await, "60");
    for _ in 0..5 {
        assert_eq!(register(&w, "192.0.2.1", Some("right")).await.status, 201);
    }
}

// spec: REG-19
#[tokio::test]
async fn nobody_registers_while_it_cannot_be_counted() {
    let w = that(RegistrationSettings::open).await;
    w.store.set_down(true);
    register(&w, "192.0.2.1", None).await.is_unavailable();
    w.store.set_down(false);
    assert_eq!(register(&w, "192.0.2.1", None).await.status, 201);
}
