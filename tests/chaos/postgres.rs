//! On PostgreSQL.

use super::{Broken, Scene};
use crate::support::*;

// spec: SEC-20, TOK-17
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_of_four_that_is_killed_takes_nothing_with_it() {
    let mut scene = Scene::start(&new_database().await, 4).await;
    scene.kill_and_restart(1).await;
    scene.kill_and_restart(0).await;
    scene.end("PostgreSQL, nodes killed").await.is_good(Broken::Some);
}

// spec: SEC-20, TOK-17
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_restarts_or_crashes_keeps_its_word() {
    let mut server = Postgres::start("");
    let scene = Scene::start(&server.database().await, 2).await;
    for signal in ["INT", "QUIT"] {
        server.end(signal);
        scene.until_unavailable().await;
        server.resume();
        scene.load.progress(3).await;
    }
    scene.end("PostgreSQL restarted, fast and immediate").await.is_good(Broken::None);
}
