//! A hundred tasks at a time, for one thing.

use std::sync::Arc;

use super::{
    codes::wrong_redemptions,
    context::{Broken, Context, RUNNERS, Verdict, count, ensure, same},
    keys,
    sample::{self, DAY},
};
use crate::{
    secret::Digest,
    store::{
        FinishInteraction, Grant, NextRefresh, RedeemCode, Redemption, RefreshOutcome, Revocation, RotateRefresh,
        StoreError,
    },
    token::GrantId,
};

fn each<T>(make: impl Fn() -> Result<T, Broken>) -> Result<Vec<T>, Broken> {
    (0..RUNNERS).map(|_| make()).collect()
}

async fn redeem_all(context: &Context<'_>, calls: Vec<RedeemCode>) -> Result<Vec<Redemption>, Broken> {
    let runner = |call| {
        let store = Arc::clone(&context.store);
        async move { store.redeem_code(call).await }
    };
    context.race(calls.into_iter().map(runner)).await
}

async fn rotate_all(context: &Context<'_>, calls: Vec<RotateRefresh>) -> Result<Vec<RefreshOutcome>, Broken> {
    let runner = |call| {
        let store = Arc::clone(&context.store);
        async move { store.rotate_refresh(call).await }
    };
    context.race(calls.into_iter().map(runner)).await
}

/// Which of `digests` have a token under the grant, and whether it lives.
async fn tokens(context: &Context<'_>, id: GrantId, digests: &[Digest]) -> Result<Vec<(Digest, bool)>, Broken> {
    let mut found = Vec::new();
    for digest in digests {
        if let Some((grant, access)) = context.store.access(id, *digest).await? {
            found.push((*digest, grant.is_live(context.now) && access.is_live(context.now)));
        }
    }
    Ok(found)
}

pub(super) async fn parallel_redemptions_of_one_code_succeed_once(context: &Context<'_>) -> Verdict {
    let grant = sample::coded(context)?;
    context.store.insert_grant(grant.clone(), None).await?;
    let calls = each(|| sample::redemption(context, &grant))?;
    let digests: Vec<_> = calls.iter().map(|call| call.access.digest).collect();
    let outcomes = redeem_all(context, calls).await?;
    same("redemptions", &count(&outcomes, &Redemption::Redeemed), &1)?;
    same("replays", &count(&outcomes, &Redemption::Replayed), &(usize::from(RUNNERS) - 1))?;
    let tokens = tokens(context, grant.id, &digests).await?;
    ensure(tokens.len() == 1, format!("{} of the redemptions left an access token", tokens.len()))?;
    // Each replay was as valid as the redemption: who is the thief nobody
    // knows, so nobody keeps anything.
    ensure(tokens.iter().all(|(_, live)| !live), "the replays did not revoke the grant")
}

pub(super) async fn wrong_redemptions_do_not_disturb_the_right_one(context: &Context<'_>) -> Verdict {
    let grant = sample::coded(context)?;
    context.store.insert_grant(grant.clone(), None).await?;
    let mut calls = Vec::new();
    for _ in 0..RUNNERS / 6 {
        calls.extend(wrong_redemptions(context, &grant)?.into_iter().map(|(_, call)| call));
    }
    calls.insert(calls.len() / 2, sample::redemption(context, &grant)?);
    let expected = calls.len() - 1;
    let outcomes = redeem_all(context, calls).await?;
    same("redemptions", &count(&outcomes, &Redemption::Redeemed), &1)?;
    same("refusals", &count(&outcomes, &Redemption::Refused), &expected)?;
    let live = context.store.grant(grant.id).await?.is_some_and(|grant| grant.is_live(context.now));
    ensure(live, "the grant was revoked")
}

pub(super) async fn parallel_strict_refreshes_leave_no_family(context: &Context<'_>) -> Verdict {
    let grant = sample::refreshable(context)?;
    context.store.insert_grant(grant.clone(), None).await?;
    let calls = each(|| sample::rotation(context, &grant))?;
    let digests: Vec<_> = calls.iter().map(|call| call.access.digest).collect();
    let outcomes = rotate_all(context, calls).await?;
    same("rotations", &count(&outcomes, &RefreshOutcome::Rotated), &1)?;
    same("reuse", &count(&outcomes, &RefreshOutcome::Reused), &1)?;
    same("refusals", &count(&outcomes, &RefreshOutcome::Refused), &(usize::from(RUNNERS) - 2))?;
    let tokens = tokens(context, grant.id, &digests).await?;
    ensure(tokens.len() == 1, format!("{} of the refreshes left an access token", tokens.len()))?;
    ensure(tokens.iter().all(|(_, live)| !live), "the reuse did not revoke the grant")
}

pub(super) async fn parallel_refreshes_in_the_retry_window_leave_one_family(context: &Context<'_>) -> Verdict {
    let grant = sample::refreshable(context)?;
    context.store.insert_grant(grant.clone(), None).await?;
    let calls = (0..RUNNERS).map(|n| sample::rotation_with_retry(context, &grant, &[n], context.after(30)));
    let calls = calls.collect::<Result<Vec<_>, _>>()?;
    let outcomes = rotate_all(context, calls.clone()).await?;
    same("rotations", &count(&outcomes, &RefreshOutcome::Rotated), &1)?;
    let winner = outcomes.iter().zip(&calls).zip(0..).find(|((outcome, _), _)| **outcome == RefreshOutcome::Rotated);
    let Some(((_, winner), n)) = winner else { return Ok(()) };
    let retries = count(&outcomes, &RefreshOutcome::Retry { sealed: vec![n] });
    same("retries that got the successor", &retries, &(usize::from(RUNNERS) - 1))?;
    let digests: Vec<_> = calls.iter().map(|call| call.access.digest).collect();
    let tokens = tokens(context, grant.id, &digests).await?;
    same("access tokens, of the one rotation", &tokens, &vec![(winner.access.digest, true)])?;
    let next = sample::following(context, winner)?;
    same("the successor", &context.store.rotate_refresh(next).await?, &RefreshOutcome::Rotated)
}

pub(super) async fn parallel_refreshes_without_rotation_all_succeed(context: &Context<'_>) -> Verdict {
    let grant = sample::refreshable(context)?;
    context.store.insert_grant(grant.clone(), None).await?;
    let calls = each(|| Ok(RotateRefresh { next: NextRefresh::Same, ..sample::rotation(context, &grant)? }))?;
    let digests: Vec<_> = calls.iter().map(|call| call.access.digest).collect();
    let outcomes = rotate_all(context, calls).await?;
    same("successes", &count(&outcomes, &RefreshOutcome::Rotated), &RUNNERS.into())?;
    same("the grant", &context.store.grant(grant.id).await?, &Some(grant.clone()))?;
    same("live tokens", &tokens(context, grant.id, &digests).await?.len(), &RUNNERS.into())
}

pub(super) async fn parallel_insertions_of_one_grant_succeed_once(context: &Context<'_>) -> Verdict {
    let id = sample::id()?;
    let grants = each(|| Ok(Grant { id, ..sample::coded(context)? }))?;
    let runner = |grant| {
        let store = Arc::clone(&context.store);
        async move {
            match store.insert_grant(grant, None).await {
                Ok(()) => Ok(true),
                Err(StoreError::Conflict(_)) => Ok(false),
                Err(other) => Err(other),
            }
        }
    };
    let outcomes = context.race(grants.iter().cloned().map(runner)).await?;
    same("insertions", &count(&outcomes, &true), &1)?;
    let winner = grants.into_iter().zip(outcomes).find(|(_, inserted)| *inserted).map(|(grant, _)| grant);
    same("the grant", &context.store.grant(id).await?, &winner)
}

pub(super) async fn parallel_revocations_revoke_once(context: &Context<'_>) -> Verdict {
    let (grant, access) = (sample::refreshable(context)?, sample::access(context)?);
    let (id, digest) = (grant.id, access.digest);
    context.store.insert_grant(grant, Some(access)).await?;
    let runner = |n: u8| {
        let (store, now) = (Arc::clone(&context.store), context.after(n.into()));
        async move { Ok((store.revoke_access(id, digest).await?, store.revoke_grant(id, now).await?)) }
    };
    let outcomes = context.race((0..RUNNERS).map(runner)).await?;
    let (tokens, grants): (Vec<_>, Vec<_>) = outcomes.into_iter().unzip();
    same("revocations of the token", &count(&tokens, &true), &1)?;
    same("revocations of the grant", &count(&grants, &Revocation::Revoked), &1)?;
    same("repetitions", &count(&grants, &Revocation::AlreadyRevoked), &(usize::from(RUNNERS) - 1))
}

/// One revocation among `calls`; afterwards nothing under the grant lives.
async fn race_revocation<R>(context: &Context<'_>, id: GrantId, calls: Vec<R>, digests: &[Digest]) -> Verdict
where
    R: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let middle = calls.len() / 2;
    let (store, now) = (Arc::clone(&context.store), context.now);
    let revoke = async move { store.revoke_grant(id, now).await.map(drop) };
    let mut runners: Vec<_> = calls.into_iter().map(futures_util::future::Either::Left).collect();
    runners.insert(middle, futures_util::future::Either::Right(revoke));
    context.race(runners).await?;
    let live = context.store.grant(id).await?.is_some_and(|grant| grant.is_live(now));
    ensure(!live, "the revocation was undone")?;
    let tokens = tokens(context, id, digests).await?;
    ensure(tokens.iter().all(|(_, live)| !live), "a token outlived the revocation")?;
    let late = context.store.insert_access(id, sample::access(context)?, now).await?;
    ensure(!late, "a token was inserted after the revocation")
}

pub(super) async fn a_revocation_wins_over_an_insertion_that_races_it(context: &Context<'_>) -> Verdict {
    let grant = sample::grant(context)?;
    let (id, now) = (grant.id, context.now);
    context.store.insert_grant(grant, None).await?;
    let tokens = each(|| sample::access(context))?;
    let digests: Vec<_> = tokens.iter().map(|access| access.digest).collect();
    let runner = |access| {
        let store = Arc::clone(&context.store);
        async move { store.insert_access(id, access, now).await.map(drop) }
    };
    race_revocation(context, id, tokens.into_iter().map(runner).collect(), &digests).await
}

pub(super) async fn a_revocation_wins_over_a_refresh_that_races_it(context: &Context<'_>) -> Verdict {
    for next in [None, Some(NextRefresh::Same)] {
        let grant = sample::refreshable(context)?;
        context.store.insert_grant(grant.clone(), None).await?;
        let calls = each(|| {
            let rotate = sample::rotation_with_retry(context, &grant, b"sealed", context.after(30))?;
            Ok(RotateRefresh { next: next.clone().unwrap_or(rotate.next), ..rotate })
        })?;
        let digests: Vec<_> = calls.iter().map(|call| call.access.digest).collect();
        let runner = |call| {
            let store = Arc::clone(&context.store);
            async move { store.rotate_refresh(call).await.map(drop) }
        };
        race_revocation(context, grant.id, calls.into_iter().map(runner).collect(), &digests).await?;
    }
    Ok(())
}

pub(super) async fn a_revocation_wins_over_a_redemption_that_races_it(context: &Context<'_>) -> Verdict {
    let grant = sample::coded(context)?;
    context.store.insert_grant(grant.clone(), None).await?;
    // One that is right: a second would be a replay, and revoke as well.
    let right = sample::redemption(context, &grant)?;
    let digest = right.access.digest;
    let mut calls = vec![right];
    calls.extend(wrong_redemptions(context, &grant)?.into_iter().map(|(_, call)| call));
    let runner = |call| {
        let store = Arc::clone(&context.store);
        async move { store.redeem_code(call).await.map(drop) }
    };
    race_revocation(context, grant.id, calls.into_iter().map(runner).collect(), &[digest]).await
}

pub(super) async fn parallel_steps_on_different_grants_do_not_meet(context: &Context<'_>) -> Verdict {
    let grants = each(|| sample::coded(context))?;
    let runner = |grant: Grant| {
        let (store, redeem) = (Arc::clone(&context.store), sample::redemption(context, &grant));
        let rotate = sample::rotation(context, &grant);
        async move {
            let (Ok(redeem), Ok(rotate)) = (redeem, rotate) else { return Ok(None) };
            store.insert_grant(grant.clone(), None).await?;
            let redeemed = store.redeem_code(redeem.clone()).await?;
            let rotate = RotateRefresh { digest: redeem.refresh.unwrap_or(rotate.digest), ..rotate };
            let rotated = store.rotate_refresh(rotate.clone()).await?;
            let found = store.access(grant.id, rotate.access.digest).await?;
            let own = found.map(|(found, access)| (found.facts, access)) == Some((grant.facts, rotate.access));
            Ok(Some((redeemed, rotated, own)))
        }
    };
    let outcomes = context.race(grants.into_iter().map(runner)).await?;
    let expected = Some((Redemption::Redeemed, RefreshOutcome::Rotated, true));
    same("grants that went their way", &count(&outcomes, &expected), &RUNNERS.into())
}

pub(super) async fn an_interaction_is_finished_once_by_many(context: &Context<'_>) -> Verdict {
    let parked = sample::parked(context)?;
    context.store.park_interaction(parked.clone()).await?;
    let grants = each(|| sample::coded(context))?;
    let runner = |grant| {
        let store = Arc::clone(&context.store);
        let finish = FinishInteraction { id: parked.id, browser: parked.browser, now: context.now, grant: Some(grant) };
        async move { store.finish_interaction(finish).await }
    };
    let outcomes = context.race(grants.iter().cloned().map(runner)).await?;
    same("ends", &count(&outcomes, &true), &1)?;
    for (grant, finished) in grants.iter().zip(outcomes) {
        let found = context.store.grant(grant.id).await?;
        // One that came too late may leave a grant that it has revoked.
        let lives = found.is_some_and(|grant| grant.is_live(context.now));
        ensure(lives == finished, "the grants are not those of the one who finished")?;
    }
    Ok(())
}

pub(super) async fn a_signing_key_is_inserted_once_by_many(context: &Context<'_>) -> Verdict {
    let algorithm = keys::algorithm()?;
    for newest in [None, Some(context.now)] {
        let active_from = newest.map_or(context.now, |newest| newest.saturating_add(60));
        let runner = |key| {
            let store = Arc::clone(&context.store);
            async move { store.insert_signing_key(key, newest).await }
        };
        let keys = each(|| keys::key(&algorithm, active_from))?;
        let outcomes = context.race(keys.into_iter().map(runner)).await?;
        same("insertions", &count(&outcomes, &true), &1)?;
    }
    let keys = context.store.signing_keys().await?;
    same("keys", &keys.iter().filter(|key| key.algorithm == algorithm).count(), &2)
}

pub(super) async fn a_sweep_takes_nothing_that_is_being_used(context: &Context<'_>) -> Verdict {
    let now = context.after(DAY);
    let lasting = each(|| sample::grant(context))?;
    let runner = |grant: Grant| {
        let store = Arc::clone(&context.store);
        let ended = Grant { expires_at: now, ..grant.clone() };
        let other = sample::id();
        async move {
            store.insert_grant(Grant { id: other?, ..ended }, None).await?;
            store.insert_grant(grant.clone(), None).await?;
            store.sweep(now, 10).await?;
            Ok(store.grant(grant.id).await? == Some(grant))
        }
    };
    let outcomes = context.race(lasting.into_iter().map(runner)).await?;
    same("grants that outlived the sweeps", &count(&outcomes, &true), &RUNNERS.into())
}
