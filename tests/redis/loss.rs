//! What a failover loses: nothing that was acknowledged, if replicas are waited for; without, it is counted.

use std::time::Duration;

use futures_util::future::join_all;
use oauth_core::store::{Grant, Grants, Redemption, RefreshOutcome, Revocation, redis::RedisStore};

use super::{faults::answer, wire::Wire};
use crate::support::*;

/// A step that its caller was told of.
#[derive(Debug)]
enum Told {
    Redeemed(Grant),
    Rotated(Grant),
    Revoked(Grant),
}

impl Told {
    /// Whether the store has forgotten it.
    async fn is_lost(&self, store: &RedisStore) -> bool {
        match self {
            Self::Redeemed(grant) => store.redeem_code(redeeming(grant)).await.unwrap() != Redemption::Replayed,
            Self::Rotated(grant) => {
                let retry = store.rotate_refresh(rotating(grant)).await.unwrap();
                !matches!(retry, RefreshOutcome::Retry { .. })
            }
            Self::Revoked(grant) => store.revoke_grant(grant.id, now()).await.unwrap() != Revocation::AlreadyRevoked,
        }
    }
}

/// Takes one step on each grant, all at once, and returns those that were acknowledged.
async fn steps(store: &RedisStore, grants: Vec<Grant>) -> Vec<Told> {
    let step = |(number, grant): (usize, Grant)| async move {
        match number % 3 {
            0 => store.redeem_code(redeeming(&grant)).await.is_ok().then_some(Told::Redeemed(grant)),
            1 => store.rotate_refresh(rotating(&grant)).await.is_ok().then_some(Told::Rotated(grant)),
            _ => store.revoke_grant(grant.id, now()).await.is_ok().then_some(Told::Revoked(grant)),
        }
    };
    join_all(grants.into_iter().enumerate().map(step)).await.into_iter().flatten().collect()
}

/// How many steps were acknowledged while the replica lagged behind, and how many of all are lost after the failover.
async fn failover(replicas: u32) -> (usize, usize) {
    let mut primary = Redis::start("");
    let wire = Wire::to(primary.port()).await;
    let replica = Redis::start(&format!("replicaof 127.0.0.1 {}", wire.port));
    replica.until("in step", |replica| replica.say(&["INFO", "replication"]).contains("master_link_status:up"));
    let store = patient_redis([primary.url()]).replicas(replicas).replica_timeout(Duration::from_millis(100));
    let store = answer(async || store.clone().build().await).await;
    let fresh = async |count| {
        let grants: Vec<_> = (0..count).map(|_| fresh_grant()).collect();
        join_all(grants.iter().map(|grant| store.insert_grant(grant.clone(), None))).await;
        grants
    };
    let (early, late) = (fresh(60).await, fresh(60).await);
    let mut told = steps(&store, early).await;
    // Everything so far has arrived.
    let offset = |redis: &Redis, name: &str| {
        let info = redis.say(&["INFO", "replication"]);
        info.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok()).unwrap()
    };
    let sent = offset(&primary, "master_repl_offset:");
    replica.until("up to date", |replica| offset(replica, "slave_repl_offset:") >= sent);
    // The wire to the replica is slow, and goes down with the primary.
    let held = wire.hold().await;
    let meanwhile = steps(&store, late).await;
    let acknowledged = meanwhile.len();
    told.extend(meanwhile);
    primary.signal("KILL");
    wire.lose_answer(1);
    drop(held);
    replica.say(&["REPLICAOF", "NO", "ONE"]);
    let heir = patient_redis([replica.url()]).build().await.unwrap();
    let mut lost = 0;
    for step in &told {
        lost += usize::from(step.is_lost(&heir).await);
    }
    println!("replicas({replicas}): {} steps acknowledged, {lost} of them lost", told.len());
    (acknowledged, lost)
}

// spec: SEC-20
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_acknowledged_is_lost_with_a_primary_if_its_replica_has_it() {
    assert_eq!(failover(1).await, (0, 0));
    // Otherwise all of it is, so that this test could have seen it.
    assert_eq!(failover(0).await, (60, 60));
}
