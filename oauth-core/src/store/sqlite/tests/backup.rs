//! Copies that are made while the file is in use.

use std::{
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

use futures_util::future::{join_all, poll_immediate};

use super::{
    super::{Backup, BackupError},
    Directory, SqliteStore, access,
    durability::wide,
    grant,
};
use crate::store::{Grant, Grants, Store, StoreError};

/// So many that they are copied in several steps.
async fn fill(store: &SqliteStore) -> Vec<Grant> {
    let grants: Vec<_> = (0..1500).map(|_| wide()).collect();
    let inserted = join_all(grants.iter().map(|grant| store.insert_grant(grant.clone(), Some(access())))).await;
    assert!(inserted.iter().all(Result::is_ok));
    grants
}

fn names(directory: &Directory) -> Vec<String> {
    let name = |file: std::io::Result<fs::DirEntry>| file.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = fs::read_dir(&directory.0).unwrap().map(name).collect();
    names.sort();
    names
}

fn is_sound(file: &Path) -> bool {
    let raw = rusqlite::Connection::open(file).unwrap();
    let pragma = |name| raw.pragma_query_value(None, name, |row| row.get::<_, String>(0)).ok();
    pragma("integrity_check").as_deref() == Some("ok") && pragma("foreign_key_check").is_none()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_was_acknowledged_before_a_backup_is_in_it_whatever_goes_on() {
    let directory = Directory::new();
    let store = directory.open().await;
    let old = fill(&store).await;
    let (ended, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let load = |_| {
        let (store, ended, acknowledged) = (store.clone(), Arc::clone(&ended), Arc::clone(&acknowledged));
        tokio::spawn(async move {
            while !ended.load(Ordering::Relaxed) {
                let grant = wide();
                store.insert_grant(grant.clone(), Some(access())).await.unwrap();
                acknowledged.lock().unwrap().push(grant);
            }
        })
    };
    let load: Vec<_> = (0..8).map(load).collect();
    for number in 0..5 {
        let before = acknowledged.lock().unwrap().clone();
        let copy = directory.0.join(format!("copy-{number}.db"));
        let mut steps = 0;
        let bounded = move |_| {
            steps += 1;
            assert!(steps < 1_000, "the copy begins anew with each commit");
        };
        store.backup(&copy).on_progress(bounded).await.unwrap();
        assert!(is_sound(&copy));
        let copy = SqliteStore::open(&copy).await.unwrap();
        for grant in old.iter().step_by(100).chain(&before) {
            assert_eq!(copy.grant(grant.id).await.unwrap().as_ref(), Some(grant));
        }
        copy.check().await.unwrap();
        copy.close().await;
    }
    ended.store(true, Ordering::Relaxed);
    assert!(join_all(load).await.iter().all(Result::is_ok));
}

/// A backup that waits at each of its steps until it is told to go on.
fn stepping(backup: Backup) -> (Backup, mpsc::Receiver<super::super::Copied>, mpsc::Sender<()>) {
    let (report, reports) = mpsc::channel();
    let (go_on, wait) = mpsc::channel();
    let backup = backup.on_progress(move |copied| {
        // Nobody listens any more: be done with it.
        if report.send(copied).is_ok() {
            wait.recv().unwrap_or(());
        }
    });
    (backup, reports, go_on)
}

#[tokio::test]
async fn a_backup_is_of_one_moment_and_nobody_waits_for_it() {
    let directory = Directory::new();
    let store = directory.open().await;
    let old = fill(&store).await;
    let copy = directory.0.join("copy.db");
    let (backup, reports, go_on) = stepping(store.backup(&copy));
    let mut backup = backup.into_future();
    assert!(poll_immediate(&mut backup).await.is_none());
    let mut seen = vec![reports.recv().unwrap()];
    let mut later = Vec::new();
    while seen.last().unwrap().bytes < seen.last().unwrap().of {
        // In the middle of it.
        assert!(poll_immediate(&mut backup).await.is_none() && !copy.exists());
        let new = wide();
        store.insert_grant(new.clone(), None).await.unwrap();
        assert_eq!(store.grant(new.id).await.unwrap().as_ref(), Some(&new));
        later.push(new);
        go_on.send(()).unwrap();
        let next = reports.recv().unwrap();
        let last = seen.last().unwrap();
        assert!(last.bytes < next.bytes && last.of == next.of, "it began anew, for the file has changed");
        seen.push(next);
    }
    go_on.send(()).unwrap();
    backup.await.unwrap();
    assert!(later.len() > 2, "there was not much of a middle");
    assert_eq!(fs::metadata(&copy).unwrap().len(), seen.last().unwrap().of);
    let copy = SqliteStore::open(&copy).await.unwrap();
    assert_eq!(copy.grant(old[0].id).await.unwrap().as_ref(), Some(&old[0]));
    for grant in later {
        assert_eq!(copy.grant(grant.id).await.unwrap(), None);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_is_its_owners_alone_and_leaves_nothing_beside_it() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    let store = directory.open().await;
    let copy = directory.0.join("copy.db");
    store.backup(&copy).await.unwrap();
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    store.close().await;
    assert_eq!(names(&directory), ["copy.db", "oauth.db"]);
}

#[tokio::test]
async fn a_backup_overwrites_nothing() {
    let directory = Directory::new();
    let store = directory.open().await;
    let other = directory.0.join("other");
    fs::write(&other, "somebody's").unwrap();
    for path in [directory.file(), other.clone(), directory.0.clone(), directory.0.join("./oauth.db")] {
        let error = store.backup(&path).await.unwrap_err();
        assert!(matches!(error, BackupError::Exists(_)), "{error}");
    }
    #[cfg(unix)]
    {
        let link = directory.0.join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        assert!(matches!(store.backup(&link).await, Err(BackupError::Exists(_))));
    }
    assert_eq!(fs::read(&other).unwrap(), b"somebody's");
    // One that comes to be meanwhile.
    let late = directory.0.join("late");
    let in_the_way = late.clone();
    let backup = store.backup(&late).on_progress(move |_| fs::write(&in_the_way, "somebody's").unwrap());
    assert!(matches!(backup.await, Err(BackupError::Exists(_))));
    assert_eq!(fs::read(&late).unwrap(), b"somebody's");
    store.check().await.unwrap();
    assert!(names(&directory).iter().all(|name| !name.contains("partial")));
}

#[tokio::test]
async fn a_backup_takes_no_name_that_is_the_stores_own() {
    let directory = Directory::new();
    let store = directory.open().await;
    for suffix in ["-wal", "-shm", "-journal"] {
        let path = directory.0.join(format!("oauth.db{suffix}"));
        assert!(matches!(store.backup(&path).await, Err(BackupError::Reserved(_))), "{suffix}");
    }
    store.check().await.unwrap();
}

#[tokio::test]
async fn a_backup_that_fails_or_is_given_up_leaves_nothing() {
    let directory = Directory::new();
    let store = directory.open().await;
    let error = store.backup(directory.0.join("no/such/directory")).await.unwrap_err();
    assert!(matches!(error, BackupError::Write { .. }), "{error}");
    let error = Backup::new(directory.0.join("missing"), directory.0.join("copy.db")).await.unwrap_err();
    assert!(matches!(error, BackupError::Copy { cause: StoreError::Unavailable(_), .. }), "{error}");
    let text = directory.0.join("text");
    fs::write(&text, b"This is no database.".repeat(100)).unwrap();
    let error = Backup::new(&text, directory.0.join("copy.db")).await.unwrap_err();
    assert!(matches!(error, BackupError::Copy { cause: StoreError::Corrupt(_), .. }), "{error}");
    fs::remove_file(text).unwrap();
    let broken = store.backup(directory.0.join("copy.db")).on_progress(|_| panic!("planted: it belongs to a test"));
    assert!(matches!(broken.await, Err(BackupError::GivenUp)));

    fill(&store).await;
    let (backup, reports, go_on) = stepping(store.backup(directory.0.join("copy.db")));
    let mut backup = backup.into_future();
    assert!(poll_immediate(&mut backup).await.is_none());
    reports.recv().unwrap();
    drop(backup);
    go_on.send(()).unwrap();
    // The thread tells nobody else that it has ended.
    reports.recv().unwrap_err();
    store.insert_grant(grant(), None).await.unwrap();
    store.close().await;
    assert_eq!(names(&directory), ["oauth.db"]);
}
