//! Files that are there, are shared, are lost, and cannot be written.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use oauth_axum_rs::{Secret, matrix::UserId, pages, pages::PasswordUsers};
use oauth_core::engine::policy::Subjects;

use super::{super::Members, AccountsFile, AccountsFileError, LONGEST, beside};
use crate::homeserver::{NotChanged, User, Users};

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("oauth-accounts-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("accounts.json")
    }

    /// What lies in it, by name.
    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// What another process would have: the same file, and nothing else in common.
fn node(file: &Path, names: &[&str]) -> Users {
    let users = Users::kept_in(file);
    names.iter().for_each(|name| users.insert(*name, User::default()));
    users.begin().unwrap();
    users
}

fn id(name: &str) -> UserId {
    UserId::new(name, "example.org").unwrap()
}

fn lock(users: &Users, name: &str, on: bool) {
    users.change(&id(name), |user| user.locked = on).unwrap();
}

async fn is_locked(users: &Users, name: &str) -> bool {
    users.find(name).await.unwrap().unwrap().locked
}

#[tokio::test]
async fn what_was_done_to_a_user_outlives_the_process_and_is_nobody_elses_to_read() {
    let folder = Folder::new();
    let users = node(&folder.file(), &["alice", "bob"]);
    users.apply("alice", |user| (user.deactivated, user.guest) = (true, true)).await.unwrap();
    users.apply("bob", |user| (user.locked, user.suspended) = (true, true)).await.unwrap();
    users.apply("bob", |user| user.locked = false).await.unwrap();
    drop(users);
    let users = node(&folder.file(), &["alice", "bob"]);
    let alice = users.find("alice").await.unwrap().unwrap();
    assert!(alice.deactivated && alice.guest && !alice.locked && !alice.suspended);
    let bob = users.find("bob").await.unwrap().unwrap();
    assert!(bob.suspended && !bob.locked && !bob.deactivated && !bob.guest);
    assert!(users.is_deactivated("alice").await.unwrap() && !users.is_deactivated("bob").await.unwrap());
    assert_eq!(folder.names(), ["accounts.json", "accounts.json.lock"]);
    #[cfg(unix)]
    for name in folder.names() {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.0.join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn another_nodes_change_is_seen_at_the_next_look() {
    let folder = Folder::new();
    let (one, other) = (node(&folder.file(), &["a", "b"]), node(&folder.file(), &["a", "b"]));
    // Files of one length, within one tick of most clocks.
    for _ in 0..50 {
        for (locked, free) in [("a", "b"), ("b", "a")] {
            lock(&one, locked, true);
            lock(&one, free, false);
            assert!(is_locked(&other, locked).await && !is_locked(&other, free).await);
        }
    }
}

#[tokio::test]
async fn of_two_nodes_that_change_users_at_once_neither_loses_anything() {
    const EACH: usize = 40;
    let folder = Folder::new();
    let names: Vec<String> = (0..EACH).flat_map(|at| [format!("a{at}"), format!("b{at}")]).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let nodes = ["a", "b"].map(|of| (of, node(&folder.file(), &names)));
    for on in [true, false, true] {
        thread::scope(|scope| {
            for (of, users) in &nodes {
                scope.spawn(move || (0..EACH).for_each(|at| lock(users, &format!("{of}{at}"), on)));
            }
        });
        let third = node(&folder.file(), &names);
        for name in &names {
            assert_eq!(is_locked(&third, name).await, on, "{name}");
            assert_eq!(is_locked(&nodes[0].1, name).await, on, "{name}");
        }
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_written_is_not_made() {
    let folder = Folder::new();
    let users = node(&folder.file(), &["alice"]);
    lock(&users, "alice", true);
    let before = fs::read(folder.file()).unwrap();
    let draft = beside(&folder.file(), "new");
    fs::create_dir(&draft).unwrap();
    let failed = users.apply("alice", |user| user.locked = false).await;
    assert!(matches!(failed, Err(NotChanged::File(AccountsFileError::Io { .. }))), "{failed:?}");
    assert!(is_locked(&users, "alice").await);
    assert_eq!(fs::read(folder.file()).unwrap(), before);
    assert!(matches!(users.apply("nobody", |_| ()).await, Err(NotChanged::NoUser)));
    // What a process left behind that was killed is in nobody's way.
    fs::remove_dir(&draft).unwrap();
    fs::write(&draft, "half").unwrap();
    users.apply("alice", |user| user.locked = false).await.unwrap();
    assert!(!is_locked(&users, "alice").await && !draft.exists());
}

#[tokio::test]
async fn nobody_is_taken_for_active_while_the_file_cannot_be_read() {
    let folder = Folder::new();
    let users = node(&folder.file(), &["alice"]);
    assert!(!is_locked(&users, "alice").await);
    let good = fs::read(folder.file()).unwrap();
    let bad: [&dyn Fn() -> io::Result<()>; 4] = [
        &|| fs::remove_file(folder.file()),
        &|| fs::create_dir(folder.file()),
        &|| fs::write(folder.file(), "{}"),
        &|| fs::File::create(folder.file()).and_then(|file| file.set_len(LONGEST + 1)),
    ];
    for spoil in bad {
        spoil().unwrap();
        assert!(users.find("alice").await.is_err() && users.is_deactivated("alice").await.is_err());
        assert!(users.apply("alice", |user| user.locked = true).await.is_err());
        if folder.file().is_dir() {
            fs::remove_dir(folder.file()).unwrap();
        }
    }
    fs::write(folder.file(), good).unwrap();
    assert!(!is_locked(&users, "alice").await);
    lock(&users, "alice", true);
}

#[tokio::test]
async fn who_signs_in_is_asked_after_there() {
    let folder = Folder::new();
    let users = node(&folder.file(), &["alice"]);
    let members = Members::new(PasswordUsers::default().insecure_plain("alice", "pw"), Some(users.clone()));
    let sign_in = async || pages::Users::sign_in(&members, "alice", &Secret::new("pw")).await;
    assert!(members.is_active("alice").await.unwrap() && sign_in().await.unwrap().is_some());
    users.apply("alice", |user| user.deactivated = true).await.unwrap();
    assert!(!members.is_active("alice").await.unwrap() && sign_in().await.unwrap().is_none());
    fs::write(folder.file(), "x").unwrap();
    assert!(members.is_active("alice").await.is_err() && sign_in().await.is_err());
}

#[test]
fn what_cannot_be_read_or_was_lost_is_found_at_the_start() {
    let folder = Folder::new();
    let users = || Users::kept_in(folder.file());
    fs::write(folder.file(), r#"{"version":1,"users":{"a":{"banned":true}}}"#).unwrap();
    for done in [users().begin(), users().check()] {
        let error = done.unwrap_err().to_string();
        assert!(error.contains("accounts.json") && error.contains("banned"), "{error}");
    }
    fs::remove_file(folder.file()).unwrap();
    fs::write(beside(&folder.file(), "lock"), "").unwrap();
    for done in [users().begin(), users().check()] {
        assert!(matches!(done, Err(AccountsFileError::Lost { .. })), "{done:?}");
    }
    let nowhere = Users::kept_in(folder.0.join("nowhere").join("accounts.json"));
    assert!(nowhere.check().is_err() && nowhere.begin().is_err());
}

#[test]
fn to_check_makes_no_file_and_to_begin_makes_one_and_leaves_that_of_another() {
    let folder = Folder::new();
    let users = Users::kept_in(folder.file());
    users.check().unwrap();
    assert!(folder.names().is_empty());
    users.begin().unwrap();
    assert_eq!(folder.names(), ["accounts.json"]);
    lock(&node(&folder.file(), &["alice"]), "alice", true);
    let before = fs::read(folder.file()).unwrap();
    users.begin().unwrap();
    users.check().unwrap();
    assert_eq!(fs::read(folder.file()).unwrap(), before);
}

#[tokio::test]
async fn who_is_not_configured_keeps_what_was_done_to_them() {
    let folder = Folder::new();
    lock(&node(&folder.file(), &["alice", "bob"]), "bob", true);
    let users = node(&folder.file(), &["alice"]);
    lock(&users, "alice", true);
    lock(&users, "alice", false);
    assert!(users.find("bob").await.unwrap().is_none());
    assert!(is_locked(&node(&folder.file(), &["alice", "bob"]), "bob").await);
}

#[test]
fn a_process_that_holds_the_lock_and_does_not_go_on_keeps_nobody_waiting_for_ever() {
    let folder = Folder::new();
    let hasty = || AccountsFile { patience: Duration::ZERO, ..AccountsFile::new(folder.file()) };
    hasty().begin().unwrap();
    let held = hasty().hold().unwrap();
    assert!(matches!(hasty().hold(), Err(AccountsFileError::Busy { .. })));
    drop(held);
    assert!(hasty().hold().is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_leads_to_the_file_of_all_nodes_and_stays_one() {
    let (shared, folder) = (Folder::new(), Folder::new());
    let real = node(&shared.file(), &["alice"]);
    std::os::unix::fs::symlink(shared.file(), folder.file()).unwrap();
    lock(&node(&folder.file(), &["alice"]), "alice", true);
    assert!(is_locked(&real, "alice").await);
    assert!(fs::symlink_metadata(folder.file()).unwrap().is_symlink());
    assert_eq!((folder.names(), shared.names().len()), (vec!["accounts.json".to_owned()], 2));
}
