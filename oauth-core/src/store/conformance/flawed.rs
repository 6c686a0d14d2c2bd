//! A store with one planted flaw at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use crate::{
    client::{Client, ClientId},
    clock::UnixTime,
    secret::Digest,
    store::{
        AccessToken, Clients, FinishInteraction, Grant, Grants, Interactions, ParkedInteraction, RedeemCode,
        Redemption, RefreshOutcome, Revocation, RotateRefresh, SealedKey, SigningKeys, Store, StoreError, StoreFuture,
        memory::MemoryStore,
    },
    token::GrantId,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    RedeemsInTwoSteps,
    RotatesInTwoSteps,
    InsertsGrantsInTwoSteps,
    RevokesInTwoSteps,
    FinishesInTwoSteps,
    InsertsKeysInTwoSteps,
    ForgetsTheFence,
    ForgetsRevocations,
    RevokesAgain,
    IgnoresTheClient,
    IgnoresTheChallenge,
    IgnoresTheRedirectUri,
    IgnoresCodeExpiry,
    BurnsTheCodeOnAWrongGuess,
    ForgetsReplays,
    LetsAnybodyReplay,
    LosesTheTokenOfARedemption,
    ForgetsReuse,
    RevokesOnAWrongToken,
    RetriesWithoutWindow,
    RetriesAfterUse,
    KeepsTheTokenOfARetry,
    IgnoresIdleness,
    FindsTokensUnderAnyGrant,
    RevokesTheGrantOfAToken,
    ReplacesGrants,
    SweepsTooMuch,
    SweepsRevoked,
    SweepsRedeemed,
    SweepsNothing,
    ShowsAnyBrowser,
    FinishesExpired,
    ConsumesBeforeInserting,
    KeepsOldClients,
    DropsClientsSilently,
    IgnoresNewerKeys,
    SharesKeysOfAlgorithms,
}
use Flaw as F;

type Held = (Grant, Vec<AccessToken>);

/// A store that reads, decides and writes back, all correctly, under a lock;
/// a flaw takes the lock away or changes the decision.
#[derive(Debug)]
pub(super) struct Flawed {
    flaw: Flaw,
    grants: Mutex<HashMap<GrantId, Held>>,
    parked: Mutex<HashMap<Digest, ParkedInteraction>>,
    rest: MemoryStore,
}

impl Flawed {
    pub(super) fn new(flaw: Flaw) -> Self {
        Self { flaw, grants: Mutex::default(), parked: Mutex::default(), rest: MemoryStore::default() }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// Load, change, save; in two steps where the flaw says so.
    async fn step<T>(&self, id: GrantId, split: Flaw, unknown: T, change: impl FnOnce(&mut Held) -> T) -> T {
        if !self.has(split) {
            return self.grants.lock().unwrap().get_mut(&id).map_or(unknown, change);
        }
        let Some(mut held) = self.grants.lock().unwrap().get(&id).cloned() else { return unknown };
        let outcome = change(&mut held);
        tokio::task::yield_now().await;
        self.grants.lock().unwrap().insert(id, held);
        outcome
    }

    fn redeem(&self, held: &mut Held, mut redeem: RedeemCode) -> Redemption {
        let (grant, tokens) = held;
        let Some(code) = &grant.code else { return Redemption::Refused };
        match self.flaw {
            F::IgnoresTheClient => redeem.client = grant.facts.client.clone(),
            F::IgnoresTheChallenge => redeem.challenge = code.challenge,
            F::IgnoresTheRedirectUri => redeem.redirect_uri = Some(code.redirect_uri.clone()),
            F::IgnoresCodeExpiry => redeem.now = grant.created_at,
            F::ForgetsReplays if code.redeemed_at.is_some() => return Redemption::Refused,
            F::LetsAnybodyReplay if code.redeemed_at.is_some() => {
                grant.revoke(redeem.now);
                return Redemption::Replayed;
            }
            _ => {}
        }
        let outcome = grant.redeem_code(&redeem);
        if outcome == Redemption::Redeemed && !self.has(F::LosesTheTokenOfARedemption) {
            tokens.push(redeem.access);
        }
        if outcome == Redemption::Refused && self.has(F::BurnsTheCodeOnAWrongGuess) {
            grant.code.as_mut().unwrap().redeemed_at = Some(redeem.now);
        }
        outcome
    }

    fn rotate(&self, held: &mut Held, mut rotate: RotateRefresh) -> RefreshOutcome {
        let (grant, tokens) = held;
        let before = grant.clone();
        let Some(refresh) = &mut grant.refresh else { return RefreshOutcome::Refused };
        let old_retry = refresh.retry.clone();
        match self.flaw {
            F::IgnoresTheClient => rotate.client = grant.facts.client.clone(),
            F::IgnoresIdleness => rotate.idle_lifetime = u64::MAX,
            F::RetriesWithoutWindow => refresh.retry.iter_mut().for_each(|retry| retry.until = UnixTime::MAX),
            F::ForgetsReuse if rotate.generation < refresh.generation => return RefreshOutcome::Refused,
            _ => {}
        }
        let outcome = grant.rotate_refresh(&rotate);
        let retry = matches!(outcome, RefreshOutcome::Retry { .. }) && self.has(F::KeepsTheTokenOfARetry);
        if outcome == RefreshOutcome::Rotated || retry {
            tokens.push(rotate.access);
        }
        if outcome == RefreshOutcome::Refused && self.has(F::RevokesOnAWrongToken) {
            grant.revoke(rotate.now);
        }
        if self.has(F::RetriesAfterUse) && outcome == RefreshOutcome::Reused {
            *grant = before;
            return RefreshOutcome::Retry { sealed: old_retry.map_or(Vec::new(), |retry| retry.sealed) };
        }
        outcome
    }
}

impl Grants for Flawed {
    fn insert_grant(&self, grant: Grant, access: Option<AccessToken>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let held = (grant.clone(), access.into_iter().collect());
            if self.has(F::InsertsGrantsInTwoSteps) {
                let taken = self.grants.lock().unwrap().contains_key(&grant.id);
                tokio::task::yield_now().await;
                if !taken {
                    self.grants.lock().unwrap().insert(grant.id, held);
                    return Ok(());
                }
                return Err(StoreError::Conflict("grant"));
            }
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

    fn insert_access(&self, id: GrantId, access: AccessToken, now: UnixTime) -> StoreFuture<'_, bool> {
        let insert = move |(grant, tokens): &mut Held| {
            let live = grant.is_live(now) || self.has(F::ForgetsTheFence);
            if live {
                tokens.push(access);
            }
            live
        };
        Box::pin(async move { Ok(self.step(id, F::RevokesInTwoSteps, false, insert).await) })
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
            self.parked.lock().unwrap().retain(|_, parked| !take(parked.expires_at <= now));
            Ok(if self.has(F::SweepsTooMuch) { limit.min(usize::MAX - left) } else { limit - left })
        })
    }
}

impl Interactions for Flawed {
    fn park_interaction(&self, parked: ParkedInteraction) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let mut interactions = self.parked.lock().unwrap();
            if interactions.contains_key(&parked.id) {
                return Err(StoreError::Conflict("interaction"));
            }
            interactions.insert(parked.id, parked);
            Ok(())
        })
    }

    fn interaction(&self, id: Digest, browser: Digest, now: UnixTime) -> StoreFuture<'_, Option<ParkedInteraction>> {
        let own = move |found: &&ParkedInteraction| {
            (found.browser == browser || self.has(F::ShowsAnyBrowser)) && now < found.expires_at
        };
        Box::pin(async move { Ok(self.parked.lock().unwrap().get(&id).filter(own).cloned()) })
    }

    fn finish_interaction(&self, finish: FinishInteraction) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let now = if self.has(F::FinishesExpired) { UnixTime(0) } else { finish.now };
            if self.interaction(finish.id, finish.browser, now).await?.is_none() {
                return Ok(false);
            }
            if self.has(F::FinishesInTwoSteps) {
                tokio::task::yield_now().await;
            }
            let mut parked = self.parked.lock().unwrap();
            let mut grants = self.grants.lock().unwrap();
            if !parked.contains_key(&finish.id) && !self.has(F::FinishesInTwoSteps) {
                return Ok(false);
            }
            if self.has(F::ConsumesBeforeInserting) {
                parked.remove(&finish.id);
            }
            if let Some(grant) = finish.grant {
                if grants.contains_key(&grant.id) {
                    return Err(StoreError::Conflict("grant"));
                }
                grants.insert(grant.id, (grant, Vec::new()));
            }
            parked.remove(&finish.id);
            Ok(true)
        })
    }
}

impl Clients for Flawed {
    fn client(&self, id: ClientId) -> StoreFuture<'_, Option<Arc<Client>>> {
        self.rest.client(id)
    }

    fn put_client(&self, client: Client) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            if self.has(F::KeepsOldClients) && self.rest.client(client.id.clone()).await?.is_some() {
                return Ok(());
            }
            self.rest.put_client(client).await
        })
    }

    fn delete_client(&self, id: ClientId) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.rest.delete_client(id).await? && !self.has(F::DropsClientsSilently)) })
    }
}

impl SigningKeys for Flawed {
    fn signing_keys(&self) -> StoreFuture<'_, Vec<SealedKey>> {
        self.rest.signing_keys()
    }

    fn insert_signing_key(&self, key: SealedKey, newest: Option<UnixTime>) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let same = |other: &&SealedKey| other.algorithm == key.algorithm || self.has(F::SharesKeysOfAlgorithms);
            let last = self.rest.signing_keys().await?.iter().filter(same).map(|other| other.active_from).max();
            let force = match self.flaw {
                F::IgnoresNewerKeys => true,
                F::SharesKeysOfAlgorithms if newest.is_none() && last.is_some() => return Ok(false),
                F::InsertsKeysInTwoSteps => {
                    tokio::task::yield_now().await;
                    newest >= last
                }
                _ => false,
            };
            self.rest.insert_signing_key(key, if force { Some(UnixTime::MAX) } else { newest }).await
        })
    }

    fn delete_signing_key(&self, kid: String) -> StoreFuture<'_, bool> {
        self.rest.delete_signing_key(kid)
    }
}

impl Store for Flawed {
    fn check(&self) -> StoreFuture<'_, ()> {
        self.rest.check()
    }
}
