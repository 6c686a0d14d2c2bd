//! Many grants at once: of a user, a device, a client, or whatever was issued before some time.

mod programs;

use std::time::Duration;

use oauth_core::{
    client::{Client, ClientId, GrantType},
    clock::UnixTime,
    server::{Progress, Selection, Unselectable},
    store::{
        conformance::{Faulty, When},
        memory::MemoryStore,
    },
};
use oauth_tower::resource::{Issuer, ResourceServer};

use crate::support::*;

/// Drives it to its end.
async fn revoke(w: &World, selection: Selection) -> Progress {
    let mut all = w.server.revoke_all(selection).unwrap();
    let mut last = Progress::default();
    while let Some(step) = all.next().await {
        last = step.unwrap();
    }
    assert!(all.next().await.is_none());
    last
}

/// Neither token is good for anything, wherever it is shown.
async fn is_dead(w: &World, caller: Caller, tokens: &Tokens) {
    assert!(!w.lives(&tokens.access).await);
    // Only a client that authenticates may ask.
    if !matches!(caller, Caller::Public(_)) {
        w.introspect(caller, tokens.refresh.as_ref().unwrap()).await.is_inactive();
    }
    w.refresh(caller, tokens.refresh.as_ref().unwrap()).await.is_refused(400, "invalid_grant");
}

fn alice() -> Selection {
    Selection::Subject("alice".to_owned())
}

// spec: REV-14
#[tokio::test]
async fn everything_that_a_user_gave_ends() {
    on_every_store(async |w| {
        let (one, other) = (w.tokens(APP).await, w.tokens(WEB).await);
        let own = w.token(WEB, &[("grant_type", "client_credentials")]).await.tokens();
        let code = w.code(APP).await;
        let done = revoke(&w, alice()).await;
        assert_eq!(done.revoked, 3);
        is_dead(&w, APP, &one).await;
        is_dead(&w, WEB, &other).await;
        w.redeem(APP, &code).await.is_refused(400, "invalid_grant");
        assert!(w.lives(&own.access).await, "a client that acts for itself is nobody's");
        assert_eq!((w.events.count("grant_revoked"), w.events.count("revoked_in_bulk")), (3, 1));
        // Again, it finds nothing; and whoever signs in later has new tokens.
        assert_eq!(revoke(&w, alice()).await.revoked, 0);
        w.clock.advance(1);
        assert!(w.lives(&w.tokens(APP).await.access).await);
        assert_eq!(w.server.store().epoch().await.unwrap(), UnixTime(0));
    })
    .await;
}

#[tokio::test]
async fn a_grant_that_is_stored_while_it_walks_is_found() {
    let w = on_memory().await;
    // More than a page, so that some of what comes is behind it.
    for _ in 0..150 {
        w.code(APP).await;
    }
    let mut all = w.server.revoke_all(alice()).unwrap();
    all.next().await.unwrap().unwrap();
    let mut late = Vec::new();
    for _ in 0..20 {
        late.push(w.code(APP).await);
    }
    while let Some(step) = all.next().await {
        step.unwrap();
    }
    for code in late {
        w.redeem(APP, &code).await.is_refused(400, "invalid_grant");
    }
}

// spec: REV-14
#[tokio::test]
async fn what_a_client_was_given_ends_in_the_first_step_and_for_its_successor_too() {
    on_every_store(async |w| {
        let client = || {
            Client::builder("shop")
                .redirect_uri(CALLBACK)
                .scope("read")
                .grant_type(GrantType::REFRESH_TOKEN)
                .build()
                .unwrap()
        };
        assert!(w.server.create_client(client()).await.unwrap() && !w.server.create_client(client()).await.unwrap());
        let shop = Caller::Public("shop");
        let (tokens, others, code) = (w.tokens(shop).await, w.tokens(APP).await, w.code(shop).await);
        let mut all = w.server.revoke_all(Selection::Client(shop.client_id())).unwrap();
        assert_eq!(all.next().await.unwrap().unwrap(), Progress::default());
        is_dead(&w, shop, &tokens).await;
        w.redeem(shop, &code).await.is_refused(400, "invalid_grant");
        assert!(w.lives(&others.access).await);
        // The rest says so in the rows.
        let mut revoked = 0;
        while let Some(step) = all.next().await {
            revoked = step.unwrap().revoked;
        }
        assert_eq!(revoked, 2);
        w.clock.advance(1);
        let later = w.tokens(shop).await;
        assert!(w.lives(&later.access).await);
        // One that takes its name has nothing of it.
        w.server.store().delete_client(shop.client_id()).await.unwrap();
        assert!(!w.lives(&later.access).await);
        w.clock.advance(1);
        assert!(w.server.create_client(client()).await.unwrap());
        is_dead(&w, shop, &later).await;
        assert!(w.lives(&w.tokens(shop).await.access).await);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_is_configured_loses_what_it_was_given_too() {
    let w = on_memory().await;
    let (tokens, others) = (w.tokens(APP).await, w.tokens(OTHER_APP).await);
    assert_eq!(revoke(&w, Selection::Client(APP.client_id())).await.revoked, 1);
    is_dead(&w, APP, &tokens).await;
    assert!(w.lives(&others.access).await);
}

// spec: REV-14
#[tokio::test]
async fn what_was_issued_before_ends_in_the_first_step_on_every_node() {
    on_every_store(async |w| {
        let old = w.tokens(APP).await;
        let machine = w.token(WEB, &[("grant_type", "client_credentials")]).await.tokens();
        w.clock.advance(1);
        let then = w.server.now();
        let new = w.tokens(APP).await;
        // A refresh makes nothing younger.
        let old = w.refresh(APP, old.refresh.as_ref().unwrap()).await.tokens();
        let node = w.another(|builder| builder).await.unwrap();
        assert!(node.lives(&old.access).await);
        let mut all = w.server.revoke_all(Selection::IssuedBefore(then)).unwrap();
        all.next().await.unwrap().unwrap();
        is_dead(&w, APP, &old).await;
        assert!(!w.lives(&machine.access).await && w.lives(&new.access).await);
        // Without a bus, the other node has asked within this second, and asks in the next.
        w.clock.advance(1);
        assert!(!node.lives(&old.access).await && node.lives(&new.access).await);
        while let Some(step) = all.next().await {
            step.unwrap();
        }
        assert_eq!(w.events.count("grant_revoked"), 2);
        // Never lowered.
        revoke(&w, Selection::IssuedBefore(UnixTime(1))).await;
        is_dead(&w, APP, &old).await;
    })
    .await;
}

#[tokio::test]
async fn a_time_that_is_yet_to_come_is_refused() {
    let w = on_memory().await;
    let next = w.server.now().saturating_add(1);
    assert!(w.server.revoke_all(Selection::IssuedBefore(next)).is_ok());
    let future = w.server.revoke_all(Selection::IssuedBefore(next.saturating_add(1)));
    assert!(matches!(future, Err(Unselectable::Future)));
    assert_eq!(w.server.store().epoch().await.unwrap(), UnixTime(0));
}

#[tokio::test]
async fn an_epoch_that_cannot_be_read_is_503() {
    let w = on_memory().await;
    let tokens = w.tokens(APP).await;
    w.clock.advance(1);
    w.store.lose_the_answer_of("epoch");
    w.introspect(AUDITOR, &tokens.access).await.is_unavailable();
    w.store.lose_the_answer_of("epoch");
    w.refresh(APP, tokens.refresh.as_ref().unwrap()).await.is_unavailable();
    assert!(w.lives(&tokens.access).await);
    // Within the second it is not read again.
    w.store.lose_the_answer_of("epoch");
    assert!(w.lives(&tokens.access).await);
}

#[tokio::test]
async fn what_was_given_for_a_device_ends_and_for_no_other() {
    let named = |id: &str| format!("urn:matrix:client:device:{id}");
    let scopes = format!("read {} {} urn:matrix:org.matrix.msc2967.client:device:ONE", named("ONE"), named("TWO"));
    let w = on_memory_with(|builder| {
        let phone = Client::builder("phone").redirect_uri(CALLBACK).scope(&scopes).grant_type(GrantType::REFRESH_TOKEN);
        builder
            .client(phone.build().unwrap())
            .resource(oauth_core::engine::policy::Resource::new("https://matrix.example"))
    })
    .await;
    let phone = Caller::Public("phone");
    let sign_in = async |scope: String| {
        let ask = Ask::of(phone).with("scope", &scope).with("resource", "https://matrix.example");
        let code = w.code_for(&ask).await;
        w.redeem(phone, &code).await.tokens()
    };
    let stable = sign_in(format!("read {}", named("ONE"))).await;
    let unstable = sign_in("urn:matrix:org.matrix.msc2967.client:device:ONE".to_owned()).await;
    let (other, none) = (sign_in(named("TWO")).await, sign_in("read".to_owned()).await);
    let one = Selection::Device { subject: "alice".to_owned(), device: "ONE".to_owned() };
    let others = Selection::Device { subject: "bob".to_owned(), device: "ONE".to_owned() };
    assert_eq!(revoke(&w, others).await.revoked, 0);
    assert_eq!(revoke(&w, one).await.revoked, 2);
    is_dead(&w, phone, &stable).await;
    is_dead(&w, phone, &unstable).await;
    assert!(w.lives(&other.access).await && w.lives(&none.access).await);
}

#[tokio::test]
async fn whatever_call_fails_it_goes_on_from_there() {
    for at in 0..60 {
        let store = Faulty::new(MemoryStore::default());
        let w = World::on(store.clone(), |builder| builder).await;
        let tokens = [w.tokens(APP).await, w.tokens(WEB).await];
        store.fail(if at % 2 == 0 { When::Before } else { When::After }, at / 2);
        let before = w.server.now().saturating_add(1);
        for selection in [alice(), Selection::Client(APP.client_id()), Selection::IssuedBefore(before)] {
            let mut all = w.server.revoke_all(selection).unwrap();
            let mut failed = 0;
            while let Some(step) = all.next().await {
                failed += usize::from(step.is_err());
                assert!(failed <= 1, "one failure of the store is one of the revocation");
            }
        }
        store.recover();
        is_dead(&w, APP, &tokens[0]).await;
        is_dead(&w, WEB, &tokens[1]).await;
    }
}

/// What is remembered falls with it, at this node and over the bus.
// spec: REV-14
#[tokio::test]
async fn a_verdict_that_is_remembered_falls_at_this_node_and_over_the_bus() {
    let hour = Duration::from_secs(3600);
    let bus = oauth_core::bus::MemoryBus::default();
    let w = on_memory().await;
    let node = w.another(|builder| builder).await.unwrap();
    let _following = [&w, &node].map(|one| tokio::spawn(one.server.follow(bus.clone())));
    tokio::task::yield_now().await;
    let api = |w: &World| {
        let issuer = Issuer::local(w.server.clone()).cache_for(hour);
        ResourceServer::builder(API).issuer(issuer).clock(w.clock.clone()).build().unwrap()
    };
    let (here, there) = (api(&w), api(&node));
    let accepts = async |api: &ResourceServer, tokens: &Tokens| {
        let mut headers = http::HeaderMap::new();
        headers.insert(http::header::AUTHORIZATION, format!("Bearer {}", tokens.access).parse().unwrap());
        api.validate_headers(&headers).await.is_ok()
    };
    let selections: [fn(&World) -> Selection; 3] = [
        |_| alice(),
        |_| Selection::Client(ClientId::new("app").unwrap()),
        |w| Selection::IssuedBefore(w.server.now().saturating_add(1)),
    ];
    for select in selections {
        w.clock.advance(1);
        let tokens = w.tokens(APP).await;
        assert!(accepts(&here, &tokens).await && accepts(&there, &tokens).await);
        revoke(&w, select(&w)).await;
        assert!(!accepts(&here, &tokens).await);
        for _ in 0..1_000 {
            if !accepts(&there, &tokens).await {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert!(!accepts(&there, &tokens).await, "the other node was not told");
    }
}
