//! Which tokens that others verify were revoked.

use super::{
    SqliteStore,
    row::{self, number, time},
};
use crate::{
    clock::UnixTime,
    store::{AccessToken, StatusPlace, Statuses, StoreFuture},
    token::GrantId,
};

impl Statuses for SqliteStore {
    fn grant_statuses(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Vec<StatusPlace>> {
        const SQL: &str = "SELECT record FROM oauth_access_tokens
            WHERE grant_no = (SELECT no FROM oauth_grants WHERE id = ?1) AND expires_at > ?2";
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query((id.as_bytes(), time(now)))?;
            let mut places = Vec::new();
            while let Some(row) = rows.next()? {
                places.extend(row::record::<AccessToken>(row, "access token")?.status);
            }
            Ok(places)
        })
    }

    fn revoke_statuses(&self, list: u64, indices: Vec<u32>, until: UnixTime) -> StoreFuture<'_, ()> {
        const SQL: &str =
            "INSERT INTO oauth_statuses (list, place, ends_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        self.write(move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            for index in &indices {
                statement.execute((number(list), index, time(until)))?;
            }
            Ok(())
        })
    }

    fn revoked_statuses(&self, list: u64, _: UnixTime) -> StoreFuture<'_, Vec<u32>> {
        const SQL: &str = "SELECT place FROM oauth_statuses WHERE list = ?1 ORDER BY place";
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([number(list)])?;
            let mut revoked = Vec::new();
            while let Some(row) = rows.next()? {
                revoked.push(row::status_place(row)?);
            }
            Ok(revoked)
        })
    }
}
