//! New databases, old ones, those of a later version, and how rows are found.

use futures_util::future::join_all;
use oauth_core::{
    clock::UnixTime,
    store::{Consents, Grants, RefreshOutcome, Store, StoreError, Uses, postgres::PostgresStore},
};

use super::call_everything;
use crate::support::*;

async fn versions(url: &str) -> Vec<i64> {
    let rows = raw(url).await.query("SELECT version FROM oauth_migrations ORDER BY version", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_nodes_may_start_on_an_empty_database_at_once() {
    for _ in 0..5 {
        let url = new_database().await;
        let nodes = join_all((0..16).map(|_| patient(&url).build())).await;
        assert_eq!(versions(&url).await, [1, 2, 3, 4]);
        for node in nodes {
            let (node, grant) = (node.unwrap(), fresh_grant());
            node.insert_grant(grant.clone(), None).await.unwrap();
            assert_eq!(node.grant(grant.id).await.unwrap(), Some(grant));
        }
    }
}

/// A node of a version before, which knows nothing of the newer tables.
async fn old_node(url: &str) -> PostgresStore {
    node_of(url, 1).await
}

async fn node_of(url: &str, version: usize) -> PostgresStore {
    patient(url).connections(4).insecure_schema(version).build().await.unwrap()
}

/// What the nodes of both versions do: each sees what the other did.
async fn work(one: &PostgresStore, other: &PostgresStore, rounds: usize) {
    for _ in 0..rounds {
        let (grant, access) = (fresh_grant(), fresh_access());
        one.insert_grant(grant.clone(), Some(access.clone())).await.unwrap();
        assert_eq!(other.access(grant.id, access.digest).await.unwrap().unwrap().0, grant);
        assert_eq!(other.rotate_refresh(rotating(&grant)).await.unwrap(), RefreshOutcome::Rotated);
        one.revoke_grant(grant.id, now()).await.unwrap();
        assert!(!other.grant(grant.id).await.unwrap().unwrap().is_live(now()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_nodes_may_upgrade_at_once_while_the_old_ones_work_on() {
    for _ in 0..3 {
        let url = new_database().await;
        let (old, other_old) = (old_node(&url).await, old_node(&url).await);
        assert_eq!(versions(&url).await, [1]);
        let (grant, access) = (fresh_grant(), fresh_access());
        old.insert_grant(grant.clone(), Some(access.clone())).await.unwrap();
        let upgrades = join_all((0..12).map(|_| patient(&url).connections(2).build()));
        let works = join_all((0..3).map(|_| work(&old, &other_old, 30)));
        let (nodes, _) = futures_util::future::join(upgrades, works).await;
        assert_eq!(versions(&url).await, [1, 2, 3, 4]);
        let nodes: Vec<_> = nodes.into_iter().map(Result::unwrap).collect();
        for node in &nodes {
            assert_eq!(node.access(grant.id, access.digest).await.unwrap(), Some((grant.clone(), access.clone())));
        }
        futures_util::future::join(work(&old, &nodes[0], 10), work(&nodes[1], &other_old, 10)).await;
        let used = fresh_digest();
        let first = join_all(nodes.iter().map(|node| node.first_use(used, later(60), now()))).await;
        assert_eq!(first.into_iter().filter(|first| *first.as_ref().unwrap()).count(), 1);
        // One that is started again now finds a newer schema, and gets along with it.
        work(&old_node(&url).await, &nodes[2], 5).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_schema_2_works_on_beside_one_of_schema_3() {
    let url = new_database().await;
    let old = node_of(&url, 2).await;
    assert_eq!(versions(&url).await, [1, 2]);
    work(&old, &old, 3).await;
    let used = fresh_digest();
    assert!(old.first_use(used, later(60), now()).await.unwrap());
    let new = store_at(&url).await;
    assert_eq!(versions(&url).await, [1, 2, 3, 4]);
    let given = fresh_consent();
    assert!(new.replace_consent(given.clone(), None, now()).await.unwrap());
    futures_util::future::join(work(&old, &new, 10), work(&new, &old, 10)).await;
    assert!(!new.first_use(used, later(60), now()).await.unwrap());
    // One that is started again now finds a newer schema, and gets along with it.
    work(&node_of(&url, 2).await, &new, 3).await;
    assert_eq!(new.consent(given.subject.clone(), given.client.clone(), now()).await.unwrap(), Some(given));
}

#[tokio::test]
async fn a_node_that_is_too_old_is_told_so() {
    let url = new_database().await;
    let old = old_node(&url).await;
    store_at(&url).await.close();
    let end = "UPDATE oauth_migrations SET usable_from = 3 WHERE version = 3";
    raw(&url).await.batch_execute(end).await.unwrap();
    let error = patient(&url).insecure_schema(1).build().await.unwrap_err();
    assert!(matches!(error, StoreError::Schema { found: 4, known: 1 }), "{error}");
    // One that runs is not looked after: it is the migration that must let it run on.
    old.check().await.unwrap();
}

#[tokio::test]
async fn a_start_that_is_given_up_halfway_leaves_nothing() {
    let url = new_database().await;
    let beside = raw(&url).await;
    // Another node is at it, and takes its time.
    beside.batch_execute("BEGIN; SELECT pg_advisory_xact_lock(7809644627822277997)").await.unwrap();
    let patience = std::time::Duration::from_millis(200);
    let late = PostgresStore::builder(&url).migration_timeout(patience).build().await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))));
    beside.batch_execute("COMMIT").await.unwrap();
    store_at(&url).await.check().await.unwrap();
    assert_eq!(versions(&url).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_database_of_a_later_version_is_refused_unless_it_says_otherwise() {
    let url = new_database().await;
    store_at(&url).await.close();
    let beside = raw(&url).await;
    beside.batch_execute("INSERT INTO oauth_migrations (version, usable_from) VALUES (5, 1)").await.unwrap();
    store_at(&url).await.check().await.unwrap();
    beside.batch_execute("UPDATE oauth_migrations SET usable_from = version").await.unwrap();
    let error = PostgresStore::connect(&url).await.unwrap_err();
    assert!(matches!(error, StoreError::Schema { found: 5, known: 4 }), "{error}");
}

#[tokio::test]
async fn a_server_that_may_forget_what_it_acknowledged_is_refused() {
    let url = new_database().await;
    let forgetful = format!("{url}?options=-c%20synchronous_commit%3Doff");
    let error = PostgresStore::connect(&forgetful).await.unwrap_err();
    assert!(error.to_string().contains("synchronous_commit"), "{error}");
}

#[tokio::test]
async fn a_role_that_may_only_read_and_write_starts_on_a_finished_schema() {
    let url = new_database().await;
    store_at(&url).await.close();
    let beside = raw(&url).await;
    let name = url.rsplit('/').next().unwrap();
    let role = format!(
        "CREATE ROLE {name} LOGIN PASSWORD '{DATABASE_PASSWORD}';
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}"
    );
    beside.batch_execute(&role).await.unwrap();
    let store = store_at(&url.replace("oauth:", &format!("{name}:"))).await;
    call_everything(&store, |_| ()).await;
    store.sweep(now(), 10).await.unwrap();
}

#[tokio::test]
async fn every_foreign_key_has_an_index_that_begins_with_it() {
    let url = new_database().await;
    store_at(&url).await;
    let without = "SELECT conrelid::regclass::text FROM pg_constraint k WHERE contype = 'f' AND NOT EXISTS (
        SELECT 1 FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indkey[0] = k.conkey[1])";
    let rows = raw(&url).await.query(without, &[]).await.unwrap();
    assert!(rows.is_empty(), "{:?}", rows[0].get::<_, String>(0));
}

/// Else each of a grant's refreshes would leave an entry in every index.
#[tokio::test]
async fn a_rotation_touches_no_index_of_its_grant() {
    let url = new_database().await;
    let store = patient(&url).connections(1).build().await.unwrap();
    let grant = fresh_grant();
    store.insert_grant(grant.clone(), None).await.unwrap();
    let mut rotation = rotating(&grant);
    for _ in 0..50 {
        assert_eq!(store.rotate_refresh(rotation.clone()).await.unwrap(), RefreshOutcome::Rotated);
        rotation = following(&rotation);
    }
    store.close();
    at_rest(&url).await;
    let sql = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'oauth_grants'";
    let row = raw(&url).await.query_one(sql, &[]).await.unwrap();
    let (updates, within_the_page) = (row.get::<_, i64>(0), row.get::<_, i64>(1));
    // Now and then the page is full, until the server has cleared it.
    assert!(updates == 50 && within_the_page > 40, "{within_the_page} of {updates}");
}

/// Waits until every other connection of the store has gone, and told the server what it did.
async fn at_rest(url: &str) {
    let others =
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'oauth-core'";
    for _ in 0..10_000 {
        if raw(url).await.query(others, &[]).await.unwrap().is_empty() {
            return;
        }
    }
    panic!("connections stay open");
}

/// A table that is read from end to end is small today and large tomorrow.
#[tokio::test]
async fn every_verb_finds_its_rows_by_an_index() {
    let url = new_database().await;
    let beside = raw(&url).await;
    store_at(&url).await.close();
    beside.batch_execute(MANY_ROWS).await.unwrap();
    // By other connections: what they have read is told when they go.
    let scans = async |before: i64| {
        let sql = "SELECT coalesce(string_agg(relname || ' ' || seq_scan, ', '), ''), sum(seq_scan)::bigint
            FROM pg_stat_user_tables
            WHERE relname IN ('oauth_grants', 'oauth_access_tokens', 'oauth_retries', 'oauth_interactions', 'oauth_uses',
                'oauth_consents', 'oauth_clients', 'oauth_links', 'oauth_statuses')";
        let row = raw(&url).await.query_one(sql, &[]).await.unwrap();
        (row.get::<_, String>(0), row.get::<_, i64>(1) - before)
    };
    at_rest(&url).await;
    let (_, before) = scans(0).await;
    for pooler in [oauth_core::store::postgres::Pooler::None, oauth_core::store::postgres::Pooler::Unprepared] {
        let store = patient(&url).connections(1).pooler(pooler).build().await.unwrap();
        // Often enough that the server turns to plans that fit any values.
        for _ in 0..20 {
            call_everything(&store, |_| ()).await;
            assert!(store.sweep(now(), 100).await.unwrap() == 100);
            for _ in 0..3 {
                store.sweep(later(1_000_000), 100).await.unwrap();
            }
            // Of each of the last tables alone: what is in those before ends later.
            for time in [100_000, 200_000, 300_000, 400_000] {
                assert_eq!(store.sweep(UnixTime(time), 10).await.unwrap(), 10, "{time}");
            }
        }
        store.close();
        drop(store);
        at_rest(&url).await;
    }
    let (tables, scanned) = scans(before).await;
    assert_eq!(scanned, 0, "{tables}, of which {before} before");
}

const MANY_ROWS: &str = "
INSERT INTO oauth_grants (id, client, subject, facts, created_at, expires_at, ends_at, retry_until)
    SELECT sha256(n::text::bytea), 'client-' || n % 100, 'user-' || n, '{}', 0, its_end, its_end, its_end
    FROM (SELECT n, extract(epoch FROM now())::bigint + n AS its_end FROM generate_series(1, 30000) n) numbered;
INSERT INTO oauth_retries (until, grant_no) SELECT retry_until, no FROM oauth_grants;
INSERT INTO oauth_access_tokens (grant_no, digest, record, expires_at)
    SELECT no, id, repeat('x', 100), expires_at - 20000 FROM oauth_grants;
INSERT INTO oauth_interactions (id, browser, request, expires_at)
    SELECT id, id, repeat('x', 500)::bytea, 300001 + no FROM oauth_grants;
INSERT INTO oauth_uses (digest, count, ends_at) SELECT id, 1, 200001 + no FROM oauth_grants;
INSERT INTO oauth_consents (subject, client, record, revision, expires_at)
    SELECT subject, client, repeat('x', 200), no, 100001 + no FROM oauth_grants;
INSERT INTO oauth_statuses (list, place, ends_at) SELECT no % 100, no, no FROM oauth_grants;
INSERT INTO oauth_links (link, record, tokens_id, tokens_sealed, tokens_record, tokens_ends_at, tokens_revision)
    SELECT sha256('reciprocal link '::bytea || '\\x0000000000000001'::bytea || 'a'::bytea || '\\x01'::bytea
            || subject::bytea),
        json_build_object('client', 'a', 'subject', subject), id, id, '{\"scope\":\"a\",\"obtained_at\":1}', expires_at, 0
    FROM oauth_grants WHERE no % 2 = 0;
INSERT INTO oauth_links (link, record, code_id, code_sealed, code_attempts, code_queued_at, code_due_at,
        code_expires_at)
    SELECT id, repeat('x', 100), id, id, 0, expires_at, expires_at + 10000000, expires_at - 86400 FROM oauth_grants
    WHERE no % 2 = 1;
INSERT INTO oauth_clients (id, record) SELECT 'client-' || n, repeat('x', 500) FROM generate_series(1, 30000) n;
ANALYZE;
";
