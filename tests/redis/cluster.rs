//! A cluster whose servers come, go and pass slots on.

use std::time::Duration;

use oauth_core::store::{Grant, Grants, Redemption, RefreshOutcome, Revocation, Store};

use super::faults::{answer, is_unavailable};
use crate::support::*;

/// Which server has led the slot of a grant from the beginning, and the slot. One that lives is asked.
fn leader(cluster: &Cluster, grant: &Grant) -> (usize, u16) {
    let slot = cluster.nodes[1].say(&["CLUSTER", "KEYSLOT", &format!("oauth:{{{}}}:grant", grant.id)]);
    let slot: u16 = slot.trim_start_matches(':').parse().unwrap();
    (usize::from(slot) * 3 / 16_384, slot)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_a_primary() {
    let mut cluster = Cluster::start();
    let store = patient_redis(cluster.urls()).replicas(1).build().await.unwrap();
    let grants: Vec<_> = (0..60).map(|_| fresh_grant()).collect();
    for grant in &grants {
        store.insert_grant(grant.clone(), None).await.unwrap();
        assert_eq!(store.redeem_code(redeeming(grant)).await.unwrap(), Redemption::Redeemed);
        assert_eq!(store.revoke_grant(grant.id, now()).await.unwrap(), Revocation::Revoked);
    }
    cluster.nodes[0].signal("KILL");
    let of_the_dead = grants.iter().find(|grant| leader(&cluster, grant).0 == 0).unwrap();
    assert!(is_unavailable(&store.grant(of_the_dead.id).await));
    cluster.nodes[3].say(&["CLUSTER", "FAILOVER", "TAKEOVER"]);
    for node in &cluster.nodes[1..] {
        let port = cluster.nodes[3].port().to_string();
        node.until("told", |node| node.say(&["CLUSTER", "SLOTS"]).contains(&format!(":0\n:5460\n127.0.0.1\n:{port}")));
    }
    for grant in &grants {
        let found = answer(async || store.grant(grant.id).await).await.unwrap();
        assert!(found.revoked_at.is_some() && found.code.unwrap().redeemed_at.is_some());
    }
    // The heir has no replica: what it takes could be lost, and is not acknowledged.
    let hasty = patient_redis([cluster.nodes[3].url()]).replicas(1).replica_timeout(Duration::from_millis(50));
    assert!(is_unavailable(&hasty.build().await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_is_followed_from_server_to_server() {
    let cluster = Cluster::start();
    let store = patient_redis(cluster.urls()).replicas(1).build().await.unwrap();
    let moment = Duration::from_millis(100);
    let hasty = patient_redis(cluster.urls()).connect_timeout(moment).response_timeout(moment).build().await.unwrap();
    let mut grant = fresh_grant();
    store.insert_grant(grant.clone(), None).await.unwrap();
    assert_eq!(store.rotate_refresh(rotating(&grant)).await.unwrap(), RefreshOutcome::Rotated);
    grant = store.grant(grant.id).await.unwrap().unwrap();
    let (from, slot) = leader(&cluster, &grant);
    let (source, target, slot) = (&cluster.nodes[from], &cluster.nodes[(from + 1) % 3], slot.to_string());
    let (source_id, target_id) = (source.say(&["CLUSTER", "MYID"]), target.say(&["CLUSTER", "MYID"]));
    target.say(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source_id]);
    source.say(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &target_id]);
    // All that there is of it is still here; the token to be added belongs there.
    assert_eq!(store.grant(grant.id).await.unwrap(), Some(grant.clone()));
    assert!(is_unavailable(&hasty.insert_access(grant.id, fresh_access(), now()).await));
    source.say(&["CONFIG", "RESETSTAT"]);
    let patient = tokio::spawn({
        let (store, id) = (store.clone(), grant.id);
        async move { store.insert_access(id, fresh_access(), now()).await }
    });
    source.until("asked", |source| source.say(&["INFO", "errorstats"]).contains("TRYAGAIN"));
    let port = target.port().to_string();
    for key in source.say(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]).lines() {
        let moved = source.say(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000", "AUTH", REDIS_PASSWORD]);
        assert_eq!(moved, "+OK");
    }
    // All of it is there now, and the slot is still said to be here.
    assert_eq!(store.grant(grant.id).await.unwrap(), Some(grant.clone()));
    for node in [target, source] {
        node.say(&["CLUSTER", "SETSLOT", &slot, "NODE", &target_id]);
    }
    assert!(patient.await.unwrap().unwrap());
    assert_eq!(store.grant(grant.id).await.unwrap(), Some(grant.clone()));
    assert_eq!(store.rotate_refresh(rotating(&grant)).await.unwrap(), RefreshOutcome::Rotated);
    assert!(store.insert_access(grant.id, fresh_access(), now()).await.unwrap());
    store.check().await.unwrap();
}
