//! On one file.

use super::{Broken, Scene};

// spec: SEC-20, TOK-17
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_process_of_two_that_is_killed_leaves_the_file_to_the_other() {
    let mut scene = Scene::start("sqlite:oauth.db", 2).await;
    scene.kill_and_restart(1).await;
    scene.kill_and_restart(0).await;
    scene.end("SQLite, nodes killed").await.is_good(Broken::Some);
}
