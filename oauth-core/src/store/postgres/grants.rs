//! Grants, and the access tokens under them.

use super::{
    PostgresStore,
    row::{self, grant_columns},
    statement::{Param, Sql},
    step::{self, end, keep},
};
use crate::{
    clock::UnixTime,
    pkce::CodeChallenge,
    secret::Digest,
    store::{
        AccessToken, Grant, Grants, RedeemCode, Redemption, RefreshOutcome, Retry, Revocation, RotateRefresh,
        StoreError, StoreFuture, transfer::rows::rows_of,
    },
    token::GrantId,
};

pub(super) static GRANT: Sql =
    Sql::reads(concat!("SELECT ", grant_columns!(), " FROM oauth_grants g WHERE g.id = $1::bytea"));

/// One statement, so that the grant and the token are of one moment.
pub(super) static ACCESS: Sql = Sql::reads(concat!(
    "SELECT ",
    grant_columns!(),
    ", a.digest, a.record, a.expires_at FROM oauth_grants g JOIN oauth_access_tokens a ON a.grant_no = g.no
    WHERE g.id = $1::bytea AND a.digest = $2::bytea"
));

/// Inserts the grant of [`values`]; what follows says from where.
macro_rules! insert_grant {
    () => {
        "INSERT INTO oauth_grants (id, client, subject, facts, created_at, expires_at,
            code_digest, code_redirect_uri, code_redirect_uri_required, code_challenge, code_expires_at,
            ends_at, revoked_at, code_redeemed_at, refresh_digest, refresh_generation, refresh_used_at,
            retry_digest, retry_sealed, retry_until)
        SELECT $1::bytea, $2::text, $3::text, $4::text, $5::bigint, $6::bigint,
            $7::bytea, $8::text, $9::boolean, $10::bytea, $11::bigint,
            $12::bigint, $13::bigint, $14::bigint, $15::bytea, $16::bigint, $17::bigint,
            $18::bytea, $19::bytea, $20::bigint "
    };
}
pub(super) use insert_grant;

pub(super) static INSERT: Sql = Sql::writes(concat!(
    "WITH g AS (",
    insert_grant!(),
    "   ON CONFLICT (id) DO NOTHING RETURNING no
    ), hint AS (
        INSERT INTO oauth_retries (until, grant_no) SELECT $20::bigint, no FROM g WHERE $20::bigint IS NOT NULL
    ), kept AS (
        INSERT INTO oauth_access_tokens (grant_no, digest, record, expires_at)
        SELECT no, $21::bytea, $22::text, $23::bigint FROM g WHERE $21::bytea IS NOT NULL
    )
    SELECT 1 FROM g",
));

/// `Grant::confirm_refresh`.
pub(super) static CONFIRM: Sql = Sql::writes(
    "UPDATE oauth_grants SET retry_digest = NULL, retry_sealed = NULL, retry_until = NULL
    WHERE id = $1::bytea AND substring(retry_digest from 33) = $2::bytea AND retry_until > $3::bigint
        AND revoked_at IS NULL AND expires_at > $3::bigint RETURNING 1",
);

/// By the index on both.
pub(super) static GRANTS_OF: Sql = Sql::reads(concat!(
    "SELECT ",
    grant_columns!(),
    " FROM oauth_grants g WHERE g.subject = $1::text AND g.id > $2::bytea ORDER BY g.id LIMIT $3::bigint"
));

/// A revocation at the same moment has locked the row before, and bars this,
/// or has to wait, and ends what this has inserted.
pub(super) static INSERT_ACCESS: Sql = Sql::writes(concat!(
    "WITH g AS MATERIALIZED (
        SELECT no FROM oauth_grants WHERE id = $1::bytea AND revoked_at IS NULL AND expires_at > $2::bigint
        FOR NO KEY UPDATE
    ), ",
    keep!("g", "$2", "$3", "$4", "$5"),
    " SELECT 1 FROM g",
));

pub(super) static REVOKE: Sql = Sql::writes(concat!(
    "WITH g AS MATERIALIZED (
        SELECT no, revoked_at IS NULL AS live FROM oauth_grants WHERE id = $1::bytea FOR NO KEY UPDATE
    ), ",
    end!("g.live", "$2"),
    " SELECT live FROM g",
));

pub(super) static REVOKE_ACCESS: Sql = Sql::writes(
    "DELETE FROM oauth_access_tokens
    WHERE grant_no = (SELECT no FROM oauth_grants WHERE id = $1::bytea) AND digest = $2::bytea RETURNING 1",
);

impl Grants for PostgresStore {
    fn insert_grant(&self, grant: Grant, access: Option<AccessToken>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let (facts, record) = (facts(&grant)?, access.as_ref().map(record).transpose()?);
            let access = [
                Param::Bytes(access.as_ref().map(|access| access.digest.as_bytes().as_slice())),
                Param::Text(record.as_deref()),
                Param::time(access.as_ref().map(|access| access.expires_at)),
            ];
            let digests = retry_digests(&grant);
            let params = [values(&grant, &facts, digests.as_deref()).as_slice(), &access].concat();
            let inserted = self.row(&INSERT, &params).await?;
            inserted.map(drop).ok_or(StoreError::Conflict("grant"))
        })
    }

    fn grant(&self, id: GrantId) -> StoreFuture<'_, Option<Grant>> {
        Box::pin(async move {
            let row = self.row(&GRANT, &[Param::bytes(id.as_bytes())]).await?;
            row.as_ref().map(|row| Ok(row::grant(row)?.0)).transpose()
        })
    }

    fn access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, Option<(Grant, AccessToken)>> {
        Box::pin(async move {
            let params = [Param::bytes(id.as_bytes()), Param::bytes(digest.as_bytes())];
            let Some(row) = self.row(&ACCESS, &params).await? else { return Ok(None) };
            let (grant, mut columns) = row::grant(&row)?;
            Ok(Some((grant, row::access(&mut columns)?)))
        })
    }

    fn redeem_code(&self, redeem: RedeemCode) -> StoreFuture<'_, Redemption> {
        Box::pin(async move {
            // PostgreSQL has no such text, so no code is bound to it.
            if redeem.redirect_uri.as_ref().is_some_and(|uri| uri.contains('\0')) {
                return Ok(Redemption::Refused);
            }
            let record = record(&redeem.access)?;
            let row = self.row(&step::REDEEM, &step::redeem(&redeem, &record)).await?;
            row.as_ref().map_or(Ok(Redemption::Refused), row::redemption)
        })
    }

    fn rotate_refresh(&self, rotate: RotateRefresh) -> StoreFuture<'_, RefreshOutcome> {
        Box::pin(async move {
            let record = record(&rotate.access)?;
            let next = step::next(&rotate);
            let row = self.row(&step::ROTATE, &step::rotate(&rotate, &next, &record)).await?;
            row.as_ref().map_or(Ok(RefreshOutcome::Refused), row::refresh_outcome)
        })
    }

    fn confirm_refresh(&self, id: GrantId, access: Digest, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let params = [Param::bytes(id.as_bytes()), Param::bytes(access.as_bytes()), Param::time(now)];
            Ok(self.row(&CONFIRM, &params).await?.is_some())
        })
    }

    fn grants_of(&self, subject: String, after: Option<GrantId>, limit: usize) -> StoreFuture<'_, Vec<Grant>> {
        Box::pin(async move {
            // PostgreSQL has no such text, so nobody is called that.
            if subject.contains('\0') {
                return Ok(Vec::new());
            }
            let after = after.as_ref().map_or(&[][..], |after| after.as_bytes());
            let params = [Param::text(&subject), Param::bytes(after), Param::Number(Some(rows_of(limit)))];
            let rows = self.rows(&GRANTS_OF, &params).await?;
            rows.iter().map(|row| Ok(row::grant(row)?.0)).collect()
        })
    }

    fn insert_access(&self, id: GrantId, access: AccessToken, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let record = record(&access)?;
            let params = [
                Param::bytes(id.as_bytes()),
                Param::time(now),
                Param::bytes(access.digest.as_bytes()),
                Param::text(&record),
                Param::time(access.expires_at),
            ];
            Ok(self.row(&INSERT_ACCESS, &params).await?.is_some())
        })
    }

    fn revoke_grant(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Revocation> {
        Box::pin(async move {
            let row = self.row(&REVOKE, &[Param::bytes(id.as_bytes()), Param::time(now)]).await?;
            row.as_ref().map_or(Ok(Revocation::Unknown), row::revocation)
        })
    }

    fn revoke_access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let params = [Param::bytes(id.as_bytes()), Param::bytes(digest.as_bytes())];
            Ok(self.row(&REVOKE_ACCESS, &params).await?.is_some())
        })
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> StoreFuture<'_, usize> {
        super::sweep::sweep(self, now, limit)
    }
}

/// The column `retry_digest`.
pub(super) fn retry_digests(grant: &Grant) -> Option<Vec<u8>> {
    grant.refresh.as_ref()?.retry.as_ref().map(Retry::digests)
}

/// The column `facts`.
pub(super) fn facts(grant: &Grant) -> Result<String, StoreError> {
    serde_json::to_string(&grant.facts).map_err(StoreError::unavailable)
}

fn record(access: &AccessToken) -> Result<String, StoreError> {
    serde_json::to_string(access).map_err(StoreError::unavailable)
}

/// The values of [`insert_grant`].
pub(super) fn values<'a>(grant: &'a Grant, facts: &'a str, retry_digests: Option<&'a [u8]>) -> [Param<'a>; 20] {
    let code = grant.code.as_ref();
    let challenge = code.and_then(|code| code.challenge.as_ref()).map(CodeChallenge::as_bytes);
    let refresh = grant.refresh.as_ref();
    let retry = refresh.and_then(|refresh| refresh.retry.as_ref());
    [
        Param::bytes(grant.id.as_bytes()),
        Param::text(grant.facts.client.as_str()),
        Param::Text(grant.facts.subject.as_deref()),
        Param::text(facts),
        Param::time(grant.created_at),
        Param::time(grant.expires_at),
        Param::Bytes(code.map(|code| code.digest.as_bytes().as_slice())),
        Param::Text(code.map(|code| code.redirect_uri.as_str())),
        Param::Flag(code.map(|code| code.redirect_uri_required)),
        Param::Bytes(challenge.map(<[u8; 32]>::as_slice)),
        Param::time(code.map(|code| code.expires_at)),
        Param::time(grant.ends_at()),
        Param::time(grant.revoked_at),
        Param::time(code.and_then(|code| code.redeemed_at)),
        Param::Bytes(refresh.map(|refresh| refresh.digest.as_bytes().as_slice())),
        Param::Number(refresh.map(|refresh| row::number(refresh.generation))),
        Param::time(refresh.map(|refresh| refresh.used_at)),
        Param::Bytes(retry_digests),
        Param::Bytes(retry.map(|retry| retry.sealed.as_slice())),
        Param::time(retry.map(|retry| retry.until)),
    ]
}
