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

/// A record without the member has never been replaced. Of two that replace it
/// at once, the second waits for the row of the first, and then judges anew.
static REPLACE: Sql = Sql::writes(
    "UPDATE oauth_clients SET record = $2::text
    WHERE id = $1::text AND coalesce((record::json ->> 'revision')::bigint, 0) = $3::bigint RETURNING 1",
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

    fn replace_client(&self, client: Client, revision: u64) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let record = serde_json::to_string(&client).map_err(StoreError::unavailable)?;
            let params = [Param::text(client.id.as_str()), Param::text(&record), Param::number(revision)];
            Ok(self.row(&REPLACE, &params).await?.is_some())
        })
    }

    fn delete_client(&self, id: ClientId) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.row(&DELETE, &[Param::text(id.as_str())]).await?.is_some()) })
    }
}
