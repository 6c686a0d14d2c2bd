//! What is on disk, who may read it, and what a restart finds there.

use super::{Directory, NOW, SqliteStore, access, grant, is_unavailable};
use crate::{
    client::Client,
    clock::SystemRandom,
    secret::{Digest, RootSecret},
    store::{
        Clients, Code, Grant, Grants, Interactions, NextRefresh, ParkedInteraction, Refresh, RefreshOutcome,
        Revocation, RotateRefresh, SealedKey, SigningKeys, Store, StoreError, Uses,
    },
    token::{Prefixes, TokenCodec, TokenKind},
};

#[cfg(feature = "testing")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_passes_the_suite_and_leaves_a_sound_file() {
    let directory = Directory::new();
    let store = directory.open().await;
    let same = || async { store.clone() };
    crate::store::conformance::Suite::new(same, |task| drop(tokio::spawn(task))).run().await;
    store.close().await;
    let pragma = |name| directory.raw().pragma_query_value(None, name, |row| row.get::<_, String>(0)).ok();
    assert_eq!(pragma("integrity_check").as_deref(), Some("ok"));
    assert_eq!(pragma("foreign_key_check"), None);
}

// spec: SEC-20
#[cfg(feature = "testing")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_on_one_file_pass_the_suite() {
    use crate::store::conformance::{Nodes, Suite};
    let directory = Directory::new();
    let (one, other) = (directory.open().await, directory.open().await);
    let nodes = || async { Nodes::new(one.clone(), [other.clone()]) };
    Suite::new(nodes, |task| drop(tokio::spawn(task))).run().await;
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let directory = Directory::new();
    let (full, token) = (Grant { revoked_at: Some(NOW), ..grant() }, access());
    let client = Client::builder("app").redirect_uri("https://app.example/cb").build().unwrap();
    let (id, browser) = (Digest::of(&[b"id"]), Digest::of(&[b"browser"]));
    let parked = ParkedInteraction { id, browser, request: vec![0, 1], expires_at: NOW.saturating_add(1) };
    let key = SealedKey { kid: "k".into(), algorithm: "ES256".into(), sealed: vec![2], active_from: NOW };
    let store = directory.open().await;
    store.insert_grant(full.clone(), Some(token.clone())).await.unwrap();
    store.put_client(client.clone()).await.unwrap();
    store.park_interaction(parked.clone()).await.unwrap();
    assert!(store.insert_signing_key(key.clone(), None).await.unwrap());
    // Once closed, and once only dropped.
    store.close().await;
    assert!(!directory.log().exists());
    drop(directory.open().await);
    assert!(!directory.log().exists());
    let store = directory.open().await;
    assert_eq!(store.access(full.id, token.digest).await.unwrap(), Some((full, token)));
    assert_eq!(store.client(client.id.clone()).await.unwrap().as_deref(), Some(&client));
    assert_eq!(store.interaction(id, browser, NOW).await.unwrap(), Some(parked));
    assert_eq!(store.signing_keys().await.unwrap(), [key]);
}

#[tokio::test]
async fn a_closed_store_refuses_every_call_and_closes_twice() {
    let directory = Directory::new();
    let store = directory.open().await;
    let clone = store.clone();
    store.close().await;
    store.close().await;
    assert!(is_unavailable(&clone.check().await));
    assert!(is_unavailable(&clone.grant(grant().id).await));
}

#[tokio::test]
async fn the_writer_syncs_every_commit() {
    let directory = Directory::new();
    let store = directory.open().await;
    let pragma = |name: &'static str| {
        store.write(move |connection| Ok(connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0))?))
    };
    assert_eq!(pragma("synchronous").await.unwrap(), 2, "FULL");
    assert_eq!(pragma("fullfsync").await.unwrap(), 1);
    assert_eq!(pragma("foreign_keys").await.unwrap(), 1);
    assert_eq!(pragma("auto_vacuum").await.unwrap(), 2, "INCREMENTAL");
    let mode: String = directory.raw().pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn a_check_goes_all_the_way_to_the_file() {
    let directory = Directory::new();
    let store = directory.open().await;
    let raw = directory.raw();
    let version = || -> i64 { raw.pragma_query_value(None, "data_version", |row| row.get(0)).unwrap() };
    for _ in 0..2 {
        let before = version();
        store.check().await.unwrap();
        assert_ne!(version(), before);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    let store = directory.open().await;
    store.check().await.unwrap();
    let mut files = 0;
    for file in std::fs::read_dir(&directory.0).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        files += 1;
    }
    assert_eq!(files, 3, "the file, its log and the log's index");
}

#[tokio::test]
async fn odd_paths_are_files_and_impossible_ones_are_errors() {
    let directory = Directory::new();
    for name in [":memory:", "file:oauth.db?mode=memory"] {
        let store = SqliteStore::open(directory.0.join(name)).await.unwrap();
        store.close().await;
        assert!(directory.0.join(name).exists());
    }
    for path in [directory.0.join("absent").join("oauth.db"), directory.0.clone(), "".into()] {
        assert!(is_unavailable(&SqliteStore::open(path).await));
    }
}

// spec: SEC-06
#[tokio::test]
async fn a_dump_of_the_file_yields_no_usable_credential() {
    let directory = Directory::new();
    let store = directory.open().await;
    let codec = TokenCodec::new(&RootSecret::new([7; 32]), "https://as.example", Prefixes::default());
    let mut grant = grant();
    let mint = |kind, generation| codec.mint(kind, grant.id, generation, &SystemRandom).unwrap();
    let (code, refresh, next) = (mint(TokenKind::Code, 0), mint(TokenKind::Refresh, 0), mint(TokenKind::Refresh, 1));
    let token = mint(TokenKind::Access, 0);
    grant.refresh = Some(Refresh { digest: refresh.digest, generation: 0, used_at: NOW, retry: None });
    grant.code = Some(Code {
        digest: code.digest,
        redirect_uri: "https://app.example/".to_owned(),
        redirect_uri_required: true,
        challenge: None,
        expires_at: NOW,
        redeemed_at: Some(NOW),
    });
    store.insert_grant(grant.clone(), None).await.unwrap();
    let read = codec.read(TokenKind::Refresh, refresh.text.expose()).unwrap();
    let sealed = read.retry_sealer().seal(b"retry", next.text.expose().as_bytes(), &SystemRandom).unwrap();
    let rotate = RotateRefresh {
        grant: grant.id,
        digest: refresh.digest,
        generation: 0,
        client: grant.facts.client.clone(),
        now: NOW,
        idle_lifetime: 60,
        next: NextRefresh::Successor { digest: next.digest, retry: Some((sealed, NOW.saturating_add(30))) },
        access: crate::store::AccessToken { digest: token.digest, ..access() },
    };
    assert_eq!(store.rotate_refresh(rotate).await.unwrap(), RefreshOutcome::Rotated);
    let mut dump = Vec::new();
    for file in std::fs::read_dir(&directory.0).unwrap() {
        dump.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let holds = |bytes: &[u8]| dump.windows(bytes.len()).any(|window| window == bytes);
    assert!(holds(token.digest.as_bytes()) && holds(next.digest.as_bytes()), "this is the dump");
    for minted in [code, refresh, next, token] {
        let text = minted.text.expose();
        // Whole, and the part that holds the secret, without the public ends.
        assert!(!holds(text.as_bytes()) && !holds(&text.as_bytes()[40..80]));
    }
}

#[tokio::test]
async fn damaged_rows_are_reported_and_harm_nothing_else() {
    let directory = Directory::new();
    let store = directory.open().await;
    let raw = directory.raw();
    let sound = grant();
    store.insert_grant(sound.clone(), None).await.unwrap();
    for damage in [
        "facts = '{}'",
        "facts = 'no JSON'",
        "client = 'another'",
        "subject = NULL",
        "expires_at = -1",
        "revoked_at = -1",
        "code_digest = x'00'",
        "code_redirect_uri = 'alone'",
        "code_digest = zeroblob(32)",
        "refresh_generation = 3",
        "refresh_digest = zeroblob(32), refresh_generation = -3, refresh_used_at = 1",
        "refresh_digest = zeroblob(32), refresh_generation = 3, refresh_used_at = 1, retry_until = 1",
    ] {
        let (damaged, token) = (grant(), access());
        store.insert_grant(damaged.clone(), Some(token.clone())).await.unwrap();
        raw.execute(&format!("UPDATE oauth_grants SET {damage} WHERE id = ?1"), [damaged.id.as_bytes()]).unwrap();
        let corrupt = |error| matches!(error, StoreError::Corrupt("grant"));
        assert!(corrupt(store.grant(damaged.id).await.unwrap_err()), "{damage}");
        assert!(corrupt(store.access(damaged.id, token.digest).await.unwrap_err()), "{damage}");
        assert!(corrupt(store.revoke_grant(damaged.id, NOW).await.unwrap_err()), "{damage}");
        assert!(corrupt(store.insert_access(damaged.id, access(), NOW).await.unwrap_err()), "{damage}");
    }
    let token = access();
    assert!(store.insert_access(sound.id, token.clone(), NOW).await.unwrap());
    raw.execute("UPDATE oauth_access_tokens SET expires_at = expires_at + 1", []).unwrap();
    let error = store.access(sound.id, token.digest).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt("access token")));
    raw.execute("INSERT INTO oauth_clients (id, record) VALUES ('app', '{}')", []).unwrap();
    let error = store.client(sound.facts.client.clone()).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt("client")));
    assert_eq!(store.revoke_grant(sound.id, NOW).await.unwrap(), Revocation::Revoked);
}

#[tokio::test]
async fn the_file_shrinks_after_a_burst() {
    let directory = Directory::new();
    let store = directory.open().await;
    let burst = futures_util::future::join_all((0..4000).map(|_| store.insert_grant(wide(), Some(access())))).await;
    assert!(burst.iter().all(Result::is_ok));
    let pages = || -> u32 { directory.raw().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap() };
    let before = pages();
    let end = NOW.saturating_add(1_000_000);
    for _ in 0..40 {
        store.sweep(end, 500).await.unwrap();
    }
    assert!(pages() < before / 2, "{} of {before} pages are left", pages());
    store.insert_grant(wide(), None).await.unwrap();
}

/// A day's work, and as much that ends with each day.
#[tokio::test]
async fn the_file_stays_as_it_is_over_many_cycles_of_expiry() {
    let directory = Directory::new();
    let store = directory.open().await;
    let pages = || -> u32 { directory.raw().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap() };
    let mut sizes = Vec::new();
    for day in 0..30 {
        let now = NOW.saturating_add(day * 86_400);
        let end = now.saturating_add(3_600);
        let ended = |grant: Grant| Grant { created_at: now, expires_at: end, ..grant };
        let grants: Vec<_> = (0..300).map(|_| ended(wide())).collect();
        let steps = grants.iter().map(async |grant| {
            let token = crate::store::AccessToken { expires_at: end, ..access() };
            store.insert_grant(grant.clone(), Some(token)).await?;
            store.first_use(access().digest, end, now).await?;
            store.count_use(access().digest, end, now).await
        });
        assert!(futures_util::future::join_all(steps).await.iter().all(Result::is_ok));
        while store.sweep(now.saturating_add(7_200), 100).await.unwrap() == 100 {}
        sizes.push(pages());
    }
    let (early, late) = (sizes[2..6].iter().max().unwrap(), sizes[6..].iter().max().unwrap());
    // Names are random, and pages of their indexes a little more or less full.
    assert!(*late <= early + early / 20, "{sizes:?}");
    let raw = directory.raw();
    for table in ["oauth_grants", "oauth_access_tokens", "oauth_uses"] {
        let rows = raw.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, u32>(0));
        assert_eq!(rows.unwrap(), 0, "{table}");
    }
}

/// A grant of two kilobytes.
pub(super) fn wide() -> Grant {
    let mut grant = grant();
    grant.facts.resources = vec!["https://resource.example/".repeat(80)];
    grant
}
