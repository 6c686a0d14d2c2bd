//! Ways back that end when what they lead to is first used.

use std::sync::Arc;

use futures_util::future::Either;

use super::{
    context::{Broken, Context, RUNNERS, Verdict, count, ensure, same},
    sample::{self, DAY},
};
use crate::store::{Grant, NextRefresh, RefreshOutcome, RotateRefresh};

/// A grant whose refresh token has been replaced, until its successor or the
/// access token beside it is used.
async fn unconfirmed(context: &Context<'_>) -> Result<(Grant, RotateRefresh), Broken> {
    let grant = sample::refreshable(context)?;
    context.store.insert_grant(grant.clone(), None).await?;
    let first = sample::rotation_until_first_use(context, &grant, b"sealed\0response")?;
    same("at first", &context.store.rotate_refresh(first.clone()).await?, &RefreshOutcome::Rotated)?;
    Ok((grant, first))
}

/// What comes of the token that was replaced, so many seconds later.
async fn again(context: &Context<'_>, grant: &Grant, after: u64) -> Result<RefreshOutcome, Broken> {
    let again = sample::rotation_until_first_use(context, grant, b"another")?;
    Ok(context.store.rotate_refresh(RotateRefresh { now: context.after(after), ..again }).await?)
}

fn retried() -> RefreshOutcome {
    RefreshOutcome::Retry { sealed: b"sealed\0response".to_vec() }
}

pub(super) async fn a_way_back_until_first_use_ends_with_the_access_token(context: &Context<'_>) -> Verdict {
    let (grant, first) = unconfirmed(context).await?;
    let store = &context.store;
    let before = store.grant(grant.id).await?;
    let access = before.as_ref().and_then(|grant| grant.refresh.as_ref()?.retry.as_ref()?.access);
    same("what ends it", &access, &Some(first.access.digest))?;
    for after in [0, 60, 10 * DAY] {
        same("the old token", &again(context, &grant, after).await?, &retried())?;
    }
    let now = context.after(10 * DAY);
    same("another token is used", &store.confirm_refresh(grant.id, sample::digest()?, now).await?, &false)?;
    same("the grant", &store.grant(grant.id).await?, &before)?;
    same("its token is used", &store.confirm_refresh(grant.id, first.access.digest, now).await?, &true)?;
    let after = before.map(|mut grant| {
        grant.refresh.iter_mut().for_each(|refresh| refresh.retry = None);
        grant
    });
    same("the grant", &store.grant(grant.id).await?, &after)?;
    same("and is used again", &store.confirm_refresh(grant.id, first.access.digest, now).await?, &false)?;
    same("the old token", &again(context, &grant, 10 * DAY).await?, &RefreshOutcome::Reused)
}

pub(super) async fn a_way_back_until_first_use_ends_with_the_refresh_token(context: &Context<'_>) -> Verdict {
    let (grant, first) = unconfirmed(context).await?;
    let store = &context.store;
    let next = RotateRefresh { next: NextRefresh::Same, ..sample::following(context, &first)? };
    same("the successor", &store.rotate_refresh(next).await?, &RefreshOutcome::Rotated)?;
    same("late", &store.confirm_refresh(grant.id, first.access.digest, context.now).await?, &false)?;
    same("the old token", &again(context, &grant, 1).await?, &RefreshOutcome::Reused)?;
    // And in a chain of them the last alone.
    let (grant, first) = unconfirmed(context).await?;
    let digest = sample::digest()?;
    let next = NextRefresh::UntilFirstUse { digest, sealed: vec![2], until: context.after(DAY) };
    let second = RotateRefresh { next, ..sample::following(context, &first)? };
    same("the second", &store.rotate_refresh(second.clone()).await?, &RefreshOutcome::Rotated)?;
    let outcome = store.rotate_refresh(RotateRefresh { access: sample::access(context)?, ..second.clone() }).await?;
    same("the second again", &outcome, &RefreshOutcome::Retry { sealed: vec![2] })?;
    same("the token of the first", &store.confirm_refresh(grant.id, first.access.digest, context.now).await?, &false)?;
    same("of the second", &store.confirm_refresh(grant.id, second.access.digest, context.now).await?, &true)
}

pub(super) async fn a_confirmation_is_about_one_way_back(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    // One that does not ask for it.
    let grant = sample::refreshable(context)?;
    store.insert_grant(grant.clone(), None).await?;
    let first = sample::rotation_with_retry(context, &grant, b"sealed\0response", context.after(30))?;
    same("at first", &store.rotate_refresh(first.clone()).await?, &RefreshOutcome::Rotated)?;
    same("its token", &store.confirm_refresh(grant.id, first.access.digest, context.now).await?, &false)?;
    same("a retry", &again(context, &grant, 1).await?, &retried())?;
    // One whose window has closed, in a grant that lives.
    let grant = sample::refreshable(context)?;
    store.insert_grant(grant.clone(), None).await?;
    let next = NextRefresh::UntilFirstUse { digest: sample::digest()?, sealed: vec![2], until: context.after(DAY) };
    let first = RotateRefresh { next, ..sample::rotation_until_first_use(context, &grant, b"sealed")? };
    same("at first", &store.rotate_refresh(first.clone()).await?, &RefreshOutcome::Rotated)?;
    let closed = store.confirm_refresh(grant.id, first.access.digest, context.after(DAY)).await?;
    same("once its window has closed", &closed, &false)?;
    // One that has ended, one of a grant that has, and none.
    let (grant, first) = unconfirmed(context).await?;
    let late = context.after(30 * DAY);
    same("at its end", &store.confirm_refresh(grant.id, first.access.digest, late).await?, &false)?;
    store.revoke_grant(grant.id, context.now).await?;
    same("when revoked", &store.confirm_refresh(grant.id, first.access.digest, context.now).await?, &false)?;
    let none = sample::grant(context)?;
    store.insert_grant(none.clone(), None).await?;
    for id in [none.id, sample::id()?] {
        same("where none is", &store.confirm_refresh(id, sample::digest()?, context.now).await?, &false)?;
    }
    Ok(())
}

pub(super) async fn a_confirmation_holds_whatever_the_clocks_say(context: &Context<'_>) -> Verdict {
    let (behind, ahead) = (context.now.saturating_sub(300), context.after(300));
    for (first, second) in [(behind, ahead), (ahead, behind)] {
        // What the functions of `Grant` say is what the store must say.
        let mut expected = sample::refreshable(context)?;
        context.store.insert_grant(expected.clone(), None).await?;
        let start = sample::rotation_until_first_use(context, &expected, b"sealed")?;
        let old = RotateRefresh { now: second, ..sample::rotation(context, &expected)? };
        let start = RotateRefresh { now: first, ..start };
        let outcome = context.store.rotate_refresh(start.clone()).await?;
        same("a rotation", &outcome, &expected.rotate_refresh(&start))?;
        let confirmed = context.store.confirm_refresh(expected.id, start.access.digest, second).await?;
        same("a use", &confirmed, &expected.confirm_refresh(start.access.digest, second))?;
        let outcome = context.store.rotate_refresh(old.clone()).await?;
        same("the old token", &outcome, &expected.rotate_refresh(&old))?;
        same("the grant", &context.store.grant(expected.id).await?, &Some(expected))?;
    }
    Ok(())
}

pub(super) async fn a_confirmation_that_races_the_old_token_ends_its_way(context: &Context<'_>) -> Verdict {
    let (grant, first) = unconfirmed(context).await?;
    let runner = |n: u8| {
        let (store, now, id, access) = (Arc::clone(&context.store), context.now, grant.id, first.access.digest);
        if n.is_multiple_of(2) {
            return Either::Left(async move { Ok(Err(store.confirm_refresh(id, access, now).await?)) });
        }
        let old = sample::rotation_until_first_use(context, &grant, b"another");
        Either::Right(async move {
            let old = old.map_err(|broken| crate::store::StoreError::unavailable(broken.to_string()))?;
            Ok(Ok(store.rotate_refresh(old).await?))
        })
    };
    let outcomes = context.race((0..RUNNERS).map(runner)).await?;
    same("uses that ended it", &count(&outcomes, &Err(true)), &1)?;
    let (reused, retries) = (count(&outcomes, &Ok(RefreshOutcome::Reused)), count(&outcomes, &Ok(retried())));
    let refused = count(&outcomes, &Ok(RefreshOutcome::Refused));
    same("uses of the old token", &(reused + retries + refused), &(usize::from(RUNNERS) / 2))?;
    let live = context.store.grant(grant.id).await?.is_some_and(|grant| grant.is_live(context.now));
    ensure(reused == usize::from(!live), format!("{reused} uses were reuse, and the grant lives: {live}"))?;
    if live {
        same("the old token at last", &again(context, &grant, 0).await?, &RefreshOutcome::Reused)?;
    }
    Ok(())
}
