//! Sealed signing keys.

use super::{
    SqliteStore,
    row::{self, time},
};
use crate::{
    clock::UnixTime,
    store::{SealedKey, SigningKeys, StoreFuture},
};

impl SigningKeys for SqliteStore {
    fn signing_keys(&self) -> StoreFuture<'_, Vec<SealedKey>> {
        const SQL: &str = "SELECT kid, algorithm, sealed, active_from FROM oauth_signing_keys";
        self.read(|connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([])?;
            let mut keys = Vec::new();
            while let Some(row) = rows.next()? {
                keys.push(row::signing_key(row)?);
            }
            Ok(keys)
        })
    }

    fn insert_signing_key(&self, key: SealedKey, newest: Option<UnixTime>) -> StoreFuture<'_, bool> {
        const SQL: &str = "INSERT INTO oauth_signing_keys (kid, algorithm, sealed, active_from)
            SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS
                (SELECT 1 FROM oauth_signing_keys WHERE algorithm = ?2 AND (?5 IS NULL OR active_from > ?5))
            ON CONFLICT DO NOTHING";
        self.write(move |connection| {
            let row = (&key.kid, &key.algorithm, &key.sealed, time(key.active_from), newest.map(time));
            Ok(connection.prepare_cached(SQL)?.execute(row)? > 0)
        })
    }

    fn delete_signing_key(&self, kid: String) -> StoreFuture<'_, bool> {
        self.write(move |connection| {
            let mut statement = connection.prepare_cached("DELETE FROM oauth_signing_keys WHERE kid = ?1")?;
            Ok(statement.execute([&kid])? > 0)
        })
    }
}
