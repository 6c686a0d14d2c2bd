//! A refresh response that was lost is repeated until something of it is first used, however late: Matrix's way.

use oauth_core::{
    engine::policy::Rotation,
    server::{AuthorizationServerBuilder, BuildError},
    store::{memory::MemoryStore, sqlite::SqliteStore},
};
use oauth_tower::resource::{Issuer, ResourceServer};

use crate::support::*;

const DAY: u64 = 86_400;

fn until_first_use(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    builder.rotation(Rotation::UntilFirstUse)
}

/// On each kind of store.
async fn everywhere(test: impl AsyncFn(World)) {
    println!("in memory");
    test(World::opaque(MemoryStore::default(), until_first_use).await).await;
    println!("in a file");
    let folder = Folder::new();
    test(World::opaque(SqliteStore::open(folder.file()).await.unwrap(), until_first_use).await).await;
    println!("on PostgreSQL");
    test(World::opaque(store_at(&new_database().await).await, until_first_use).await).await;
    println!("on Redis");
    let redis = Redis::start("");
    test(World::opaque(patient_redis([redis.url()]).build().await.unwrap(), until_first_use).await).await;
}

/// A first pair, and the one that replaced it.
async fn refreshed(w: &World) -> (String, Tokens) {
    let first = w.tokens(APP).await.refresh.unwrap();
    let second = w.refresh(APP, &first).await.tokens();
    (first, second)
}

/// The old token is reuse now, and ends the session.
async fn is_reuse(w: &World, old: &str, new: &Tokens) {
    w.refresh(APP, old).await.is_refused(400, "invalid_grant");
    assert_eq!(w.events.count("refresh_reused"), 1);
    assert!(!w.lives(&new.access).await);
    w.refresh(APP, new.refresh.as_ref().unwrap()).await.is_refused(400, "invalid_grant");
}

// spec: MTX-16
#[tokio::test]
async fn a_lost_response_is_repeated_until_the_new_access_token_is_used() {
    everywhere(async |w| {
        let (first, second) = refreshed(&w).await;
        for _ in 0..3 {
            w.clock.advance(60);
            assert_eq!(w.refresh(APP, &first).await.tokens(), second);
        }
        w.introspect(AUDITOR, &second.access).await;
        is_reuse(&w, &first, &second).await;
    })
    .await;
}

// spec: MTX-16
#[tokio::test]
async fn a_lost_response_is_repeated_until_the_new_refresh_token_is_used() {
    everywhere(async |w| {
        let (first, second) = refreshed(&w).await;
        assert_eq!(w.refresh(APP, &first).await.tokens(), second);
        let third = w.refresh(APP, second.refresh.as_ref().unwrap()).await.tokens();
        // Now it is the second that has a way back.
        assert_eq!(w.refresh(APP, second.refresh.as_ref().unwrap()).await.tokens(), third);
        is_reuse(&w, &first, &third).await;
    })
    .await;
}

// spec: MTX-16
#[tokio::test]
async fn a_client_that_comes_back_after_days_has_lost_nothing() {
    everywhere(async |w| {
        let (first, second) = refreshed(&w).await;
        w.clock.advance(6 * DAY);
        // The access token has ended meanwhile: it gets another, beside the same refresh token.
        let again = w.refresh(APP, &first).await.tokens();
        assert_eq!(again.refresh, second.refresh);
        assert_ne!(again.access, second.access);
        // Which counts as its predecessor would have.
        assert_eq!(w.refresh(APP, &first).await.tokens().refresh, second.refresh);
        assert!(w.lives(&again.access).await);
        is_reuse(&w, &first, &again).await;
    })
    .await;
}

#[tokio::test]
async fn the_old_access_token_says_nothing_about_the_new_pair() {
    everywhere(async |w| {
        let first = w.tokens(APP).await;
        let old = first.refresh.unwrap();
        let second = w.refresh(APP, &old).await.tokens();
        // A token of before the refresh, and one of another client's grant.
        assert!(w.lives(&first.access).await && w.lives(&w.tokens(OTHER_APP).await.access).await);
        assert_eq!(w.refresh(APP, &old).await.tokens(), second);
    })
    .await;
}

// spec: MTX-16
#[tokio::test]
async fn a_use_in_this_process_counts_at_once() {
    let w = World::opaque(MemoryStore::default(), until_first_use).await;
    let issuer = Issuer::local(w.server.clone());
    let api = ResourceServer::builder(API).issuer(issuer).clock(w.clock.clone()).build().unwrap();
    let (first, second) = refreshed(&w).await;
    assert_eq!(w.refresh(APP, &first).await.tokens(), second);
    let mut headers = http::HeaderMap::new();
    headers.insert(http::header::AUTHORIZATION, format!("Bearer {}", second.access).parse().unwrap());
    assert!(api.validate_headers(&headers).await.is_ok());
    is_reuse(&w, &first, &second).await;
}

#[tokio::test]
async fn a_use_that_cannot_be_noted_is_503_and_not_lost() {
    let w = World::opaque(MemoryStore::default(), until_first_use).await;
    let (first, second) = refreshed(&w).await;
    w.store.lose_the_answer_of("confirm_refresh");
    w.introspect(AUDITOR, &second.access).await.is_unavailable();
    assert!(w.lives(&second.access).await);
    is_reuse(&w, &first, &second).await;
}

#[tokio::test]
async fn what_was_used_is_not_asked_about_again() {
    let w = World::opaque(MemoryStore::default(), until_first_use).await;
    let (_, second) = refreshed(&w).await;
    let asked = async || {
        let before = w.store.calls();
        w.introspect(AUDITOR, &second.access).await;
        w.store.calls() - before
    };
    let first = asked().await;
    assert_eq!(asked().await, first - 1);
}

#[tokio::test]
async fn a_server_of_jwts_that_others_judge_does_not_start_so() {
    let w = on_memory().await;
    let refused = w.another(until_first_use).await.map(drop).unwrap_err();
    assert!(matches!(&refused, BuildError::Rotation(resource) if resource == JWT_API), "{refused}");
    assert!(refused.to_string().starts_with("tokens.rotation: "), "{refused}");
}
