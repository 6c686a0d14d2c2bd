//! The epoch: one row, or none.

use super::{
    PostgresStore, row,
    statement::{Param, Sql},
};
use crate::{
    clock::UnixTime,
    store::{Epoch, StoreError, StoreFuture},
};

pub(super) static EPOCH: Sql = Sql::reads("SELECT at FROM oauth_epoch");

/// Of two at the same moment the second waits, and compares with what the
/// first has left.
static RAISE: Sql = Sql::writes(
    "INSERT INTO oauth_epoch AS o (no, at) VALUES (1, $1::bigint)
    ON CONFLICT (no) DO UPDATE SET at = greatest(o.at, excluded.at) RETURNING at",
);

impl Epoch for PostgresStore {
    fn epoch(&self) -> StoreFuture<'_, UnixTime> {
        Box::pin(async move { self.row(&EPOCH, &[]).await?.as_ref().map_or(Ok(UnixTime(0)), row::epoch) })
    }

    fn raise_epoch(&self, to: UnixTime) -> StoreFuture<'_, UnixTime> {
        Box::pin(async move {
            let row = self.row(&RAISE, &[Param::time(to)]).await?;
            row::epoch(&row.ok_or(StoreError::Corrupt("answer"))?)
        })
    }
}
