//! Authorization requests that wait for a person.

use super::{
    PostgresStore,
    error::{self, Failure},
    grants::{self, insert_grant},
    row,
    statement::{Param, Sql},
};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{FinishInteraction, Interactions, ParkedInteraction, StoreError, StoreFuture},
};

pub(super) static PARK: Sql = Sql::writes(
    "INSERT INTO oauth_interactions (id, browser, request, expires_at)
    VALUES ($1::bytea, $2::bytea, $3::bytea, $4::bigint) ON CONFLICT (id) DO NOTHING RETURNING 1",
);

pub(super) static INTERACTION: Sql = Sql::reads(
    "SELECT id, browser, request, expires_at FROM oauth_interactions
    WHERE id = $1::bytea AND browser = $2::bytea AND expires_at > $3::bigint",
);

/// The end of an interaction that leads to no grant.
pub(super) static DROP: Sql = Sql::writes(
    "DELETE FROM oauth_interactions WHERE id = $1::bytea AND browser = $2::bytea AND expires_at > $3::bigint
    RETURNING 1",
);

/// The end of one that leads to a grant. If that is there already, the whole
/// fails, and the interaction stays.
pub(super) static FINISH: Sql = Sql::writes(concat!(
    "WITH done AS (
        DELETE FROM oauth_interactions WHERE id = $21::bytea AND browser = $22::bytea AND expires_at > $23::bigint
        RETURNING 1
    ), g AS (",
    insert_grant!(),
    "   FROM done RETURNING no
    ), hint AS (
        INSERT INTO oauth_retries (until, grant_no) SELECT $20::bigint, no FROM g WHERE $20::bigint IS NOT NULL
    )
    SELECT 1 FROM done",
));

impl Interactions for PostgresStore {
    fn park_interaction(&self, parked: ParkedInteraction) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let params = [
                Param::bytes(parked.id.as_bytes()),
                Param::bytes(parked.browser.as_bytes()),
                Param::bytes(&parked.request),
                Param::time(parked.expires_at),
            ];
            let parked = self.row(&PARK, &params).await?;
            parked.map(drop).ok_or(StoreError::Conflict("interaction"))
        })
    }

    fn interaction(&self, id: Digest, browser: Digest, now: UnixTime) -> StoreFuture<'_, Option<ParkedInteraction>> {
        Box::pin(async move {
            let params = [Param::bytes(id.as_bytes()), Param::bytes(browser.as_bytes()), Param::time(now)];
            self.row(&INTERACTION, &params).await?.as_ref().map(row::interaction).transpose()
        })
    }

    fn finish_interaction(&self, finish: FinishInteraction) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let key =
                [Param::bytes(finish.id.as_bytes()), Param::bytes(finish.browser.as_bytes()), Param::time(finish.now)];
            let Some(grant) = &finish.grant else {
                return Ok(self.row(&DROP, &key).await?.is_some());
            };
            let facts = grants::facts(grant)?;
            let digests = grants::retry_digests(grant);
            let params = [grants::values(grant, &facts, digests.as_deref()).as_slice(), &key].concat();
            match self.0.pool.query(&FINISH, &params).await {
                Ok(rows) => Ok(!rows.is_empty()),
                Err(Failure::Driver(error)) if error::is_taken(&error) => Err(StoreError::Conflict("grant")),
                Err(failure) => Err(failure.into()),
            }
        })
    }
}
