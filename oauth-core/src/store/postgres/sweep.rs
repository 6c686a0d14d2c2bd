//! Removing what can no longer matter, a little at a time.

use super::{
    PostgresStore,
    reciprocals::no_code,
    row,
    statement::{Param, Sql},
};
use crate::{
    clock::UnixTime,
    store::{StoreError, StoreFuture},
};

/// Removes at most `$2` rows of `$table` that end by `$by`, by an index on that
/// `$end`, and passes over those that another node is removing at the moment.
/// They are chosen once: a plan that looks for them again and again, as the planner
/// may make one of a plain subquery, takes other rows each time.
macro_rules! rows_that_end {
    ($table:literal, $key:literal, $end:literal, $by:literal) => {
        Sql::writes(concat!(
            "WITH ended AS MATERIALIZED (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            $end,
            " <= ",
            $by,
            " ORDER BY ",
            $end,
            " LIMIT $2::bigint FOR UPDATE SKIP LOCKED), gone AS (DELETE FROM ",
            $table,
            " WHERE (",
            $key,
            ") IN (SELECT ",
            $key,
            " FROM ended) RETURNING 1) SELECT count(*) FROM gone",
        ))
    };
}

/// Clears what has ended of at most `$2` links: the code a day later, so that
/// somebody can say that it was not redeemed. A link goes when both of its parts
/// have ended.
const LINKS: Sql = Sql::writes(concat!(
    "WITH ended AS MATERIALIZED (
        SELECT link,
            code_id IS NULL OR least(code_expires_at, 9223372036854689407) + 86400 <= $1::bigint AS no_code,
            tokens_id IS NULL OR tokens_ends_at <= $1::bigint AS no_tokens
        FROM oauth_links WHERE ends_at <= $1::bigint
        ORDER BY ends_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM oauth_links o USING ended e WHERE o.link = e.link AND e.no_code AND e.no_tokens
    ), codes AS (
        UPDATE oauth_links o SET ",
    no_code!(),
    " FROM ended e WHERE o.link = e.link AND e.no_code AND NOT e.no_tokens
    ), tokens AS (
        UPDATE oauth_links o SET tokens_id = NULL, tokens_sealed = NULL, tokens_record = NULL, tokens_ends_at = NULL,
            tokens_revision = NULL
        FROM ended e WHERE o.link = e.link AND e.no_tokens AND NOT e.no_code
    )
    SELECT count(*) FROM ended",
));

/// Each removes at most `$2` rows that end by `$1`. Tokens go before their
/// grants, so that a grant that ends takes few along.
///
/// The second removes lines of the list of retries, and the retries that are
/// due. It waits for grants in the order of their numbers, so that two nodes
/// never wait for each other. Uses stay for a minute more: some node's clock is
/// behind.
static STEPS: [Sql; 8] = [
    rows_that_end!("oauth_access_tokens", "grant_no, digest", "expires_at", "$1::bigint"),
    Sql::writes(
        "WITH ended AS MATERIALIZED (
            SELECT until, grant_no FROM oauth_retries WHERE until <= $1::bigint
            ORDER BY until LIMIT $2::bigint FOR UPDATE SKIP LOCKED
        ), due AS (
            DELETE FROM oauth_retries WHERE (until, grant_no) IN (SELECT until, grant_no FROM ended)
            RETURNING grant_no
        ), g AS MATERIALIZED (
            SELECT no FROM oauth_grants WHERE no IN (SELECT grant_no FROM due) AND retry_until <= $1::bigint
            ORDER BY no FOR NO KEY UPDATE
        ), cleared AS (
            UPDATE oauth_grants o SET retry_digest = NULL, retry_sealed = NULL, retry_until = NULL
            FROM g WHERE o.no = g.no
        )
        SELECT count(*) FROM due",
    ),
    rows_that_end!("oauth_grants", "no", "ends_at", "$1::bigint"),
    rows_that_end!("oauth_interactions", "id", "expires_at", "$1::bigint"),
    rows_that_end!("oauth_uses", "digest", "ends_at", "$1::bigint - 60"),
    rows_that_end!("oauth_consents", "subject, client", "expires_at", "$1::bigint"),
    LINKS,
    rows_that_end!("oauth_statuses", "list, place", "ends_at", "$1::bigint"),
];

pub(super) fn sweep(store: &PostgresStore, now: UnixTime, limit: usize) -> StoreFuture<'_, usize> {
    Box::pin(async move {
        let mut left = limit;
        for step in &STEPS {
            if left == 0 {
                break;
            }
            let most = i64::try_from(left).unwrap_or(i64::MAX);
            let row = store.row(step, &[Param::time(now), Param::Number(Some(most))]).await?;
            let gone = row::count(&row.ok_or(StoreError::Corrupt("answer"))?)?;
            left = left.saturating_sub(gone);
        }
        Ok(limit - left)
    })
}
