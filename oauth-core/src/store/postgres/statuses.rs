//! Which tokens that others verify were revoked.

use super::{
    PostgresStore, row,
    statement::{Param, Sql},
};
use crate::{
    clock::UnixTime,
    store::{AccessToken, StatusPlace, Statuses, StoreError, StoreFuture},
    token::GrantId,
};

pub(super) static OF_GRANT: Sql = Sql::reads(
    "SELECT record FROM oauth_access_tokens
    WHERE grant_no = (SELECT no FROM oauth_grants WHERE id = $1::bytea) AND expires_at > $2::bigint",
);

/// The places come as a JSON array: one statement, however many there are.
/// In their order, so that two nodes never wait for each other.
pub(super) static REVOKE: Sql = Sql::writes(
    "INSERT INTO oauth_statuses (list, place, ends_at)
    SELECT DISTINCT $1::bigint, place::integer, $3::bigint FROM json_array_elements_text($2::text::json) place
    ORDER BY 2 ON CONFLICT DO NOTHING",
);

static REVOKED: Sql = Sql::reads("SELECT place FROM oauth_statuses WHERE list = $1::bigint ORDER BY place");

impl Statuses for PostgresStore {
    fn grant_statuses(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Vec<StatusPlace>> {
        Box::pin(async move {
            let rows = self.rows(&OF_GRANT, &[Param::bytes(id.as_bytes()), Param::time(now)]).await?;
            let records = rows.iter().map(|row| row::record::<AccessToken>(row, "access token"));
            let records: Vec<_> = records.collect::<Result<_, _>>()?;
            Ok(records.into_iter().filter_map(|access| access.status).collect())
        })
    }

    fn revoke_statuses(&self, list: u64, indices: Vec<u32>, until: UnixTime) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let indices = serde_json::to_string(&indices).map_err(StoreError::unavailable)?;
            let params = [Param::number(list), Param::text(&indices), Param::time(until)];
            self.rows(&REVOKE, &params).await.map(drop)
        })
    }

    fn revoked_statuses(&self, list: u64, _: UnixTime) -> StoreFuture<'_, Vec<u32>> {
        Box::pin(async move {
            let rows = self.rows(&REVOKED, &[Param::number(list)]).await?;
            rows.iter().map(row::status_place).collect()
        })
    }
}
