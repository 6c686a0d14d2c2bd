//! Grants, and the access tokens under them.

use rusqlite::{Connection, named_params};

use super::{
    SqliteStore,
    error::Failure,
    row::{self, grant_columns, number, time},
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

impl Grants for SqliteStore {
    fn insert_grant(&self, grant: Grant, access: Option<AccessToken>) -> StoreFuture<'_, ()> {
        self.write(move |connection| {
            let no = insert(connection, &grant)?;
            // A new grant has no old tokens to clear away.
            access.map_or(Ok(()), |access| insert_token(connection, no, &access))
        })
    }

    fn grant(&self, id: GrantId) -> StoreFuture<'_, Option<Grant>> {
        self.read(move |connection| Ok(load(connection, id)?.map(|(_, grant)| grant)))
    }

    fn access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, Option<(Grant, AccessToken)>> {
        self.read(move |connection| find_access(connection, id, digest))
    }

    fn redeem_code(&self, redeem: RedeemCode) -> StoreFuture<'_, Redemption> {
        self.write(move |connection| {
            let Some((no, mut grant)) = load(connection, redeem.grant)? else { return Ok(Redemption::Refused) };
            let outcome = grant.redeem_code(&redeem);
            if outcome != Redemption::Refused {
                save(connection, no, &grant)?;
            }
            if outcome == Redemption::Redeemed {
                keep(connection, no, &redeem.access, redeem.now)?;
            }
            Ok(outcome)
        })
    }

    fn rotate_refresh(&self, rotate: RotateRefresh) -> StoreFuture<'_, RefreshOutcome> {
        self.write(move |connection| {
            let Some((no, mut grant)) = load(connection, rotate.grant)? else { return Ok(RefreshOutcome::Refused) };
            let outcome = grant.rotate_refresh(&rotate);
            if matches!(outcome, RefreshOutcome::Rotated | RefreshOutcome::Reused) {
                save(connection, no, &grant)?;
            }
            if outcome == RefreshOutcome::Rotated {
                keep(connection, no, &rotate.access, rotate.now)?;
            }
            Ok(outcome)
        })
    }

    fn confirm_refresh(&self, id: GrantId, access: Digest, now: UnixTime) -> StoreFuture<'_, bool> {
        self.write(move |connection| {
            let Some((no, mut grant)) = load(connection, id)? else { return Ok(false) };
            let confirmed = grant.confirm_refresh(access, now);
            if confirmed {
                save(connection, no, &grant)?;
            }
            Ok(confirmed)
        })
    }

    fn grants_of(&self, subject: String, after: Option<GrantId>, limit: usize) -> StoreFuture<'_, Vec<Grant>> {
        const SQL: &str = concat!(
            "SELECT ",
            grant_columns!(),
            " FROM oauth_grants g WHERE g.subject = ?1 AND g.id > ?2 ORDER BY g.id LIMIT ?3"
        );
        self.read(move |connection| {
            let after = after.as_ref().map_or(&[][..], |after| after.as_bytes());
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query((subject, after, rows_of(limit)))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let (_, grant, _) = row::grant(row)?;
                found.push(grant);
            }
            Ok(found)
        })
    }

    fn insert_access(&self, id: GrantId, access: AccessToken, now: UnixTime) -> StoreFuture<'_, bool> {
        self.write(move |connection| {
            let live = load(connection, id)?.filter(|(_, grant)| grant.is_live(now));
            let Some((no, _)) = live else { return Ok(false) };
            keep(connection, no, &access, now)?;
            Ok(true)
        })
    }

    fn revoke_grant(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Revocation> {
        self.write(move |connection| {
            let Some((no, mut grant)) = load(connection, id)? else { return Ok(Revocation::Unknown) };
            let outcome = grant.revoke(now);
            if outcome == Revocation::Revoked {
                save(connection, no, &grant)?;
            }
            Ok(outcome)
        })
    }

    fn revoke_access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, bool> {
        const SQL: &str = "DELETE FROM oauth_access_tokens
            WHERE grant_no = (SELECT no FROM oauth_grants WHERE id = ?1) AND digest = ?2";
        self.write(move |connection| {
            let gone = connection.prepare_cached(SQL)?.execute((id.as_bytes(), digest.as_bytes()))?;
            Ok(gone > 0)
        })
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> StoreFuture<'_, usize> {
        self.write(move |connection| super::sweep::sweep(connection, now, limit))
    }
}

/// Inserts `grant` and returns its row number.
pub(super) fn insert(connection: &Connection, grant: &Grant) -> Result<i64, Failure> {
    const SQL: &str = "INSERT INTO oauth_grants (id, client, subject, facts, created_at, expires_at,
            code_digest, code_redirect_uri, code_redirect_uri_required, code_challenge, code_expires_at,
            ends_at, revoked_at, code_redeemed_at, refresh_digest, refresh_generation, refresh_used_at,
            retry_digest, retry_sealed, retry_until)
        VALUES (:id, :client, :subject, :facts, :created_at, :expires_at,
            :code_digest, :code_redirect_uri, :code_redirect_uri_required, :code_challenge, :code_expires_at,
            :ends_at, :revoked_at, :code_redeemed_at, :refresh_digest, :refresh_generation, :refresh_used_at,
            :retry_digest, :retry_sealed, :retry_until)
        ON CONFLICT (id) DO NOTHING";
    let code = grant.code.as_ref();
    let refresh = grant.refresh.as_ref();
    let retry = refresh.and_then(|refresh| refresh.retry.as_ref());
    let inserted = connection.prepare_cached(SQL)?.execute(named_params! {
        ":id": grant.id.as_bytes(),
        ":client": grant.facts.client.as_str(),
        ":subject": grant.facts.subject,
        ":facts": serde_json::to_string(&grant.facts).map_err(StoreError::unavailable)?,
        ":created_at": time(grant.created_at),
        ":expires_at": time(grant.expires_at),
        ":code_digest": code.map(|code| code.digest.as_bytes()),
        ":code_redirect_uri": code.map(|code| &code.redirect_uri),
        ":code_redirect_uri_required": code.map(|code| code.redirect_uri_required),
        ":code_challenge": code.and_then(|code| code.challenge.as_ref()).map(CodeChallenge::as_bytes),
        ":code_expires_at": code.map(|code| time(code.expires_at)),
        ":ends_at": time(grant.ends_at()),
        ":revoked_at": grant.revoked_at.map(time),
        ":code_redeemed_at": code.and_then(|code| code.redeemed_at).map(time),
        ":refresh_digest": refresh.map(|refresh| refresh.digest.as_bytes()),
        ":refresh_generation": refresh.map(|refresh| number(refresh.generation)),
        ":refresh_used_at": refresh.map(|refresh| time(refresh.used_at)),
        ":retry_digest": retry.map(Retry::digests),
        ":retry_sealed": retry.map(|retry| &retry.sealed),
        ":retry_until": retry.map(|retry| time(retry.until)),
    })?;
    match inserted {
        0 => Err(StoreError::Conflict("grant").into()),
        _ => Ok(connection.last_insert_rowid()),
    }
}

/// Writes back what a step can change.
fn save(connection: &Connection, no: i64, grant: &Grant) -> Result<(), Failure> {
    const SQL: &str = "UPDATE oauth_grants SET ends_at = :ends_at, revoked_at = :revoked_at,
            code_redeemed_at = :code_redeemed_at, refresh_digest = :refresh_digest,
            refresh_generation = :refresh_generation, refresh_used_at = :refresh_used_at,
            retry_digest = :retry_digest, retry_sealed = :retry_sealed, retry_until = :retry_until
        WHERE no = :no";
    let refresh = grant.refresh.as_ref();
    let retry = refresh.and_then(|refresh| refresh.retry.as_ref());
    connection.prepare_cached(SQL)?.execute(named_params! {
        ":no": no,
        ":ends_at": time(grant.ends_at()),
        ":revoked_at": grant.revoked_at.map(time),
        ":code_redeemed_at": grant.code.as_ref().and_then(|code| code.redeemed_at).map(time),
        ":refresh_digest": refresh.map(|refresh| refresh.digest.as_bytes()),
        ":refresh_generation": refresh.map(|refresh| number(refresh.generation)),
        ":refresh_used_at": refresh.map(|refresh| time(refresh.used_at)),
        ":retry_digest": retry.map(Retry::digests),
        ":retry_sealed": retry.map(|retry| &retry.sealed),
        ":retry_until": retry.map(|retry| time(retry.until)),
    })?;
    Ok(())
}

fn load(connection: &Connection, id: GrantId) -> Result<Option<(i64, Grant)>, Failure> {
    const SQL: &str = concat!("SELECT ", grant_columns!(), " FROM oauth_grants g WHERE g.id = ?1");
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query([id.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (no, grant, _) = row::grant(row)?;
    Ok(Some((no, grant)))
}

/// In one statement, so that the grant and the token are of one moment.
fn find_access(connection: &Connection, id: GrantId, digest: Digest) -> Result<Option<(Grant, AccessToken)>, Failure> {
    const SQL: &str = concat!(
        "SELECT ",
        grant_columns!(),
        ", a.digest, a.record, a.expires_at FROM oauth_grants g JOIN oauth_access_tokens a ON a.grant_no = g.no
        WHERE g.id = ?1 AND a.digest = ?2"
    );
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query((id.as_bytes(), digest.as_bytes()))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (_, grant, mut columns) = row::grant(row)?;
    Ok(Some((grant, row::access(&mut columns)?)))
}

/// Adds a token to a grant, and clears away those that have expired, so that
/// however often a grant is refreshed it has few.
fn keep(connection: &Connection, no: i64, access: &AccessToken, now: UnixTime) -> Result<(), Failure> {
    const SQL: &str = "DELETE FROM oauth_access_tokens WHERE grant_no = ?1 AND expires_at <= ?2";
    connection.prepare_cached(SQL)?.execute((no, time(now)))?;
    insert_token(connection, no, access)
}

fn insert_token(connection: &Connection, no: i64, access: &AccessToken) -> Result<(), Failure> {
    const SQL: &str = "INSERT INTO oauth_access_tokens (grant_no, digest, record, expires_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET record = excluded.record, expires_at = excluded.expires_at";
    let record = serde_json::to_string(access).map_err(StoreError::unavailable)?;
    let row = (no, access.digest.as_bytes(), record, time(access.expires_at));
    connection.prepare_cached(SQL)?.execute(row)?;
    Ok(())
}
