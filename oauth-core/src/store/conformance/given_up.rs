//! Calls that are given up halfway, as when a client closes its connection: each happens wholly or not at all, and
//! the store goes on. It may also happen a moment later: a statement that is under way is not called back.

use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    task::Poll::{Pending, Ready},
};

use super::{
    context::{Context, RUNNERS, Verdict, ensure, same},
    isolation, keys, sample,
};
use crate::{
    client::Client,
    store::{FinishInteraction, Redemption, RefreshOutcome, Revocation, StoreError, StoreFuture},
};

/// After how many polls calls are given up, one after the other.
pub(super) const POLLS: [usize; 4] = [1, 2, 3, 5];

/// Polls `call` so often and drops it; what it came to, if it came to something.
pub(super) async fn give_up<T>(mut call: StoreFuture<'_, T>, polls: usize) -> Result<Option<T>, StoreError> {
    let mut left = polls;
    let polled = poll_fn(|cx| match call.as_mut().poll(cx) {
        Ready(outcome) => Ready(outcome.map(Some)),
        Pending if left <= 1 => Ready(Ok(None)),
        Pending => {
            left -= 1;
            Pending
        }
    });
    pin!(polled).await
}

pub(super) async fn a_redemption_that_is_given_up_is_no_half_redemption(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    for polls in POLLS {
        let grant = sample::coded(context)?;
        store.insert_grant(grant.clone(), None).await?;
        let (first, second) = (sample::redemption(context, &grant)?, sample::redemption(context, &grant)?);
        give_up(store.redeem_code(first.clone()), polls).await?;
        isolation::redemption(&**store, grant.id, first.access.digest).await?;
        let outcome = store.redeem_code(second.clone()).await?;
        ensure(outcome != Redemption::Refused, "the code was lost, and nobody has redeemed it")?;
        let mut tokens = 0;
        for token in [first.access.digest, second.access.digest] {
            tokens += usize::from(store.access(grant.id, token).await?.is_some());
        }
        same("access tokens, of the one redemption", &tokens, &1)?;
    }
    Ok(())
}

pub(super) async fn a_refresh_that_is_given_up_leaves_the_way_to_its_successor(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    for polls in POLLS {
        let grant = sample::refreshable(context)?;
        store.insert_grant(grant.clone(), None).await?;
        let rotation = |sealed: &[u8]| sample::rotation_with_retry(context, &grant, sealed, context.after(30));
        let (first, second) = (rotation(b"first")?, rotation(b"second")?);
        give_up(store.rotate_refresh(first.clone()), polls).await?;
        let outcome = store.rotate_refresh(second.clone()).await?;
        let (winner, loser) = match &outcome {
            RefreshOutcome::Rotated => (&second, &first),
            RefreshOutcome::Retry { sealed } if sealed == b"first" => (&first, &second),
            _ => return ensure(false, format!("the refresh after it came to {outcome:?}")),
        };
        ensure(store.access(grant.id, winner.access.digest).await?.is_some(), "its access token is missing")?;
        same("the other's token", &store.access(grant.id, loser.access.digest).await?, &None)?;
        let next = sample::following(context, winner)?;
        same("the successor", &store.rotate_refresh(next).await?, &RefreshOutcome::Rotated)?;
    }
    Ok(())
}

pub(super) async fn an_insertion_that_is_given_up_is_no_half_insertion(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    for polls in POLLS {
        let (grant, access) = (sample::grant(context)?, sample::access(context)?);
        give_up(store.insert_grant(grant.clone(), Some(access.clone())), polls).await?;
        if store.grant(grant.id).await?.is_some() {
            ensure(store.access(grant.id, access.digest).await?.is_some(), "the grant is there, its token is not")?;
        }
        match store.insert_grant(grant.clone(), Some(access.clone())).await {
            Ok(()) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let found = store.access(grant.id, access.digest).await?;
        same("the grant and its token", &found, &Some((grant.clone(), access)))?;
        let (first, second) = (sample::access(context)?, sample::access(context)?);
        give_up(store.insert_access(grant.id, first.clone(), context.now), polls).await?;
        let found = store.access(grant.id, first.digest).await?;
        ensure(found.is_none_or(|(_, access)| access == first), "half a token")?;
        same("insert_access", &store.insert_access(grant.id, second.clone(), context.now).await?, &true)?;
        let found = store.access(grant.id, second.digest).await?;
        same("the token that was inserted", &found, &Some((grant, second)))?;
    }
    Ok(())
}

pub(super) async fn a_revocation_that_is_given_up_can_be_repeated(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    for polls in POLLS {
        let (grant, access) = (sample::refreshable(context)?, sample::access(context)?);
        store.insert_grant(grant.clone(), Some(access.clone())).await?;
        give_up(store.revoke_access(grant.id, access.digest), polls).await?;
        store.revoke_access(grant.id, access.digest).await?;
        same("the token", &store.access(grant.id, access.digest).await?, &None)?;
        give_up(store.revoke_grant(grant.id, context.now), polls).await?;
        let again = store.revoke_grant(grant.id, context.after(1)).await?;
        ensure(again != Revocation::Unknown, "the grant is gone")?;
        let live = store.grant(grant.id).await?.is_none_or(|grant| grant.is_live(context.now));
        ensure(!live, "the grant was not revoked")?;
    }
    Ok(())
}

pub(super) async fn a_confirmation_that_is_given_up_can_be_repeated(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    for polls in POLLS {
        let grant = sample::refreshable(context)?;
        store.insert_grant(grant.clone(), None).await?;
        let first = sample::rotation_until_first_use(context, &grant, b"sealed")?;
        store.rotate_refresh(first.clone()).await?;
        give_up(store.confirm_refresh(grant.id, first.access.digest, context.now), polls).await?;
        store.confirm_refresh(grant.id, first.access.digest, context.now).await?;
        let old = sample::rotation(context, &grant)?;
        same("the old token", &store.rotate_refresh(old).await?, &RefreshOutcome::Reused)?;
    }
    Ok(())
}

pub(super) async fn an_interaction_whose_end_is_given_up_can_end(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    for polls in POLLS {
        let (other, parked) = (sample::parked(context)?, sample::parked(context)?);
        let (id, browser, now) = (parked.id, parked.browser, context.now);
        give_up(store.park_interaction(other.clone()), polls).await?;
        let found = store.interaction(other.id, other.browser, now).await?;
        ensure(found.is_none_or(|found| found == other), "half an interaction")?;
        store.park_interaction(parked).await?;
        let (first, second) = (sample::coded(context)?, sample::coded(context)?);
        let finish = |grant| FinishInteraction { id, browser, now, grant: Some(grant) };
        give_up(store.finish_interaction(finish(first.clone())), polls).await?;
        let finished = store.finish_interaction(finish(second.clone())).await?;
        same("the interaction afterwards", &store.interaction(id, browser, now).await?, &None)?;
        let led_to = if finished { second } else { first };
        same("the grant it led to", &store.grant(led_to.id).await?, &Some(led_to.clone()))?;
    }
    Ok(())
}

pub(super) async fn a_client_or_key_that_is_given_up_is_no_half_one(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    for polls in POLLS {
        let client = Client::builder(format!("client {}", sample::id()?)).redirect_uri("https://app.example/");
        let client = client.build().map_err(StoreError::unavailable)?;
        let newer = Client { name: Some("Newer".to_owned()), ..client.clone() };
        store.put_client(client.clone()).await?;
        give_up(store.put_client(newer.clone()), polls).await?;
        let found = store.client(client.id.clone()).await?;
        ensure(found.is_some_and(|found| *found == client || *found == newer), "neither the old client nor the new")?;
        give_up(store.delete_client(client.id.clone()), polls).await?;
        let found = store.client(client.id.clone()).await?;
        ensure(found.is_none_or(|found| *found == client || *found == newer), "half a client")?;
        let (given_up, key) =
            (keys::key(&keys::algorithm()?, context.now)?, keys::key(&keys::algorithm()?, context.now)?);
        give_up(store.insert_signing_key(given_up.clone(), None), polls).await?;
        store.insert_signing_key(given_up.clone(), None).await?;
        let found = store.signing_keys().await?.into_iter().filter(|other| other.kid == given_up.kid).collect();
        same("a key", &found, &vec![given_up])?;
        store.insert_signing_key(key.clone(), None).await?;
        give_up(store.delete_signing_key(key.kid.clone()), polls).await?;
        store.delete_signing_key(key.kid.clone()).await?;
        ensure(store.signing_keys().await?.iter().all(|other| other.kid != key.kid), "a key is still there")?;
    }
    Ok(())
}

pub(super) async fn a_use_that_is_given_up_forgets_none(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    for polls in POLLS {
        let (first, counted) = (sample::digest()?, sample::digest()?);
        let (now, until) = (context.now, context.after(60));
        let before = give_up(store.first_use(first, until, now), polls).await?;
        let again = store.first_use(first, until, now).await?;
        ensure(!(before == Some(true) && again), "two first uses")?;
        give_up(store.first_use(first, until, now), polls).await?;
        same("a use after the first", &store.first_use(first, until, now).await?, &false)?;
        same("count_use", &store.count_use(counted, until, now).await?, &1)?;
        give_up(store.count_use(counted, until, now), polls).await?;
        let count = store.count_use(counted, until, now).await?;
        ensure((2..=3).contains(&count), format!("after three uses, of which one was given up: {count}"))?;
    }
    Ok(())
}

pub(super) async fn a_consent_that_is_given_up_is_no_half_one(context: &Context<'_>) -> Verdict {
    let (store, now) = (&context.store, context.now);
    for polls in POLLS {
        let first = sample::consent(context)?;
        let held = || store.consent(first.subject.clone(), first.client.clone(), now);
        let (second, third) =
            (sample::agreeing(context, &first, "photos")?, sample::agreeing(context, &first, "notes")?);
        same("the first", &store.replace_consent(first.clone(), None, now).await?, &true)?;
        give_up(store.replace_consent(second.clone(), Some(first.revision), now), polls).await?;
        let found = held().await?;
        ensure(found.is_some_and(|found| found == first || found == second), "neither the old consent nor the new")?;
        // Whichever is there is replaced, once.
        let mut replaced = 0;
        for before in [&first, &second] {
            replaced += usize::from(store.replace_consent(third.clone(), Some(before.revision), now).await?);
        }
        same("replacements", &replaced, &1)?;
        same("the one that was put there", &held().await?, &Some(third.clone()))?;
        give_up(store.forget_consent(first.subject.clone(), first.client.clone()), polls).await?;
        let found = held().await?;
        ensure(found.is_none_or(|found| found == third), "half a consent")?;
        store.forget_consent(first.subject.clone(), first.client.clone()).await?;
        same("one that was forgotten", &held().await?, &None)?;
    }
    Ok(())
}

/// As many as a store may have connections, and more.
pub(super) async fn calls_that_are_given_up_leave_room_for_others(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let grant = sample::coded(context)?;
    store.insert_grant(grant.clone(), None).await?;
    for number in 0..usize::from(RUNNERS) {
        let polls = 1 + number % 3;
        give_up(store.grant(grant.id), polls).await?;
        give_up(store.insert_access(grant.id, sample::access(context)?, context.now), polls).await?;
        give_up(store.sweep(context.now, 1), polls).await?;
        give_up(store.signing_keys(), polls).await?;
        give_up(store.check(), polls).await?;
    }
    store.check().await?;
    let redeem = sample::redemption(context, &grant)?;
    same("redeem_code", &store.redeem_code(redeem.clone()).await?, &Redemption::Redeemed)?;
    ensure(store.access(grant.id, redeem.access.digest).await?.is_some(), "its access token is missing")?;
    // Nor do they stand in the way of others.
    let runner = |access| {
        let (store, id, now) = (Arc::clone(&context.store), grant.id, context.now);
        async move { store.insert_access(id, access, now).await }
    };
    let tokens = (0..RUNNERS).map(|_| sample::access(context)).collect::<Result<Vec<_>, _>>()?;
    let outcomes = context.race(tokens.into_iter().map(runner)).await?;
    ensure(outcomes.iter().all(|inserted| *inserted), "a token was refused")
}
