//! Inserting, reading and revoking.

use super::{
    context::{Context, Verdict, conflicts, ensure, same},
    sample::{self, DAY},
};
use crate::store::{Grant, Redemption, RefreshOutcome, Revocation};

pub(super) async fn a_grant_is_read_back_as_it_was_written(context: &Context<'_>) -> Verdict {
    let plain = {
        let mut grant = sample::grant(context)?;
        (grant.facts.subject, grant.facts.auth_time, grant.facts.acr) = (None, None, None);
        grant.facts.resources.clear();
        grant
    };
    let samples = [plain, sample::coded(context)?, sample::refreshable(context)?, sample::full(context)?];
    for grant in samples {
        let access = sample::access(context)?;
        context.store.insert_grant(grant.clone(), Some(access.clone())).await?;
        same("the grant", &context.store.grant(grant.id).await?, &Some(grant.clone()))?;
        let found = context.store.access(grant.id, access.digest).await?;
        same("its access token", &found, &Some((grant, access)))?;
    }
    Ok(())
}

pub(super) async fn an_unknown_grant_answers_as_such(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let grant = sample::coded(context)?;
    let (id, access) = (grant.id, sample::access(context)?);
    same("grant", &store.grant(id).await?, &None)?;
    same("access", &store.access(id, access.digest).await?, &None)?;
    let redeem = sample::redemption(context, &grant)?;
    same("redeem_code", &store.redeem_code(redeem).await?, &Redemption::Refused)?;
    let rotate = sample::rotation(context, &grant)?;
    same("rotate_refresh", &store.rotate_refresh(rotate).await?, &RefreshOutcome::Refused)?;
    same("insert_access", &store.insert_access(id, access.clone(), context.now).await?, &false)?;
    same("revoke_grant", &store.revoke_grant(id, context.now).await?, &Revocation::Unknown)?;
    same("revoke_access", &store.revoke_access(id, access.digest).await?, &false)
}

pub(super) async fn a_grant_id_is_taken_once(context: &Context<'_>) -> Verdict {
    let first = sample::full(context)?;
    context.store.insert_grant(first.clone(), None).await?;
    let second = Grant { id: first.id, ..sample::coded(context)? };
    let access = sample::access(context)?;
    conflicts("a second insertion", &context.store.insert_grant(second, Some(access.clone())).await)?;
    same("the first grant", &context.store.grant(first.id).await?, &Some(first.clone()))?;
    same("the second's token", &context.store.access(first.id, access.digest).await?, &None)
}

pub(super) async fn an_access_token_belongs_to_its_own_grant_alone(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let (own, other) = (sample::grant(context)?, sample::grant(context)?);
    let access = sample::access(context)?;
    store.insert_grant(own.clone(), Some(access.clone())).await?;
    store.insert_grant(other.clone(), Some(sample::access(context)?)).await?;
    same("under another grant", &store.access(other.id, access.digest).await?, &None)?;
    same("revoked there", &store.revoke_access(other.id, access.digest).await?, &false)?;
    same("under its own", &store.access(own.id, access.digest).await?, &Some((own, access)))
}

pub(super) async fn an_ended_grant_takes_no_access_token(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let mut grant = sample::grant(context)?;
    grant.expires_at = context.after(DAY);
    store.insert_grant(grant.clone(), None).await?;
    for (after, expected) in [(DAY - 1, true), (DAY, false), (DAY + 1, false)] {
        let access = sample::access(context)?;
        let digest = access.digest;
        let taken = store.insert_access(grant.id, access, context.after(after)).await?;
        same(&format!("{after} seconds on, of {DAY}"), &taken, &expected)?;
        let found = store.access(grant.id, digest).await?.is_some();
        ensure(expected || !found, "a refused token was kept")?;
    }
    store.revoke_grant(grant.id, context.now).await?;
    let access = sample::access(context)?;
    same("once revoked", &store.insert_access(grant.id, access.clone(), context.now).await?, &false)?;
    same("the refused token", &store.access(grant.id, access.digest).await?, &None)
}

pub(super) async fn a_grant_is_revoked_once_and_for_all(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let (grant, access) = (sample::refreshable(context)?, sample::access(context)?);
    store.insert_grant(grant.clone(), Some(access.clone())).await?;
    same("at first", &store.revoke_grant(grant.id, context.after(1)).await?, &Revocation::Revoked)?;
    same("again", &store.revoke_grant(grant.id, context.after(2)).await?, &Revocation::AlreadyRevoked)?;
    let found = store.grant(grant.id).await?;
    same("revoked_at", &found.and_then(|grant| grant.revoked_at), &Some(context.after(1)))?;
    let live = store.access(grant.id, access.digest).await?.is_some_and(|(grant, _)| grant.is_live(context.now));
    ensure(!live, "its access token lives on")?;
    let rotate = sample::rotation(context, &grant)?;
    same("a refresh", &store.rotate_refresh(rotate).await?, &RefreshOutcome::Refused)
}

pub(super) async fn revoking_a_grant_leaves_the_others_alone(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let (gone, other) = (sample::refreshable(context)?, sample::refreshable(context)?);
    let access = sample::access(context)?;
    store.insert_grant(gone.clone(), None).await?;
    store.insert_grant(other.clone(), Some(access.clone())).await?;
    store.revoke_grant(gone.id, context.now).await?;
    same("the other grant", &store.access(other.id, access.digest).await?, &Some((other, access)))
}

pub(super) async fn revoking_an_access_token_leaves_its_grant_alive(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let grant = sample::refreshable(context)?;
    let (gone, stays) = (sample::access(context)?, sample::access(context)?);
    store.insert_grant(grant.clone(), Some(gone.clone())).await?;
    same("insert_access", &store.insert_access(grant.id, stays.clone(), context.now).await?, &true)?;
    same("at first", &store.revoke_access(grant.id, gone.digest).await?, &true)?;
    same("again", &store.revoke_access(grant.id, gone.digest).await?, &false)?;
    same("the token", &store.access(grant.id, gone.digest).await?, &None)?;
    same("its sibling", &store.access(grant.id, stays.digest).await?, &Some((grant, stays)))
}

pub(super) async fn a_store_that_works_says_so(context: &Context<'_>) -> Verdict {
    context.store.check().await?;
    Ok(())
}
