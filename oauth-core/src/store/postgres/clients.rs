//! Registered clients.

use std::sync::Arc;

use super::{
    PostgresStore, row,
    statement::{Param, Sql},
};
use crate::{
    client::{Client, ClientId},
    store::{Clients, StoreError, StoreFuture},
};

pub(super) static CLIENT: Sql = Sql::reads("SELECT record FROM oauth_clients WHERE id = $1::text");

static PUT: Sql = Sql::writes(
    "INSERT INTO oauth_clients (id, record) VALUES ($1::text, $2::text)
    ON CONFLICT (id) DO UPDATE SET record = excluded.record",
);

static DELETE: Sql = Sql::writes("DELETE FROM oauth_clients WHERE id = $1::text RETURNING 1");

impl Clients for PostgresStore {
    fn client(&self, id: ClientId) -> StoreFuture<'_, Option<Arc<Client>>> {
        Box::pin(async move {
            let Some(row) = self.row(&CLIENT, &[Param::text(id.as_str())]).await? else { return Ok(None) };
            let client: Client = row::record(&row, "client")?;
            if client.id != id {
                return Err(StoreError::Corrupt("client"));
            }
            Ok(Some(Arc::new(client)))
        })
    }

    fn put_client(&self, client: Client) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let record = serde_json::to_string(&client).map_err(StoreError::unavailable)?;
            self.row(&PUT, &[Param::text(client.id.as_str()), Param::text(&record)]).await.map(drop)
        })
    }

    fn delete_client(&self, id: ClientId) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.row(&DELETE, &[Param::text(id.as_str())]).await?.is_some()) })
    }
}
