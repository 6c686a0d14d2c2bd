//! New files, old ones, and those of a later version.

use std::sync::Arc;

use futures_util::future::join_all;

use super::{
    super::{Backup, schema::MIGRATIONS},
    Directory, NOW, SqliteStore, access, grant,
};
use crate::{
    client::Client,
    clock::UnixTime,
    secret::Digest,
    store::{
        Clients, Consent, Consents, Grants, Queued, QueuedCode, ReciprocalLink, Reciprocals, Store, StoreError, Uses,
    },
};

fn fresh_digest() -> Digest {
    access().digest
}

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
        assert_eq!(versions(&directory), [1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn many_may_open_a_new_file_at_once() {
    for _ in 0..5 {
        let directory = Arc::new(Directory::new());
        let open = |_| SqliteStore::open(directory.file());
        let stores = join_all((0..16).map(open)).await;
        assert_eq!(versions(&directory), [1, 2, 3, 4]);
        for store in stores {
            let (store, grant) = (store.unwrap(), grant());
            store.insert_grant(grant.clone(), None).await.unwrap();
            assert_eq!(store.grant(grant.id).await.unwrap(), Some(grant));
        }
    }
}

/// The store as the program of an earlier `version` opens it.
async fn old_program(directory: &Directory, version: usize) -> Result<SqliteStore, StoreError> {
    let mut builder = SqliteStore::builder(directory.file());
    builder.migrations = &MIGRATIONS[..version];
    builder.build().await
}

#[tokio::test]
async fn a_file_of_schema_1_is_migrated_with_all_that_it_holds() {
    let directory = Directory::new();
    let raw = directory.raw();
    raw.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL").unwrap();
    raw.execute_batch(super::super::schema::OWN_TABLE).unwrap();
    raw.execute_batch(include_str!("../migrations/0001.sql")).unwrap();
    raw.execute_batch("INSERT INTO oauth_migrations VALUES (1, 1, 0)").unwrap();
    let client = Client::builder("app").redirect_uri("https://app.example/cb").build().unwrap();
    let (grant, access) = (grant(), access());
    let old = old_program(&directory, 1).await.unwrap();
    old.insert_grant(grant.clone(), Some(access.clone())).await.unwrap();
    old.put_client(client.clone()).await.unwrap();
    old.close().await;
    assert_eq!(versions(&directory), [1]);
    let new = directory.open().await;
    assert_eq!(versions(&directory), [1, 2, 3, 4]);
    assert_eq!(new.access(grant.id, access.digest).await.unwrap(), Some((grant, access)));
    assert_eq!(new.client(client.id.clone()).await.unwrap().as_deref(), Some(&client));
    assert!(new.first_use(fresh_digest(), UnixTime::MAX, NOW).await.unwrap());
}

fn consent() -> Consent {
    let consent = Consent::new("alice", grant().facts.client, NOW);
    consent.with(&[], &"a".parse().unwrap(), NOW, NOW.saturating_add(60)).unwrap()
}

#[tokio::test]
async fn a_program_of_schema_2_and_one_of_schema_3_work_on_one_file() {
    let directory = Directory::new();
    let old = old_program(&directory, 2).await.unwrap();
    assert_eq!(versions(&directory), [1, 2]);
    let (grant, access, used, until) = (grant(), access(), fresh_digest(), NOW.saturating_add(60));
    old.insert_grant(grant.clone(), Some(access.clone())).await.unwrap();
    assert!(old.first_use(used, until, NOW).await.unwrap());
    // It knows no consents, and goes on without them.
    let unknown = old.consent("alice".to_owned(), grant.facts.client.clone(), NOW).await;
    assert!(super::is_unavailable(&unknown), "{unknown:?}");
    let new = directory.open().await;
    assert_eq!(versions(&directory), [1, 2, 3, 4]);
    assert_eq!(new.access(grant.id, access.digest).await.unwrap(), Some((grant.clone(), access)));
    assert!(!new.first_use(used, until, NOW).await.unwrap());
    let given = consent();
    assert!(new.replace_consent(given.clone(), None, NOW).await.unwrap());
    old.revoke_grant(grant.id, NOW).await.unwrap();
    assert!(!new.grant(grant.id).await.unwrap().unwrap().is_live(NOW));
    drop(old);
    let restarted = old_program(&directory, 2).await.unwrap();
    assert!(!restarted.first_use(used, until, NOW).await.unwrap());
    assert_eq!(new.consent(given.subject.clone(), given.client.clone(), NOW).await.unwrap(), Some(given));
}

#[tokio::test]
async fn a_consent_that_is_not_what_its_row_says_is_damage() {
    let directory = Directory::new();
    let store = directory.open().await;
    let given = consent();
    assert!(store.replace_consent(given.clone(), None, NOW).await.unwrap());
    for damage in ["UPDATE oauth_consents SET subject = 'mallory'", "UPDATE oauth_consents SET record = '{}'"] {
        directory.raw().execute_batch(damage).unwrap();
        let found = store.consent("mallory".to_owned(), given.client.clone(), NOW).await;
        assert!(matches!(found, Err(StoreError::Corrupt("consent"))), "{found:?}");
    }
}

fn queued() -> QueuedCode {
    let link = ReciprocalLink::new(grant().facts.client, Some("alice".to_owned()));
    let until = NOW.saturating_add(600);
    let (id, sealed) = (fresh_digest(), vec![1]);
    QueuedCode { id, link, sealed, attempts: 0, queued_at: NOW, due_at: NOW, expires_at: until }
}

#[tokio::test]
async fn a_program_of_schema_3_and_one_of_schema_4_work_on_one_file() {
    let directory = Directory::new();
    let old = old_program(&directory, 3).await.unwrap();
    let (given, code) = (consent(), queued());
    assert!(old.replace_consent(given.clone(), None, NOW).await.unwrap());
    // It knows no links, and goes on without them.
    let unknown = old.queue_code(code.clone()).await;
    assert!(super::is_unavailable(&unknown), "{unknown:?}");
    let new = directory.open().await;
    assert_eq!(new.queue_code(code.clone()).await.unwrap(), Queued::Added);
    assert!(old.forget_consent(given.subject.clone(), given.client.clone()).await.unwrap());
    assert_eq!(new.consent(given.subject, given.client, NOW).await.unwrap(), None);
    drop(old);
    drop(old_program(&directory, 3).await.unwrap());
    assert_eq!(new.take_queued(NOW, NOW).await.unwrap(), Some(QueuedCode { attempts: 1, ..code }));
}

#[tokio::test]
async fn a_link_that_is_not_what_its_row_says_is_damage() {
    let damages = [
        "UPDATE oauth_links SET link = zeroblob(32)",
        "UPDATE oauth_links SET record = '{}'",
        "UPDATE oauth_links SET code_sealed = NULL",
        "UPDATE oauth_links SET code_id = NULL",
        "UPDATE oauth_links SET code_attempts = -1",
        "UPDATE oauth_links SET tokens_id = zeroblob(32)",
    ];
    for damage in damages {
        let directory = Directory::new();
        let store = directory.open().await;
        store.queue_code(queued()).await.unwrap();
        directory.raw().execute_batch(damage).unwrap();
        let found = store.take_queued(NOW, NOW).await;
        assert!(matches!(found, Err(StoreError::Corrupt("link"))), "{damage}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_program_and_a_new_one_work_on_one_file() {
    let directory = Directory::new();
    let old = old_program(&directory, 1).await.unwrap();
    let work = async |store: &SqliteStore, other: &SqliteStore| {
        for _ in 0..50 {
            let (grant, access) = (grant(), access());
            store.insert_grant(grant.clone(), Some(access.clone())).await.unwrap();
            assert_eq!(other.access(grant.id, access.digest).await.unwrap().unwrap().0, grant);
            other.revoke_grant(grant.id, NOW).await.unwrap();
            assert!(!store.grant(grant.id).await.unwrap().unwrap().is_live(NOW));
        }
    };
    // The upgrade happens while the old one is at work.
    let (new, ()) = futures_util::future::join(directory.open(), work(&old, &old)).await;
    assert_eq!(versions(&directory), [1, 2, 3, 4]);
    futures_util::future::join(work(&old, &new), work(&new, &old)).await;
    let digest = fresh_digest();
    assert!(new.first_use(digest, NOW.saturating_add(1), NOW).await.unwrap());
    // It may also be started beside the new one.
    drop(old);
    let restarted = old_program(&directory, 1).await.unwrap();
    work(&restarted, &new).await;
    assert!(!new.first_use(digest, NOW.saturating_add(1), NOW).await.unwrap());
}

#[tokio::test]
async fn a_backup_of_an_old_file_stays_old() {
    let directory = Directory::new();
    let old = old_program(&directory, 1).await.unwrap();
    let grant = grant();
    old.insert_grant(grant.clone(), None).await.unwrap();
    let copies = Directory::new();
    Backup::new(directory.file(), copies.file()).await.unwrap();
    assert_eq!((versions(&directory), versions(&copies)), (vec![1], vec![1]));
    assert_eq!(copies.open().await.grant(grant.id).await.unwrap(), Some(grant));
}

#[tokio::test]
async fn a_file_of_a_later_version_is_refused_unless_it_says_otherwise() {
    let directory = Directory::new();
    directory.open().await.close().await;
    let later = "INSERT INTO oauth_migrations (version, usable_from, applied_at) VALUES (5, ?1, 0)";
    directory.raw().execute(later, [1]).unwrap();
    let store = directory.open().await;
    store.check().await.unwrap();
    store.close().await;
    directory.raw().execute("UPDATE oauth_migrations SET usable_from = version", []).unwrap();
    let error = SqliteStore::open(directory.file()).await.unwrap_err();
    assert!(matches!(error, StoreError::Schema { found: 5, known: 4 }), "{error}");
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
        "DELETE FROM oauth_consents WHERE client = ?1 AND ?2",
        "SELECT record FROM oauth_consents WHERE subject = ?1 AND ?2",
        "SELECT record FROM oauth_links WHERE code_due_at <= ?1 AND ?2 ORDER BY code_due_at LIMIT 1",
        "SELECT count(*) FROM oauth_links WHERE code_due_at IS NOT NULL AND code_expires_at > ?1 AND ?2",
        "SELECT record FROM oauth_links WHERE link > ?1 AND tokens_ends_at > ?2 ORDER BY link",
    ];
    for sql in super::super::sweep::STEPS.into_iter().chain(bulk) {
        let mut statement = raw.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan = statement.query_map((1, 1), |row| row.get::<_, String>(3)).unwrap();
        for line in plan.map(Result::unwrap) {
            assert!(!line.starts_with("SCAN"), "{sql}: {line}");
        }
    }
}
