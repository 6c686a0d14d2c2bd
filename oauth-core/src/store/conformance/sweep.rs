//! Removing what has ended.

use super::{
    context::{Broken, Context, Verdict, ensure, same},
    sample::{self, CODE, DAY, HOUR},
};
use crate::{
    clock::UnixTime,
    store::{AccessToken, Grant, ParkedInteraction, RedeemCode, Redemption},
};

/// Sweeps until nothing is left to remove, and says how much there was.
async fn sweep(context: &Context<'_>, now: UnixTime, limit: usize) -> Result<usize, Broken> {
    let mut removed = 0;
    loop {
        let gone = context.store.sweep(now, limit).await?;
        ensure(gone <= limit, format!("a sweep of at most {limit} removed {gone}"))?;
        removed += gone;
        if gone < limit {
            return Ok(removed);
        }
    }
}

pub(super) async fn a_sweep_removes_what_has_ended_and_nothing_else(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let now = context.after(DAY);
    let insert = async |grant: Grant| store.insert_grant(grant.clone(), None).await.map(|()| grant);

    let expired = insert(Grant { expires_at: now, ..sample::grant(context)? }).await?;
    let abandoned = insert(sample::coded(context)?).await?;

    let lives = insert(Grant { expires_at: now.saturating_add(1), ..sample::grant(context)? }).await?;
    let revoked = insert(sample::grant(context)?).await?;
    store.revoke_grant(revoked.id, context.now).await?;
    let redeemed = insert(sample::coded(context)?).await?;
    let redeem = RedeemCode { now: context.after(CODE - 1), ..sample::redemption(context, &redeemed)? };
    same("redeem_code", &store.redeem_code(redeem.clone()).await?, &Redemption::Redeemed)?;
    let token = AccessToken { expires_at: now.saturating_add(1), ..sample::access(context)? };
    same("insert_access", &store.insert_access(redeemed.id, token.clone(), context.now).await?, &true)?;
    let rotated = insert(sample::refreshable(context)?).await?;
    let rotate = sample::rotation_with_retry(context, &rotated, b"sealed", context.after(30))?;
    store.rotate_refresh(rotate).await?;

    sweep(context, now, 1000).await?;

    for (what, gone) in [("an expired grant", expired), ("a grant whose code was never used", abandoned)] {
        same(what, &store.grant(gone.id).await?, &None)?;
    }
    for kept in [&lives, &revoked, &redeemed, &rotated] {
        ensure(store.grant(kept.id).await?.is_some(), "a grant that still matters was removed")?;
    }
    let revoked = store.grant(revoked.id).await?;
    ensure(revoked.is_some_and(|grant| !grant.is_live(context.now)), "a revocation was undone")?;
    same("an expired token", &store.access(redeemed.id, redeem.access.digest).await?, &None)?;
    let kept = store.access(redeemed.id, token.digest).await?.map(|(_, token)| token);
    same("a token with a second to live", &kept, &Some(token))?;
    let retry = store.grant(rotated.id).await?.and_then(|grant| grant.refresh).and_then(|refresh| refresh.retry);
    same("a retry whose window has ended", &retry, &None)
}

pub(super) async fn a_sweep_removes_expired_interactions(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let (gone, stays) = (sample::parked(context)?, sample::parked(context)?);
    let end = gone.expires_at;
    let stays = ParkedInteraction { expires_at: end.saturating_add(1), ..stays };
    for parked in [&gone, &stays] {
        store.park_interaction(parked.clone()).await?;
    }
    sweep(context, end, 1000).await?;
    same("an expired one", &store.interaction(gone.id, gone.browser, context.now).await?, &None)?;
    same("one with a second to live", &store.interaction(stays.id, stays.browser, end).await?, &Some(stays))
}

pub(super) async fn a_sweep_goes_in_small_batches(context: &Context<'_>) -> Verdict {
    let now = context.after(365 * DAY);
    sweep(context, now, 1000).await?;
    same("on an empty store", &context.store.sweep(now, 3).await?, &0)?;
    let grants = (0..10).map(|_| sample::grant(context)).collect::<Result<Vec<_>, _>>()?;
    for grant in &grants {
        context.store.insert_grant(grant.clone(), None).await?;
    }
    for expected in [3, 3, 3, 1, 0] {
        same("of ten, three at a time", &context.store.sweep(now, 3).await?, &expected)?;
    }
    let tokens = async |count: usize| {
        let grant = sample::grant(context)?;
        context.store.insert_grant(grant.clone(), None).await?;
        for _ in 0..count {
            let token = AccessToken { expires_at: context.after(HOUR), ..sample::access(context)? };
            context.store.insert_access(grant.id, token, context.now).await?;
        }
        Ok::<_, Broken>(grant)
    };
    tokens(5).await?;
    same("tokens first, their grant stays", &sweep(context, context.after(2 * HOUR), 2).await?, &5)?;
    same("then the grant", &sweep(context, now, 2).await?, &1)
}

/// As if a year had passed.
async fn sweep_in_vain(context: &Context<'_>) -> Verdict {
    same("a sweep", &context.store.sweep(context.now, 10).await?, &0)?;
    same("a sweep after a year", &context.store.sweep(context.after(365 * DAY), 10).await?, &0)
}

pub(super) async fn a_store_that_cleans_up_by_itself_is_left_alone_by_sweeps(context: &Context<'_>) -> Verdict {
    let (grant, access) = (sample::refreshable(context)?, sample::access(context)?);
    context.store.insert_grant(grant.clone(), Some(access.clone())).await?;
    let consent = sample::consent(context)?;
    same("a consent", &context.store.replace_consent(consent.clone(), None, context.now).await?, &true)?;
    let tokens = sample::peer_tokens(context, &sample::queued(context)?)?;
    same("tokens", &context.store.replace_peer_tokens(tokens.clone(), None, context.now).await?, &true)?;
    sweep_in_vain(context).await?;
    let found = context.store.peer_tokens(tokens.link.clone(), context.now).await?;
    same("tokens", &found, &Some(tokens))?;
    let found = context.store.access(grant.id, access.digest).await?;
    same("a grant and its token", &found, &Some((grant, access)))?;
    let found = context.store.consent(consent.subject.clone(), consent.client.clone(), context.now).await?;
    same("a consent", &found, &Some(consent))
}

pub(super) async fn interactions_that_end_by_themselves_are_left_alone_by_sweeps(context: &Context<'_>) -> Verdict {
    let parked = sample::parked(context)?;
    context.store.park_interaction(parked.clone()).await?;
    // Whatever else the store holds is gone after this.
    sweep(context, context.after(365 * DAY), 1000).await?;
    sweep_in_vain(context).await?;
    let found = context.store.interaction(parked.id, parked.browser, context.now).await?;
    same("an interaction", &found, &Some(parked))
}
