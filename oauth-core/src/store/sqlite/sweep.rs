//! Removing what can no longer matter, a little at a time.

use rusqlite::Connection;

use super::{error::Failure, row::time};
use crate::clock::UnixTime;

/// Each removes at most `?2` rows that end by `?1`, by an index on that end.
/// Tokens go before their grants, so that a grant that ends takes few along;
/// uses stay for a minute more, for whose clock is behind.
pub(super) const STEPS: [&str; 6] = [
    "DELETE FROM oauth_access_tokens WHERE (grant_no, digest) IN
        (SELECT grant_no, digest FROM oauth_access_tokens WHERE expires_at <= ?1 LIMIT ?2)",
    "UPDATE oauth_grants SET retry_digest = NULL, retry_sealed = NULL, retry_until = NULL WHERE no IN
        (SELECT no FROM oauth_grants WHERE retry_until <= ?1 LIMIT ?2)",
    "DELETE FROM oauth_grants WHERE no IN (SELECT no FROM oauth_grants WHERE ends_at <= ?1 LIMIT ?2)",
    "DELETE FROM oauth_interactions WHERE id IN (SELECT id FROM oauth_interactions WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM oauth_uses WHERE digest IN (SELECT digest FROM oauth_uses WHERE ends_at <= ?1 - 60 LIMIT ?2)",
    "DELETE FROM oauth_consents WHERE (subject, client) IN
        (SELECT subject, client FROM oauth_consents WHERE expires_at <= ?1 LIMIT ?2)",
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
