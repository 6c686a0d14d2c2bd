//! What people have agreed to.

use redis::Value;

use super::{
    RedisStore,
    request::{Reply, Request},
    row::{gone_at, time},
    script::REPLACE_CONSENT,
};
use crate::{
    client::ClientId,
    clock::UnixTime,
    store::{Consent, Consents, StoreError, StoreFuture},
};

impl RedisStore {
    /// The consent under that name, whether or not it has expired.
    pub(super) async fn consent_at(&self, name: String) -> Result<Option<Consent>, StoreError> {
        let get = Request::reads("HGET", name.clone()).arg("record");
        let Some(record) = Reply::new(self.ask(&get).await?, "consent").optional_bytes()? else { return Ok(None) };
        let consent: Consent = serde_json::from_slice(&record).map_err(|_| StoreError::Corrupt("consent"))?;
        if self.keys().consent(&consent.subject, &consent.client) != name {
            return Err(StoreError::Corrupt("consent"));
        }
        Ok(Some(consent))
    }
}

impl Consents for RedisStore {
    fn consent(&self, subject: String, client: ClientId, now: UnixTime) -> StoreFuture<'_, Option<Consent>> {
        Box::pin(async move {
            let found = self.consent_at(self.keys().consent(&subject, &client)).await?;
            Ok(found.filter(|found| now < found.expires_at))
        })
    }

    fn replace_consent(&self, consent: Consent, revision: Option<u64>, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let record = serde_json::to_vec(&consent).map_err(StoreError::unavailable)?;
            let script = Request::script(&REPLACE_CONSENT, [self.keys().consent(&consent.subject, &consent.client)])
                .arg(revision.map(|revision| revision.to_string()).unwrap_or_default())
                .arg(time(now))
                .arg(record)
                .arg(consent.revision.to_string())
                .arg(time(consent.expires_at))
                .arg(gone_at(consent.expires_at));
            let mut reply = Reply::new(self.ask(&script).await?, "consent");
            match reply.text()?.as_str() {
                "replaced" => Ok(true),
                "other" => Ok(false),
                _ => Err(reply.damaged()),
            }
        })
    }

    fn forget_consent(&self, subject: String, client: ClientId) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let gone = self.ask(&Request::writes("DEL", self.keys().consent(&subject, &client))).await?;
            Ok(gone != Value::Int(0))
        })
    }
}
