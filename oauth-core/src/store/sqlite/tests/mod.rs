mod backup;
mod durability;
mod groups;
mod schema;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use rusqlite::Connection;

use super::SqliteStore;
use crate::{
    authorization_details::AuthorizationDetails,
    client::ClientId,
    clock::{SystemRandom, UnixTime},
    secret::Digest,
    store::{AccessToken, Exchanged, Grant, GrantFacts, StoreError},
    token::GrantId,
};

const NOW: UnixTime = UnixTime(1_800_000_000);

/// A directory of its own for one test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("oauth-core-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("oauth.db")
    }

    /// The log: gone once the last connection has been closed.
    fn log(&self) -> PathBuf {
        self.0.join("oauth.db-wal")
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.file()).await.unwrap()
    }

    /// A connection beside the store's.
    fn raw(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn grant() -> Grant {
    let facts = GrantFacts {
        client: ClientId::new("app").unwrap(),
        subject: Some("alice".to_owned()),
        scope: "a b".parse().unwrap(),
        resources: Vec::new(),
        auth_time: None,
        acr: None,
        authorization_details: AuthorizationDetails::default(),
        dpop_jkt: None,
    };
    let expires_at = NOW.saturating_add(3_600);
    let id = GrantId::generate(&SystemRandom).unwrap();
    Grant { id, facts, created_at: NOW, expires_at, revoked_at: None, code: None, refresh: None }
}

fn access() -> AccessToken {
    let digest = Digest::of(&[GrantId::generate(&SystemRandom).unwrap().as_bytes()]);
    let scope = "a".parse().unwrap();
    AccessToken {
        digest,
        scope,
        audience: Vec::new(),
        issued_at: NOW,
        expires_at: NOW.saturating_add(600),
        authorization_details: AuthorizationDetails::default(),
        confirmation: None,
        exchanged: Some(Box::new(Exchanged {
            client: ClientId::new("worker").unwrap(),
            actor: Some(serde_json::from_str(r#"{"sub":"batch","act":{"sub":"carol"}}"#).unwrap()),
        })),
        status: None,
    }
}

fn is_unavailable<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable(_)))
}
