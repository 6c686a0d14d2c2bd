//! Group commit: calls share one, and hear of it only once it is on disk.

use std::sync::mpsc;

use futures_util::{
    FutureExt,
    future::{join_all, poll_immediate},
};

use super::{Directory, NOW, SqliteStore, access, grant, is_unavailable};
use crate::store::{Grant, Grants, Store, StoreError, StoreFuture};

/// Stops the writer in the middle of a group, until the sender is dropped.
fn stop(store: &SqliteStore) -> (StoreFuture<'_, ()>, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (arrive, arrived) = mpsc::channel();
    let (go_on, wait) = mpsc::channel();
    let stopped = store.write(move |_| {
        arrive.send(()).unwrap();
        wait.recv().unwrap_err();
        Ok(())
    });
    (stopped, arrived, go_on)
}

#[tokio::test]
async fn calls_that_wait_together_share_one_commit() {
    let directory = Directory::new();
    let store = directory.open().await;
    let (mut stopped, arrived, go_on) = stop(&store);
    assert!(poll_immediate(&mut stopped).await.is_none());
    arrived.recv().unwrap();
    let before = store.written();
    let grants: Vec<_> = (0..50).map(|_| grant()).collect();
    let mut all = join_all(grants.iter().map(|grant| store.insert_grant(grant.clone(), None)));
    assert!(poll_immediate(&mut all).await.is_none());
    drop(go_on);
    assert!(all.await.iter().all(Result::is_ok));
    let after = store.written();
    assert_eq!((after.calls - before.calls, after.commits - before.commits), (51, 1));
    for grant in grants {
        assert_eq!(store.grant(grant.id).await.unwrap(), Some(grant));
    }
}

#[tokio::test]
async fn no_answer_comes_before_the_commit_and_no_reader_waits_for_it() {
    let directory = Directory::new();
    let store = directory.open().await;
    let old = grant();
    store.insert_grant(old.clone(), None).await.unwrap();
    let (mut first_stop, arrived, go_on) = stop(&store);
    assert!(poll_immediate(&mut first_stop).await.is_none());
    arrived.recv().unwrap();
    let new = grant();
    let mut insert = store.insert_grant(new.clone(), None);
    assert!(poll_immediate(&mut insert).await.is_none());
    let (mut second_stop, arrived, go_on_again) = stop(&store);
    assert!(poll_immediate(&mut second_stop).await.is_none());
    drop(go_on);
    // The insertion has been run by now, in the same transaction.
    arrived.recv().unwrap();
    assert!(poll_immediate(&mut insert).await.is_none());
    assert_eq!(store.grant(new.id).await.unwrap(), None);
    assert_eq!(store.grant(old.id).await.unwrap(), Some(old));
    drop(go_on_again);
    insert.await.unwrap();
    assert_eq!(store.grant(new.id).await.unwrap(), Some(new));
}

#[tokio::test]
async fn a_call_that_fails_undoes_itself_alone() {
    let directory = Directory::new();
    let store = directory.open().await;
    let (mut stopped, arrived, go_on) = stop(&store);
    assert!(poll_immediate(&mut stopped).await.is_none());
    arrived.recv().unwrap();
    let (one, half) = (grant(), grant());
    let undone = half.clone();
    let calls = [
        store.insert_grant(one.clone(), None),
        store.insert_grant(one.clone(), Some(access())),
        store.write(move |connection| {
            super::super::grants::insert(connection, &undone)?;
            Err(StoreError::Corrupt("half").into())
        }),
        store.insert_grant(grant(), None),
    ];
    let mut calls = join_all(calls);
    assert!(poll_immediate(&mut calls).await.is_none());
    let before = store.written().commits;
    drop(go_on);
    let outcomes = calls.await;
    assert!(matches!(
        outcomes[..],
        [Ok(()), Err(StoreError::Conflict("grant")), Err(StoreError::Corrupt("half")), Ok(())]
    ));
    assert_eq!(store.written().commits - before, 1);
    assert_eq!(store.grant(half.id).await.unwrap(), None);
}

/// Runs `spoil` and two insertions in one group; returns what came of them.
async fn spoil_group(
    store: &SqliteStore,
    spoil: impl FnOnce(&rusqlite::Connection) + Send + 'static,
) -> [(Grant, Result<(), StoreError>); 2] {
    let (mut stopped, arrived, go_on) = stop(store);
    assert!(poll_immediate(&mut stopped).await.is_none());
    arrived.recv().unwrap();
    let (one, other) = (grant(), grant());
    let spoiler = store.write(move |connection| {
        spoil(connection);
        Ok(())
    });
    let calls = [store.insert_grant(one.clone(), None), spoiler, store.insert_grant(other.clone(), None)];
    let mut calls = join_all(calls);
    assert!(poll_immediate(&mut calls).await.is_none());
    drop(go_on);
    let [first, _, last] = calls.await.try_into().unwrap();
    assert!(is_unavailable(&stopped.await));
    [(one, first), (other, last)]
}

#[tokio::test]
async fn a_failed_commit_fails_all_calls_in_it_and_nothing_of_them_stays() {
    let directory = Directory::new();
    let store = directory.open().await;
    // A reference to nothing, noticed only by COMMIT.
    let dangling = |connection: &rusqlite::Connection| {
        connection.execute_batch("PRAGMA defer_foreign_keys = ON").unwrap();
        let row = "INSERT INTO oauth_access_tokens (grant_no, digest, record, expires_at) VALUES (-1, x'', '', 0)";
        connection.execute(row, []).unwrap();
    };
    for (grant, outcome) in spoil_group(&store, dangling).await {
        assert!(is_unavailable(&outcome));
        assert_eq!(store.grant(grant.id).await.unwrap(), None);
    }
    store.check().await.unwrap();
    let count: i64 = directory.raw().query_row("SELECT count(*) FROM oauth_grants", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 0);
}

#[tokio::test]
async fn a_panic_fails_its_group_and_the_writer_works_on() {
    let directory = Directory::new();
    let store = directory.open().await;
    let [before, after] = spoil_group(&store, |_| panic!("planted: this panic belongs to a test")).await;
    assert!(is_unavailable(&before.1));
    assert_eq!(store.grant(before.0.id).await.unwrap(), None);
    assert!(after.1.is_ok(), "it had not begun, and was part of the next group");
    assert_eq!(store.grant(after.0.id).await.unwrap(), Some(after.0));
    store.check().await.unwrap();
    let read: StoreFuture<'_, ()> = store.read(|_| panic!("planted: this panic belongs to a test"));
    assert!(is_unavailable(&read.await));
    for _ in 0..8 {
        store.grant(grant().id).await.unwrap();
    }
}

#[tokio::test]
async fn an_error_that_ends_the_transaction_fails_its_group() {
    let directory = Directory::new();
    let store = directory.open().await;
    let end = |connection: &rusqlite::Connection| connection.execute_batch("ROLLBACK").unwrap();
    for (grant, outcome) in spoil_group(&store, end).await {
        assert_eq!(store.grant(grant.id).await.unwrap().is_some(), outcome.is_ok());
    }
    store.check().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_acknowledges_nothing_that_is_not_there() {
    let directory = Directory::new();
    let store = directory.open().await;
    let pages = |limit: &'static str| {
        store.write(move |connection| {
            Ok(connection.pragma_update_and_check(None, "max_page_count", limit, |row| row.get::<_, i64>(0))?)
        })
    };
    pages("1").await.unwrap();
    let grants: Vec<_> = (0..300).map(|_| grant()).collect();
    let outcomes = join_all(grants.iter().map(|grant| store.insert_grant(grant.clone(), Some(access())))).await;
    assert!(outcomes.iter().any(is_unavailable), "300 grants fit on the pages there were");
    for (grant, outcome) in grants.iter().zip(&outcomes) {
        assert_eq!(store.grant(grant.id).await.unwrap().is_some(), outcome.is_ok());
    }
    pages("1000000").await.unwrap();
    for (grant, outcome) in grants.into_iter().zip(outcomes) {
        if outcome.is_err() {
            store.insert_grant(grant, None).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let directory = Directory::new();
    let store = SqliteStore::builder(directory.file()).queue(3).readers(1).build().await.unwrap();
    let (mut stopped, arrived, go_on) = stop(&store);
    assert!(poll_immediate(&mut stopped).await.is_none());
    arrived.recv().unwrap();
    let mut calls: Vec<_> = (0..5).map(|_| store.insert_grant(grant(), None)).collect();
    let refused: Vec<_> =
        calls.iter_mut().map(|call| call.now_or_never().is_some_and(|done| is_unavailable(&done))).collect();
    assert_eq!(refused, [false, false, false, true, true]);
    drop(go_on);
    stopped.await.unwrap();
}

#[tokio::test]
async fn an_abandoned_call_harms_nobody() {
    let directory = Directory::new();
    let store = directory.open().await;
    let (mut stopped, arrived, go_on) = stop(&store);
    assert!(poll_immediate(&mut stopped).await.is_none());
    arrived.recv().unwrap();
    let (given_up, kept) = (grant(), grant());
    assert!(store.insert_grant(given_up.clone(), None).now_or_never().is_none());
    let mut call = store.insert_grant(kept.clone(), None);
    assert!(poll_immediate(&mut call).await.is_none());
    drop(go_on);
    call.await.unwrap();
    assert_eq!(store.grant(given_up.id).await.unwrap(), None);
    assert_eq!(store.grant(kept.id).await.unwrap(), Some(kept));
}

#[tokio::test]
async fn a_dropped_store_finishes_what_it_was_given() {
    let directory = Directory::new();
    let store = directory.open().await;
    let grants: Vec<_> = (0..20).map(|_| grant()).collect();
    let mut calls = join_all(grants.iter().map(|grant| store.insert_grant(grant.clone(), None)));
    assert!(poll_immediate(&mut calls).await.is_none());
    let (outcomes, ()) = futures_util::future::join(calls, store.close()).await;
    assert!(outcomes.iter().all(Result::is_ok));
    drop(store);
    assert!(!directory.log().exists());
    let store = directory.open().await;
    for grant in grants {
        assert_eq!(store.grant(grant.id).await.unwrap(), Some(grant));
    }
    assert_eq!(store.sweep(NOW, 10).await.unwrap(), 0);
}

#[tokio::test]
async fn a_writer_in_another_process_is_waited_for_only_so_long() {
    let directory = Directory::new();
    let patience = std::time::Duration::from_millis(50);
    let store = SqliteStore::builder(directory.file()).busy_timeout(patience).build().await.unwrap();
    let other = directory.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(is_unavailable(&store.check().await));
    assert_eq!(store.grant(grant().id).await.unwrap(), None, "a read does not wait for it");
    other.execute_batch("COMMIT").unwrap();
    store.check().await.unwrap();
}
