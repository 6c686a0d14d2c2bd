//! Keys that change while tokens are being judged.

use futures_util::FutureExt;
use oauth_core::clock::Clock;

use super::{
    keys::{Fixture, JWKS, fixture},
    *,
};
use crate::resource::{
    fetched::{Availability, Newer},
    jwks::Keys,
    validate::Mechanism,
};

impl Fixture {
    fn keys(&self) -> &Keys {
        let Mechanism::Jwt(verifier) = &self.server.judge.issuers[0].mechanism else { panic!() };
        &verifier.keys
    }
}

#[tokio::test]
async fn a_key_that_is_withdrawn_takes_its_tokens_along_though_nothing_else_comes() {
    let f = fixture();
    let token = f.fresh(&f.key);
    assert!(present(&f.server, &token).await.1);
    f.upstream.json(JWKS, &Key::es256().document());
    f.clock.advance(449);
    assert!(present(&f.server, &token).await.1);
    assert_eq!((f.upstream.calls(), verifications(&f.server)), (1, 1), "from the cache");
    f.clock.advance(151);
    assert_eq!(present(&f.server, &token).await.0, StatusCode::UNAUTHORIZED, "the keys are over");
    assert_eq!(f.upstream.calls(), 2);
}

#[tokio::test]
async fn a_token_that_comes_alone_renews_the_keys_before_they_are_over() {
    let f = fixture();
    let token = f.fresh(&f.key);
    assert!(present(&f.server, &token).await.1);
    f.clock.advance(450);
    f.upstream.close();
    assert!(present(&f.server, &token).await.1, "nobody waits for the fetch");
    f.upstream.open();
    for _ in 0..5 {
        f.clock.advance(4);
        assert!(present(&f.server, &token).await.1);
        f.clock.advance(1);
        assert!(present(&f.server, &token).await.1);
    }
    assert_eq!((f.upstream.calls(), f.upstream.finished()), (2, 2));
    let before = verifications(&f.server);
    f.clock.advance(400);
    assert!(present(&f.server, &token).await.1);
    assert_eq!(verifications(&f.server), before, "the new set is fresh for as long as the first");
}

#[tokio::test]
async fn a_token_that_is_known_outlives_an_outage_for_as_long_as_its_keys() {
    let f = fixture();
    let token = f.fresh(&f.key);
    assert!(present(&f.server, &token).await.1);
    f.upstream.answer(JWKS, 500, &[], "");
    f.clock.advance(600 + 3600 - 1);
    assert!(present(&f.server, &token).await.1);
    f.clock.advance(1);
    assert_eq!(present(&f.server, &token).await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn keys_that_came_while_others_were_searched_are_looked_at() {
    let f = fixture();
    assert!(present(&f.server, &f.fresh(&f.key)).await.1);
    let Availability::Ready { value: searched, .. } = f.keys().at(f.clock.now(), true) else { panic!() };
    f.clock.advance(6);
    let next = Key::es256();
    f.upstream.json(JWKS, &next.document());
    assert_eq!(f.status(&next).await, StatusCode::OK);
    assert!(matches!(f.keys().newer(f.clock.now(), f.clock.now(), &searched), Newer::Replaced));
    let Availability::Ready { value: current, .. } = f.keys().at(f.clock.now(), true) else { panic!() };
    assert!(matches!(f.keys().newer(f.clock.now(), f.clock.now(), &current), Newer::No));
}

#[tokio::test]
async fn a_fetch_that_was_left_is_as_old_as_its_beginning() {
    let f = fixture();
    assert!(present(&f.server, &f.fresh(&f.key)).await.1);
    f.clock.advance(500);
    let Availability::Ready { refresh: Some(refresh), .. } = f.keys().at(f.clock.now(), true) else { panic!() };
    assert!(refresh.clone().now_or_never().is_none());
    // It has the old keys by now, and nobody has read them.
    f.clock.advance(9);
    refresh.await;
    let next = Key::es256();
    f.upstream.json(JWKS, &next.document());
    assert_eq!(f.status(&next).await, StatusCode::OK);
    assert_eq!(f.upstream.calls(), 3);
}

#[tokio::test]
async fn a_fetch_that_everybody_left_is_not_carried_on_after_the_pause() {
    let f = fixture();
    assert!(present(&f.server, &f.fresh(&f.key)).await.1);
    f.clock.advance(500);
    f.upstream.close();
    assert_eq!(f.status(&f.key).await, StatusCode::OK, "by the way");
    let next = Key::es256();
    f.upstream.json(JWKS, &next.document()).open();
    f.clock.advance(5);
    assert_eq!(f.status(&next).await, StatusCode::OK);
    assert_eq!((f.upstream.calls(), f.upstream.finished()), (3, 2));
}

#[tokio::test]
async fn a_token_waits_for_a_second_fetch_if_the_first_was_too_early() {
    let f = fixture();
    assert!(present(&f.server, &f.fresh(&f.key)).await.1);
    f.clock.advance(500);
    let Availability::Ready { refresh: Some(refresh), .. } = f.keys().at(f.clock.now(), true) else { panic!() };
    f.clock.advance(6);
    let next = Key::es256();
    let token = f.fresh(&next);
    let waiting = present(&f.server, &token);
    futures_util::pin_mut!(waiting);
    assert!(waiting.as_mut().now_or_never().is_none());
    // The first fetch ends without the key, which is published just then.
    refresh.await;
    f.upstream.json(JWKS, &next.document());
    assert!(waiting.await.1);
    assert_eq!(f.upstream.calls(), 3);
}

// spec: MET-10
#[tokio::test]
async fn whoever_begins_the_next_attempt_in_an_outage_sees_it_through() {
    let f = fixture();
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    f.upstream.answer(JWKS, 500, &[], "");
    f.clock.advance(600);
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    let next = Key::es256();
    f.upstream.json(JWKS, &next.document());
    f.clock.advance(30);
    assert_eq!(f.status(&f.key).await, StatusCode::UNAUTHORIZED, "the first one after the outage");
    assert_eq!((f.upstream.calls(), f.upstream.finished()), (3, 3));
}

#[tokio::test]
async fn in_an_outage_nobody_waits_but_whoever_begins() {
    let f = fixture();
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    f.upstream.answer(JWKS, 500, &[], "");
    f.clock.advance(600);
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    f.clock.advance(5);
    f.upstream.close();
    let beginner = f.status(&f.key);
    futures_util::pin_mut!(beginner);
    assert!(beginner.as_mut().now_or_never().is_none());
    for _ in 0..10 {
        assert_eq!(f.status(&f.key).now_or_never(), Some(StatusCode::OK));
    }
    f.upstream.open();
    assert_eq!(beginner.await, StatusCode::OK);
    assert_eq!(f.upstream.calls(), 3);
}

// spec: MET-10
#[tokio::test]
async fn a_key_that_was_published_since_the_keys_were_asked_for_is_not_called_unknown() {
    let f = fixture();
    assert!(present(&f.server, &f.fresh(&f.key)).await.1);
    let new = Key::es256();
    f.upstream.json(JWKS, &json!({ "keys": [f.key.document()["keys"][0], new.document()["keys"][0]] }));
    let token = f.fresh(&new);
    // Too early to ask again: nobody knows, so nobody says no.
    f.clock.advance(2);
    let refusal = f.server.validate_headers(&headers(&token)).await.unwrap_err();
    assert_eq!(
        (refusal.status(), &refusal.headers()["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"3".parse().unwrap())
    );
    f.clock.advance(3);
    assert!(present(&f.server, &token).await.1, "a denial would have been remembered");
}
