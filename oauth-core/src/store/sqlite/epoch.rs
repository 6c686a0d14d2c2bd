//! The epoch: one row, or none.

use rusqlite::OptionalExtension;

use super::{
    SqliteStore,
    row::{self, time},
};
use crate::{
    clock::UnixTime,
    store::{Epoch, StoreFuture},
};

impl Epoch for SqliteStore {
    fn epoch(&self) -> StoreFuture<'_, UnixTime> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT at FROM oauth_epoch")?;
            let found = statement.query_row([], |row| Ok(row::epoch(row))).optional()?;
            Ok(found.transpose()?.unwrap_or(UnixTime(0)))
        })
    }

    fn raise_epoch(&self, to: UnixTime) -> StoreFuture<'_, UnixTime> {
        const SQL: &str = "INSERT INTO oauth_epoch (no, at) VALUES (1, ?1)
            ON CONFLICT DO UPDATE SET at = max(at, excluded.at) RETURNING at";
        self.write(move |connection| {
            let raised = connection.prepare_cached(SQL)?.query_row([time(to)], |row| Ok(row::epoch(row)))?;
            Ok(raised?)
        })
    }
}
