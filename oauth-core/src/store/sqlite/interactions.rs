//! Authorization requests that wait for a person.

use super::{
    SqliteStore, grants,
    row::{self, time},
};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{FinishInteraction, Interactions, ParkedInteraction, StoreError, StoreFuture},
};

impl Interactions for SqliteStore {
    fn park_interaction(&self, parked: ParkedInteraction) -> StoreFuture<'_, ()> {
        const SQL: &str = "INSERT INTO oauth_interactions (id, browser, request, expires_at) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO NOTHING";
        self.write(move |connection| {
            let row = (parked.id.as_bytes(), parked.browser.as_bytes(), &parked.request, time(parked.expires_at));
            match connection.prepare_cached(SQL)?.execute(row)? {
                0 => Err(StoreError::Conflict("interaction").into()),
                _ => Ok(()),
            }
        })
    }

    fn interaction(&self, id: Digest, browser: Digest, now: UnixTime) -> StoreFuture<'_, Option<ParkedInteraction>> {
        const SQL: &str = "SELECT id, browser, request, expires_at FROM oauth_interactions
            WHERE id = ?1 AND browser = ?2 AND expires_at > ?3";
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query((id.as_bytes(), browser.as_bytes(), time(now)))?;
            Ok(rows.next()?.map(row::interaction).transpose()?)
        })
    }

    fn finish_interaction(&self, finish: FinishInteraction) -> StoreFuture<'_, bool> {
        const SQL: &str = "DELETE FROM oauth_interactions WHERE id = ?1 AND browser = ?2 AND expires_at > ?3";
        self.write(move |connection| {
            let key = (finish.id.as_bytes(), finish.browser.as_bytes(), time(finish.now));
            if connection.prepare_cached(SQL)?.execute(key)? == 0 {
                return Ok(false);
            }
            if let Some(grant) = &finish.grant {
                grants::insert(connection, grant)?;
            }
            Ok(true)
        })
    }
}
