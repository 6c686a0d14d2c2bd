//! Registered clients.

use std::sync::Arc;

use redis::Value;

use super::{
    RedisStore,
    request::{Reply, Request},
    script::REPLACE_CLIENT,
};
use crate::{
    client::{Client, ClientId},
    store::{Clients, StoreError, StoreFuture},
};

impl Clients for RedisStore {
    fn client(&self, id: ClientId) -> StoreFuture<'_, Option<Arc<Client>>> {
        Box::pin(async move {
            let get = Request::reads("GET", self.keys().client(&id));
            let Some(record) = Reply::new(self.ask(&get).await?, "client").optional_bytes()? else { return Ok(None) };
            let client: Client = serde_json::from_slice(&record).map_err(|_| StoreError::Corrupt("client"))?;
            if client.id != id {
                return Err(StoreError::Corrupt("client"));
            }
            Ok(Some(Arc::new(client)))
        })
    }

    fn put_client(&self, client: Client) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let record = serde_json::to_vec(&client).map_err(StoreError::unavailable)?;
            let set = Request::writes("SET", self.keys().client(&client.id)).arg(record);
            self.ask(&set).await.map(drop)
        })
    }

    fn replace_client(&self, client: Client, revision: u64) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let record = serde_json::to_vec(&client).map_err(StoreError::unavailable)?;
            let script = Request::script(&REPLACE_CLIENT, [self.keys().client(&client.id)]);
            let mut reply = Reply::new(self.ask(&script.arg(revision.to_string()).arg(record)).await?, "client");
            match reply.text()?.as_str() {
                "replaced" => Ok(true),
                "other" => Ok(false),
                _ => Err(reply.damaged()),
            }
        })
    }

    fn delete_client(&self, id: ClientId) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let gone = self.ask(&Request::writes("DEL", self.keys().client(&id))).await?;
            Ok(gone != Value::Int(0))
        })
    }
}
