//! Outages: never a false yes, never a false no, always an end.

use std::{fmt, time::Duration};

use oauth_core::store::{
    Grants, Redemption, RefreshOutcome, Revocation, Store, StoreError,
    postgres::{Pooler, PostgresStore, PostgresStoreBuilder},
};

use crate::support::*;

pub(super) fn is_unavailable<T: fmt::Debug>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable(_)))
}

/// A store that does not wait long, for servers that never answer.
fn impatient(url: &str) -> PostgresStoreBuilder {
    let moment = Duration::from_millis(150);
    patient(url).wait_timeout(moment).statement_timeout(moment).connections(2)
}

/// Asks until there is an answer.
async fn answer<T>(ask: impl AsyncFn() -> Result<T, StoreError>) -> T {
    for _ in 0..1000 {
        if let Ok(answer) = ask().await {
            return answer;
        }
    }
    panic!("there is never an answer");
}

/// A database behind a wire, and its URL beside the wire.
async fn wired() -> (Wire, String, String) {
    let direct = new_database().await;
    let wire = Wire::to(shared_postgres().port()).await;
    let url = url_at(wire.port, direct.rsplit('/').next().unwrap());
    (wire, url, direct)
}

#[tokio::test]
async fn a_server_that_was_restarted_is_found_again() {
    for signal in ["INT", "QUIT"] {
        let mut server = Postgres::start("");
        let store = store_at(&server.database().await).await;
        let grant = fresh_grant();
        store.insert_grant(grant.clone(), None).await.unwrap();
        assert_eq!(store.revoke_grant(grant.id, now()).await.unwrap(), Revocation::Revoked);
        server.end(signal);
        assert!(is_unavailable(&store.grant(grant.id).await), "{signal}");
        assert!(is_unavailable(&store.revoke_grant(grant.id, now()).await), "{signal}");
        server.resume();
        assert_eq!(store.revoke_grant(grant.id, now()).await.unwrap(), Revocation::AlreadyRevoked, "{signal}");
    }
}

#[tokio::test]
async fn connections_that_died_at_rest_are_not_used() {
    let url = new_database().await;
    let store = store_at(&url).await;
    let grant = fresh_grant();
    store.insert_grant(grant.clone(), None).await.unwrap();
    let kill = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    raw(&url).await.query(kill, &[]).await.unwrap();
    // Time for this end to hear of it.
    raw(&url).await.batch_execute("SELECT 1").await.unwrap();
    assert_eq!(store.revoke_grant(grant.id, now()).await.unwrap(), Revocation::Revoked);
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    let (wire, url, direct) = wired().await;
    let grant = fresh_grant();
    store_at(&direct).await.insert_grant(grant.clone(), None).await.unwrap();
    let store = impatient(&url).connect_timeout(Duration::from_secs(1)).build().await.unwrap();
    answer(async || store.check().await).await;
    wire.set(Mood::Hangs);
    // In use, opened anew, and waited for.
    let calls = futures_util::future::join_all((0..6).map(|_| store.grant(grant.id))).await;
    assert!(calls.iter().all(is_unavailable));
    assert!(is_unavailable(&store.check().await));
    wire.set(Mood::Well);
    assert_eq!(answer(async || store.grant(grant.id).await).await, Some(grant));
}

#[tokio::test]
async fn a_statement_that_waits_too_long_is_ended_by_the_server() {
    let url = new_database().await;
    let (store, beside, locks) = (impatient(&url).build().await.unwrap(), store_at(&url).await, raw(&url).await);
    let grant = fresh_grant();
    beside.insert_grant(grant.clone(), None).await.unwrap();
    locks.batch_execute("BEGIN; SELECT 1 FROM oauth_grants FOR UPDATE").await.unwrap();
    assert!(is_unavailable(&store.revoke_grant(grant.id, now()).await));
    // Soon nothing waits there any more, and what reads never did.
    assert_eq!(beside.grant(grant.id).await.unwrap(), Some(grant.clone()));
    let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut waits = 0;
    while !locks.query(waiting, &[]).await.unwrap().is_empty() {
        waits += 1;
        assert!(waits < 10_000, "the server goes on with it");
    }
    locks.batch_execute("COMMIT").await.unwrap();
    assert_eq!(beside.revoke_grant(grant.id, now()).await.unwrap(), Revocation::Revoked);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_no_answer_and_no_second_attempt() {
    let (wire, url, direct) = wired().await;
    let store = store_at(&url).await;
    let beside = store_at(&direct).await;
    let grant = fresh_grant();
    store.insert_grant(grant.clone(), None).await.unwrap();
    wire.set(Mood::LosesAnAnswer);
    let redeem = redeeming(&grant);
    assert!(is_unavailable(&store.redeem_code(redeem.clone()).await));
    // It has taken effect, once: a second attempt would have been a replay, and the end of the grant.
    let (found, access) = beside.access(grant.id, redeem.access.digest).await.unwrap().unwrap();
    assert!(
        found.is_live(now()) && found.refresh.as_ref().is_some_and(|refresh| Some(refresh.digest) == redeem.refresh)
    );
    assert_eq!(access, redeem.access);
    // What changes nothing may be asked again.
    store.check().await.unwrap();
    wire.set(Mood::LosesAnAnswer);
    assert_eq!(store.grant(grant.id).await.unwrap(), Some(found));
    assert_eq!(store.redeem_code(redeem).await.unwrap(), Redemption::Replayed);
}

#[tokio::test]
async fn a_commit_that_fails_is_no_success() {
    let url = new_database().await;
    let store = store_at(&url).await;
    let grant = fresh_grant();
    store.insert_grant(grant.clone(), None).await.unwrap();
    // The server has answered the statement by then, and commits when it is told that no other follows.
    let trap = "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'late'; END $$;
        CREATE CONSTRAINT TRIGGER trap AFTER UPDATE ON oauth_grants DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION trap()";
    raw(&url).await.batch_execute(trap).await.unwrap();
    assert!(is_unavailable(&store.revoke_grant(grant.id, now()).await));
    assert!(is_unavailable(&store.rotate_refresh(rotating(&grant)).await));
    assert!(is_unavailable(&store.redeem_code(redeeming(&grant)).await));
    assert_eq!(store.grant(grant.id).await.unwrap(), Some(grant));
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_no_transaction_and_no_broken_connection() {
    let url = new_database().await;
    let store = patient(&url).connections(1).build().await.unwrap();
    let grant = fresh_grant();
    store.insert_grant(grant.clone(), None).await.unwrap();
    let beside = raw(&url).await;
    beside.batch_execute("BEGIN; SELECT 1 FROM oauth_grants FOR UPDATE").await.unwrap();
    for _ in 0..20 {
        // What was sent waits for the row, and its caller goes.
        let given_up = tokio::time::timeout(Duration::from_millis(5), store.rotate_refresh(rotating(&grant))).await;
        assert!(given_up.is_err());
    }
    beside.batch_execute("COMMIT").await.unwrap();
    // The first of them was a rotation, the others retries: each ran to its end, on one connection.
    let found = store.grant(grant.id).await.unwrap().unwrap();
    assert_eq!((found.refresh.unwrap().generation, found.revoked_at), (1, None));
    let states = "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let rows = beside.query(states, &[]).await.unwrap();
    let states: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(states, ["idle"]);
}

// spec: SEC-20
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_any_isolation_a_race_has_one_winner() {
    let mut undone = 0;
    for isolation in ["repeatable%5C%20read", "serializable"] {
        let url = new_database().await;
        let url = format!("{url}?options=-c%20default_transaction_isolation%3D{isolation}");
        let store = store_at(&url).await;
        for _ in 0..5 {
            let grant = fresh_grant();
            store.insert_grant(grant.clone(), None).await.unwrap();
            let rotate = |_| {
                let (store, rotate) = (store.clone(), rotating(&grant));
                async move { store.rotate_refresh(rotate).await }
            };
            let outcomes = all_at_once(30, rotate).await;
            let count = |wanted: &dyn Fn(&Result<RefreshOutcome, StoreError>) -> bool| {
                outcomes.iter().filter(|outcome| wanted(outcome)).count()
            };
            assert_eq!(count(&|outcome| matches!(outcome, Ok(RefreshOutcome::Rotated))), 1);
            let known = count(&|outcome| matches!(outcome, Ok(RefreshOutcome::Rotated | RefreshOutcome::Retry { .. })));
            undone += count(&is_unavailable);
            assert_eq!(known + count(&is_unavailable), 30);
        }
    }
    println!("{undone} of 300 calls were undone by the server until their attempts were used up");
}

#[tokio::test]
async fn a_server_that_only_reads_is_no_store() {
    let url = new_database().await;
    store_at(&url).await;
    let store =
        PostgresStore::connect(&format!("{url}?options=-c%20default_transaction_read_only%3Don")).await.unwrap();
    assert!(is_unavailable(&store.check().await));
    assert!(is_unavailable(&store.insert_grant(fresh_grant(), None).await));
}

#[tokio::test]
async fn a_server_has_to_prove_its_name() {
    let authority = Authority::new();
    let tls = "ssl = on\nssl_cert_file = 'CERT'\nssl_key_file = 'KEY'\n";
    let (certificate, key) = (authority.file("cert.pem"), authority.file("key.pem"));
    give_to_server(&key);
    let tls = tls.replace("CERT", certificate.to_str().unwrap()).replace("KEY", key.to_str().unwrap());
    let server = Postgres::start(&tls);
    let url = server.database().await;
    let trusted = format!("sslrootcert={}", authority.file("ca.pem").display());
    let open = async |parameters: &str| PostgresStore::connect(&format!("{url}?{parameters}")).await;
    for mode in ["require", "verify-ca", "verify-full"] {
        let store = open(&format!("sslmode={mode}&{trusted}")).await.unwrap();
        store.check().await.unwrap();
        let encrypted =
            "SELECT 1 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND datname = current_database()";
        assert!(!raw(&url).await.query(encrypted, &[]).await.unwrap().is_empty());
        // The system does not know this authority.
        assert!(is_unavailable(&open(&format!("sslmode={mode}")).await));
    }
    let other = Authority::new();
    let foreign = format!("sslmode=require&sslrootcert={}", other.file("ca.pem").display());
    assert!(is_unavailable(&open(&foreign).await));
    // One that offers no TLS is not spoken to.
    let plain = new_database().await;
    assert!(is_unavailable(&PostgresStore::connect(&format!("{plain}?sslmode=require&{trusted}")).await));
}

#[tokio::test]
async fn four_connections_are_opened_at_once_and_no_more() {
    let (wire, url, _) = wired().await;
    let store = patient(&url).connections(12).build().await.unwrap();
    let grant = fresh_grant();
    let before = wire.connections();
    wire.set(Mood::Hangs);
    let calls = futures_util::future::join_all((0..12).map(|_| store.grant(grant.id)));
    let counted = async {
        let until = async |count| {
            while wire.connections() < before + count {
                tokio::task::yield_now().await;
            }
        };
        until(4).await;
        // The wire takes them in their order: what was begun before this one is counted before it.
        let _last = tokio::net::TcpStream::connect(("127.0.0.1", wire.port)).await.unwrap();
        until(5).await;
        wire.connections() - before
    };
    tokio::select! {
        biased;
        answers = calls => panic!("nothing answers: {answers:?}"),
        counted = counted => assert_eq!(counted, 4 + 1),
    }
}

#[tokio::test]
async fn what_a_pooler_would_not_pass_is_not_sent_to_it() {
    let (_wire, url, direct) = wired().await;
    let timeout = async |pooler: Pooler| {
        let store = patient(&url).statement_timeout(Duration::from_millis(100)).pooler(pooler).build().await.unwrap();
        answer(async || store.check().await).await;
        let beside = raw(&direct).await;
        beside.batch_execute("BEGIN; SELECT 1 FROM oauth_probe FOR UPDATE").await.unwrap();
        // Who ends the wait shows who knows of the limit.
        let error = store.check().await.unwrap_err().to_string();
        beside.batch_execute("COMMIT").await.unwrap();
        error
    };
    assert!(timeout(Pooler::None).await.contains("57014"));
    assert!(timeout(Pooler::Prepared).await.contains("took too long"));
}
