//! The store for many nodes, on a real server: all that a store must do, and what happens when the server, the wire or
//! the caller goes away at the wrong moment.

mod faults;
mod links;
mod programs;
mod schema;

use oauth_core::{
    client::{Client, ClientId},
    clock::UnixTime,
    store::{
        Clients, Consents, Epoch, FinishInteraction, Grant, Grants, Interactions, ParkedInteraction, Reciprocals,
        RedeemCode, Redemption, RefreshOutcome, RotateRefresh, SealedKey, SigningKeys, Statuses, Store, Uses,
        conformance::{Nodes, Suite},
        postgres::{Pooler, PostgresStore},
    },
};

use crate::support::*;

// spec: TOK-17, TOK-18, TOK-27, TOK-28, TOK-29, TOK-30, TOK-31, SEC-20
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_is_as_stores_are() {
    let store = store_at(&new_database().await).await;
    Suite::new(|| async { store.clone() }, |task| drop(tokio::spawn(task))).run().await;
}

// spec: SEC-20
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_nodes_are_one_store() {
    let url = new_database().await;
    let node = async || patient(&url).connections(8).build().await.unwrap();
    let (first, others) = (node().await, [node().await, node().await, node().await]);
    let nodes = || async { Nodes::new(first.clone(), others.clone()) };
    Suite::new(nodes, |task| drop(tokio::spawn(task))).run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn statements_that_are_not_prepared_do_the_same() {
    let url = new_database().await;
    let store = patient(&url).pooler(Pooler::Unprepared).build().await.unwrap();
    Suite::new(|| async { store.clone() }, |task| drop(tokio::spawn(task))).run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pooler_may_stand_in_between() {
    let direct = new_database().await;
    let bouncer = PgBouncer::start(shared_postgres());
    let url = url_at(bouncer.port, direct.rsplit('/').next().unwrap());
    let poolers =
        if knows_prepared_statements() { vec![Pooler::Unprepared, Pooler::Prepared] } else { vec![Pooler::Unprepared] };
    for pooler in poolers {
        println!("{pooler:?}");
        // Eight connections each, of which six are served at a time.
        let node = || patient(&url).connections(8).pooler(pooler).build();
        let (first, other) = futures_util::future::try_join(node(), node()).await.unwrap();
        let nodes = || async { Nodes::new(first.clone(), [other.clone()]) };
        Suite::new(nodes, |task| drop(tokio::spawn(task))).run().await;
    }
}

/// What others do to the row in the meantime counts, and nothing that was true before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_had_to_wait_judges_what_it_then_finds() {
    let url = new_database().await;
    let store = store_at(&url).await;
    let (beside, watch) = (raw(&url).await, raw(&url).await);
    for verb in 0..4 {
        let grant = fresh_grant();
        store.insert_grant(grant.clone(), None).await.unwrap();
        let id = grant.id.as_bytes().as_slice();
        beside.batch_execute("BEGIN").await.unwrap();
        let revoke = "UPDATE oauth_grants SET revoked_at = 1800000000 WHERE id = $1";
        assert_eq!(beside.execute(revoke, &[&id]).await.unwrap(), 1);
        let step = tokio::spawn({
            let (store, grant) = (store.clone(), grant.clone());
            async move {
                match verb {
                    0 => format!("{:?}", store.insert_access(grant.id, fresh_access(), now()).await.unwrap()),
                    1 => format!("{:?}", store.rotate_refresh(rotating(&grant)).await.unwrap()),
                    2 => format!("{:?}", store.redeem_code(redeeming(&grant)).await.unwrap()),
                    _ => format!("{:?}", store.revoke_grant(grant.id, now()).await.unwrap()),
                }
            }
        });
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while watch.query(waiting, &[]).await.unwrap().is_empty() {
            assert!(!step.is_finished(), "verb {verb} did not wait for the row");
        }
        beside.batch_execute("COMMIT").await.unwrap();
        assert_eq!(step.await.unwrap(), ["false", "Refused", "Refused", "AlreadyRevoked"][verb]);
        let tokens = "SELECT 1 FROM oauth_access_tokens";
        assert!(watch.query(tokens, &[]).await.unwrap().is_empty());
    }
}

/// Calls every verb that a request can lead to.
async fn call_everything(store: &PostgresStore, mut each: impl FnMut(&str)) {
    let (grant, access) = (fresh_grant(), fresh_access());
    store.insert_grant(grant.clone(), Some(access.clone())).await.unwrap();
    each("insert_grant");
    store.grant(grant.id).await.unwrap();
    each("grant");
    store.access(grant.id, access.digest).await.unwrap();
    each("access");
    store.rotate_refresh(rotating(&grant)).await.unwrap();
    each("rotate_refresh");
    store.rotate_refresh(rotating(&grant)).await.unwrap();
    each("rotate_refresh, a retry");
    store.redeem_code(redeeming(&grant)).await.unwrap();
    each("redeem_code");
    store.redeem_code(redeeming(&grant)).await.unwrap();
    each("redeem_code, a replay");
    store.insert_access(grant.id, fresh_access(), now()).await.unwrap();
    each("insert_access");
    store.revoke_access(grant.id, access.digest).await.unwrap();
    each("revoke_access");
    store.revoke_grant(grant.id, now()).await.unwrap();
    each("revoke_grant");
    let parked = ParkedInteraction {
        id: fresh_digest(),
        browser: fresh_digest(),
        request: vec![1; 500],
        expires_at: later(600),
    };
    store.park_interaction(parked.clone()).await.unwrap();
    each("park_interaction");
    store.interaction(parked.id, parked.browser, now()).await.unwrap();
    each("interaction");
    let finish = FinishInteraction { id: parked.id, browser: parked.browser, now: now(), grant: Some(fresh_grant()) };
    store.finish_interaction(finish.clone()).await.unwrap();
    each("finish_interaction");
    store.finish_interaction(FinishInteraction { grant: None, ..finish }).await.unwrap();
    each("finish_interaction, a denial");
    store.put_client(Client::builder("app").redirect_uri(CALLBACK).build().unwrap()).await.unwrap();
    each("put_client");
    store.client(ClientId::new("app").unwrap()).await.unwrap();
    each("client");
    store.delete_client(ClientId::new("app").unwrap()).await.unwrap();
    each("delete_client");
    let (kid, algorithm) = ("k".to_owned(), "EdDSA".to_owned());
    let key = SealedKey { kid, algorithm, sealed: vec![1; 100], active_from: now() };
    store.insert_signing_key(key, None).await.unwrap();
    each("insert_signing_key");
    store.signing_keys().await.unwrap();
    each("signing_keys");
    store.delete_signing_key("k".to_owned()).await.unwrap();
    each("delete_signing_key");
    let used = fresh_digest();
    store.first_use(used, later(60), now()).await.unwrap();
    each("first_use");
    store.first_use(used, later(60), now()).await.unwrap();
    each("first_use, again");
    store.count_use(used, later(60), now()).await.unwrap();
    each("count_use");
    store.uses(used, now()).await.unwrap();
    each("uses");
    let given = fresh_consent();
    let (subject, client) = (given.subject.clone(), given.client.clone());
    assert!(store.replace_consent(given.clone(), None, now()).await.unwrap());
    each("replace_consent, the first");
    assert!(store.replace_consent(given.clone(), Some(given.revision), now()).await.unwrap());
    each("replace_consent");
    store.consent(subject.clone(), client.clone(), now()).await.unwrap();
    each("consent");
    store.forget_consent(subject, client).await.unwrap();
    each("forget_consent");
    let code = fresh_queued();
    let (link, tokens) = (code.link.clone(), fresh_tokens(&code));
    store.queue_code(code.clone()).await.unwrap();
    each("queue_code");
    store.take_queued(now(), later(60)).await.unwrap();
    each("take_queued");
    store.defer_queued(link.clone(), code.id, later(60)).await.unwrap();
    each("defer_queued");
    store.finish_queued(link.clone(), code.id, Some(tokens.clone())).await.unwrap();
    each("finish_queued");
    store.finish_queued(link.clone(), code.id, None).await.unwrap();
    each("finish_queued, without tokens");
    store.peer_tokens(link.clone(), now()).await.unwrap();
    each("peer_tokens");
    store.replace_peer_tokens(tokens.clone(), Some(0), now()).await.unwrap();
    each("replace_peer_tokens");
    store.replace_peer_tokens(tokens, None, now()).await.unwrap();
    each("replace_peer_tokens, of none");
    store.list_peer_tokens(None, 10, now()).await.unwrap();
    each("list_peer_tokens");
    store.queued_codes(now()).await.unwrap();
    each("queued_codes");
    store.forget_link(link).await.unwrap();
    each("forget_link");
    let waiting = fresh_grant();
    store.insert_grant(waiting.clone(), None).await.unwrap();
    each("insert_grant, without a token");
    let rotation = until_first_use(&waiting);
    store.rotate_refresh(rotation.clone()).await.unwrap();
    each("rotate_refresh, until the first use");
    assert!(store.confirm_refresh(waiting.id, rotation.access.digest, now()).await.unwrap());
    each("confirm_refresh");
    assert!(!store.confirm_refresh(waiting.id, rotation.access.digest, now()).await.unwrap());
    each("confirm_refresh, again");
    let first = store.grants_of("alice".to_owned(), None, 1).await.unwrap();
    each("grants_of");
    store.grants_of("alice".to_owned(), first.last().map(|last| last.id), 10).await.unwrap();
    each("grants_of, what follows");
    store.raise_epoch(UnixTime(1)).await.unwrap();
    each("raise_epoch");
    store.epoch().await.unwrap();
    each("epoch");
    store.grant_statuses(grant.id, now()).await.unwrap();
    each("grant_statuses");
    store.revoke_statuses(1, vec![7, 4_711], later(60)).await.unwrap();
    each("revoke_statuses");
    store.revoked_statuses(1, now()).await.unwrap();
    each("revoked_statuses");
    store.check().await.unwrap();
    each("check");
}

#[tokio::test]
async fn every_verb_is_one_round_trip_prepared_or_not() {
    for pooler in [Pooler::None, Pooler::Prepared, Pooler::Unprepared] {
        let url = new_database().await;
        let wire = Wire::to(shared_postgres().port()).await;
        let url = url_at(wire.port, url.rsplit('/').next().unwrap());
        let store = patient(&url).connections(1).pooler(pooler).build().await.unwrap();
        let before = wire.asked();
        store.check().await.unwrap();
        println!("{pooler:?}: the first call and its connection: {}", wire.asked() - before);
        let mut last = wire.asked();
        call_everything(&store, |verb| {
            assert_eq!(wire.asked() - last, 1, "{verb}, {pooler:?}");
            last = wire.asked();
        })
        .await;
        store.sweep(now(), 1000).await.unwrap();
        assert_eq!(wire.asked() - last, 8, "a sweep, {pooler:?}");
        assert_eq!(wire.connections(), 2, "one for the schema, one for the rest");
    }
}

#[tokio::test]
async fn the_end_of_a_grant_leaves_nothing_to_retry_with() {
    let store = store_at(&new_database().await).await;
    for way in 0..3 {
        let grant = fresh_grant();
        store.insert_grant(grant.clone(), None).await.unwrap();
        if way == 1 {
            store.redeem_code(redeeming(&grant)).await.unwrap();
        }
        let refresh = store.grant(grant.id).await.unwrap().unwrap().refresh;
        let rotation = rotating(&Grant { refresh, ..grant.clone() });
        store.rotate_refresh(rotation.clone()).await.unwrap();
        let retry = async || store.grant(grant.id).await.unwrap().unwrap().refresh.unwrap().retry;
        assert!(retry().await.is_some());
        match way {
            0 => drop(store.revoke_grant(grant.id, now()).await.unwrap()),
            1 => assert_eq!(store.redeem_code(redeeming(&grant)).await.unwrap(), Redemption::Replayed),
            _ => {
                let late = RotateRefresh { now: later(30), ..rotation };
                assert_eq!(store.rotate_refresh(late).await.unwrap(), RefreshOutcome::Reused);
            }
        }
        assert_eq!(retry().await, None);
    }
}

#[tokio::test]
async fn nothing_secret_is_shown() {
    let url = new_database().await;
    let secret = |shown: String| {
        assert!(!shown.contains(DATABASE_PASSWORD), "{shown}");
        assert!(shown.contains("127.0.0.1"), "{shown}");
    };
    secret(format!("{:?}", PostgresStore::builder(&url)));
    secret(format!("{:?}", store_at(&url).await));
    let wrong = url.replace(DATABASE_PASSWORD, "hunter3");
    let error = PostgresStore::connect(&wrong).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("password authentication failed") && !shown.contains("hunter3"), "{shown}");
}

#[tokio::test]
async fn a_text_that_no_database_can_hold_matches_nothing() {
    let store = store_at(&new_database().await).await;
    let grant = fresh_grant();
    store.insert_grant(grant.clone(), None).await.unwrap();
    let redirect_uri = Some("https://app.example/\0".to_owned());
    let outcome = store.redeem_code(RedeemCode { redirect_uri, ..redeeming(&grant) }).await;
    assert_eq!(outcome.unwrap(), Redemption::Refused);
}

#[tokio::test]
async fn a_closed_store_takes_no_more() {
    let url = new_database().await;
    let store = store_at(&url).await;
    store.check().await.unwrap();
    store.clone().close();
    assert!(faults::is_unavailable(&store.check().await));
}
