//! Links to other servers: what happens to a row while a step waits for it.

use oauth_core::store::{Finished, Queued, QueuedCode, Reciprocals};

use super::store_at;
use crate::support::*;

/// Lets `beside` change the only link while `step` waits for it.
async fn after<T: Send + 'static>(
    beside: &tokio_postgres::Client,
    watch: &tokio_postgres::Client,
    change: &str,
    step: impl Future<Output = T> + Send + 'static,
) -> T {
    beside.batch_execute("BEGIN").await.unwrap();
    beside.batch_execute(change).await.unwrap();
    let step = tokio::spawn(step);
    until_somebody_waits(watch).await;
    beside.batch_execute("COMMIT").await.unwrap();
    step.await.unwrap()
}

async fn until_somebody_waits(watch: &tokio_postgres::Client) {
    let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while watch.query(waiting, &[]).await.unwrap().is_empty() {}
}

const REDEEMED: &str = "UPDATE oauth_links SET tokens_id = code_id, tokens_sealed = '',
    tokens_record = '{\"scope\":\"a\",\"obtained_at\":1}', tokens_ends_at = 9000000000, tokens_revision = 0, code_id = NULL, code_sealed = NULL, code_attempts = NULL,
    code_queued_at = NULL, code_due_at = NULL, code_expires_at = NULL";

// spec: TOK-54
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_comes_again_while_it_is_redeemed_is_known() {
    let url = new_database().await;
    let (store, beside, watch) = (store_at(&url).await, raw(&url).await, raw(&url).await);
    let code = fresh_queued();
    store.queue_code(code.clone()).await.unwrap();
    let (other, again) = (store.clone(), code.clone());
    let queued = after(&beside, &watch, REDEEMED, async move { other.queue_code(again).await }).await;
    assert_eq!(queued.unwrap(), Queued::Known);
    assert_eq!(store.take_queued(later(60), later(120)).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_code_that_was_replaced_meanwhile_does_nothing() {
    let url = new_database().await;
    let (store, beside, watch) = (store_at(&url).await, raw(&url).await, raw(&url).await);
    let code = fresh_queued();
    let tokens = fresh_tokens(&code);
    for new in [Some(tokens), None] {
        for (change, expected) in [
            ("UPDATE oauth_links SET code_id = sha256('other')", Finished::Superseded),
            ("DELETE FROM oauth_links", Finished::Superseded),
            (REDEEMED, Finished::Already),
        ] {
            assert_eq!(store.queue_code(code.clone()).await.unwrap(), Queued::Added);
            let (other, link, id, new) = (store.clone(), code.link.clone(), code.id, new.clone());
            let finish = async move { other.finish_queued(link, id, new).await };
            assert_eq!(after(&beside, &watch, change, finish).await.unwrap(), expected, "{change}");
            raw(&url).await.batch_execute("DELETE FROM oauth_links").await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_waits_for_nobody() {
    let url = new_database().await;
    let (store, beside) = (store_at(&url).await, raw(&url).await);
    let [first, second] = [fresh_queued(), fresh_queued()];
    let first = QueuedCode { due_at: now().saturating_sub(60), ..first };
    for code in [&first, &second] {
        store.queue_code(code.clone()).await.unwrap();
    }
    beside.batch_execute("BEGIN; SELECT 1 FROM oauth_links ORDER BY code_due_at LIMIT 1 FOR UPDATE").await.unwrap();
    let taken = store.take_queued(now(), later(60)).await.unwrap();
    assert_eq!(taken.map(|code| code.id), Some(second.id));
    beside.batch_execute("COMMIT").await.unwrap();
    let taken = store.take_queued(now(), later(60)).await.unwrap();
    assert_eq!(taken.map(|code| code.id), Some(first.id));
}
