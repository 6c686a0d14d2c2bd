//! Sealed signing keys.

use super::{
    PostgresStore, row,
    statement::{Param, Sql},
};
use crate::{
    clock::UnixTime,
    store::{SealedKey, SigningKeys, StoreError, StoreFuture},
};

pub(super) static KEYS: Sql = Sql::reads("SELECT kid, algorithm, sealed, active_from FROM oauth_signing_keys");

/// Whether something bars the key, and whether it was inserted. Of two that
/// run at once, each sees what was there before both; they choose the same
/// number, and the second to come is not inserted though nothing barred it.
static INSERT: Sql = Sql::writes(
    "WITH barred AS MATERIALIZED (
        SELECT EXISTS (SELECT 1 FROM oauth_signing_keys WHERE kid = $1::text
            OR algorithm = $2::text AND ($5::bigint IS NULL OR active_from > $5::bigint)) AS yes
    ), made AS (
        INSERT INTO oauth_signing_keys (kid, algorithm, sealed, active_from, number)
        SELECT $1::text, $2::text, $3::bytea, $4::bigint,
            (SELECT coalesce(max(number), 0) + 1 FROM oauth_signing_keys WHERE algorithm = $2::text)
        FROM barred WHERE NOT yes
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT yes, EXISTS (SELECT 1 FROM made) FROM barred",
);

static DELETE: Sql = Sql::writes("DELETE FROM oauth_signing_keys WHERE kid = $1::text RETURNING 1");

/// Each time somebody else has inserted a key: more than enough.
const ATTEMPTS: usize = 64;

impl SigningKeys for PostgresStore {
    fn signing_keys(&self) -> StoreFuture<'_, Vec<SealedKey>> {
        Box::pin(async move { self.rows(&KEYS, &[]).await?.iter().map(row::signing_key).collect() })
    }

    fn insert_signing_key(&self, key: SealedKey, newest: Option<UnixTime>) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let params = [
                Param::text(&key.kid),
                Param::text(&key.algorithm),
                Param::bytes(&key.sealed),
                Param::time(key.active_from),
                Param::time(newest),
            ];
            for _ in 0..ATTEMPTS {
                let row = self.row(&INSERT, &params).await?.ok_or(StoreError::Corrupt("answer"))?;
                let (barred, made) = row::flags(&row)?;
                if barred || made {
                    return Ok(made);
                }
            }
            Err(StoreError::unavailable("others insert signing keys all the time"))
        })
    }

    fn delete_signing_key(&self, kid: String) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.row(&DELETE, &[Param::text(&kid)]).await?.is_some()) })
    }
}
