//! The store in Redis, on real servers: all that a store must do, on one server and on a cluster.

mod cluster;
mod faults;
mod keys;
mod loss;
mod programs;
mod subjects;
mod tls;
pub(crate) mod wire;

use oauth_core::store::{
    conformance::{Nodes, Suite},
    redis::RedisStore,
};

use crate::support::*;

// spec: TOK-17, TOK-18, TOK-27, TOK-28, TOK-29, TOK-30, TOK-31, SEC-20
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_is_as_stores_are_on_one_server() {
    let server = Redis::start("");
    let store = patient_redis([server.url()]).build().await.unwrap();
    Suite::new(|| async { store.clone() }, |task| drop(tokio::spawn(task))).without_sweeps().run().await;
}

// spec: SEC-20
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_is_as_stores_are_on_a_cluster_with_many_nodes() {
    let cluster = Cluster::start();
    // One is enough to find the others.
    let node = async |urls: Vec<String>| patient_redis(urls).replicas(1).build().await.unwrap();
    let first: RedisStore = node(cluster.urls()).await;
    let others = [node(vec![cluster.nodes[0].url()]).await, node(vec![cluster.nodes[5].url()]).await];
    let nodes = || async { Nodes::new(first.clone(), others.clone()) };
    Suite::new(nodes, |task| drop(tokio::spawn(task))).without_sweeps().run().await;
}
