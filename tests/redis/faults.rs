//! Outages: never a false yes, never a false no, always an end.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::join_all;
use oauth_core::{
    clock::{Clock, SystemClock, UnixTime},
    dpop::{ReplayCache, ReplayError},
    store::{
        Epoch, FinishInteraction, Grant, Grants, Interactions, Queued, Reciprocals, Redemption, RefreshOutcome,
        Revocation, SharedReplayCache, SigningKeys, Statuses, Store, StoreError, Uses, redis::RedisStoreBuilder,
    },
};

use super::wire::wired;
use crate::support::*;

pub(super) fn is_unavailable<T: fmt::Debug>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable(_)))
}

/// A store that does not wait long, for servers that never answer.
fn impatient(url: String) -> RedisStoreBuilder {
    patient_redis([url]).response_timeout(Duration::from_millis(150)).connections(1)
}

/// Asks until there is an answer.
pub(super) async fn answer<T>(ask: impl AsyncFn() -> Result<T, StoreError>) -> T {
    for _ in 0..10_000 {
        if let Ok(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("there is never an answer");
}

#[tokio::test]
async fn a_server_that_was_restarted_is_found_again() {
    let mut server = Redis::start("");
    let store = patient_redis([server.url()]).build().await.unwrap();
    for signal in ["TERM", "KILL"] {
        let grant = fresh_grant();
        store.insert_grant(grant.clone(), None).await.unwrap();
        assert_eq!(store.revoke_grant(grant.id, now()).await.unwrap(), Revocation::Revoked);
        server.signal(signal);
        assert!(is_unavailable(&store.grant(grant.id).await), "{signal}");
        assert!(is_unavailable(&store.revoke_grant(grant.id, now()).await), "{signal}");
        assert!(is_unavailable(&store.check().await), "{signal}");
        server.resume();
        let again = answer(async || store.revoke_grant(grant.id, now()).await).await;
        assert_eq!(again, Revocation::AlreadyRevoked, "{signal}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    let mut server = Redis::start("");
    let store = impatient(server.url()).connect_timeout(Duration::from_millis(150)).build().await.unwrap();
    let grant = fresh_grant();
    store.insert_grant(grant.clone(), None).await.unwrap();
    server.signal("STOP");
    // In use, opened anew, and waited for.
    let calls = join_all((0..6).map(|_| store.grant(grant.id))).await;
    assert!(calls.iter().all(is_unavailable), "{calls:?}");
    assert!(is_unavailable(&store.check().await));
    server.signal("CONT");
    assert_eq!(answer(async || store.grant(grant.id).await).await, Some(grant));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_no_answer_and_no_second_attempt() {
    let (server, wire, store) = wired().await;
    let beside = patient_redis([server.url()]).build().await.unwrap();
    // Both scripts are known to the server.
    beside.redeem_code(redeeming(&fresh_grant())).await.unwrap();
    let grant = fresh_grant();
    store.insert_grant(grant.clone(), None).await.unwrap();
    let redeem = redeeming(&grant);
    wire.lose_answer(1);
    assert!(is_unavailable(&store.redeem_code(redeem.clone()).await));
    // It has taken effect, once: a second attempt would have been a replay, and the end of the grant.
    let (found, access) = beside.access(grant.id, redeem.access.digest).await.unwrap().unwrap();
    assert!(found.is_live(now()) && found.refresh.map(|refresh| refresh.digest) == redeem.refresh);
    assert_eq!(access, redeem.access);
    // What changes nothing is asked again.
    wire.lose_answer(1);
    assert!(store.grant(grant.id).await.unwrap().is_some());
}

#[tokio::test]
async fn connections_that_died_at_rest_are_not_used() {
    let server = Redis::start("");
    let store = patient_redis([server.url()]).build().await.unwrap();
    let grant = fresh_grant();
    store.insert_grant(grant.clone(), None).await.unwrap();
    server.say(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    // Time for this end to hear of it.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(store.revoke_grant(grant.id, now()).await.unwrap(), Revocation::Revoked);
}

#[tokio::test]
async fn a_server_that_forgot_its_scripts_is_told_them_again() {
    let server = Redis::start("");
    let store = patient_redis([server.url()]).replicas(0).build().await.unwrap();
    let grant = fresh_grant();
    for outcome in [Redemption::Redeemed, Redemption::Replayed] {
        drop(store.insert_grant(grant.clone(), None).await);
        server.say(&["SCRIPT", "FLUSH"]);
        assert_eq!(store.redeem_code(redeeming(&grant)).await.unwrap(), outcome);
    }
}

#[tokio::test]
async fn a_step_that_memory_has_no_room_for_is_not_half_done() {
    let server = Redis::start("");
    let store = patient_redis([server.url()]).build().await.unwrap();
    let grant = fresh_grant();
    store.insert_grant(grant.clone(), None).await.unwrap();
    server.say(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(is_unavailable(&store.redeem_code(redeeming(&grant)).await));
    assert!(is_unavailable(&store.rotate_refresh(rotating(&grant)).await));
    assert!(is_unavailable(&store.insert_grant(fresh_grant(), None).await));
    assert!(is_unavailable(&store.check().await));
    assert_eq!(store.grant(grant.id).await.unwrap(), Some(grant.clone()));
    // What takes away is always possible.
    assert_eq!(store.revoke_grant(grant.id, now()).await.unwrap(), Revocation::Revoked);
}

#[tokio::test]
async fn a_server_that_evicts_is_refused() {
    let server = Redis::start("maxmemory 100mb\nmaxmemory-policy volatile-ttl");
    let refused = patient_redis([server.url()]).build().await;
    assert!(refused.unwrap_err().to_string().contains("noeviction"));
    patient_redis([server.url()]).insecure_allow_eviction().build().await.unwrap();
}

#[tokio::test]
async fn without_enough_replicas_nothing_is_acknowledged() {
    let (primary, mut replicas) = replicated(1);
    let store = patient_redis([primary.url()]).replicas(1).replica_timeout(Duration::from_millis(100));
    let store = answer(async || store.clone().build().await).await;
    let grant = fresh_grant();
    patient_redis([primary.url()]).build().await.unwrap().insert_grant(grant.clone(), None).await.unwrap();
    replicas[0].signal("KILL");
    let error = store.revoke_grant(grant.id, now()).await.unwrap_err();
    assert!(error.to_string().contains("0 replicas of 1"), "{error}");
    // That it has been revoked is not acknowledged either, as long as it can be lost.
    assert!(is_unavailable(&store.revoke_grant(grant.id, now()).await));
    // What changes nothing waits for nobody.
    assert!(store.grant(grant.id).await.unwrap().is_some_and(|grant| grant.revoked_at.is_some()));
    replicas[0].resume();
    let again = answer(async || store.revoke_grant(grant.id, now()).await).await;
    assert_eq!(again, Revocation::AlreadyRevoked);
}

#[tokio::test]
async fn what_a_replica_has_acknowledged_outlives_the_primary() {
    let (mut primary, replicas) = replicated(1);
    let store = patient_redis([primary.url()]).replicas(1).build().await.unwrap();
    let grants: Vec<_> = (0..50).map(|_| fresh_grant()).collect();
    for grant in &grants {
        store.insert_grant(grant.clone(), None).await.unwrap();
        store.revoke_grant(grant.id, now()).await.unwrap();
    }
    primary.signal("KILL");
    replicas[0].say(&["REPLICAOF", "NO", "ONE"]);
    let heir = patient_redis([replicas[0].url()]).build().await.unwrap();
    for grant in &grants {
        assert_eq!(heir.revoke_grant(grant.id, now()).await.unwrap(), Revocation::AlreadyRevoked);
    }
}

#[tokio::test]
async fn a_replica_is_asked_nothing() {
    let (primary, replicas) = replicated(1);
    let refused = patient_redis([replicas[0].url()]).build().await;
    assert!(refused.unwrap_err().to_string().contains("replica"));
    let store = patient_redis([primary.url()]).build().await.unwrap();
    let grant = fresh_grant();
    store.insert_grant(grant.clone(), None).await.unwrap();
    // Another leads now; what this one knows grows old.
    replicas[0].say(&["REPLICAOF", "NO", "ONE"]);
    primary.say(&["REPLICAOF", "127.0.0.1", &replicas[0].port().to_string()]);
    assert!(is_unavailable(&store.grant(grant.id).await));
    assert!(is_unavailable(&store.revoke_grant(grant.id, now()).await));
    assert!(is_unavailable(&store.check().await));
}

#[tokio::test]
async fn nothing_secret_is_shown() {
    let server = Redis::start("");
    let secret = |shown: String| {
        assert!(!shown.contains(REDIS_PASSWORD), "{shown}");
        assert!(shown.contains("127.0.0.1"), "{shown}");
    };
    secret(format!("{:?}", patient_redis([server.url()])));
    secret(format!("{:?}", patient_redis([server.url()]).build().await.unwrap()));
    let error = patient_redis([server.url().replace(REDIS_PASSWORD, "hunter3")]).build().await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("127.0.0.1") && !shown.contains("hunter"), "{shown}");
    let error = patient_redis([redis_url_at(free_port())]).build().await.unwrap_err();
    secret(format!("{error} {error:?}"));
}

#[tokio::test]
async fn a_user_of_its_own_needs_no_more_than_is_said() {
    let server = Redis::start("");
    let allowed = "+eval +evalsha +get +set +del +incr +exists +persist +expireat +hset +hget +hgetall +hdel +time \
        +setbit +zadd +zcount +zrange +zrem +zcard +zrandmember +zrangebylex +wait +info +hello +auth +asking \
        +cluster|slots";
    let words: Vec<_> =
        ["ACL", "SETUSER", "me", "on", ">mine", "~oauth:*"].into_iter().chain(allowed.split(' ')).collect();
    assert_eq!(server.say(&words), "+OK");
    let url = server.url().replace(&format!(":{REDIS_PASSWORD}"), "me:mine");
    let store = patient_redis([url]).build().await.unwrap();
    let (grant, parked) = (fresh_grant(), fresh_interaction());
    store.park_interaction(parked.clone()).await.unwrap();
    let (id, browser) = (parked.id, parked.browser);
    store.interaction(id, browser, now()).await.unwrap();
    let finish = FinishInteraction { id, browser, now: now(), grant: Some(grant.clone()) };
    assert!(store.finish_interaction(finish).await.unwrap());
    assert_eq!(store.redeem_code(redeeming(&grant)).await.unwrap(), Redemption::Redeemed);
    let grant = store.grant(grant.id).await.unwrap().unwrap();
    assert_eq!(store.rotate_refresh(rotating(&grant)).await.unwrap(), RefreshOutcome::Rotated);
    store.revoke_access(grant.id, fresh_digest()).await.unwrap();
    let used = fresh_digest();
    assert!(store.first_use(used, later(60), now()).await.unwrap());
    assert_eq!(store.count_use(used, later(60), now()).await.unwrap(), 2);
    assert_eq!(store.uses(used, now()).await.unwrap(), 2);
    assert!(store.signing_keys().await.unwrap().is_empty());
    assert!(!store.delete_signing_key("k".to_owned()).await.unwrap());
    let lasting = Grant { expires_at: UnixTime(u64::MAX), code: None, ..fresh_grant() };
    store.insert_grant(lasting, None).await.unwrap();
    let code = fresh_queued();
    let (link, tokens) = (code.link.clone(), fresh_tokens(&code));
    assert_eq!(store.queue_code(code.clone()).await.unwrap(), Queued::Added);
    assert!(store.take_queued(now(), now()).await.unwrap().is_some());
    assert!(store.defer_queued(link.clone(), code.id, now()).await.unwrap());
    assert_eq!(store.queued_codes(now()).await.unwrap(), 1);
    store.finish_queued(link.clone(), code.id, Some(tokens.clone())).await.unwrap();
    assert!(store.replace_peer_tokens(tokens, Some(0), now()).await.unwrap());
    assert!(store.forget_link(link).await.unwrap().is_some());
    let (waiting, later) = (fresh_grant(), later(60));
    store.insert_grant(waiting.clone(), None).await.unwrap();
    let rotation = until_first_use(&waiting);
    assert_eq!(store.rotate_refresh(rotation.clone()).await.unwrap(), RefreshOutcome::Rotated);
    assert!(store.confirm_refresh(waiting.id, rotation.access.digest, now()).await.unwrap());
    assert_eq!(store.grants_of("alice".to_owned(), None, 10).await.unwrap().len(), 3);
    assert_eq!(store.raise_epoch(UnixTime(1)).await.unwrap(), store.epoch().await.unwrap());
    store.revoke_statuses(1, vec![7], later).await.unwrap();
    assert_eq!(store.revoked_statuses(1, now()).await.unwrap(), [7]);
}

#[tokio::test]
async fn a_closed_store_takes_no_more() {
    let server = Redis::start("");
    let store = patient_redis([server.url()]).build().await.unwrap();
    store.clone().close();
    assert!(is_unavailable(&store.check().await));
}

#[tokio::test]
async fn numbers_keep_their_last_digit() {
    let server = Redis::start("");
    let store = patient_redis([server.url()]).build().await.unwrap();
    for generation in [0, 9, 10, 100, 199, 909, (1 << 53) + 1, u64::MAX - 1, u64::MAX] {
        let mut grant = fresh_grant();
        grant.expires_at = UnixTime(u64::MAX);
        grant.refresh.as_mut().unwrap().generation = generation;
        store.insert_grant(grant.clone(), None).await.unwrap();
        assert_eq!(store.grant(grant.id).await.unwrap().as_ref(), Some(&grant));
        if let Some(earlier) = generation.checked_sub(1) {
            let mut twin = fresh_grant();
            twin.refresh = grant.refresh.clone();
            store.insert_grant(twin.clone(), None).await.unwrap();
            let mut former = rotating(&twin);
            former.generation = earlier;
            assert_eq!(store.rotate_refresh(former).await.unwrap(), RefreshOutcome::Reused);
        }
        assert_eq!(store.rotate_refresh(rotating(&grant)).await.unwrap(), RefreshOutcome::Rotated);
        let found = store.grant(grant.id).await.unwrap().unwrap().refresh.unwrap().generation;
        assert_eq!(found, generation.saturating_add(1));
    }
}

#[tokio::test]
async fn a_proof_is_used_once_on_all_nodes() {
    let mut server = Redis::start("");
    let node = async || {
        let store = patient_redis([server.url()]).build().await.unwrap();
        SharedReplayCache::new(Arc::new(store), Arc::new(SystemClock))
    };
    let nodes = [node().await, node().await];
    let until = SystemClock.now().saturating_add(60);
    let digest = fresh_digest();
    let all = join_all((0..50).map(|n| nodes[n % 2].first_use(digest, until))).await;
    assert_eq!(all.into_iter().filter(|first| *first.as_ref().unwrap()).count(), 1);
    assert!(!nodes[0].first_use(fresh_digest(), SystemClock.now()).await.unwrap());
    assert!(nodes[0].first_use(fresh_digest(), UnixTime::MAX).await.unwrap());
    server.signal("KILL");
    let refused = nodes[1].first_use(fresh_digest(), until).await;
    assert!(matches!(refused, Err(ReplayError::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_wire_that_is_cut_is_another_connection() {
    let (_server, wire, store) = wired().await;
    for _ in 0..5 {
        wire.lose_answer(1);
        assert!(is_unavailable(&store.check().await));
        store.check().await.unwrap();
    }
}
