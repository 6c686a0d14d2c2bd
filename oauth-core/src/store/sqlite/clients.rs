//! Registered clients.

use std::sync::Arc;

use super::{SqliteStore, row};
use crate::{
    client::{Client, ClientId},
    store::{Clients, StoreError, StoreFuture},
};

impl Clients for SqliteStore {
    fn client(&self, id: ClientId) -> StoreFuture<'_, Option<Arc<Client>>> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached("SELECT record FROM oauth_clients WHERE id = ?1")?;
            let mut rows = statement.query([id.as_str()])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let client: Client = row::record(row, "client")?;
            if client.id != id {
                return Err(StoreError::Corrupt("client").into());
            }
            Ok(Some(Arc::new(client)))
        })
    }

    fn put_client(&self, client: Client) -> StoreFuture<'_, ()> {
        const SQL: &str = "INSERT INTO oauth_clients (id, record) VALUES (?1, ?2)
            ON CONFLICT DO UPDATE SET record = excluded.record";
        self.write(move |connection| {
            let record = serde_json::to_string(&client).map_err(StoreError::unavailable)?;
            connection.prepare_cached(SQL)?.execute((client.id.as_str(), record))?;
            Ok(())
        })
    }

    fn replace_client(&self, client: Client, revision: u64) -> StoreFuture<'_, bool> {
        // A record without the member has never been replaced.
        const SQL: &str = "UPDATE oauth_clients SET record = ?2
            WHERE id = ?1 AND coalesce(json_extract(record, '$.revision'), 0) = ?3";
        self.write(move |connection| {
            let record = serde_json::to_string(&client).map_err(StoreError::unavailable)?;
            let values = (client.id.as_str(), record, row::number(revision));
            Ok(connection.prepare_cached(SQL)?.execute(values)? > 0)
        })
    }

    fn delete_client(&self, id: ClientId) -> StoreFuture<'_, bool> {
        self.write(move |connection| {
            let mut statement = connection.prepare_cached("DELETE FROM oauth_clients WHERE id = ?1")?;
            Ok(statement.execute([id.as_str()])? > 0)
        })
    }
}
