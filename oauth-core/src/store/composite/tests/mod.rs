#![cfg(feature = "testing")]

use super::Composite;
use crate::{
    authorization_details::AuthorizationDetails,
    clock::UnixTime,
    secret::Digest,
    store::{
        Code, FinishInteraction, Grant, GrantFacts, Grants, Interactions, ParkedInteraction, Store, StoreError,
        conformance::{Faulty, Nodes, Suite, When},
        memory::MemoryStore,
    },
    token::GrantId,
};

const NOW: UnixTime = UnixTime(1_800_000_000);
const BROWSER: Digest = Digest::from_bytes([9; 32]);

fn in_memory() -> Composite {
    Composite::new(MemoryStore::default(), MemoryStore::default())
}

// spec: TOK-17, TOK-18, TOK-27, TOK-28, TOK-29, TOK-30, TOK-31, SEC-20
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_are_as_one_store_is() {
    Suite::new(|| async { in_memory() }, |task| drop(tokio::spawn(task))).run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_on_two_stores_are_as_nodes_on_one() {
    let nodes = || async {
        let (durable, short_lived) = (MemoryStore::default(), MemoryStore::default());
        let node = || Composite::new(durable.clone(), short_lived.clone());
        Nodes::new(node(), [node(), node()])
    };
    Suite::new(nodes, |task| drop(tokio::spawn(task))).run().await;
}

fn grant(number: u8) -> Grant {
    let facts = GrantFacts {
        client: crate::client::ClientId::new("app").unwrap(),
        subject: Some("alice".to_owned()),
        scope: "a".parse().unwrap(),
        resources: Vec::new(),
        auth_time: None,
        acr: None,
        authorization_details: AuthorizationDetails::default(),
        dpop_jkt: None,
    };
    let code = Code {
        digest: Digest::from_bytes([number; 32]),
        redirect_uri: "https://app.example/".to_owned(),
        redirect_uri_required: true,
        challenge: None,
        expires_at: NOW.saturating_add(60),
        redeemed_at: None,
    };
    let (id, expires_at) = (GrantId::from_bytes([number; 16]), NOW.saturating_add(3_600));
    Grant { id, facts, created_at: NOW, expires_at, revoked_at: None, code: Some(code), refresh: None }
}

fn parked(number: u8) -> ParkedInteraction {
    let id = Digest::from_bytes([number; 32]);
    ParkedInteraction { id, browser: BROWSER, request: vec![1], expires_at: NOW.saturating_add(600) }
}

fn finish(grant: Option<Grant>) -> FinishInteraction {
    FinishInteraction { id: parked(1).id, browser: BROWSER, now: NOW, grant }
}

async fn is_open(store: &dyn Store) -> bool {
    store.interaction(parked(1).id, BROWSER, NOW).await.unwrap().is_some()
}

/// The end of an interaction takes three calls. Each fails in turn, before it has done anything and after.
#[tokio::test]
async fn an_interaction_whose_end_fails_at_any_step_can_be_decided_again_or_is_over() {
    for (call, verb) in ["interaction", "insert_grant", "finish_interaction"].into_iter().enumerate() {
        for when in [When::Before, When::After] {
            let inner = [MemoryStore::default(), MemoryStore::default()];
            let [durable, short_lived] = inner.map(Faulty::new);
            let store = Composite::new(durable.clone(), short_lived.clone());
            store.park_interaction(parked(1)).await.unwrap();
            match verb {
                "insert_grant" => durable.fail(when, 0),
                _ => short_lived.fail(when, usize::from(call == 2)),
            }
            let outcome = store.finish_interaction(finish(Some(grant(1)))).await;
            assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{verb} {when:?}: {outcome:?}");
            assert_eq!(durable.failed().or(short_lived.failed()), Some(verb));
            // Only if the last step happened it is over; and then its grant is there.
            let over = verb == "finish_interaction" && when == When::After;
            assert_eq!(is_open(&store).await, !over, "{verb} {when:?}");
            assert_eq!(store.finish_interaction(finish(Some(grant(2)))).await.unwrap(), !over, "{verb} {when:?}");
            let led_to = if over { grant(1) } else { grant(2) };
            assert_eq!(store.grant(led_to.id).await.unwrap(), Some(led_to), "{verb} {when:?}");
            // Whatever was left has ended with its code.
            while store.sweep(NOW.saturating_add(60), 10).await.unwrap() > 0 {}
            assert_eq!(store.grant(grant(1).id).await.unwrap(), None, "{verb} {when:?}");
        }
    }
}

#[tokio::test]
async fn a_grant_that_exists_leaves_the_interaction_to_another() {
    let store = in_memory();
    store.park_interaction(parked(1)).await.unwrap();
    store.insert_grant(grant(1), None).await.unwrap();
    let taken = store.finish_interaction(finish(Some(grant(1)))).await;
    assert!(matches!(taken, Err(StoreError::Conflict("grant"))), "{taken:?}");
    assert!(is_open(&store).await);
    assert!(store.finish_interaction(finish(None)).await.unwrap());
}

#[tokio::test]
async fn a_sweep_removes_from_both_and_never_more_than_it_may() {
    let store = in_memory();
    for number in 1..=3 {
        store.insert_grant(grant(number), None).await.unwrap();
        store.park_interaction(parked(number)).await.unwrap();
    }
    let mut removed = Vec::new();
    for _ in 0..4 {
        removed.push(store.sweep(NOW.saturating_add(3_600), 2).await.unwrap());
    }
    assert_eq!(removed, [2, 2, 2, 0]);
}

#[tokio::test]
async fn who_is_away_is_named() {
    let inner = [MemoryStore::default(), MemoryStore::default()];
    let [durable, short_lived] = inner.map(Faulty::new);
    let store = Composite::new(durable.clone(), short_lived.clone());
    assert!(store.check().await.is_ok());
    let mut told = Vec::new();
    for which in [&[&durable][..], &[&short_lived], &[&durable, &short_lived]] {
        which.iter().for_each(|store| store.fail(When::Before, 0));
        told.push(store.check().await.unwrap_err().to_string());
    }
    let said = "the store is unavailable: check was made to fail";
    assert_eq!(told[0], format!("the store is unavailable: the durable store: {said}"));
    assert_eq!(told[1], format!("the store is unavailable: the short-lived store: {said}"));
    assert_eq!(told[2], format!("the store is unavailable: the durable store: {said}; the short-lived store: {said}"));
}

#[tokio::test]
async fn without_the_short_lived_store_grants_go_on() {
    let short_lived = Faulty::new(MemoryStore::default());
    let store = Composite::new(MemoryStore::default(), short_lived.clone());
    short_lived.go_down(When::Before, 0);
    assert!(store.park_interaction(parked(1)).await.is_err());
    store.insert_grant(grant(1), None).await.unwrap();
    assert_eq!(store.grant(grant(1).id).await.unwrap(), Some(grant(1)));
    store.revoke_grant(grant(1).id, NOW).await.unwrap();
    assert!(store.check().await.is_err());
    short_lived.recover();
    assert!(store.check().await.is_ok());
    store.park_interaction(parked(1)).await.unwrap();
}
