//! Many grants at once: of a user, a device, a client, or whatever was issued before some time.

mod programs;
mod sign_ins;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    client::{Client, GrantType},
    clock::UnixTime,
    secret::RootSecret,
    server::{AuthorizationServer, Progress, Selection, Unselectable},
    store::{
        Grants, Statuses,
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
    // It begins, and then it takes the first page.
    for examined in [0, 100] {
        assert_eq!(all.next().await.unwrap().unwrap().examined, examined);
    }
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
    // Of two devices it is nobody's, and either takes it along.
    let both = sign_in(format!("{} {}", named("ONE"), named("TWO"))).await;
    let one = Selection::Device { subject: "alice".to_owned(), device: "ONE".to_owned() };
    let others = Selection::Device { subject: "bob".to_owned(), device: "ONE".to_owned() };
    assert_eq!(revoke(&w, others).await.revoked, 0);
    assert_eq!(revoke(&w, one).await.revoked, 3);
    for tokens in [&stable, &unstable, &both] {
        is_dead(&w, phone, tokens).await;
    }
    assert!(w.lives(&other.access).await && w.lives(&none.access).await);
}

/// Each kind that ends what [`APP`] was given.
const SELECTIONS: [fn(&World) -> Selection; 3] = [
    |_| alice(),
    |_| Selection::Client(APP.client_id()),
    |w| Selection::IssuedBefore(w.server.now().saturating_add(1)),
];

/// Revokes while the call of this number fails; `false` if there is none.
async fn fails(select: fn(&World) -> Selection, when: When, number: usize) -> bool {
    let store = Faulty::new(MemoryStore::default());
    let w = World::on(store.clone(), |builder| builder.status_lists(|_| {})).await;
    let code = w.code_for(&Ask::of(APP).with("resource", JWT_API)).await;
    let tokens = w.redeem(APP, &code).await.tokens();
    store.fail(when, number);
    let mut all = w.server.revoke_all(select(&w)).unwrap();
    let mut failed = 0;
    while let Some(step) = all.next().await {
        failed += usize::from(step.is_err());
        assert!(failed <= 1, "one failure of the store is one of the revocation");
    }
    let verb = store.failed();
    store.recover();
    // Its row says so, and the list of revoked JWTs, whatever broke off in between.
    let grants = store.grants_of("alice".to_owned(), None, 10).await.unwrap();
    assert!(grants.iter().all(|grant| grant.revoked_at.is_some()), "{when:?} {verb:?}");
    let (list, index) = place_of(&tokens.access);
    assert_eq!(store.revoked_statuses(list, w.server.now()).await.unwrap(), [index], "{when:?} {verb:?}");
    is_dead(&w, APP, &tokens).await;
    verb.is_some()
}

/// Of a JWT, the number of its list and its place there.
fn place_of(jwt: &str) -> (u64, u32) {
    let claims = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    let place = &claims["status"]["status_list"];
    let list = place["uri"].as_str().unwrap().rsplit('/').next().unwrap();
    (list.parse().unwrap(), place["idx"].as_u64().unwrap().try_into().unwrap())
}

#[tokio::test]
async fn whatever_call_fails_it_goes_on_from_there() {
    for select in SELECTIONS {
        for when in [When::Before, When::After] {
            let mut number = 0;
            while fails(select, when, number).await {
                number += 1;
            }
            assert!(number >= 4, "{number}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_store_has_lost_the_place_the_walk_begins_again() {
    let mut redis = Redis::start("");
    let store = patient_redis([redis.url()]).build().await.unwrap();
    let server = AuthorizationServer::builder(ISSUER).root_secret(RootSecret::new([7; 32])).store(store.clone());
    let server = server.build().await.unwrap();
    let grants: Vec<_> = (0..250).map(|_| fresh_grant()).collect();
    for grant in &grants {
        store.insert_grant(grant.clone(), None).await.unwrap();
    }
    let mut all = server.revoke_all(Selection::Client(APP.client_id())).unwrap();
    for _ in 0..2 {
        all.next().await.unwrap().unwrap();
    }
    // The server, started anew, knows nothing of listings that were under way.
    redis.signal("TERM");
    redis.resume();
    let mut failed = 0;
    while let Some(step) = all.next().await {
        failed += usize::from(step.is_err());
        assert!(failed < 10, "it never begins again: {step:?}");
    }
    assert!(failed > 0);
    for grant in grants {
        assert!(store.grant(grant.id).await.unwrap().unwrap().revoked_at.is_some());
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
    for select in SELECTIONS {
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
