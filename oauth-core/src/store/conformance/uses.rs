//! What was used, until when, and how often.

use std::sync::Arc;

use super::{
    context::{Context, RUNNERS, Verdict, count, same},
    sample::{self, DAY},
};
use crate::clock::UnixTime;

pub(super) async fn a_use_is_the_first_once_until_its_end(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let (digest, now, until) = (sample::digest()?, context.now, context.after(60));
    same("uses before any", &store.uses(digest, now).await?, &0)?;
    same("the first", &store.first_use(digest, until, now).await?, &true)?;
    for (what, until, at) in [
        ("the same again", until, now),
        ("with a later end", context.after(90), now),
        ("a second before the end", context.after(90), context.after(59)),
        ("at the end, until then", until, until),
        ("after the end, until then", until, context.after(70)),
    ] {
        same(what, &store.first_use(digest, until, at).await?, &false)?;
    }
    same("uses, of which one was the first", &store.uses(digest, context.after(59)).await?, &1)?;
    same("uses at the end", &store.uses(digest, until).await?, &0)?;
    same("at the end, until later", &store.first_use(digest, context.after(120), until).await?, &true)?;
    same("and again", &store.first_use(digest, context.after(120), context.after(119)).await?, &false)
}

pub(super) async fn a_use_that_has_ended_is_never_the_first(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    for until in [UnixTime(0), context.now.saturating_sub(1), context.now] {
        let late = store.first_use(sample::digest()?, until, context.now).await?;
        same("a use whose end has come", &late, &false)?;
    }
    let digest = sample::digest()?;
    same("one that never ends", &store.first_use(digest, UnixTime::MAX, context.now).await?, &true)?;
    same("and again", &store.first_use(digest, UnixTime::MAX, context.after(DAY)).await?, &false)
}

pub(super) async fn uses_of_different_digests_do_not_meet(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let (now, until) = (context.now, context.after(60));
    let (one, other) = (sample::digest()?, sample::digest()?);
    for digest in [one, other] {
        same("a first use", &store.first_use(digest, until, now).await?, &true)?;
    }
    let (one, other) = (sample::digest()?, sample::digest()?);
    same("one", &store.count_use(one, until, now).await?, &1)?;
    same("the other", &store.count_use(other, until, now).await?, &1)?;
    same("one again", &store.count_use(one, until, now).await?, &2)?;
    same("uses of the other", &store.uses(other, now).await?, &1)
}

pub(super) async fn uses_are_counted_until_the_end_of_the_first(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let (digest, now, end) = (sample::digest()?, context.now, context.after(60));
    for expected in 1..=12 {
        let at = context.after(expected);
        // Each names an end of its own; that of the first holds.
        let until = if expected == 1 { end } else { at.saturating_add(60) };
        same("uses", &store.count_use(digest, until, at).await?, &expected)?;
        same("uses, asked for", &store.uses(digest, at).await?, &expected)?;
        same("uses, asked for again", &store.uses(digest, now).await?, &expected)?;
    }
    let last = context.after(59);
    same("in the last second", &store.count_use(digest, context.after(119), last).await?, &13)?;
    same("uses in the last second", &store.uses(digest, last).await?, &13)?;
    same("uses at the end", &store.uses(digest, end).await?, &0)?;
    same("a use at the end", &store.count_use(digest, context.after(120), end).await?, &1)?;
    same("until its own end", &store.count_use(digest, context.after(130), context.after(119)).await?, &2)?;
    same("and then anew", &store.count_use(digest, context.after(180), context.after(120)).await?, &1)?;
    same("what was counted is no first use", &store.first_use(digest, end, context.after(1)).await?, &false)
}

pub(super) async fn a_sweep_removes_ended_uses_in_small_batches(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let now = context.after(365 * DAY);
    while store.sweep(now, 1000).await? == 1000 {}
    let (lives, counted) = (sample::digest()?, sample::digest()?);
    same("a use that lives on", &store.first_use(lives, now.saturating_add(1), context.now).await?, &true)?;
    for _ in 0..3 {
        store.count_use(counted, now.saturating_add(1), context.now).await?;
    }
    for _ in 0..10 {
        store.first_use(sample::digest()?, context.after(60), context.now).await?;
    }
    for expected in [3, 3, 3, 1, 0] {
        same("of ten, three at a time", &store.sweep(now, 3).await?, &expected)?;
    }
    same("a use with a second to live", &store.first_use(lives, UnixTime::MAX, now).await?, &false)?;
    same("a count with a second to live", &store.uses(counted, now).await?, &3)
}

pub(super) async fn of_parallel_uses_one_is_the_first(context: &Context<'_>) -> Verdict {
    let (digest, now, until) = (sample::digest()?, context.now, context.after(60));
    // Also when the one before has ended, and is still there.
    for (now, until) in [(now, until), (until, context.after(120))] {
        let runner = |_| {
            let store = Arc::clone(&context.store);
            async move { store.first_use(digest, until, now).await }
        };
        let outcomes = context.race((0..RUNNERS).map(runner)).await?;
        same("first uses", &count(&outcomes, &true), &1)?;
    }
    Ok(())
}

pub(super) async fn parallel_uses_are_all_counted(context: &Context<'_>) -> Verdict {
    let digest = sample::digest()?;
    for (now, until) in [(context.now, context.after(60)), (context.after(60), context.after(120))] {
        let runner = |_| {
            let store = Arc::clone(&context.store);
            async move { store.count_use(digest, until, now).await }
        };
        let mut outcomes = context.race((0..RUNNERS).map(runner)).await?;
        outcomes.sort_unstable();
        same("counts, each once", &outcomes, &(1..=RUNNERS.into()).collect())?;
        same("uses", &context.store.uses(digest, now).await?, &RUNNERS.into())?;
    }
    Ok(())
}
