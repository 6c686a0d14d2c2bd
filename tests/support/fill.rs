//! Stores that are filled before something is measured.

use std::{sync::Arc, time::Instant};

use futures_util::future::join_all;
use oauth_core::{
    secret::Digest,
    store::{AccessToken, Grant, Store},
};
use tokio_postgres::Client;

use super::{Filled, Known, fresh_access, fresh_grant, later, raw};

/// When what is filled in ends, but for a day over which the ends are spread.
const FAR: u64 = 30 * 86_400;

/// How many rows one statement inserts.
const PART: u64 = 100_000;

/// A grant and an access token that outlive every measurement.
fn lasting() -> (Grant, AccessToken) {
    let expires_at = later(FAR);
    (Grant { code: None, expires_at, ..fresh_grant() }, AccessToken { expires_at, ..fresh_access() })
}

/// Fills `store` with `live` tokens, one verb for each, and knows `some` of them.
pub(crate) async fn fill(store: Arc<dyn Store>, live: u64, some: usize) -> Filled {
    const CALLERS: u32 = 64;
    let every = (live / some as u64).max(1);
    let caller = |number: u32| {
        let store = Arc::clone(&store);
        async move {
            let mut known = Vec::new();
            for at in (u64::from(number)..live).step_by(CALLERS.try_into().unwrap()) {
                let (grant, access) = lasting();
                if at.is_multiple_of(every) {
                    known.push(Known { grant: grant.clone(), access: access.digest });
                }
                store.insert_grant(grant, Some(access)).await.unwrap();
            }
            known
        }
    };
    let callers: Vec<_> = (0..CALLERS).map(|number| tokio::spawn(caller(number))).collect();
    let mut known: Vec<Known> = Vec::new();
    for caller in join_all(callers).await {
        known.extend(caller.unwrap());
    }
    shuffle(&mut known);
    Filled { live, store, some: known.into() }
}

/// Fills the PostgreSQL database at `url` with `live` tokens by statements over many rows, as they would be if the
/// store had inserted them, and knows `some` of them.
pub(crate) async fn fill_postgres(
    url: &str,
    store: Arc<dyn Store>,
    live: u64,
    some: usize,
    tell: impl Fn(u64, f64),
) -> Filled {
    let beside = raw(url).await;
    let (grant, access) = lasting();
    store.insert_grant(grant.clone(), Some(access.clone())).await.unwrap();
    let began = Instant::now();
    let mut done = 1;
    while done < live {
        let last = live.min((done / PART + 1) * PART);
        insert(&beside, &grant, access.expires_at.0, done + 1, last).await;
        tell(last, began.elapsed().as_secs_f64());
        done = last;
    }
    for table in ["oauth_grants", "oauth_access_tokens"] {
        beside.batch_execute(&format!("VACUUM (ANALYZE) {table}")).await.unwrap();
    }
    beside.batch_execute("CHECKPOINT").await.unwrap();
    let known = pick(&beside, &store, live, some).await;
    Filled { live, store, some: known.into() }
}

/// Grants `first` to `last`, each like `grant` but for its person, its ends and its secrets.
async fn insert(beside: &Client, grant: &Grant, ends: u64, first: u64, last: u64) {
    let id: String = grant.id.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let sql = format!(
        "WITH g AS (
            INSERT INTO oauth_grants (id, client, subject, facts, created_at, expires_at, ends_at, refresh_digest,
                refresh_generation, refresh_used_at)
            SELECT substr(sha256(('id' || n)::bytea), 1, 16), t.client, 'user-' || n,
                replace(t.facts, 'alice', 'user-' || n), t.created_at, t.expires_at + n % 86400,
                t.ends_at + n % 86400, sha256(('refresh' || n)::bytea), 0, t.refresh_used_at
            FROM generate_series({first}, {last}) n, oauth_grants t WHERE t.id = '\\x{id}'
            RETURNING no, id, expires_at)
        INSERT INTO oauth_access_tokens (grant_no, digest, record, expires_at)
        SELECT g.no, sha256(g.id), replace(a.record, '{ends}', g.expires_at::text), g.expires_at
        FROM g, oauth_access_tokens a JOIN oauth_grants t ON t.no = a.grant_no WHERE t.id = '\\x{id}'"
    );
    beside.batch_execute(&sql).await.unwrap();
}

/// Some grants from all over, as the store reads them, in random order.
async fn pick(beside: &Client, store: &Arc<dyn Store>, live: u64, some: usize) -> Vec<Known> {
    let sql = format!(
        "SELECT g.id, a.digest FROM (SELECT DISTINCT 1 + (random() * ({live} - 1))::bigint AS no
            FROM generate_series(1, {some})) r JOIN oauth_grants g USING (no) JOIN oauth_access_tokens a
            ON a.grant_no = g.no ORDER BY random()"
    );
    let mut known = Vec::new();
    for row in beside.query(&sql, &[]).await.unwrap() {
        let id: &[u8] = row.get(0);
        let digest: &[u8] = row.get(1);
        let (id, digest) = (
            oauth_core::token::GrantId::from_bytes(id.try_into().unwrap()),
            Digest::from_bytes(digest.try_into().unwrap()),
        );
        let (grant, _) = store.access(id, digest).await.unwrap().unwrap();
        known.push(Known { grant, access: digest });
    }
    known
}

/// By the digests, which are random.
fn shuffle(known: &mut [Known]) {
    known.sort_by_key(|one| *one.access.as_bytes());
}
