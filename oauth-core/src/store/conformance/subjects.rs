//! Whose grants are whose, and the epoch of them all.

use std::sync::Arc;

use super::{
    context::{Broken, Context, RUNNERS, Verdict, ensure, same},
    sample,
};
use crate::{
    clock::UnixTime,
    store::{FinishInteraction, Grant, Store, StoreError},
    token::GrantId,
};

/// Somebody nobody else knows.
fn somebody() -> Result<String, Broken> {
    Ok(format!("ål'ice \"\u{1F980}\" {}", sample::id()?))
}

fn of(subject: &str, mut grant: Grant) -> Grant {
    grant.facts.subject = Some(subject.to_owned());
    grant
}

/// Every page, so many at a time.
async fn all(store: &Arc<dyn Store>, subject: &str, limit: usize) -> Result<Vec<Grant>, StoreError> {
    let (mut found, mut after): (Vec<Grant>, Option<GrantId>) = (Vec::new(), None);
    loop {
        let page = store.grants_of(subject.to_owned(), after, limit).await?;
        let last = page.len() < limit;
        // Else the pages would lead in circles.
        if page.iter().any(|grant| after.is_some_and(|after| grant.id <= after)) {
            return Err(StoreError::Corrupt("list: it goes back"));
        }
        after = page.last().map(|grant| grant.id);
        found.extend(page);
        if last {
            return Ok(found);
        }
    }
}

pub(super) async fn the_grants_of_a_user_are_listed_by_id_whatever_their_state(context: &Context<'_>) -> Verdict {
    let (store, alice) = (&context.store, somebody()?);
    let mut expected = Vec::new();
    let full = Grant { revoked_at: None, ..sample::full(context)? };
    for grant in [sample::grant(context)?, sample::coded(context)?, full, sample::full(context)?] {
        let grant = of(&alice, grant);
        store.insert_grant(grant.clone(), Some(sample::access(context)?)).await?;
        expected.push(grant);
    }
    // One that came of an interaction, and one that is revoked by a call.
    let (parked, led) = (sample::parked(context)?, of(&alice, sample::coded(context)?));
    store.park_interaction(parked.clone()).await?;
    let (id, browser, now) = (parked.id, parked.browser, context.now);
    let finish = FinishInteraction { id, browser, now, grant: Some(led.clone()) };
    same("the end of an interaction", &store.finish_interaction(finish).await?, &true)?;
    let mut ended = of(&alice, sample::refreshable(context)?);
    store.insert_grant(ended.clone(), None).await?;
    store.revoke_grant(ended.id, now).await?;
    ended.revoke(now);
    expected.extend([led, ended]);
    others(context, &alice).await?;

    expected.sort_unstable_by_key(|grant| grant.id);
    for limit in [1, 2, 4, 1_000] {
        let found = all(store, &alice, limit).await?;
        let ids = |grants: &[Grant]| grants.iter().map(|grant| grant.id).collect::<Vec<_>>();
        same(&format!("the grants, {limit} at a time"), &ids(&found), &ids(&expected))?;
        same("as they are", &found, &expected)?;
    }
    same("grants on a page of four", &store.grants_of(alice.clone(), None, 4).await?.len(), &4)?;
    same("on one of none", &store.grants_of(alice, None, 0).await?.len(), &1)?;
    same("those of somebody else", &store.grants_of(somebody()?, None, 10).await?, &Vec::new())
}

/// Grants of people whose names begin alike, and of nobody.
async fn others(context: &Context<'_>, alice: &str) -> Verdict {
    let beginning = alice.get(..alice.len() - 1).unwrap_or_default();
    for other in [format!("{alice}x"), beginning.to_owned(), alice.to_uppercase()] {
        context.store.insert_grant(of(&other, sample::grant(context)?), None).await?;
    }
    let mut nobody = sample::grant(context)?;
    nobody.facts.subject = None;
    Ok(context.store.insert_grant(nobody, None).await?)
}

pub(super) async fn a_grant_that_is_there_is_listed_while_others_come(context: &Context<'_>) -> Verdict {
    let alice = somebody()?;
    let mut stays = Vec::new();
    for _ in 0..20 {
        let grant = of(&alice, sample::coded(context)?);
        context.store.insert_grant(grant.clone(), None).await?;
        stays.push(grant.id);
    }
    let runner = |n: u8| {
        let (store, alice, grant) = (Arc::clone(&context.store), alice.clone(), sample::grant(context));
        async move {
            if n.is_multiple_of(4) {
                return Ok((all(&store, &alice, 3).await?.iter().map(|grant| grant.id).collect(), None));
            }
            let grant = of(&alice, grant.map_err(|broken| StoreError::unavailable(broken.to_string()))?);
            store.insert_grant(grant.clone(), None).await?;
            // It is listed as soon as that is done.
            let listed = store.grants_of(alice, None, usize::from(RUNNERS) * 2).await?;
            Ok((Vec::new(), Some(listed.contains(&grant))))
        }
    };
    let outcomes: Vec<(Vec<GrantId>, Option<bool>)> = context.race((0..RUNNERS).map(runner)).await?;
    for (listed, own) in &outcomes {
        ensure(own.is_some() || stays.iter().all(|id| listed.contains(id)), "a grant that stayed is not listed")?;
        ensure(*own != Some(false), "a grant that has been inserted is not listed")?;
    }
    let come = outcomes.iter().filter(|(_, own)| own.is_some()).count();
    same("grants", &all(&context.store, &alice, 7).await?.len(), &(stays.len() + come))
}

pub(super) async fn the_epoch_is_raised_and_never_lowered(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let start = store.epoch().await?;
    let later = |seconds: u64| start.saturating_add(seconds);
    for (to, expected) in [(later(10), 10), (later(5), 10), (UnixTime(0), 10), (later(10), 10), (later(11), 11)] {
        same("raise_epoch", &store.raise_epoch(to).await?, &later(expected))?;
        same("epoch", &store.epoch().await?, &later(expected))?;
    }
    Ok(())
}

pub(super) async fn of_parallel_epochs_the_latest_stays(context: &Context<'_>) -> Verdict {
    let start = context.store.epoch().await?.saturating_add(1);
    let runner = |n: u8| {
        let (store, to) = (Arc::clone(&context.store), start.saturating_add(n.into()));
        async move { Ok((to, store.raise_epoch(to).await?, store.epoch().await?)) }
    };
    for (to, raised, read) in context.race((0..RUNNERS).map(runner)).await? {
        ensure(to <= raised && raised <= read, format!("raised to {to:?}, it was {raised:?}, and then {read:?}"))?;
    }
    same("epoch", &context.store.epoch().await?, &start.saturating_add(u64::from(RUNNERS) - 1))
}
