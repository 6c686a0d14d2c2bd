//! What people have agreed to.

use std::sync::Arc;

use super::{
    context::{Broken, Context, RUNNERS, Verdict, count, ensure, same},
    sample::{self, DAY},
};
use crate::{
    clock::UnixTime,
    store::{Consent, StoreError},
};

/// The one that takes the place of `consent` at `now`.
async fn held(context: &Context<'_>, consent: &Consent, now: UnixTime) -> Result<Option<Consent>, StoreError> {
    context.store.consent(consent.subject.clone(), consent.client.clone(), now).await
}

async fn forget(context: &Context<'_>, consent: &Consent) -> Result<bool, StoreError> {
    context.store.forget_consent(consent.subject.clone(), consent.client.clone()).await
}

pub(super) async fn a_consent_is_kept_replaced_and_forgotten(context: &Context<'_>) -> Verdict {
    let (store, now) = (&context.store, context.now);
    let (first, neighbor) = (sample::consent(context)?, sample::consent(context)?);
    let second = sample::agreeing(context, &first, "photos")?;
    same("before", &held(context, &first, now).await?, &None)?;
    for consent in [&first, &neighbor] {
        same("a first one", &store.replace_consent(consent.clone(), None, now).await?, &true)?;
    }
    same("once given", &held(context, &first, now).await?, &Some(first.clone()))?;
    same("replace_consent", &store.replace_consent(second.clone(), Some(first.revision), now).await?, &true)?;
    same("once replaced", &held(context, &first, now).await?, &Some(second))?;
    same("forget_consent", &forget(context, &first).await?, &true)?;
    same("forget_consent again", &forget(context, &first).await?, &false)?;
    same("once forgotten", &held(context, &first, now).await?, &None)?;
    same("given again", &store.replace_consent(first.clone(), None, now).await?, &true)?;
    same("once given again", &held(context, &first, now).await?, &Some(first))?;
    same("the other one", &held(context, &neighbor, now).await?, &Some(neighbor))
}

pub(super) async fn a_consent_is_replaced_at_its_revision_alone(context: &Context<'_>) -> Verdict {
    let (store, now) = (&context.store, context.now);
    let first = sample::consent(context)?;
    let number = |revision| Ok::<_, Broken>(Consent { revision, ..sample::agreeing(context, &first, "photos")? });
    let refused = async |what: &str, revision, expected: Option<&Consent>| {
        let other = number(7)?;
        same(what, &store.replace_consent(other, revision, now).await?, &false)?;
        same(&format!("what is there, {what}"), &held(context, &first, now).await?.as_ref(), &expected)
    };
    refused("where there is none", Some(first.revision), None).await?;
    refused("where there is none, at 0", Some(0), None).await?;
    // Neighbors, of which each is another, however far from zero.
    for revision in [0, 1, (1 << 53) + 1, i64::MAX.unsigned_abs(), 1 << 63, u64::MAX - 1, u64::MAX] {
        let (consent, next) = (number(revision)?, number(revision ^ 1)?);
        same("a first one", &store.replace_consent(consent.clone(), None, now).await?, &true)?;
        refused("in the place of none", None, Some(&consent)).await?;
        refused("of another revision", Some(revision ^ 1), Some(&consent)).await?;
        same("at its revision", &store.replace_consent(next.clone(), Some(revision), now).await?, &true)?;
        same("once replaced", &held(context, &first, now).await?, &Some(next.clone()))?;
        refused("at an earlier revision", Some(revision), Some(&next)).await?;
        same("forget_consent", &forget(context, &first).await?, &true)?;
        refused("once forgotten", Some(revision ^ 1), None).await?;
    }
    Ok(())
}

/// By the clock of whoever asks.
pub(super) async fn a_consent_counts_until_its_end(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    for end in [context.now.saturating_sub(600), context.after(600)] {
        let first = Consent { expires_at: end, ..sample::consent(context)? };
        let second = Consent { expires_at: end.saturating_add(60), ..sample::agreeing(context, &first, "photos")? };
        let before = end.saturating_sub(1);
        same("a first one", &store.replace_consent(first.clone(), None, before).await?, &true)?;
        same("a second before its end", &held(context, &first, before).await?, &Some(first.clone()))?;
        same("at its end", &held(context, &first, end).await?, &None)?;
        let replace = |revision, now| store.replace_consent(second.clone(), revision, now);
        same("as none, a second before its end", &replace(None, before).await?, &false)?;
        same("by its revision, at its end", &replace(Some(first.revision), end).await?, &false)?;
        same("as none, at its end", &replace(None, end).await?, &true)?;
        same("the next", &held(context, &first, end).await?, &Some(second.clone()))?;
        same("until its own end", &held(context, &first, end.saturating_add(60)).await?, &None)?;
    }
    Ok(())
}

pub(super) async fn consents_of_different_people_and_clients_do_not_meet(context: &Context<'_>) -> Verdict {
    let (store, now) = (&context.store, context.now);
    let tail = sample::id()?;
    // Of some the names are the same if they are written one after the other.
    let names = [("a", "b"), ("a", "c"), ("b", "b"), ("a b", "c"), ("a", "b c"), ("a:", "b"), ("a", ":b"), ("A", "b")];
    let consent = |(subject, client): (&str, &str)| {
        let client = sample::client(&format!("{client} {tail}"))?;
        Ok::<_, Broken>(Consent { subject: format!("{tail} {subject}"), client, ..sample::consent(context)? })
    };
    let consents = names.into_iter().map(consent).collect::<Result<Vec<_>, _>>()?;
    for consent in &consents {
        same("a first one", &store.replace_consent(consent.clone(), None, now).await?, &true)?;
    }
    for consent in &consents {
        same("one of many", &held(context, consent, now).await?, &Some(consent.clone()))?;
    }
    for consent in &consents {
        same("forget_consent", &forget(context, consent).await?, &true)?;
    }
    Ok(())
}

pub(super) async fn a_sweep_removes_expired_consents_in_small_batches(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let now = context.after(365 * DAY);
    while store.sweep(now, 1000).await? == 1000 {}
    let lives = Consent { expires_at: now.saturating_add(1), ..sample::consent(context)? };
    same("one that lives on", &store.replace_consent(lives.clone(), None, context.now).await?, &true)?;
    let mut gone = Vec::new();
    for _ in 0..9 {
        let consent = sample::consent(context)?;
        store.replace_consent(consent.clone(), None, context.now).await?;
        gone.push(consent);
    }
    let last = Consent { expires_at: now, ..sample::consent(context)? };
    store.replace_consent(last.clone(), None, context.now).await?;
    gone.push(last);
    for expected in [3, 3, 3, 1, 0] {
        same("of ten, three at a time", &store.sweep(now, 3).await?, &expected)?;
    }
    for consent in &gone {
        same("an expired one", &held(context, consent, context.now).await?, &None)?;
    }
    same("one with a second to live", &held(context, &lives, now).await?, &Some(lives))
}

pub(super) async fn a_consent_is_replaced_once_by_many(context: &Context<'_>) -> Verdict {
    let first = sample::consent(context)?;
    let later = first.expires_at;
    // Where there is none, where there is one, and where one has expired.
    let mut revision = None;
    for (now, end) in [(context.now, later), (context.now, later), (later, later.saturating_add(DAY))] {
        let revision_now = revision.take().filter(|_| now < later);
        let consents = (0..RUNNERS)
            .map(|n| Ok(Consent { expires_at: end, ..sample::agreeing(context, &first, &format!("by-{n}"))? }))
            .collect::<Result<Vec<_>, Broken>>()?;
        let runner = |consent| {
            let store = Arc::clone(&context.store);
            async move { store.replace_consent(consent, revision_now, now).await }
        };
        let outcomes = context.race(consents.iter().cloned().map(runner)).await?;
        same("replacements", &count(&outcomes, &true), &1)?;
        let winner = consents.into_iter().zip(outcomes).find(|(_, replaced)| *replaced).map(|(consent, _)| consent);
        same("the consent", &held(context, &first, now).await?, &winner)?;
        revision = winner.map(|winner| winner.revision);
    }
    Ok(())
}

pub(super) async fn a_forgotten_consent_is_not_brought_back_by_those_who_replace_it(context: &Context<'_>) -> Verdict {
    let (first, now) = (sample::consent(context)?, context.now);
    same("a first one", &context.store.replace_consent(first.clone(), None, now).await?, &true)?;
    let runner = |n: u8| {
        let (store, first) = (Arc::clone(&context.store), first.clone());
        async move {
            match n {
                20 => store.forget_consent(first.subject, first.client).await.map(drop),
                // It keeps its revision, so that each of them may have its turn.
                _ => store.replace_consent(first.clone(), Some(first.revision), now).await.map(drop),
            }
        }
    };
    context.race((0..RUNNERS).map(runner)).await?;
    ensure(held(context, &first, now).await?.is_none(), "a consent is back that was forgotten")
}
