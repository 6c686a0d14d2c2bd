//! Nodes whose clocks differ, and the two ends of time.

use super::{
    context::{Broken, Context, Verdict, conflicts, ensure, same},
    keys,
    sample::{self, HOUR},
};
use crate::{
    clock::UnixTime,
    store::{
        Code, Consent, FinishInteraction, Grant, NextRefresh, ParkedInteraction, RedeemCode, Redemption, Refresh,
        RefreshOutcome, Revocation, RotateRefresh,
    },
};

/// How far two clocks are apart: far more than they should be.
const APART: u64 = 300;

/// Two nodes that act one after the other: with the second's clock ahead, and behind.
fn orders(context: &Context<'_>) -> [(UnixTime, UnixTime); 2] {
    let (behind, ahead) = (context.now.saturating_sub(APART), context.after(APART));
    [(behind, ahead), (ahead, behind)]
}

/// A grant that is good by either clock, with a code.
fn coded(context: &Context<'_>) -> Result<Grant, Broken> {
    let grant = sample::coded(context)?;
    let code = grant.code.clone().map(|code| Code { expires_at: context.after(HOUR), ..code });
    Ok(Grant { code, ..grant })
}

pub(super) async fn a_code_is_redeemed_once_whatever_the_clocks_say(context: &Context<'_>) -> Verdict {
    for (first, second) in orders(context) {
        let grant = coded(context)?;
        context.store.insert_grant(grant.clone(), None).await?;
        let redeem = RedeemCode { now: first, ..sample::redemption(context, &grant)? };
        same("at first", &context.store.redeem_code(redeem).await?, &Redemption::Redeemed)?;
        let again = RedeemCode { now: second, ..sample::redemption(context, &grant)? };
        let outcome = context.store.redeem_code(again.clone()).await?;
        same("again, by another clock", &outcome, &Redemption::Replayed)?;
        same("the token of the replay", &context.store.access(grant.id, again.access.digest).await?, &None)?;
        let live = context.store.grant(grant.id).await?.is_some_and(|grant| grant.is_live(first));
        ensure(!live, "the replay did not revoke the grant")?;
    }
    Ok(())
}

pub(super) async fn a_revocation_is_not_undone_by_another_clock(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    for (first, second) in orders(context) {
        let (code, refresh) = (coded(context)?, sample::refreshable(context)?);
        for grant in [&code, &refresh] {
            store.insert_grant(grant.clone(), None).await?;
            same("at first", &store.revoke_grant(grant.id, first).await?, &Revocation::Revoked)?;
            let again = store.revoke_grant(grant.id, second).await?;
            same("again, by another clock", &again, &Revocation::AlreadyRevoked)?;
            let taken = store.insert_access(grant.id, sample::access(context)?, second).await?;
            same("insert_access", &taken, &false)?;
        }
        let redeem = RedeemCode { now: second, ..sample::redemption(context, &code)? };
        same("redeem_code", &store.redeem_code(redeem).await?, &Redemption::Refused)?;
        let rotate = RotateRefresh { now: second, ..sample::rotation(context, &refresh)? };
        same("rotate_refresh", &store.rotate_refresh(rotate).await?, &RefreshOutcome::Refused)?;
        for grant in [code, refresh] {
            let revoked_at = store.grant(grant.id).await?.and_then(|grant| grant.revoked_at);
            same("revoked_at", &revoked_at, &Some(first))?;
        }
    }
    Ok(())
}

pub(super) async fn a_family_goes_on_under_another_clock(context: &Context<'_>) -> Verdict {
    for (first, second) in orders(context) {
        // What the functions of `Grant` say is what the store must say.
        let mut expected = sample::refreshable(context)?;
        context.store.insert_grant(expected.clone(), None).await?;
        let start = sample::rotation_with_retry(context, &expected, b"sealed", first.saturating_add(30))?;
        let start = RotateRefresh { now: first, ..start };
        let retry = RotateRefresh { now: second, ..sample::rotation(context, &expected)? };
        let next = RotateRefresh { now: second, ..sample::following(context, &start)? };
        let reuse = RotateRefresh { now: first, ..retry.clone() };
        for (what, rotate) in [("a rotation", start), ("a retry", retry), ("the successor", next), ("reuse", reuse)] {
            let outcome = context.store.rotate_refresh(rotate.clone()).await?;
            let called = format!("{what} at {}, of {} and {}", rotate.now.0, first.0, second.0);
            same(&called, &outcome, &expected.rotate_refresh(&rotate))?;
            same(&called, &context.store.grant(expected.id).await?, &Some(expected.clone()))?;
        }
    }
    Ok(())
}

pub(super) async fn expiry_is_judged_by_the_callers_clock(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    // An end in the past and one in the future, and a caller whose clock stands
    // on the other side of it.
    let (past, future) = (context.now.saturating_sub(2 * APART), context.after(2 * APART));
    let (before, behind) = (past.saturating_sub(1), future.saturating_add(1));
    for (end, now, live) in [(past, before, true), (future, behind, false)] {
        let expires = |code: Code| Code { expires_at: end, ..code };
        let grant = sample::coded(context)?;
        let grant = Grant { code: grant.code.clone().map(expires), ..grant };
        store.insert_grant(grant.clone(), None).await?;
        let redeem = RedeemCode { now, ..sample::redemption(context, &grant)? };
        let expected = if live { Redemption::Redeemed } else { Redemption::Refused };
        same("a code", &store.redeem_code(redeem).await?, &expected)?;

        let grant = Grant { expires_at: end, ..sample::refreshable(context)? };
        store.insert_grant(grant.clone(), None).await?;
        let taken = store.insert_access(grant.id, sample::access(context)?, now).await?;
        same("insert_access", &taken, &live)?;
        let rotate = RotateRefresh { now, ..sample::rotation(context, &grant)? };
        let expected = if live { RefreshOutcome::Rotated } else { RefreshOutcome::Refused };
        same("rotate_refresh", &store.rotate_refresh(rotate).await?, &expected)?;

        let parked = ParkedInteraction { expires_at: end, ..sample::parked(context)? };
        let (id, browser) = (parked.id, parked.browser);
        store.park_interaction(parked.clone()).await?;
        let expected = live.then_some(parked);
        same("an interaction", &store.interaction(id, browser, now).await?, &expected)?;
        let finish = FinishInteraction { id, browser, now, grant: Some(sample::coded(context)?) };
        same("its end", &store.finish_interaction(finish).await?, &live)?;
    }
    Ok(())
}

/// A grant that began at `now`, with nothing in it that ends.
fn endless(context: &Context<'_>, now: UnixTime) -> Result<Grant, Broken> {
    let grant = Grant { created_at: now, expires_at: UnixTime::MAX, ..coded(context)? };
    let code = grant.code.clone().map(|code| Code { expires_at: UnixTime::MAX, ..code });
    let refresh = Some(Refresh { digest: sample::digest()?, generation: 0, used_at: now, retry: None });
    Ok(Grant { code, refresh, ..grant })
}

pub(super) async fn the_ends_of_time_are_times_too(context: &Context<'_>) -> Verdict {
    for now in [UnixTime(0), UnixTime::MAX] {
        grants_at(context, now).await?;
        interactions_at(context, now).await?;
        let digest = sample::digest()?;
        let first = now < UnixTime::MAX;
        same("first_use", &context.store.first_use(digest, UnixTime::MAX, now).await?, &first)?;
        same("uses", &context.store.uses(digest, now).await?, &first.into())?;
        same("count_use", &context.store.count_use(sample::digest()?, UnixTime::MAX, now).await?, &1)?;
        consents_at(context, now).await?;
        let removed = context.store.sweep(now, 1).await?;
        ensure(removed <= 1, "a sweep of at most 1 removed more")?;
    }
    signing_keys(context).await
}

async fn grants_at(context: &Context<'_>, now: UnixTime) -> Verdict {
    let store = &context.store;
    let mut expected = endless(context, now)?;
    let access = sample::access(context)?;
    store.insert_grant(expected.clone(), Some(access)).await?;
    let read = async |what: &str, expected: &Grant| {
        same(&format!("{what} at {}", now.0), &store.grant(expected.id).await?, &Some(expected.clone()))
    };
    read("a grant", &expected).await?;
    let redeem = RedeemCode { now, ..sample::redemption(context, &expected)? };
    let outcome = store.redeem_code(redeem.clone()).await?;
    same("redeem_code", &outcome, &expected.redeem_code(&redeem))?;
    read("a redeemed grant", &expected).await?;
    let next = NextRefresh::Successor { digest: sample::digest()?, retry: Some((vec![1], UnixTime::MAX)) };
    let rotate = RotateRefresh { now, idle_lifetime: u64::MAX, next, ..sample::rotation(context, &expected)? };
    for what in ["rotate_refresh", "rotate_refresh again"] {
        same(what, &store.rotate_refresh(rotate.clone()).await?, &expected.rotate_refresh(&rotate))?;
        read("a rotated grant", &expected).await?;
    }
    let live = expected.is_live(now);
    same("insert_access", &store.insert_access(expected.id, sample::access(context)?, now).await?, &live)?;
    same("revoke_grant", &store.revoke_grant(expected.id, now).await?, &expected.revoke(now))?;
    read("a revoked grant", &expected).await
}

async fn interactions_at(context: &Context<'_>, now: UnixTime) -> Verdict {
    let store = &context.store;
    let parked = ParkedInteraction { expires_at: UnixTime::MAX, ..sample::parked(context)? };
    let (id, browser) = (parked.id, parked.browser);
    store.park_interaction(parked.clone()).await?;
    conflicts("park_interaction again", &store.park_interaction(parked.clone()).await)?;
    let open = now < UnixTime::MAX;
    same("an interaction", &store.interaction(id, browser, now).await?, &open.then_some(parked))?;
    let finish = FinishInteraction { id, browser, now, grant: Some(endless(context, now)?) };
    same("its end", &store.finish_interaction(finish).await?, &open)
}

async fn consents_at(context: &Context<'_>, now: UnixTime) -> Verdict {
    let store = &context.store;
    let endless = Consent { given_at: now, expires_at: UnixTime::MAX, ..sample::consent(context)? };
    let (subject, client) = (endless.subject.clone(), endless.client.clone());
    same("replace_consent", &store.replace_consent(endless.clone(), None, now).await?, &true)?;
    let counts = (now < UnixTime::MAX).then_some(endless);
    same("a consent", &store.consent(subject.clone(), client.clone(), now).await?, &counts)?;
    same("forget_consent", &store.forget_consent(subject, client).await?, &true)
}

async fn signing_keys(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let algorithm = keys::algorithm()?;
    let (first, last) = (keys::key(&algorithm, UnixTime(0))?, keys::key(&algorithm, UnixTime::MAX)?);
    same("a key of all time", &store.insert_signing_key(first.clone(), None).await?, &true)?;
    same("a key of no time", &store.insert_signing_key(last.clone(), Some(UnixTime(0))).await?, &true)?;
    let between = store.insert_signing_key(keys::key(&algorithm, context.now)?, Some(context.now)).await?;
    same("a key before the last", &between, &false)?;
    let mut found = store.signing_keys().await?;
    found.retain(|key| key.algorithm == algorithm);
    found.sort_by_key(|key| key.active_from);
    same("the keys", &found, &vec![first.clone(), last.clone()])?;
    for key in [first, last] {
        same("delete_signing_key", &store.delete_signing_key(key.kid).await?, &true)?;
    }
    Ok(())
}
