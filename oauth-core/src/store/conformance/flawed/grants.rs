//! Flaws in what is done to grants.

use super::{Flaw as F, Flawed, Held};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{
        AccessToken, Grant, Grants, RedeemCode, Redemption, RefreshOutcome, Revocation, RotateRefresh, StoreError,
        StoreFuture,
    },
    token::GrantId,
};

impl Grants for Flawed {
    fn insert_grant(&self, grant: Grant, access: Option<AccessToken>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let held = (grant.clone(), access.into_iter().collect());
            if self.has(F::WritesNewTokensLater) {
                return self.half_insertion(grant.id, held).await;
            }
            if self.has(F::InsertsGrantsInTwoSteps) {
                let taken = self.grants.lock().unwrap().contains_key(&grant.id);
                tokio::task::yield_now().await;
                if !taken {
                    self.grants.lock().unwrap().insert(grant.id, held);
                    return Ok(());
                }
                return Err(StoreError::Conflict("grant"));
            }
            *self.newest.lock().unwrap() = Some(grant.id);
            let mut grants = self.grants.lock().unwrap();
            if grants.contains_key(&grant.id) && !self.has(F::ReplacesGrants) {
                return Err(StoreError::Conflict("grant"));
            }
            grants.insert(grant.id, held);
            Ok(())
        })
    }

    fn grant(&self, id: GrantId) -> StoreFuture<'_, Option<Grant>> {
        Box::pin(async move { Ok(self.grants.lock().unwrap().get(&id).map(|(grant, _)| grant.clone())) })
    }

    fn access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, Option<(Grant, AccessToken)>> {
        Box::pin(async move {
            let grants = self.grants.lock().unwrap();
            let any = self.has(F::FindsTokensUnderAnyGrant);
            let mut held = grants.iter().filter(|(other, _)| any || **other == id).map(|(_, held)| held);
            Ok(held.find_map(|(grant, tokens)| {
                let token = tokens.iter().find(|token| token.digest == digest)?;
                Some((grant.clone(), token.clone()))
            }))
        })
    }

    fn redeem_code(&self, redeem: RedeemCode) -> StoreFuture<'_, Redemption> {
        let (id, unknown) = (redeem.grant, Redemption::Refused);
        Box::pin(
            async move { Ok(self.step(id, F::RedeemsInTwoSteps, unknown, |held| self.redeem(held, redeem)).await) },
        )
    }

    fn rotate_refresh(&self, rotate: RotateRefresh) -> StoreFuture<'_, RefreshOutcome> {
        let (id, unknown) = (rotate.grant, RefreshOutcome::Refused);
        Box::pin(
            async move { Ok(self.step(id, F::RotatesInTwoSteps, unknown, |held| self.rotate(held, rotate)).await) },
        )
    }

    fn confirm_refresh(&self, id: GrantId, access: Digest, now: UnixTime) -> StoreFuture<'_, bool> {
        let confirm = move |(grant, _): &mut Held| {
            if self.has(F::ConfirmsNothing) {
                return true;
            }
            let retry = grant.refresh.as_mut().and_then(|refresh| refresh.retry.as_mut());
            match (self.flaw, retry) {
                (F::ConfirmsByAnyToken, Some(retry)) if retry.access.is_some() => retry.access = Some(access),
                (F::ConfirmsEveryRetry, Some(retry)) => retry.access = Some(access),
                _ => {}
            }
            let used_at = grant.refresh.as_ref().map_or(now, |refresh| refresh.used_at);
            match self.flaw {
                F::ConfirmsByItsOwnClock => grant.confirm_refresh(access, grant.created_at),
                F::ConfirmsInOrder if now < used_at => false,
                _ => grant.confirm_refresh(access, now),
            }
        };
        Box::pin(async move { Ok(self.step(id, F::ConfirmsInTwoSteps, false, confirm).await) })
    }

    fn grants_of(&self, subject: String, after: Option<GrantId>, limit: usize) -> StoreFuture<'_, Vec<Grant>> {
        let owns = |grant: &Grant| match self.flaw {
            F::ListsTheLiving => grant.facts.subject.as_ref() == Some(&subject) && grant.revoked_at.is_none(),
            F::ListsByTheBeginning => grant.facts.subject.as_ref().is_some_and(|name| name.starts_with(&subject)),
            _ => grant.facts.subject.as_ref() == Some(&subject),
        };
        let grants = self.grants.lock().unwrap();
        let mut found: Vec<Grant> = grants.values().map(|(grant, _)| grant.clone()).filter(owns).collect();
        if self.has(F::ListsLater) {
            let newest = *self.newest.lock().unwrap();
            found.retain(|grant| Some(grant.id) != newest);
        }
        if !self.has(F::ListsInNoOrder) {
            found.sort_unstable_by_key(|grant| grant.id);
        }
        let comes = |grant: &Grant| match self.flaw {
            F::ListsTwice => after.is_none_or(|after| grant.id >= after),
            _ => after.is_none_or(|after| grant.id > after),
        };
        found.retain(comes);
        found.truncate(limit.max(1));
        if self.has(F::ListsTooFew) && found.len() > 1 {
            found.pop();
        }
        Box::pin(std::future::ready(Ok(found)))
    }

    fn insert_access(&self, id: GrantId, access: AccessToken, now: UnixTime) -> StoreFuture<'_, bool> {
        let insert = move |(grant, tokens): &mut Held| {
            let live = match self.flaw {
                F::ForgetsTheFence => true,
                F::ForgetsRevocationsToCome => grant.revoked_at.is_none_or(|at| now < at),
                F::HasNoEndOfTime => grant.is_live(now) && grant.expires_at < UnixTime::MAX,
                _ => grant.is_live(now),
            };
            if live {
                tokens.push(access);
            }
            live
        };
        Box::pin(async move {
            self.connect()?;
            let outcome = self.step(id, F::RevokesInTwoSteps, false, insert).await;
            self.disconnect().await;
            Ok(outcome)
        })
    }

    fn revoke_grant(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Revocation> {
        let revoke = move |(grant, _): &mut Held| match self.flaw {
            F::ForgetsRevocations => Revocation::Revoked,
            F::RevokesAgain => {
                grant.revoked_at = Some(now);
                Revocation::Revoked
            }
            _ => grant.revoke(now),
        };
        Box::pin(async move { Ok(self.step(id, F::RevokesInTwoSteps, Revocation::Unknown, revoke).await) })
    }

    fn revoke_access(&self, id: GrantId, digest: Digest) -> StoreFuture<'_, bool> {
        let revoke = move |(grant, tokens): &mut Held| {
            let before = tokens.len();
            tokens.retain(|token| token.digest != digest);
            if self.has(F::RevokesTheGrantOfAToken) {
                grant.revoke(UnixTime(1));
            }
            tokens.len() < before
        };
        Box::pin(async move { Ok(self.step(id, F::RevokesInTwoSteps, false, revoke).await) })
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> StoreFuture<'_, usize> {
        Box::pin(async move {
            let mut left = if self.has(F::SweepsTooMuch) { usize::MAX } else { limit };
            let mut take = |gone: bool| {
                let takes = gone && left > 0 && !self.has(F::SweepsNothing);
                left -= usize::from(takes);
                takes
            };
            let mut grants = self.grants.lock().unwrap();
            for (grant, tokens) in grants.values_mut() {
                tokens.retain(|token| !take(!token.is_live(now)));
                if let Some(refresh) = &mut grant.refresh {
                    refresh.retry.take_if(|retry| take(retry.until <= now));
                }
            }
            grants.retain(|_, (grant, _)| {
                let early = match self.flaw {
                    F::SweepsRevoked => grant.revoked_at.is_some(),
                    F::SweepsRedeemed => grant.code.as_ref().is_some_and(|code| code.expires_at <= now),
                    _ => false,
                };
                !take(grant.has_ended(now) || early)
            });
            self.parked
                .lock()
                .unwrap()
                .retain(|_, parked| !take(parked.expires_at <= now && !self.has(F::KeepsInteractions)));
            let over = |end| (end <= now && !self.has(F::KeepsUses)) || self.has(F::SweepsUses);
            self.used.lock().unwrap().retain(|_, (_, end)| !take(over(*end)));
            let over = |end| (end <= now && !self.has(F::KeepsConsents)) || self.has(F::SweepsConsents);
            self.given.lock().unwrap().retain(|_, consent| !take(over(consent.expires_at)));
            let over = |end| (end <= now && !self.has(F::KeepsStatuses)) || self.has(F::SweepsStatuses);
            for list in self.revoked.lock().unwrap().values_mut() {
                list.retain(|_, end| !take(over(*end)));
            }
            self.sweep_links(now, &mut take);
            Ok(if self.has(F::SweepsTooMuch) { limit.min(usize::MAX - left) } else { limit - left })
        })
    }
}
