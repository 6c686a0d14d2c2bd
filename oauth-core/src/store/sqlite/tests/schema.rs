//! New files, old ones, and those of a later version.

use std::sync::Arc;

use futures_util::future::join_all;

use super::{Directory, SqliteStore, grant};
use crate::store::{Grants, Store, StoreError};

fn versions(directory: &Directory) -> Vec<u32> {
    let raw = directory.raw();
    let mut statement = raw.prepare("SELECT version FROM oauth_migrations ORDER BY version").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn an_empty_file_is_migrated_once() {
    let directory = Directory::new();
    std::fs::write(directory.file(), b"").unwrap();
    for _ in 0..2 {
        directory.open().await.close().await;
        assert_eq!(versions(&directory), [1]);
    }
}

#[tokio::test]
async fn many_may_open_a_new_file_at_once() {
    for _ in 0..5 {
        let directory = Arc::new(Directory::new());
        let open = |_| SqliteStore::open(directory.file());
        let stores = join_all((0..16).map(open)).await;
        assert_eq!(versions(&directory), [1]);
        for store in stores {
            let (store, grant) = (store.unwrap(), grant());
            store.insert_grant(grant.clone(), None).await.unwrap();
            assert_eq!(store.grant(grant.id).await.unwrap(), Some(grant));
        }
    }
}

#[tokio::test]
async fn a_file_of_a_later_version_is_refused_unless_it_says_otherwise() {
    let directory = Directory::new();
    directory.open().await.close().await;
    let later = "INSERT INTO oauth_migrations (version, usable_from, applied_at) VALUES (2, ?1, 0)";
    directory.raw().execute(later, [1]).unwrap();
    let store = directory.open().await;
    store.check().await.unwrap();
    store.close().await;
    directory.raw().execute("UPDATE oauth_migrations SET usable_from = version", []).unwrap();
    let error = SqliteStore::open(directory.file()).await.unwrap_err();
    assert!(matches!(error, StoreError::Schema { found: 2, known: 1 }), "{error}");
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_left_alone() {
    let directory = Directory::new();
    let text = b"This is no database, but it is somebody's file.".repeat(100);
    std::fs::write(directory.file(), &text).unwrap();
    let error = SqliteStore::open(directory.file()).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt("database file")), "{error}");
    assert_eq!(std::fs::read(directory.file()).unwrap(), text);
}

#[tokio::test]
async fn sweeps_and_bulk_revocations_find_their_rows_by_an_index() {
    let directory = Directory::new();
    directory.open().await.close().await;
    let raw = directory.raw();
    let bulk = [
        "SELECT no FROM oauth_grants WHERE client = ?1 AND ?2",
        "SELECT no FROM oauth_grants WHERE subject = ?1 AND client = ?2",
        "SELECT no FROM oauth_grants WHERE subject = ?1 AND ?2",
        "DELETE FROM oauth_grants WHERE no = ?1 AND ?2",
    ];
    for sql in super::super::sweep::STEPS.into_iter().chain(bulk) {
        let mut statement = raw.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan = statement.query_map((1, 1), |row| row.get::<_, String>(3)).unwrap();
        for line in plan.map(Result::unwrap) {
            assert!(!line.starts_with("SCAN"), "{sql}: {line}");
        }
    }
}
