//! Rotating refresh tokens: successors, retries, reuse.

use super::{
    context::{Broken, Context, Verdict, ensure, same},
    sample::{self, DAY, IDLE},
};
use crate::store::{Grant, NextRefresh, Refresh, RefreshOutcome, RotateRefresh};

/// A grant in the store, with a refresh token.
async fn inserted(context: &Context<'_>) -> Result<Grant, Broken> {
    let grant = sample::refreshable(context)?;
    context.store.insert_grant(grant.clone(), None).await?;
    Ok(grant)
}

async fn expect(context: &Context<'_>, what: &str, rotate: &RotateRefresh, expected: RefreshOutcome) -> Verdict {
    same(what, &context.store.rotate_refresh(rotate.clone()).await?, &expected)?;
    let token = context.store.access(rotate.grant, rotate.access.digest).await?;
    let kept = token.map(|(_, access)| access);
    same(what, &kept, &(expected == RefreshOutcome::Rotated).then(|| rotate.access.clone()))
}

async fn expect_live(context: &Context<'_>, grant: &Grant, expected: bool) -> Verdict {
    let live = context.store.grant(grant.id).await?.is_some_and(|grant| grant.is_live(context.now));
    ensure(live == expected, if live { "the grant lives on" } else { "the grant was revoked" })
}

pub(super) async fn a_refresh_token_is_replaced_by_its_successor(context: &Context<'_>) -> Verdict {
    let grant = inserted(context).await?;
    let first = RotateRefresh { now: context.after(5), ..sample::rotation(context, &grant)? };
    expect(context, "the first", &first, RefreshOutcome::Rotated).await?;
    let second = sample::following(context, &first)?;
    let refresh = Refresh { digest: second.digest, generation: 1, used_at: context.after(5), retry: None };
    let expected = Grant { refresh: Some(refresh), ..grant.clone() };
    same("the grant", &context.store.grant(grant.id).await?, &Some(expected))?;
    expect(context, "the second", &second, RefreshOutcome::Rotated).await?;
    let third = sample::following(context, &second)?;
    expect(context, "the third", &third, RefreshOutcome::Rotated).await?;
    expect_live(context, &grant, true).await
}

pub(super) async fn a_foreign_or_wrong_token_changes_nothing(context: &Context<'_>) -> Verdict {
    let grant = inserted(context).await?;
    let right = || sample::rotation(context, &grant);
    let wrong = [
        ("another client", RotateRefresh { client: sample::client("thief")?, ..right()? }),
        ("another token of this generation", RotateRefresh { digest: sample::digest()?, ..right()? }),
        ("a token of a later generation", RotateRefresh { digest: sample::digest()?, generation: 9, ..right()? }),
    ];
    for (what, rotate) in wrong {
        expect(context, what, &rotate, RefreshOutcome::Refused).await?;
        same(what, &context.store.grant(grant.id).await?, &Some(grant.clone()))?;
    }
    expect(context, "the right one", &right()?, RefreshOutcome::Rotated).await
}

pub(super) async fn reuse_revokes_the_grant(context: &Context<'_>) -> Verdict {
    let grant = inserted(context).await?;
    let first = sample::rotation(context, &grant)?;
    expect(context, "at first", &first, RefreshOutcome::Rotated).await?;
    let thief = RotateRefresh { client: sample::client("thief")?, ..sample::rotation(context, &grant)? };
    expect(context, "again, by another client", &thief, RefreshOutcome::Refused).await?;
    expect_live(context, &grant, true).await?;
    let again = RotateRefresh { now: context.after(1), ..sample::rotation(context, &grant)? };
    expect(context, "again", &again, RefreshOutcome::Reused).await?;
    let found = context.store.grant(grant.id).await?;
    same("revoked_at", &found.and_then(|grant| grant.revoked_at), &Some(context.after(1)))?;
    let successor = sample::following(context, &first)?;
    expect(context, "its successor", &successor, RefreshOutcome::Refused).await
}

pub(super) async fn a_retry_gets_the_same_successor(context: &Context<'_>) -> Verdict {
    let grant = inserted(context).await?;
    let first = sample::rotation_with_retry(context, &grant, b"sealed\0response", context.after(30))?;
    expect(context, "at first", &first, RefreshOutcome::Rotated).await?;
    let before = context.store.grant(grant.id).await?;
    for after in [0, 1, 29] {
        let mut retry = sample::rotation_with_retry(context, &grant, b"another", context.after(60))?;
        retry.now = context.after(after);
        let expected = RefreshOutcome::Retry { sealed: b"sealed\0response".to_vec() };
        expect(context, &format!("a retry after {after} of 30 seconds"), &retry, expected).await?;
        same("the grant", &context.store.grant(grant.id).await?, &before)?;
    }
    let successor = sample::following(context, &first)?;
    expect(context, "the successor", &successor, RefreshOutcome::Rotated).await
}

pub(super) async fn a_retry_ends_with_its_window(context: &Context<'_>) -> Verdict {
    let grant = inserted(context).await?;
    let first = sample::rotation_with_retry(context, &grant, b"sealed", context.after(30))?;
    expect(context, "at first", &first, RefreshOutcome::Rotated).await?;
    let late = RotateRefresh { now: context.after(30), ..sample::rotation(context, &grant)? };
    expect(context, "after 30 of 30 seconds", &late, RefreshOutcome::Reused).await?;
    expect_live(context, &grant, false).await
}

pub(super) async fn a_retry_ends_when_the_successor_is_used(context: &Context<'_>) -> Verdict {
    for next in [NextRefresh::Successor { digest: sample::digest()?, retry: None }, NextRefresh::Same] {
        let grant = inserted(context).await?;
        let first = sample::rotation_with_retry(context, &grant, b"sealed", context.after(30))?;
        expect(context, "at first", &first, RefreshOutcome::Rotated).await?;
        let successor = RotateRefresh { next, ..sample::following(context, &first)? };
        expect(context, "the successor", &successor, RefreshOutcome::Rotated).await?;
        let again = sample::rotation(context, &grant)?;
        expect(context, "the first token again", &again, RefreshOutcome::Reused).await?;
        expect_live(context, &grant, false).await?;
    }
    Ok(())
}

pub(super) async fn a_retry_is_for_the_same_client_alone(context: &Context<'_>) -> Verdict {
    let grant = inserted(context).await?;
    let first = sample::rotation_with_retry(context, &grant, b"sealed", context.after(30))?;
    expect(context, "at first", &first, RefreshOutcome::Rotated).await?;
    let thief = RotateRefresh { client: sample::client("thief")?, ..sample::rotation(context, &grant)? };
    expect(context, "another client's retry", &thief, RefreshOutcome::Refused).await?;
    expect_live(context, &grant, true).await
}

pub(super) async fn an_idle_refresh_token_is_void(context: &Context<'_>) -> Verdict {
    for (after, expected) in [(IDLE - 1, RefreshOutcome::Rotated), (IDLE, RefreshOutcome::Refused)] {
        let grant = inserted(context).await?;
        let rotate = RotateRefresh { now: context.after(after), ..sample::rotation(context, &grant)? };
        let outcome = context.store.rotate_refresh(rotate).await?;
        same(&format!("{after} seconds on, of {IDLE}"), &outcome, &expected)?;
    }
    // Use starts the count anew, also where the token stays the same.
    let grant = inserted(context).await?;
    for days in [10, 20] {
        let rotate = sample::rotation(context, &grant)?;
        let rotate = RotateRefresh { now: context.after(days * DAY), next: NextRefresh::Same, ..rotate };
        same(&format!("after {days} days"), &context.store.rotate_refresh(rotate).await?, &RefreshOutcome::Rotated)?;
    }
    Ok(())
}

pub(super) async fn a_refresh_token_ends_with_its_grant(context: &Context<'_>) -> Verdict {
    let revoked = inserted(context).await?;
    context.store.revoke_grant(revoked.id, context.now).await?;
    expect(context, "of a revoked grant", &sample::rotation(context, &revoked)?, RefreshOutcome::Refused).await?;
    let expired = Grant { expires_at: context.after(DAY), ..sample::refreshable(context)? };
    context.store.insert_grant(expired.clone(), None).await?;
    let late = RotateRefresh { now: context.after(DAY), ..sample::rotation(context, &expired)? };
    expect(context, "of an expired grant", &late, RefreshOutcome::Refused).await?;
    let without = sample::grant(context)?;
    context.store.insert_grant(without.clone(), None).await?;
    expect(context, "of a grant without one", &sample::rotation(context, &without)?, RefreshOutcome::Refused).await
}

pub(super) async fn without_rotation_the_token_stays(context: &Context<'_>) -> Verdict {
    let grant = inserted(context).await?;
    for after in [1, 2] {
        let rotate = sample::rotation(context, &grant)?;
        let rotate = RotateRefresh { now: context.after(after), next: NextRefresh::Same, ..rotate };
        expect(context, "the token", &rotate, RefreshOutcome::Rotated).await?;
        let refresh = grant.refresh.clone().map(|refresh| Refresh { used_at: context.after(after), ..refresh });
        let expected = Grant { refresh, ..grant.clone() };
        same("the grant", &context.store.grant(grant.id).await?, &Some(expected))?;
    }
    Ok(())
}
