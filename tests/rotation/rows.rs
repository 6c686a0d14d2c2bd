//! What a session costs that lasts: no row more, however often it rotates.

use oauth_core::{
    clock::SystemRandom,
    store::{Grants, Store, Transfer, memory::MemoryStore, sqlite::SqliteStore},
    token::GrantId,
};

use crate::support::*;

const TIMES: u64 = 10_000;

/// Seconds between two rotations.
const PACE: u64 = 10;

/// So many access tokens of one grant are alive at once.
const ALIVE: usize = (300 / PACE) as usize;

/// Grants, those of them that have a refresh token, and access tokens, as the store lists them.
async fn rows(store: &impl Transfer) -> (usize, usize, usize) {
    let (mut grants, mut refresh, mut access) = (0, 0, 0);
    let mut after = None;
    loop {
        let page = store.list_grants(after, 500).await.unwrap();
        grants += page.items.len();
        refresh += page.items.iter().filter(|grant| grant.refresh.is_some()).count();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    loop {
        let page = store.list_access(after, 500).await.unwrap();
        access += page.items.len();
        after = page.next;
        if after.is_none() {
            return (grants, refresh, access);
        }
    }
}

/// Rotates one grant of a server on `store`, which nobody sweeps until the end.
async fn rotates_without_a_trace(store: impl Store + Clone) {
    let w = World::on(store.clone(), |builder| builder).await;
    let mut token = w.tokens(APP).await.refresh.unwrap();
    for number in 1..=TIMES {
        w.clock.advance(PACE);
        token = w.refresh(APP, &token).await.tokens().refresh.unwrap();
        if number % 500 == 0 {
            assert_eq!(rows(&store).await, (1, 1, ALIVE), "after {number}");
        }
    }
    w.clock.advance(300);
    w.server.maintain().await.unwrap();
    assert_eq!(rows(&store).await, (1, 1, 0));
    // The session itself is as good as ever.
    w.refresh(APP, &token).await.tokens();
    w.clock.advance(86_400 * 30);
    w.server.maintain().await.unwrap();
    assert_eq!(rows(&store).await, (0, 0, 0));
    assert_eq!(w.events.count("refresh_reused") + w.events.count("refresh_retried"), 0);
}

#[tokio::test]
async fn ten_thousand_rotations_leave_no_row_in_memory() {
    rotates_without_a_trace(MemoryStore::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_rotations_leave_no_row_in_a_file() {
    let folder = Folder::new();
    rotates_without_a_trace(SqliteStore::open(folder.file()).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_rotations_leave_no_row_in_a_database() {
    rotates_without_a_trace(store_at(&new_database().await).await).await;
}

/// Nothing is swept there: what has ended goes by itself, an hour later by the server's own clock. So the clock of this
/// test begins long ago, and comes as far as the present.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_rotations_leave_no_key_on_a_server() {
    let server = Redis::start("");
    let store = patient_redis([server.url()]).build().await.unwrap();
    let mut grant = fresh_grant();
    (grant.id, grant.code) = (GrantId::generate(&SystemRandom).unwrap(), None);
    let mut rotation = rotating(&grant);
    store.insert_grant(grant, None).await.unwrap();
    for number in (0..TIMES).rev() {
        rotation.now = now().saturating_sub(number * PACE);
        rotation.access.expires_at = rotation.now.saturating_add(300);
        let outcome = store.rotate_refresh(rotation.clone()).await.unwrap();
        assert_eq!(outcome, oauth_core::store::RefreshOutcome::Rotated);
        rotation = following(&rotation);
    }
    let (grants, refresh, access) = rows(&store).await;
    assert_eq!((grants, refresh), (1, 1));
    let most = ((300 + 3_600) / PACE) as usize;
    assert!((ALIVE..=most + 1).contains(&access), "{access}");
}
