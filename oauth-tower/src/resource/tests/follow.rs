//! Revocations that are heard of on a bus.

use oauth_core::bus::{Bus, MemoryBus, Notice, Post, RevokedRef, Topic, token_ref};
use serde_json::{Value, json};

use super::{
    ISSUER, Key, NOW, RESOURCE, UnixTime, Upstream, builder, fixed, headers, introspection, present, server,
    verifications,
};
use crate::resource::{Issuer, ResourceServer};

const URL: &str = "https://as.example/introspect";
const UNTIL: UnixTime = UnixTime(NOW + 200);

async fn accepts(server: &ResourceServer, token: &str) -> bool {
    server.validate_headers(&headers(token)).await.is_ok()
}

/// Lets everything run that can.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// A bus that the server follows from now on.
async fn followed(server: &ResourceServer) -> MemoryBus {
    let bus = MemoryBus::default();
    tokio::spawn(server.follow(bus.clone()));
    settle().await;
    bus
}

async fn say(bus: &MemoryBus, topic: Topic, bytes: Vec<u8>) {
    bus.publish(vec![Post { topic, bytes }]).await.unwrap();
    settle().await;
}

async fn tell(bus: &MemoryBus, revoked: RevokedRef) {
    say(bus, Topic::audience(ISSUER, RESOURCE), Notice::Revoked(vec![revoked]).to_bytes()).await;
}

fn under(key: &Key, grant: &str, jti: &str) -> String {
    key.token(json!({ "grant_ref": grant, "jti": jti }))
}

#[tokio::test]
async fn a_revoked_jwt_is_refused_until_the_last_token_of_its_grant_has_ended() {
    let (key, clock) = (Key::es256(), super::clock());
    let server = builder(fixed(&key)).clock(clock.clone()).skew(10).build().unwrap();
    let bus = followed(&server).await;
    let (token, sibling, other) = (under(&key, "g1", "1"), under(&key, "g1", "2"), under(&key, "g2", "3"));
    assert!(accepts(&server, &token).await && accepts(&server, &other).await);
    tell(&bus, RevokedRef::new("g1").until(UNTIL)).await;
    for token in [&token, &sibling] {
        assert_eq!(present(&server, token).await, (http::StatusCode::UNAUTHORIZED, false));
    }
    let refusal = server.validate_headers(&headers(&token)).await.unwrap_err();
    assert_eq!((refusal.kind().reason(), refusal.error_code().unwrap().as_str()), ("inactive", "invalid_token"));
    assert!(accepts(&server, &other).await);
    // The issuer's clock may be behind ours.
    clock.advance(209);
    assert!(!accepts(&server, &sibling).await);
    clock.advance(1);
    server.forget_all();
    assert!(accepts(&server, &sibling).await, "nothing is remembered for longer");
    assert_eq!(server.judge.revoked.len(), 1, "until somebody has something to add");
    tell(&bus, RevokedRef::new("g3").until(UnixTime(NOW + 400))).await;
    assert_eq!(server.judge.revoked.len(), 1);
}

#[tokio::test]
async fn one_revoked_token_is_refused_and_others_of_its_grant_are_not() {
    let key = Key::es256();
    let server = server(&key);
    let bus = followed(&server).await;
    let (token, sibling) = (under(&key, "g1", "1"), under(&key, "g1", "2"));
    assert!(accepts(&server, &token).await && accepts(&server, &sibling).await);
    tell(&bus, RevokedRef::new("g1").token(token_ref(RESOURCE, "1")).until(UNTIL)).await;
    assert!(!accepts(&server, &token).await && accepts(&server, &sibling).await);
}

#[tokio::test]
async fn what_may_have_been_revoked_is_judged_anew_and_not_refused() {
    let key = Key::es256();
    let server = server(&key);
    let bus = followed(&server).await;
    let token = under(&key, "g1", "1");
    assert!(accepts(&server, &token).await);
    tell(&bus, RevokedRef::new("g1")).await;
    assert!(accepts(&server, &token).await);
    assert_eq!((verifications(&server), server.judge.revoked.len()), (2, 0));
}

#[tokio::test]
async fn a_token_for_several_is_known_here_by_our_own_reference() {
    let key = Key::es256();
    let server = server(&key);
    let bus = followed(&server).await;
    let both = json!({ "aud": ["https://other.example", RESOURCE], "grant_ref": "theirs ours" });
    let token = key.token(both);
    tell(&bus, RevokedRef::new("theirs").until(UNTIL)).await;
    assert!(accepts(&server, &token).await);
    tell(&bus, RevokedRef::new("ours").until(UNTIL)).await;
    assert!(!accepts(&server, &token).await);
}

#[tokio::test]
async fn what_is_told_to_others_is_not_heard() {
    let key = Key::es256();
    let server = server(&key);
    let bus = followed(&server).await;
    let token = under(&key, "g1", "1");
    let notice = || Notice::Revoked(vec![RevokedRef::new("g1").until(UNTIL)]).to_bytes();
    say(&bus, Topic::audience(ISSUER, "https://other.example"), notice()).await;
    say(&bus, Topic::audience("https://other.example", RESOURCE), notice()).await;
    assert!(accepts(&server, &token).await);
}

#[tokio::test]
async fn an_issuer_revokes_what_is_its_own_and_nothing_of_another() {
    const OTHER: &str = "https://other.example";
    let (key, theirs) = (Key::es256(), Key::es256());
    let server = builder(fixed(&key)).issuer(Issuer::jwt(OTHER).keys(theirs.set())).build().unwrap();
    let bus = followed(&server).await;
    let named = |key: &Key, issuer: &str| key.token(json!({ "iss": issuer, "grant_ref": "g1", "jti": "1" }));
    let (own, others) = (named(&key, ISSUER), named(&theirs, OTHER));
    assert!(accepts(&server, &own).await && accepts(&server, &others).await);
    // Both call one of their grants by this name.
    let notice = Notice::Revoked(vec![RevokedRef::new("g1").until(UNTIL)]).to_bytes();
    say(&bus, Topic::audience(OTHER, RESOURCE), notice).await;
    assert!(accepts(&server, &own).await);
    assert_eq!(verifications(&server), 2, "it is not even judged anew");
    assert!(!accepts(&server, &others).await);
}

#[tokio::test]
async fn an_issuer_that_calls_us_otherwise_is_heard_by_that_name() {
    let key = Key::es256();
    let server = builder(fixed(&key).audience("albums")).build().unwrap();
    let bus = followed(&server).await;
    let token = key.token(json!({ "aud": "albums", "grant_ref": "g1" }));
    assert!(accepts(&server, &token).await);
    tell(&bus, RevokedRef::new("g1").until(UNTIL)).await;
    assert!(accepts(&server, &token).await);
    let notice = Notice::Revoked(vec![RevokedRef::new("g1").until(UNTIL)]);
    say(&bus, Topic::audience(ISSUER, "albums"), notice.to_bytes()).await;
    assert!(!accepts(&server, &token).await);
}

fn answer(active: bool) -> Value {
    let mut answer = introspection::active();
    answer["active"] = active.into();
    answer["grant_ref"] = "g1".into();
    answer
}

/// One that asks, and never asks again by itself.
fn asking(upstream: &Upstream) -> ResourceServer {
    let issuer = Issuer::introspection(ISSUER, URL).client_basic("api", "secret");
    builder(issuer.cache_for(std::time::Duration::MAX)).http(upstream.client()).build().unwrap()
}

#[tokio::test]
async fn an_answer_of_introspection_falls_with_its_grant() {
    let upstream = Upstream::new();
    upstream.json(URL, &answer(true));
    let server = asking(&upstream);
    let bus = followed(&server).await;
    assert!(accepts(&server, "one").await && accepts(&server, "one").await);
    upstream.json(URL, &answer(false));
    tell(&bus, RevokedRef::new("g2").until(UNTIL)).await;
    assert!(accepts(&server, "one").await, "another grant");
    tell(&bus, RevokedRef::new("g1").until(UNTIL)).await;
    assert!(!accepts(&server, "one").await);
    assert_eq!(upstream.calls(), 2);
}

#[tokio::test]
async fn whoever_may_have_missed_something_drops_all_that_it_remembers() {
    let upstream = Upstream::new();
    upstream.json(URL, &answer(true));
    let server = asking(&upstream);
    assert!(accepts(&server, "one").await);
    let bus = followed(&server).await;
    let mut asked = 1;
    let mut expect = async |more: usize, why: &str| {
        assert!(accepts(&server, "one").await);
        asked += more;
        assert_eq!(upstream.calls(), asked, "{why}");
    };
    expect(1, "it begins to listen").await;
    expect(0, "nothing happens").await;
    let topic = Topic::audience(ISSUER, RESOURCE);
    say(&bus, topic, Notice::All.to_bytes()).await;
    expect(1, "it is told to").await;
    for unreadable in [b"".to_vec(), b"{\"v\":2}".to_vec(), vec![0xff; 100]] {
        say(&bus, topic, unreadable).await;
        expect(1, "it cannot read").await;
    }
    bus.set_down(true);
    settle().await;
    expect(0, "a lost bus says nothing").await;
    bus.set_down(false);
    settle().await;
    expect(1, "it listens again").await;
    let many = vec![Post { topic: Topic::audience(ISSUER, RESOURCE), bytes: Notice::All.to_bytes() }; 2_000];
    bus.publish(many).await.unwrap();
    settle().await;
    expect(1, "it did not keep up").await;
}

#[tokio::test]
async fn what_was_heard_before_the_bus_was_lost_is_not_forgotten() {
    let key = Key::es256();
    let server = server(&key);
    let bus = followed(&server).await;
    let token = under(&key, "g1", "1");
    tell(&bus, RevokedRef::new("g1").until(UNTIL)).await;
    bus.set_down(true);
    settle().await;
    bus.set_down(false);
    settle().await;
    assert!(!accepts(&server, &token).await);
}

#[tokio::test]
async fn a_revocation_comes_while_the_issuer_is_being_asked() {
    let upstream = Upstream::new();
    upstream.json(URL, &answer(true)).close();
    let server = asking(&upstream);
    let bus = followed(&server).await;
    let asking = tokio::spawn({
        let server = server.clone();
        async move { accepts(&server, "one").await }
    });
    while upstream.calls() < 1 {
        tokio::task::yield_now().await;
    }
    tell(&bus, RevokedRef::new("g1").until(UNTIL)).await;
    upstream.open();
    asking.await.unwrap();
    assert_eq!(upstream.calls(), 2, "the answer to the earlier question is void");
}

#[tokio::test]
async fn no_more_is_remembered_than_was_allowed() {
    let key = Key::es256();
    let server = builder(fixed(&key)).remembered_revocations(2).build().unwrap();
    let bus = followed(&server).await;
    for (grant, until) in [("g1", 100), ("g2", 200), ("g3", 300)] {
        tell(&bus, RevokedRef::new(grant).until(UnixTime(NOW + until))).await;
    }
    assert_eq!(server.judge.revoked.len(), 2);
    assert!(accepts(&server, &under(&key, "g1", "1")).await, "it would have ended first");
    assert!(!accepts(&server, &under(&key, "g2", "2")).await && !accepts(&server, &under(&key, "g3", "3")).await);
}

#[tokio::test]
async fn it_ends_with_the_last_handle_and_the_bus_is_left_alone() {
    let key = Key::es256();
    let server = server(&key);
    let following = tokio::spawn(server.follow(MemoryBus::default()));
    let layer = server.layer();
    settle().await;
    drop(server);
    settle().await;
    assert!(!following.is_finished(), "a layer is a handle");
    drop(layer);
    following.await.unwrap();
}

#[cfg(all(feature = "client", feature = "server"))]
#[tokio::test]
async fn two_nodes_and_an_api_of_its_own_hear_of_one_revocation() {
    use oauth_core::{engine::policy::Resource, secret::RootSecret, server::AuthorizationServer};

    let store = std::sync::Arc::new(oauth_core::store::memory::MemoryStore::default());
    let node = async || {
        let builder =
            AuthorizationServer::builder(ISSUER).shared_store(std::sync::Arc::clone(&store) as _).clock(super::clock());
        builder.root_secret(RootSecret::new([7; 32])).resource(Resource::new(RESOURCE)).build().await.unwrap()
    };
    let (one, two, bus) = (node().await, node().await, MemoryBus::default());
    let local = builder(Issuer::local(two.clone())).build().unwrap();
    assert_eq!(local.health().issuers[0].kind, crate::resource::IssuerKind::Local);
    let _following = [&one, &two].map(|node| tokio::spawn(node.follow(bus.clone())));
    settle().await;
    let before = local.judge.ledger.sequence();
    one.revoke_grant(oauth_core::token::GrantId::from_bytes([1; 16])).await.unwrap();
    settle().await;
    assert!(local.judge.ledger.sequence() > before, "the API beside the other node was told");
    tokio::spawn(local.follow(bus.clone())).await.unwrap();
}
