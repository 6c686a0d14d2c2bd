//! What the servers hold, for how long, and how an interaction ends on two of them.

use oauth_core::{
    client::{Client, ClientId},
    clock::UnixTime,
    store::{
        Clients, Consent, Consents, FinishInteraction, Grant, Grants, Interactions, ParkedInteraction, PeerTokens,
        QueuedCode, ReciprocalLink, Reciprocals, RedeemCode, Redemption, SealedKey, SigningKeys, Statuses, Store, Uses,
        redis::RedisStore,
    },
};

use super::{faults::is_unavailable, wire::wired};
use crate::support::*;

const HOUR: u64 = 3600;

/// Each key, and when it goes; 0 for never.
fn ends(server: &Redis) -> Vec<(String, u64)> {
    let keys = server.say(&["KEYS", "*"]);
    let end = |key: &str| match server.say(&["EXPIRETIME", key]).strip_prefix(':').unwrap() {
        "-1" => 0,
        end => end.parse().unwrap(),
    };
    keys.lines().map(|key| (key.to_owned(), end(key))).collect()
}

fn end_of(server: &Redis, part: &str) -> Vec<u64> {
    ends(server).into_iter().filter(|(key, _)| key.contains(part)).map(|(_, end)| end).collect()
}

#[tokio::test]
async fn every_key_that_can_end_has_its_time() {
    let server = Redis::start("");
    let store = patient_redis([server.url()]).build().await.unwrap();
    let grant = fresh_grant();
    store.insert_grant(grant.clone(), None).await.unwrap();
    // An hour beyond its end: that of its code, while it is not redeemed.
    let code_end = grant.code.as_ref().unwrap().expires_at.0;
    assert_eq!(end_of(&server, "}:grant"), [code_end + HOUR]);
    // The list of its user's grants is there for as long as it may live.
    assert_eq!(end_of(&server, ":subject:"), [grant.expires_at.0 + HOUR]);
    let redeem = redeeming(&grant);
    store.redeem_code(redeem.clone()).await.unwrap();
    assert_eq!(end_of(&server, "}:grant"), [grant.expires_at.0 + HOUR]);
    assert_eq!(end_of(&server, "}:access:"), [redeem.access.expires_at.0 + HOUR]);
    let found = store.grant(grant.id).await.unwrap().unwrap();
    let rotate = rotating(&found);
    store.rotate_refresh(rotate.clone()).await.unwrap();
    let retry = store.grant(grant.id).await.unwrap().unwrap().refresh.unwrap().retry.unwrap();
    assert_eq!(end_of(&server, "}:retry"), [retry.until.0 + HOUR]);
    let parked = fresh_interaction();
    store.park_interaction(parked.clone()).await.unwrap();
    assert_eq!(end_of(&server, ":interaction:"), [parked.expires_at.0 + HOUR]);
    // Uses a minute beyond it, and counting moves no end.
    let (used, start) = (fresh_digest(), now());
    let [end, next] = [60, 180].map(|seconds| start.saturating_add(seconds));
    for until in [end, next] {
        store.count_use(used, until, start).await.unwrap();
        assert_eq!(end_of(&server, ":uses:"), [end.0 + 60]);
    }
    store.count_use(used, next, end).await.unwrap();
    assert_eq!(end_of(&server, ":uses:"), [next.0 + 60]);

    // A consent an hour beyond its own end, and its name says nothing of whose it is.
    let given = Consent { subject: "alice{x}".to_owned(), ..fresh_consent() };
    assert!(store.replace_consent(given.clone(), None, start).await.unwrap());
    assert_eq!(end_of(&server, ":consent:"), [given.expires_at.0 + HOUR]);
    let longer = Consent { expires_at: later(2 * 86_400), ..given.clone() };
    assert!(store.replace_consent(longer.clone(), Some(given.revision), start).await.unwrap());
    assert_eq!(end_of(&server, ":consent:"), [longer.expires_at.0 + HOUR]);
    assert!(end_of(&server, "alice").is_empty());
    let endless = Consent { expires_at: UnixTime::MAX, ..longer };
    assert!(store.replace_consent(endless.clone(), Some(endless.revision), start).await.unwrap());
    assert_eq!(end_of(&server, ":consent:"), [0]);
    assert!(store.forget_consent(given.subject, given.client).await.unwrap());

    // A link with the part that ends last: a code is told of for a day, and an hour beyond it.
    let code = QueuedCode {
        link: ReciprocalLink::new(ClientId::new("app").unwrap(), Some("alice{x}".to_owned())),
        ..fresh_queued()
    };
    store.queue_code(code.clone()).await.unwrap();
    let code_end = code.expires_at.0 + 24 * HOUR + HOUR;
    assert_eq!(end_of(&server, "}:link:"), [code_end]);
    let tokens = PeerTokens { ends_at: later(60), ..fresh_tokens(&code) };
    let old = PeerTokens { id: fresh_digest(), ..tokens.clone() };
    assert!(store.replace_peer_tokens(old.clone(), None, start).await.unwrap());
    assert_eq!(end_of(&server, "}:link:"), [code_end]);
    let longer = PeerTokens { ends_at: later(90 * 86_400), ..old };
    assert!(store.replace_peer_tokens(longer.clone(), Some(0), start).await.unwrap());
    assert_eq!(end_of(&server, "}:link:"), [longer.ends_at.0 + HOUR]);
    assert_eq!(end_of(&server, "}:due").len() + end_of(&server, "}:ending").len(), 2);
    store.finish_queued(code.link.clone(), code.id, Some(tokens.clone())).await.unwrap();
    assert_eq!(end_of(&server, "}:link:"), [tokens.ends_at.0 + HOUR]);
    assert!(end_of(&server, "alice").is_empty());
    // The lists go with the last that waits, and a link with its last part.
    assert_eq!(end_of(&server, "}:due").len() + end_of(&server, "}:ending").len(), 0);
    let code = fresh_queued();
    store.queue_code(code.clone()).await.unwrap();
    store.finish_queued(code.link, code.id, None).await.unwrap();
    assert_eq!(end_of(&server, "{links}"), [tokens.ends_at.0 + HOUR]);

    let lasting = Grant { expires_at: UnixTime::MAX, code: None, ..fresh_grant() };
    store.insert_grant(lasting.clone(), None).await.unwrap();
    assert!(end_of(&server, "}:grant").contains(&0));
    assert_eq!(end_of(&server, ":subject:"), [0]);
    store.put_client(Client::builder("app").redirect_uri("https://app.example/").build().unwrap()).await.unwrap();
    let (kid, algorithm) = ("k".to_owned(), "EdDSA".to_owned());
    store.insert_signing_key(SealedKey { kid, algorithm, sealed: vec![1], active_from: now() }, None).await.unwrap();
    let forever: Vec<_> = ends(&server).into_iter().filter(|(_, end)| *end == 0).map(|(key, _)| key).collect();
    assert_eq!(forever.len(), 5, "{forever:?}");

    // The end of a grant takes its retry along.
    store.revoke_grant(grant.id, now()).await.unwrap();
    assert!(end_of(&server, "}:retry").is_empty());
}

#[tokio::test]
async fn a_list_of_revoked_tokens_takes_more_at_once_than_a_script_is_given_and_goes_with_its_end() {
    let server = Redis::start("");
    let store = patient_redis([server.url()]).build().await.unwrap();
    let (places, until): (Vec<u32>, _) = ((0..5_000).map(|place| place * 200).collect(), later(60));
    store.revoke_statuses(7, places.clone(), until).await.unwrap();
    assert!(store.revoked_statuses(7, now()).await.unwrap() == places);
    assert_eq!(end_of(&server, ":status:7"), [until.0 + HOUR]);
}

#[tokio::test]
async fn a_redemption_without_a_refresh_token_leaves_none() {
    let server = Redis::start("");
    let store = patient_redis([server.url()]).build().await.unwrap();
    let grant = fresh_grant();
    store.insert_grant(grant.clone(), None).await.unwrap();
    let redeem = RedeemCode { refresh: None, ..redeeming(&grant) };
    assert_eq!(store.redeem_code(redeem).await.unwrap(), Redemption::Redeemed);
    assert_eq!(store.grant(grant.id).await.unwrap().unwrap().refresh, None);
}

#[tokio::test]
async fn what_the_servers_hold_cannot_be_presented() {
    let server = Redis::start("");
    let store = patient_redis([server.url()]).prefix("mine").build().await.unwrap();
    store.insert_grant(fresh_grant(), Some(fresh_access())).await.unwrap();
    assert!(ends(&server).iter().all(|(key, _)| key.starts_with("mine:")), "{:?}", ends(&server));
    assert!(is_unavailable(&patient_redis([server.url()]).prefix("a{b").build().await));
}

fn finishing(parked: &ParkedInteraction, grant: Option<&Grant>) -> FinishInteraction {
    FinishInteraction { id: parked.id, browser: parked.browser, now: now(), grant: grant.cloned() }
}

/// Ends an interaction, so that the server has seen the scripts: then each step is one answer.
async fn tell_scripts(store: &RedisStore) {
    let parked = fresh_interaction();
    store.park_interaction(parked.clone()).await.unwrap();
    assert!(store.finish_interaction(finishing(&parked, Some(&fresh_grant()))).await.unwrap());
}

/// The node dies after each of the four steps: it claims the end, puts the grant on its user's list, inserts it, and
/// tidies up. Another finds out where it stands.
#[tokio::test]
async fn an_interaction_whose_end_was_cut_short_ends_once() {
    let (server, wire, store) = wired().await;
    let beside = patient_redis([server.url()]).build().await.unwrap();
    tell_scripts(&beside).await;
    for cut_after in 1..=4 {
        let (parked, first, second) = (fresh_interaction(), fresh_grant(), fresh_grant());
        beside.park_interaction(parked.clone()).await.unwrap();
        store.check().await.unwrap();
        wire.lose_answer(cut_after);
        let outcome = store.finish_interaction(finishing(&parked, Some(&first))).await;
        // With the third step it has happened, and the fourth is for others to notice.
        assert_eq!(is_unavailable(&outcome), cut_after < 4, "{cut_after}: {outcome:?}");
        let happened = cut_after >= 3;
        let found = beside.interaction(parked.id, parked.browser, now()).await.unwrap();
        assert_eq!(found.is_some(), !happened, "{cut_after}");
        let again = beside.finish_interaction(finishing(&parked, Some(&second))).await.unwrap();
        assert_eq!(again, !happened, "{cut_after}");
        assert_eq!(beside.grant(first.id).await.unwrap().is_some(), happened, "{cut_after}");
        assert_eq!(beside.grant(second.id).await.unwrap().is_some(), !happened, "{cut_after}");
        assert!(beside.interaction(parked.id, parked.browser, now()).await.unwrap().is_none());
    }
}

/// The node does not die, it is late: the other has taken its place, and it must not happen twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interaction_whose_end_is_overtaken_ends_once() {
    let (server, wire, store) = wired().await;
    let beside = patient_redis([server.url()]).build().await.unwrap();
    tell_scripts(&beside).await;
    let (parked, first, second) = (fresh_interaction(), fresh_grant(), fresh_grant());
    beside.park_interaction(parked.clone()).await.unwrap();
    store.check().await.unwrap();
    let held = wire.hold().await;
    let late = tokio::spawn({
        let (store, finish) = (store.clone(), finishing(&parked, Some(&first)));
        async move { store.finish_interaction(finish).await }
    });
    server.until("claimed", |server| {
        let keys = server.say(&["KEYS", "*interaction*"]);
        server.say(&["HEXISTS", &keys, "claim"]) == ":1"
    });
    assert!(beside.finish_interaction(finishing(&parked, Some(&second))).await.unwrap());
    drop(held);
    assert!(!late.await.unwrap().unwrap());
    assert_eq!(beside.grant(first.id).await.unwrap(), None);
    assert_eq!(beside.grant(second.id).await.unwrap().map(|grant| grant.id), Some(second.id));
}

/// A denial meets a claim that led to nothing, too.
#[tokio::test]
async fn an_interaction_that_was_claimed_and_left_can_be_denied() {
    let (server, wire, store) = wired().await;
    let beside = patient_redis([server.url()]).build().await.unwrap();
    let parked = fresh_interaction();
    beside.park_interaction(parked.clone()).await.unwrap();
    tell_scripts(&beside).await;
    store.check().await.unwrap();
    wire.lose_answer(1);
    let grant = fresh_grant();
    assert!(is_unavailable(&store.finish_interaction(finishing(&parked, Some(&grant))).await));
    assert!(beside.finish_interaction(finishing(&parked, None)).await.unwrap());
    assert!(!beside.finish_interaction(finishing(&parked, Some(&grant))).await.unwrap());
    assert_eq!(beside.grant(grant.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_client_may_have_any_name() {
    let cluster = Cluster::start();
    let store = patient_redis(cluster.urls()).build().await.unwrap();
    for name in ["{}", "{a}b", "a{", "https://client.example/{id}"] {
        let client = Client::builder(name).redirect_uri("https://app.example/").build().unwrap();
        store.put_client(client).await.unwrap();
        assert!(store.client(ClientId::new(name).unwrap()).await.unwrap().is_some(), "{name}");
    }
}

/// Nobody has taken them, and their links are gone.
#[tokio::test]
async fn codes_whose_links_the_server_has_removed_leave_the_lists() {
    let server = Redis::start("");
    let store = patient_redis([server.url()]).build().await.unwrap();
    let long_ago = now().saturating_sub(30 * 86_400);
    for _ in 0..3 {
        let code = QueuedCode { queued_at: long_ago, due_at: long_ago, expires_at: long_ago, ..fresh_queued() };
        store.queue_code(code).await.unwrap();
    }
    assert_eq!(server.say(&["ZCARD", "oauth:{links}:due"]), ":3");
    assert!(end_of(&server, "}:link:").is_empty());
    let code = fresh_queued();
    store.queue_code(code.clone()).await.unwrap();
    for list in ["oauth:{links}:due", "oauth:{links}:ending"] {
        assert_eq!(server.say(&["ZCARD", list]), ":1");
    }
    // And whoever looks for one passes over those that are left.
    for _ in 0..40 {
        let code = QueuedCode { due_at: long_ago, queued_at: long_ago, expires_at: long_ago, ..fresh_queued() };
        store.queue_code(code).await.unwrap();
    }
    let taken = store.take_queued(now(), later(60)).await.unwrap();
    assert_eq!(taken.map(|taken| taken.id), Some(code.id));
    assert_eq!(server.say(&["ZCARD", "oauth:{links}:due"]), ":1");
}
