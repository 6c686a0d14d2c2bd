//! Grants, and the access tokens under them.

use redis::Value;

use super::{
    RedisStore,
    request::{Reply, Request},
    row::{self, Fields, gone_at, optional_time, time},
    script::{CONFIRM_REFRESH, INSERT_ACCESS, INSERT_GRANT, READ, REDEEM_CODE, REVOKE_GRANT, ROTATE_REFRESH},
};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{
        AccessToken, Grant, Grants, NextRefresh, RedeemCode, Redemption, RefreshOutcome, Revocation, RotateRefresh,
        StoreError, StoreFuture,
    },
    token::GrantId,
};

impl Grants for RedisStore {
    fn insert_grant(&self, grant: Grant, access: Option<AccessToken>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.list(&grant).await?;
            let digest = access.as_ref().map_or(Digest::from_bytes([0; 32]), |access| access.digest);
            let keys = self.of_grant(grant.id, digest);
            let fields = row::fields(&grant, gone_at(grant.expires_at))?;
            let insert = Request::script(&INSERT_GRANT, keys).arg(gone_at(grant.ends_at()));
            match self.insert(insert, &grant, access.as_ref(), fields).await?.as_str() {
                "inserted" => Ok(()),
                "conflict" => Err(StoreError::Conflict("grant")),
                _ => Err(StoreError::Corrupt("grant")),
            }
        })
    }

    fn grant(&self, id: GrantId) -> StoreFuture<'_, Option<Grant>> {
        Box::pin(async move {
            let read = Request::script(&READ, [self.keys().grant(id), self.keys().retry(id)]);
            row::grant(id, &mut Reply::new(self.ask(&read).await?, "grant"))
        })
    }

    fn access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, Option<(Grant, AccessToken)>> {
        Box::pin(async move {
            let read = Request::script(&READ, self.of_grant(id, digest));
            let mut reply = Reply::new(self.ask(&read).await?, "grant");
            let (grant, record) = (row::grant(id, &mut reply)?, reply.optional_bytes()?);
            let (Some(grant), Some(record)) = (grant, record) else { return Ok(None) };
            Ok(Some((grant, row::access(digest, &record)?)))
        })
    }

    fn redeem_code(&self, redeem: RedeemCode) -> StoreFuture<'_, Redemption> {
        Box::pin(async move {
            let keys = self.of_grant(redeem.grant, redeem.access.digest);
            let script = Request::script(&REDEEM_CODE, keys)
                .arg(*redeem.digest.as_bytes())
                .arg(redeem.client.as_str())
                .arg(redeem.redirect_uri.map(|uri| format!("={uri}")).unwrap_or_default())
                .arg(redeem.challenge.map(|challenge| challenge.as_bytes().to_vec()).unwrap_or_default())
                .arg(time(redeem.now))
                .arg(redeem.refresh.map(|digest| digest.as_bytes().to_vec()).unwrap_or_default());
            let mut reply = Reply::new(self.ask(&keeping(script, &redeem.access)?).await?, "grant");
            match reply.text()?.as_str() {
                "redeemed" => Ok(Redemption::Redeemed),
                "replayed" => Ok(Redemption::Replayed),
                "refused" => Ok(Redemption::Refused),
                _ => Err(reply.damaged()),
            }
        })
    }

    fn rotate_refresh(&self, rotate: RotateRefresh) -> StoreFuture<'_, RefreshOutcome> {
        Box::pin(async move {
            let script = Request::script(&ROTATE_REFRESH, self.of_grant(rotate.grant, rotate.access.digest))
                .arg(*rotate.digest.as_bytes())
                .arg(rotate.generation.to_string())
                .arg(rotate.client.as_str())
                .arg(time(rotate.now))
                .arg(optional_time(idle_since(rotate.now, rotate.idle_lifetime)));
            let script = keeping(replacing(script, &rotate.next, rotate.access.digest), &rotate.access)?;
            let mut reply = Reply::new(self.ask(&script).await?, "grant");
            match reply.text()?.as_str() {
                "rotated" => Ok(RefreshOutcome::Rotated),
                "retry" => Ok(RefreshOutcome::Retry { sealed: reply.bytes()? }),
                "reused" => Ok(RefreshOutcome::Reused),
                "refused" => Ok(RefreshOutcome::Refused),
                _ => Err(reply.damaged()),
            }
        })
    }

    fn confirm_refresh(&self, id: GrantId, access: Digest, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let keys = [self.keys().grant(id), self.keys().retry(id)];
            let script = Request::script(&CONFIRM_REFRESH, keys).arg(*access.as_bytes()).arg(time(now));
            let mut reply = Reply::new(self.ask(&script).await?, "grant");
            match reply.text()?.as_str() {
                "confirmed" => Ok(true),
                "other" => Ok(false),
                _ => Err(reply.damaged()),
            }
        })
    }

    fn grants_of(&self, subject: String, after: Option<GrantId>, limit: usize) -> StoreFuture<'_, Vec<Grant>> {
        Box::pin(async move { self.of_subject(&subject, after, limit).await })
    }

    fn insert_access(&self, id: GrantId, access: AccessToken, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let keys = [self.keys().grant(id), self.keys().access(id, access.digest)];
            let script = keeping(Request::script(&INSERT_ACCESS, keys).arg(time(now)), &access)?;
            let mut reply = Reply::new(self.ask(&script).await?, "grant");
            match reply.text()?.as_str() {
                "inserted" => Ok(true),
                "ended" => Ok(false),
                _ => Err(reply.damaged()),
            }
        })
    }

    fn revoke_grant(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Revocation> {
        Box::pin(async move {
            let script = Request::script(&REVOKE_GRANT, [self.keys().grant(id), self.keys().retry(id)]).arg(time(now));
            let mut reply = Reply::new(self.ask(&script).await?, "grant");
            match reply.text()?.as_str() {
                "revoked" => Ok(Revocation::Revoked),
                "already" => Ok(Revocation::AlreadyRevoked),
                "unknown" => Ok(Revocation::Unknown),
                _ => Err(reply.damaged()),
            }
        })
    }

    fn revoke_access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let gone = self.ask(&Request::writes("DEL", self.keys().access(id, digest))).await?;
            Ok(gone != Value::Int(0))
        })
    }

    /// Nothing is left to do: every key that can end was given its time when
    /// it was written.
    fn sweep(&self, _: UnixTime, _: usize) -> StoreFuture<'_, usize> {
        Box::pin(std::future::ready(Ok(0)))
    }
}

impl RedisStore {
    pub(super) fn of_grant(&self, id: GrantId, digest: Digest) -> [String; 3] {
        [self.keys().grant(id), self.keys().retry(id), self.keys().access(id, digest)]
    }

    /// Completes and runs an insertion; says what the script says.
    pub(super) async fn insert(
        &self,
        insert: Request,
        grant: &Grant,
        access: Option<&AccessToken>,
        fields: Fields,
    ) -> Result<String, StoreError> {
        let insert = match access {
            Some(access) => keeping(insert, access)?,
            None => insert.arg("").arg(""),
        };
        let retry = grant.refresh.as_ref().and_then(|refresh| refresh.retry.as_ref());
        let insert = match retry {
            None => insert.arg("").arg("").arg("").arg("").arg(""),
            Some(retry) => insert
                .arg(*retry.digest.as_bytes())
                .arg(retry.sealed.as_slice())
                .arg(time(retry.until))
                .arg(gone_at(retry.until))
                .arg(retry.access.map(|access| access.as_bytes().to_vec()).unwrap_or_default()),
        };
        let insert = fields.0.into_iter().fold(insert, Request::arg);
        Reply::new(self.ask(&insert).await?, "grant").text()
    }
}

/// Adds the access token's record, and when it goes.
fn keeping(script: Request, access: &AccessToken) -> Result<Request, StoreError> {
    let record = serde_json::to_vec(access).map_err(StoreError::unavailable)?;
    Ok(script.arg(record).arg(gone_at(access.expires_at)))
}

/// Adds the successor and the way back to it.
fn replacing(script: Request, next: &NextRefresh, access: Digest) -> Request {
    let Some((digest, retry)) = next.successor() else {
        return script.arg("").arg("").arg("").arg("").arg("");
    };
    let script = script.arg(*digest.as_bytes());
    match retry {
        None => script.arg("").arg("").arg("").arg(""),
        Some(retry) => script
            .arg(retry.sealed)
            .arg(time(retry.until))
            .arg(gone_at(retry.until))
            .arg(if retry.until_used { access.as_bytes().to_vec() } else { Vec::new() }),
    }
}

/// The last use that is too long ago: `used_at + lifetime <= now`, as
/// [`Grant::rotate_refresh`] compares, solved for `used_at`, because scripts
/// do not calculate.
fn idle_since(now: UnixTime, lifetime: u64) -> Option<UnixTime> {
    if now == UnixTime::MAX { Some(now) } else { now.0.checked_sub(lifetime).map(UnixTime) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_too_long_ago_as_grants_compare() {
        let edges = [0, 1, 2, 10, u64::MAX - 1, u64::MAX];
        for used in edges {
            for lifetime in edges {
                for now in edges {
                    let expected = UnixTime(now) >= UnixTime(used).saturating_add(lifetime);
                    let found = idle_since(UnixTime(now), lifetime).is_some_and(|since| UnixTime(used) <= since);
                    assert_eq!(found, expected, "{used} + {lifetime} at {now}");
                }
            }
        }
    }
}
