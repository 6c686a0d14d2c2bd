//! What was used, until when, and how often.

use rusqlite::OptionalExtension;

use super::{
    SqliteStore,
    row::{self, time},
};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{StoreFuture, Uses},
};

impl Uses for SqliteStore {
    fn first_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, bool> {
        const SQL: &str = "INSERT INTO oauth_uses (digest, count, ends_at) VALUES (?1, 1, ?2)
            ON CONFLICT DO UPDATE SET count = 1, ends_at = excluded.ends_at WHERE ends_at <= ?3";
        if until <= now {
            return Box::pin(std::future::ready(Ok(false)));
        }
        self.write(move |connection| {
            let values = (digest.as_bytes(), time(until), time(now));
            Ok(connection.prepare_cached(SQL)?.execute(values)? > 0)
        })
    }

    fn count_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, u64> {
        const SQL: &str = "INSERT INTO oauth_uses (digest, count, ends_at) VALUES (?1, 1, ?2)
            ON CONFLICT DO UPDATE SET count = CASE WHEN ends_at <= ?3 THEN 1 ELSE count + 1 END,
                ends_at = CASE WHEN ends_at <= ?3 THEN excluded.ends_at ELSE ends_at END
            RETURNING count";
        self.write(move |connection| {
            let values = (digest.as_bytes(), time(until), time(now));
            Ok(connection.prepare_cached(SQL)?.query_row(values, |row| Ok(row::count(row)))??)
        })
    }

    fn uses(&self, digest: Digest, now: UnixTime) -> StoreFuture<'_, u64> {
        const SQL: &str = "SELECT count FROM oauth_uses WHERE digest = ?1 AND ends_at > ?2";
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let found = statement.query_row((digest.as_bytes(), time(now)), |row| Ok(row::count(row))).optional()?;
            Ok(found.transpose()?.unwrap_or(0))
        })
    }
}
