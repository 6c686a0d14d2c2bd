//! On Redis: one server, a primary with a replica, and a cluster.

use super::{Broken, Outcome, Scene, service::Service};
use crate::{redis::wire::Wire, support::*};

// spec: SEC-20, TOK-17
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_of_two_that_is_killed_takes_nothing_with_it() {
    let server = Redis::start("");
    let mut scene = Scene::start(&server.url(), 2).await;
    scene.kill_and_restart(1).await;
    scene.kill_and_restart(0).await;
    scene.end("Redis, nodes killed").await.is_good(Broken::Some);
}

/// Two nodes at a primary, whose replica takes over in the middle of it. The wire to the replica is slow at the end,
/// and goes down with the primary.
async fn failover(replicas: u32) -> Outcome {
    let mut primary = Redis::start("");
    let wire = Wire::to(primary.port()).await;
    let replica = Redis::start(&format!("replicaof 127.0.0.1 {}", wire.port));
    replica.until("in step", in_step);
    let service = Service::of(primary.port()).await;
    let scene = Scene::start(&format!("{}?replicas={replicas}", redis_url_at(service.port)), 2).await;

    let held = wire.hold().await;
    // Whoever waits for the replica hears 503; the others hear that all is well.
    scene.until_told().await;
    primary.signal("KILL");
    wire.lose_answer(1);
    drop(held);
    scene.until_unavailable().await;
    replica.say(&["REPLICAOF", "NO", "ONE"]);
    service.leads_to(replica.port());
    // Where one replica must have everything, there has to be one.
    primary.resume();
    primary.say(&["REPLICAOF", "127.0.0.1", &replica.port().to_string()]);
    primary.until("in step", in_step);
    scene.end(&format!("Redis failed over, replicas({replicas})")).await
}

fn in_step(replica: &Redis) -> bool {
    replica.say(&["INFO", "replication"]).contains("master_link_status:up")
}

// spec: SEC-20, TOK-17
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_replica_that_was_waited_for_keeps_the_word_of_its_primary() {
    failover(1).await.is_good(Broken::None);
}

/// What is lost otherwise, so that the test above could have seen it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_replica_that_nobody_waited_for_has_lost_what_was_acknowledged() {
    let outcome = failover(0).await;
    println!("{outcome}");
    for kind in ["a revocation", "the end of a grant", "a rotation", "a redemption", "a token"] {
        let count = outcome.lost.iter().filter(|lost| lost.starts_with(&format!("{kind} is lost"))).count();
        println!("  without WAIT: {kind} is lost: {count}");
    }
    assert!(!outcome.lost.is_empty());
}

// spec: SEC-20, TOK-17
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_that_loses_a_primary_keeps_its_word() {
    let mut cluster = Cluster::start();
    let urls: Vec<_> = cluster.urls().iter().map(|url| format!("{url}?replicas=1")).collect();
    let scene = Scene::start(&urls.join(","), 4).await;
    cluster.nodes[0].signal("KILL");
    scene.until_unavailable().await;
    cluster.nodes[3].until("a primary", |heir| heir.say(&["ROLE"]).contains("master"));
    cluster.nodes[0].resume();
    cluster.nodes[0].until("in step", in_step);
    scene.end("Redis Cluster failed over, replicas(1)").await.is_good(Broken::None);
}
