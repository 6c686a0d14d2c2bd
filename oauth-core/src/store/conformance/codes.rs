//! Redeeming authorization codes.

use super::{
    context::{Broken, Context, Verdict, ensure, same},
    sample::{self, CODE, REDIRECT_URI},
};
use crate::store::{Code, Grant, RedeemCode, Redemption, Refresh};

pub(super) async fn a_code_is_redeemed_by_whom_it_is_bound_to(context: &Context<'_>) -> Verdict {
    for with_refresh in [true, false] {
        let grant = sample::coded(context)?;
        context.store.insert_grant(grant.clone(), None).await?;
        let mut redeem = sample::redemption(context, &grant)?;
        redeem.refresh = redeem.refresh.filter(|_| with_refresh);
        same("the outcome", &context.store.redeem_code(redeem.clone()).await?, &Redemption::Redeemed)?;
        let refresh = |digest| Refresh { digest, generation: 0, used_at: context.now, retry: None };
        let code = grant.code.clone().map(|code| Code { redeemed_at: Some(context.now), ..code });
        let expected = Grant { code, refresh: redeem.refresh.map(refresh), ..grant };
        let found = context.store.access(expected.id, redeem.access.digest).await?;
        same("the grant and its token", &found, &Some((expected, redeem.access)))?;
    }
    Ok(())
}

pub(super) async fn a_code_bound_otherwise_is_refused_and_stays_good(context: &Context<'_>) -> Verdict {
    let grant = sample::coded(context)?;
    context.store.insert_grant(grant.clone(), None).await?;
    for (what, redeem) in wrong_redemptions(context, &grant)? {
        same(what, &context.store.redeem_code(redeem.clone()).await?, &Redemption::Refused)?;
        same(what, &context.store.grant(grant.id).await?, &Some(grant.clone()))?;
        same(what, &context.store.access(grant.id, redeem.access.digest).await?, &None)?;
    }
    let redeem = sample::redemption(context, &grant)?;
    same("the right one", &context.store.redeem_code(redeem).await?, &Redemption::Redeemed)
}

/// Redemptions of the code of `grant`, each wrong in one way.
pub(super) fn wrong_redemptions(
    context: &Context<'_>,
    grant: &Grant,
) -> Result<[(&'static str, RedeemCode); 6], Broken> {
    let right = || sample::redemption(context, grant);
    Ok([
        ("another code", RedeemCode { digest: sample::digest()?, ..right()? }),
        ("another client", RedeemCode { client: sample::client("thief")?, ..right()? }),
        ("another redirect URI", RedeemCode { redirect_uri: Some(format!("{REDIRECT_URI}/")), ..right()? }),
        ("no redirect URI", RedeemCode { redirect_uri: None, ..right()? }),
        ("another verifier", RedeemCode { challenge: sample::challenge('w'), ..right()? }),
        ("no verifier", RedeemCode { challenge: None, ..right()? }),
    ])
}

pub(super) async fn a_redirect_uri_may_be_omitted_only_where_it_was(context: &Context<'_>) -> Verdict {
    let mut grant = sample::coded(context)?;
    grant.code.iter_mut().for_each(|code| code.redirect_uri_required = false);
    context.store.insert_grant(grant.clone(), None).await?;
    let wrong =
        RedeemCode { redirect_uri: Some("https://thief.example/".to_owned()), ..sample::redemption(context, &grant)? };
    same("another one", &context.store.redeem_code(wrong).await?, &Redemption::Refused)?;
    let none = RedeemCode { redirect_uri: None, ..sample::redemption(context, &grant)? };
    same("none", &context.store.redeem_code(none).await?, &Redemption::Redeemed)
}

pub(super) async fn an_expired_code_is_refused(context: &Context<'_>) -> Verdict {
    for (after, expected) in [(CODE - 1, Redemption::Redeemed), (CODE, Redemption::Refused)] {
        let grant = sample::coded(context)?;
        context.store.insert_grant(grant.clone(), None).await?;
        let redeem = RedeemCode { now: context.after(after), ..sample::redemption(context, &grant)? };
        let outcome = context.store.redeem_code(redeem).await?;
        same(&format!("{after} seconds on, of {CODE}"), &outcome, &expected)?;
    }
    Ok(())
}

pub(super) async fn a_code_of_an_ended_grant_is_refused(context: &Context<'_>) -> Verdict {
    let revoked = sample::coded(context)?;
    context.store.insert_grant(revoked.clone(), None).await?;
    context.store.revoke_grant(revoked.id, context.now).await?;
    let expired = Grant { expires_at: context.now, ..sample::coded(context)? };
    context.store.insert_grant(expired.clone(), None).await?;
    for (what, grant) in [("of a revoked grant", revoked), ("of an expired grant", expired)] {
        let redeem = sample::redemption(context, &grant)?;
        same(what, &context.store.redeem_code(redeem.clone()).await?, &Redemption::Refused)?;
        same(what, &context.store.access(grant.id, redeem.access.digest).await?, &None)?;
    }
    Ok(())
}

pub(super) async fn a_replayed_code_revokes_its_grant(context: &Context<'_>) -> Verdict {
    // Half of the time after the code has expired: that is still a replay.
    for after in [1, CODE + 1] {
        let grant = sample::coded(context)?;
        context.store.insert_grant(grant.clone(), None).await?;
        let first = sample::redemption(context, &grant)?;
        same("at first", &context.store.redeem_code(first.clone()).await?, &Redemption::Redeemed)?;
        let replay = RedeemCode { now: context.after(after), ..sample::redemption(context, &grant)? };
        same("again", &context.store.redeem_code(replay.clone()).await?, &Redemption::Replayed)?;
        let found = context.store.grant(grant.id).await?;
        same("revoked_at", &found.and_then(|grant| grant.revoked_at), &Some(replay.now))?;
        let third = sample::redemption(context, &grant)?;
        same("a third time", &context.store.redeem_code(third).await?, &Redemption::Replayed)?;
        same("the replay's token", &context.store.access(grant.id, replay.access.digest).await?, &None)?;
        let first = context.store.access(grant.id, first.access.digest).await?;
        ensure(first.is_none_or(|(grant, _)| !grant.is_live(replay.now)), "the first token lives on")?;
    }
    Ok(())
}

pub(super) async fn a_replay_with_another_binding_revokes_nothing(context: &Context<'_>) -> Verdict {
    let grant = sample::coded(context)?;
    context.store.insert_grant(grant.clone(), None).await?;
    let first = sample::redemption(context, &grant)?;
    same("at first", &context.store.redeem_code(first).await?, &Redemption::Redeemed)?;
    let before = context.store.grant(grant.id).await?;
    for (what, redeem) in wrong_redemptions(context, &grant)? {
        same(what, &context.store.redeem_code(redeem).await?, &Redemption::Refused)?;
        same(what, &context.store.grant(grant.id).await?, &before)?;
    }
    Ok(())
}
