//! Lists of revoked tokens, and the tokens that have a place in one.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    context::{Broken, Context, RUNNERS, Verdict, ensure, same},
    sample::{self, DAY, HOUR},
};
use crate::{
    store::{AccessToken, StatusPlace},
    token::GrantId,
};

async fn places(context: &Context<'_>, id: GrantId, later: u64) -> Result<BTreeSet<StatusPlace>, Broken> {
    Ok(context.store.grant_statuses(id, context.after(later)).await?.into_iter().collect())
}

/// The number of a list that nobody else knows.
fn list() -> Result<u64, Broken> {
    Ok(u64::from_be_bytes(sample::random()?) >> 11)
}

pub(super) async fn every_step_that_keeps_a_token_keeps_its_place(context: &Context<'_>) -> Verdict {
    let (first, grant) = (sample::access(context)?, sample::coded(context)?);
    context.store.insert_grant(grant.clone(), Some(first.clone())).await?;
    let redemption = sample::redemption(context, &grant)?;
    context.store.redeem_code(redemption.clone()).await?;
    let mut rotation = sample::rotation(context, &grant)?;
    rotation.digest = redemption.refresh.unwrap_or(rotation.digest);
    context.store.rotate_refresh(rotation.clone()).await?;
    let added = sample::access(context)?;
    context.store.insert_access(grant.id, added.clone(), context.now).await?;
    let without = AccessToken { status: None, ..sample::access(context)? };
    context.store.insert_access(grant.id, without, context.now).await?;
    let expected: BTreeSet<_> =
        [first, redemption.access, rotation.access, added].iter().filter_map(|access| access.status).collect();
    same("places under the grant", &places(context, grant.id, 0).await?, &expected)?;
    same("places under another", &places(context, sample::id()?, 0).await?, &BTreeSet::new())?;
    context.store.revoke_grant(grant.id, context.now).await?;
    same("places under a revoked grant", &places(context, grant.id, 0).await?, &expected)
}

pub(super) async fn a_place_is_forgotten_with_its_token(context: &Context<'_>) -> Verdict {
    let (short, grant) = (sample::access(context)?, sample::grant(context)?);
    context.store.insert_grant(grant.clone(), Some(short.clone())).await?;
    let long = AccessToken { expires_at: context.after(2 * HOUR), ..sample::access(context)? };
    context.store.insert_access(grant.id, long.clone(), context.now).await?;
    let of = |tokens: &[&AccessToken]| tokens.iter().filter_map(|access| access.status).collect::<BTreeSet<_>>();
    same("a second before", &places(context, grant.id, HOUR - 1).await?, &of(&[&short, &long]))?;
    same("at the end of one", &places(context, grant.id, HOUR).await?, &of(&[&long]))
}

pub(super) async fn what_was_revoked_stays_in_its_list(context: &Context<'_>) -> Verdict {
    let (list, other, until) = (list()?, list()?, context.after(DAY));
    let revoked = async |of| context.store.revoked_statuses(of, context.now).await;
    same("before", &revoked(list).await?, &Vec::new())?;
    context.store.revoke_statuses(list, vec![1_048_575, 3], until).await?;
    context.store.revoke_statuses(list, vec![0, 3], until).await?;
    context.store.revoke_statuses(list, Vec::new(), until).await?;
    // Again, as whoever does not know whether it happened.
    context.store.revoke_statuses(list, vec![0, 3, 3], until).await?;
    same("revoked", &revoked(list).await?, &vec![0, 3, 1_048_575])?;
    same("in another list", &revoked(other).await?, &Vec::new())?;
    context.store.revoke_statuses(other, vec![4], until).await?;
    same("then", &revoked(other).await?, &vec![4])?;
    context.store.sweep(context.after(DAY - 1), 100_000).await?;
    same("after a sweep", &revoked(list).await?, &vec![0, 3, 1_048_575])
}

pub(super) async fn a_sweep_removes_ended_statuses_in_small_batches(context: &Context<'_>) -> Verdict {
    let (list, store) = (list()?, &context.store);
    // Nothing else is left after this.
    while store.sweep(context.after(DAY), 100_000).await? > 0 {}
    store.revoke_statuses(list, (0..10).collect(), context.after(DAY + HOUR)).await?;
    same("before the end", &store.sweep(context.after(DAY + HOUR - 1), 100).await?, &0)?;
    let now = context.after(DAY + HOUR);
    for expected in [4, 4, 2, 0] {
        same("of ten, four at a time", &store.sweep(now, 4).await?, &expected)?;
    }
    same("then", &store.revoked_statuses(list, context.now).await?, &Vec::new())
}

pub(super) async fn parallel_revocations_in_one_list_are_all_kept(context: &Context<'_>) -> Verdict {
    let (list, until) = (list()?, context.after(DAY));
    let runner = |index: u32| {
        let store = Arc::clone(&context.store);
        async move { store.revoke_statuses(list, vec![index, index + 1_000], until).await }
    };
    context.race((0..u32::from(RUNNERS)).map(runner)).await?;
    let found = context.store.revoked_statuses(list, context.now).await?;
    same("revoked", &found.len(), &(2 * usize::from(RUNNERS)))
}

/// The fence: a token is let in before the revocation, and then it is found
/// after it, or not at all.
pub(super) async fn a_revocation_finds_the_place_of_every_token_that_it_lets_in(context: &Context<'_>) -> Verdict {
    let grant = sample::grant(context)?;
    context.store.insert_grant(grant.clone(), None).await?;
    let tokens: Vec<_> = (0..RUNNERS).map(|_| sample::access(context)).collect::<Result<_, _>>()?;
    let (id, now) = (grant.id, context.now);
    let runner = |(number, token): (usize, AccessToken)| {
        let store = Arc::clone(&context.store);
        async move {
            if number % 10 == 5 {
                store.revoke_grant(id, now).await?;
                let found = store.grant_statuses(id, now).await?.into_iter().collect::<BTreeSet<_>>();
                return Ok((None, Some(found)));
            }
            let place = token.status;
            Ok((store.insert_access(id, token, now).await?.then_some(place).flatten(), None))
        }
    };
    let outcomes = context.race(tokens.into_iter().enumerate().map(runner)).await?;
    let (let_in, found): (Vec<_>, Vec<_>) = outcomes.into_iter().unzip();
    let let_in: BTreeSet<_> = let_in.into_iter().flatten().collect();
    for found in found.into_iter().flatten() {
        ensure(let_in.is_subset(&found), format!("{} were let in, and {} found", let_in.len(), found.len()))?;
    }
    Ok(())
}

pub(super) async fn blocks_of_places_are_claimed_once_each(context: &Context<'_>) -> Verdict {
    let (group, until) = (sample::digest()?, context.after(DAY));
    same("claimed before", &context.store.claimed_statuses(group, context.now).await?, &0)?;
    let runner = |number: u64| {
        let (store, now) = (Arc::clone(&context.store), context.after(number % 3));
        async move { store.claim_statuses(group, until, now).await }
    };
    let claimed = context.race((0..u64::from(RUNNERS)).map(runner)).await?;
    let claimed: BTreeSet<_> = claimed.into_iter().collect();
    same("claimed", &claimed, &(1..=u64::from(RUNNERS)).collect())?;
    let so_far = context.store.claimed_statuses(group, context.after(DAY - 1)).await?;
    same("claimed so far", &so_far, &u64::from(RUNNERS))
}
