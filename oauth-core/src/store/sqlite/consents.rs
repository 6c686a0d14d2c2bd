//! What people have agreed to.

use super::{SqliteStore, row, row::time};
use crate::{
    client::ClientId,
    clock::UnixTime,
    store::{Consent, Consents, StoreError, StoreFuture},
};

impl Consents for SqliteStore {
    fn consent(&self, subject: String, client: ClientId, now: UnixTime) -> StoreFuture<'_, Option<Consent>> {
        const SQL: &str = "SELECT record FROM oauth_consents WHERE subject = ?1 AND client = ?2 AND expires_at > ?3";
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query((&subject, client.as_str(), time(now)))?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let consent: Consent = row::record(row, "consent")?;
            if consent.subject != subject || consent.client != client {
                return Err(StoreError::Corrupt("consent").into());
            }
            Ok(Some(consent))
        })
    }

    fn replace_consent(&self, consent: Consent, revision: Option<u64>, now: UnixTime) -> StoreFuture<'_, bool> {
        // One that has expired is none, whatever its revision.
        const FIRST: &str = "INSERT INTO oauth_consents (subject, client, record, revision, expires_at)
            VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
            SET record = excluded.record, revision = excluded.revision, expires_at = excluded.expires_at
            WHERE expires_at <= ?6";
        const NEXT: &str = "UPDATE oauth_consents SET record = ?3, revision = ?4, expires_at = ?5
            WHERE subject = ?1 AND client = ?2 AND expires_at > ?6 AND revision = ?7";
        self.write(move |connection| {
            let record = serde_json::to_string(&consent).map_err(StoreError::unavailable)?;
            let (subject, client) = (&consent.subject, consent.client.as_str());
            let (own, end, now) = (consent.revision.cast_signed(), time(consent.expires_at), time(now));
            let replaced = match revision.map(u64::cast_signed) {
                None => connection.prepare_cached(FIRST)?.execute((subject, client, record, own, end, now))?,
                Some(known) => {
                    connection.prepare_cached(NEXT)?.execute((subject, client, record, own, end, now, known))?
                }
            };
            Ok(replaced > 0)
        })
    }

    fn forget_consent(&self, subject: String, client: ClientId) -> StoreFuture<'_, bool> {
        const SQL: &str = "DELETE FROM oauth_consents WHERE subject = ?1 AND client = ?2";
        self.write(move |connection| Ok(connection.prepare_cached(SQL)?.execute((&subject, client.as_str()))? > 0))
    }
}
