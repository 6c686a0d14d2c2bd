//! What was used, until when, and how often.

use super::{
    PostgresStore, row,
    statement::{Param, Sql},
};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{StoreError, StoreFuture, Uses},
};

/// Of two that insert at once, the second waits for the row of the first and
/// then sees its end, whatever was there when the statement began.
pub(super) static FIRST: Sql = Sql::writes(
    "INSERT INTO oauth_uses AS u (digest, count, ends_at) VALUES ($1::bytea, 1, $2::bigint)
    ON CONFLICT (digest) DO UPDATE SET count = 1, ends_at = excluded.ends_at WHERE u.ends_at <= $3::bigint
    RETURNING 1",
);

pub(super) static COUNT: Sql = Sql::writes(
    "INSERT INTO oauth_uses AS u (digest, count, ends_at) VALUES ($1::bytea, 1, $2::bigint)
    ON CONFLICT (digest) DO UPDATE SET count = CASE WHEN u.ends_at <= $3::bigint THEN 1 ELSE u.count + 1 END,
        ends_at = CASE WHEN u.ends_at <= $3::bigint THEN excluded.ends_at ELSE u.ends_at END
    RETURNING count",
);

pub(super) static USES: Sql =
    Sql::reads("SELECT count FROM oauth_uses WHERE digest = $1::bytea AND ends_at > $2::bigint");

impl Uses for PostgresStore {
    fn first_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let params = [Param::bytes(digest.as_bytes()), Param::time(until), Param::time(now)];
            Ok(now < until && self.row(&FIRST, &params).await?.is_some())
        })
    }

    fn count_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let params = [Param::bytes(digest.as_bytes()), Param::time(until), Param::time(now)];
            row::uses(&self.row(&COUNT, &params).await?.ok_or(StoreError::Corrupt("answer"))?)
        })
    }

    fn uses(&self, digest: Digest, now: UnixTime) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let found = self.row(&USES, &[Param::bytes(digest.as_bytes()), Param::time(now)]).await?;
            found.as_ref().map_or(Ok(0), row::uses)
        })
    }
}
