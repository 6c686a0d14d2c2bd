//! Sealed signing keys: all in one hash, so that "the newest" is one step.

use redis::Value;

use super::{
    RedisStore,
    request::{Reply, Request},
    row::{self, time},
    script::INSERT_KEY,
};
use crate::{
    clock::UnixTime,
    store::{SealedKey, SigningKeys, StoreError, StoreFuture},
};

impl SigningKeys for RedisStore {
    fn signing_keys(&self) -> StoreFuture<'_, Vec<SealedKey>> {
        Box::pin(async move {
            let all = self.ask(&Request::reads("HGETALL", self.keys().signing_keys())).await?;
            let keys = Reply::new(Value::Array(vec![all]), "signing key").hash()?;
            keys.iter().map(|(kid, key)| row::signing_key(kid, key)).collect()
        })
    }

    fn insert_signing_key(&self, key: SealedKey, newest: Option<UnixTime>) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            if key.algorithm.contains('\n') {
                return Err(StoreError::Corrupt("signing key"));
            }
            let insert = Request::script(&INSERT_KEY, [self.keys().signing_keys()])
                .arg(key.kid)
                .arg(time(key.active_from))
                .arg(key.algorithm)
                .arg(key.sealed)
                .arg(newest.map(|newest| format!("={}", newest.0)).unwrap_or_default());
            let mut reply = Reply::new(self.ask(&insert).await?, "signing key");
            match reply.text()?.as_str() {
                "inserted" => Ok(true),
                "present" => Ok(false),
                _ => Err(reply.damaged()),
            }
        })
    }

    fn delete_signing_key(&self, kid: String) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let gone = self.ask(&Request::writes("HDEL", self.keys().signing_keys()).arg(kid)).await?;
            Ok(gone != Value::Int(0))
        })
    }
}
