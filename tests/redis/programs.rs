//! Two authorization servers, processes of their own, on one server or one cluster.

use crate::support::*;

// spec: SEC-20
#[tokio::test]
async fn what_one_process_does_the_other_knows() {
    let cluster = Cluster::start();
    what_one_program_does_the_other_knows(&cluster.urls().join(",")).await;
}

#[tokio::test]
async fn a_server_that_is_away_is_503_until_it_is_back() {
    a_store_that_is_away_is_503_until_it_is_back(Redis::start("")).await;
}

#[test]
fn a_program_without_its_server_says_so_and_shows_no_password() {
    a_program_without_its_store_says_so_and_shows_no_password(&redis_url_at(free_port()), REDIS_PASSWORD);
}
