//! What people have agreed to.

use super::{
    PostgresStore, row,
    statement::{Param, Sql},
};
use crate::{
    client::ClientId,
    clock::UnixTime,
    store::{Consent, Consents, StoreError, StoreFuture},
};

pub(super) static CONSENT: Sql = Sql::reads(
    "SELECT record FROM oauth_consents WHERE subject = $1::text AND client = $2::text AND expires_at > $3::bigint",
);

/// One that has expired is none, whatever its revision. Of two that insert at
/// once, the second waits for the row of the first and judges that.
pub(super) static FIRST: Sql = Sql::writes(
    "INSERT INTO oauth_consents AS c (subject, client, record, revision, expires_at)
    VALUES ($1::text, $2::text, $3::text, $4::bigint, $5::bigint)
    ON CONFLICT (subject, client) DO UPDATE
    SET record = excluded.record, revision = excluded.revision, expires_at = excluded.expires_at
    WHERE c.expires_at <= $6::bigint RETURNING 1",
);

/// Of two that replace it at once, the second waits for the row of the first,
/// and then judges anew.
pub(super) static NEXT: Sql = Sql::writes(
    "UPDATE oauth_consents SET record = $3::text, revision = $4::bigint, expires_at = $5::bigint
    WHERE subject = $1::text AND client = $2::text AND expires_at > $6::bigint AND revision = $7::bigint
    RETURNING 1",
);

static FORGET: Sql =
    Sql::writes("DELETE FROM oauth_consents WHERE subject = $1::text AND client = $2::text RETURNING 1");

impl Consents for PostgresStore {
    fn consent(&self, subject: String, client: ClientId, now: UnixTime) -> StoreFuture<'_, Option<Consent>> {
        Box::pin(async move {
            let params = [Param::text(&subject), Param::text(client.as_str()), Param::time(now)];
            let Some(row) = self.row(&CONSENT, &params).await? else { return Ok(None) };
            let consent: Consent = row::record(&row, "consent")?;
            if consent.subject != subject || consent.client != client {
                return Err(StoreError::Corrupt("consent"));
            }
            Ok(Some(consent))
        })
    }

    fn replace_consent(&self, consent: Consent, revision: Option<u64>, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let record = serde_json::to_string(&consent).map_err(StoreError::unavailable)?;
            let bits = |revision: u64| Param::Number(Some(revision.cast_signed()));
            let params = [
                Param::text(&consent.subject),
                Param::text(consent.client.as_str()),
                Param::text(&record),
                bits(consent.revision),
                Param::time(consent.expires_at),
                Param::time(now),
            ];
            let replaced = match revision {
                None => self.row(&FIRST, &params).await?,
                Some(known) => self.row(&NEXT, &[&params[..], &[bits(known)]].concat()).await?,
            };
            Ok(replaced.is_some())
        })
    }

    fn forget_consent(&self, subject: String, client: ClientId) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let params = [Param::text(&subject), Param::text(client.as_str())];
            Ok(self.row(&FORGET, &params).await?.is_some())
        })
    }
}
