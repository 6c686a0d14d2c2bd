//! SQLite, with full durability.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use oauth_core::store::{Grants, sqlite::SqliteStore};
use rusqlite::Connection;

use crate::{Bar, Candidate, Step, rate::rate, support::*};

/// The rows of one token, in their tables and indexes.
const GRANT: &str = "INSERT INTO oauth_grants (id, client, facts, created_at, expires_at, ends_at)
    VALUES (?1, 'machine', ?2, 1800000000, 1800000300, 1800000300)";
const TOKEN: &str = "INSERT INTO oauth_access_tokens (grant_no, digest, record, expires_at)
    VALUES (?1, ?2, ?3, 1800000300)";

pub(crate) async fn candidate(folder: &Folder, beside: &Folder) -> Candidate {
    let store = SqliteStore::open(folder.file()).await.unwrap();
    Candidate { name: "SQLite", store: Arc::new(store), raw: raw(beside).await, writers: Some(1) }
}

/// One connection on a file of its own, one commit for each token, as durable as the store's.
async fn raw(folder: &Folder) -> Step {
    SqliteStore::open(folder.file()).await.unwrap().close().await;
    let connection = Connection::open(folder.file()).unwrap();
    for (name, value) in [("synchronous", "FULL"), ("foreign_keys", "ON"), ("wal_autocheckpoint", "4000")] {
        connection.pragma_update(None, name, value).unwrap();
    }
    let connection = Arc::new(Mutex::new(connection));
    Arc::new(move |_| {
        let connection = Arc::clone(&connection);
        Box::pin(async move { insert(&connection.lock().unwrap()) })
    })
}

fn insert(connection: &Connection) {
    let (id, record) = (fresh_digest(), "x".repeat(150));
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut grant = connection.prepare_cached(GRANT).unwrap();
    grant.execute((&id.as_bytes()[..16], &record)).unwrap();
    let mut token = connection.prepare_cached(TOKEN).unwrap();
    token.execute((connection.last_insert_rowid(), id.as_bytes(), &record)).unwrap();
    connection.execute_batch("COMMIT").unwrap();
}

/// Prints whether one commit for many beats one for each.
pub(crate) async fn group_commit(patience: Duration) {
    let (folder, beside) = (Folder::new(), Folder::new());
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let (alone, counted) = (raw(&beside).await, store.clone());
    let together: Step = Arc::new(move |_| {
        let store = store.clone();
        Box::pin(async move {
            let grant = oauth_core::store::Grant { code: None, ..fresh_grant() };
            store.insert_grant(grant, Some(fresh_access())).await.unwrap();
        })
    });
    println!("\ninserted grants a second, SQLite: one commit for each, and in groups");
    let head = ["callers", "one each", "in groups", "ratio", "calls a commit", "bar"];
    println!("{}", head.map(|title| format!("{title:>15}")).concat());
    for callers in [1, 16, 64, 256] {
        let before = counted.written();
        let mut figures = [const { Vec::new() }; 2];
        for _ in 0..9 {
            figures[0].push(rate(patience / 9, 1, &alone).await);
            figures[1].push(rate(patience / 9, callers, &together).await);
        }
        let (after, [one, many]) = (counted.written(), figures.map(median));
        let size = (after.calls - before.calls) as f64 / (after.commits - before.commits) as f64;
        let bar = if callers < 16 { "-".to_owned() } else { Bar(many > one).to_string() };
        println!("{callers:>15}{one:>15.0}{many:>15.0}{:>15.2}{size:>15.1}{bar:>15}", many / one);
    }
}

/// A file with that many live tokens, which goes with the process.
pub(crate) async fn filled(live: u64, some: usize) -> Filled {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    crate::flat::keep(folder);
    fill(Arc::new(store), live, some).await
}
