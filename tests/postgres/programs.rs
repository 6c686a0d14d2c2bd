//! Two authorization servers, processes of their own, on one database.

use crate::support::*;

// spec: SEC-20
#[tokio::test]
async fn what_one_process_does_the_other_knows() {
    what_one_program_does_the_other_knows(&new_database().await).await;
}

#[tokio::test]
async fn a_database_that_is_away_is_503_until_it_is_back() {
    a_store_that_is_away_is_503_until_it_is_back(Postgres::start("")).await;
}

#[test]
fn a_program_without_its_database_says_so_and_shows_no_password() {
    a_program_without_its_store_says_so_and_shows_no_password(&url_at(free_port(), "oauth"), DATABASE_PASSWORD);
}
