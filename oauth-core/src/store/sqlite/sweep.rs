//! Removing what can no longer matter, a little at a time.

use rusqlite::Connection;

use super::{error::Failure, row::time};
use crate::clock::UnixTime;

/// Each removes at most `?2` rows that end by `?1`, by an index on that end.
/// Tokens go before their grants, so that a grant that ends takes few along;
/// uses stay for a minute more, for whose clock is behind, and codes that were
/// to be redeemed for a day, so that somebody can say that they were not. A link
/// goes when both of its parts have ended.
pub(super) const STEPS: [&str; 10] = [
    "DELETE FROM oauth_access_tokens WHERE (grant_no, digest) IN
        (SELECT grant_no, digest FROM oauth_access_tokens WHERE expires_at <= ?1 LIMIT ?2)",
    "UPDATE oauth_grants SET retry_digest = NULL, retry_sealed = NULL, retry_until = NULL WHERE no IN
        (SELECT no FROM oauth_grants WHERE retry_until <= ?1 LIMIT ?2)",
    "DELETE FROM oauth_grants WHERE no IN (SELECT no FROM oauth_grants WHERE ends_at <= ?1 LIMIT ?2)",
    "DELETE FROM oauth_interactions WHERE id IN (SELECT id FROM oauth_interactions WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM oauth_uses WHERE digest IN (SELECT digest FROM oauth_uses WHERE ends_at <= ?1 - 60 LIMIT ?2)",
    "DELETE FROM oauth_consents WHERE (subject, client) IN
        (SELECT subject, client FROM oauth_consents WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM oauth_links WHERE link IN (SELECT link FROM oauth_links WHERE ends_at <= ?1
        AND (code_id IS NULL OR min(code_expires_at, 9223372036854689407) + 86400 <= ?1)
        AND (tokens_id IS NULL OR tokens_ends_at <= ?1) LIMIT ?2)",
    "UPDATE oauth_links SET code_id = NULL, code_sealed = NULL, code_attempts = NULL, code_queued_at = NULL,
        code_due_at = NULL, code_expires_at = NULL WHERE link IN
        (SELECT link FROM oauth_links
            WHERE ends_at <= ?1 AND min(code_expires_at, 9223372036854689407) + 86400 <= ?1 LIMIT ?2)",
    "UPDATE oauth_links SET tokens_id = NULL, tokens_sealed = NULL, tokens_record = NULL, tokens_ends_at = NULL,
        tokens_revision = NULL WHERE link IN
        (SELECT link FROM oauth_links WHERE ends_at <= ?1 AND tokens_ends_at <= ?1 LIMIT ?2)",
    "DELETE FROM oauth_statuses WHERE (list, place) IN
        (SELECT list, place FROM oauth_statuses WHERE ends_at <= ?1 LIMIT ?2)",
];

pub(super) fn sweep(connection: &Connection, now: UnixTime, limit: usize) -> Result<usize, Failure> {
    let mut removed = 0;
    for step in STEPS {
        let left = i64::try_from(limit.saturating_sub(removed)).unwrap_or(i64::MAX);
        removed += connection.prepare_cached(step)?.execute((time(now), left))?;
    }
    shrink(connection)?;
    Ok(removed)
}

/// After a burst, gives space back to the file system, a little at a time. In
/// the steady state it does nothing: free pages are soon used again.
fn shrink(connection: &Connection) -> Result<(), rusqlite::Error> {
    let pages = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let free = pages("freelist_count")?;
    if free > SPARE_PAGES && free > pages("page_count")? / 4 {
        // One row per page, and no page without asking for its row.
        let mut statement = connection.prepare_cached(SHRINK)?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(())
}

/// 4 MiB.
const SPARE_PAGES: i64 = 1024;

/// At most 1 MiB at a time.
const SHRINK: &str = "PRAGMA incremental_vacuum(256)";
