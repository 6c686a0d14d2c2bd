//! A hundred tasks at a time, for one link.

use std::sync::Arc;

use super::{
    super::{
        context::{RUNNERS, count},
        given_up::{POLLS, give_up},
        isolation::{Torn, watch},
    },
    tokens::linked,
    *,
};
use crate::store::Store;

pub(in super::super) async fn a_queued_code_is_taken_once_by_many(context: &Context<'_>) -> Verdict {
    let code = sample::queued(context)?;
    take(context, &code.link, context.now).await?;
    queue(context, &code).await?;
    let (now, until) = (context.now, context.after(TURN));
    let runner = |_| {
        let store = Arc::clone(&context.store);
        async move { store.take_queued(now, until).await }
    };
    let outcomes = context.race((0..RUNNERS).map(runner)).await?;
    let taken: Vec<_> = outcomes.into_iter().flatten().map(|taken| taken.attempts).collect();
    same("who has taken it, and the attempts", &taken, &vec![1])?;
    same("its end", &finish(context, &code, None).await?, &Finished::Replaced(None))
}

pub(in super::super) async fn many_codes_are_taken_once_each(context: &Context<'_>) -> Verdict {
    let codes = (0..20).map(|_| sample::queued(context)).collect::<Result<Vec<_>, _>>()?;
    if let Some(code) = codes.first() {
        take(context, &code.link, context.now).await?;
    }
    for code in &codes {
        queue(context, code).await?;
    }
    let (now, until) = (context.now, context.after(TURN));
    let runner = |_| {
        let store = Arc::clone(&context.store);
        async move {
            let mut taken = Vec::new();
            while let Some(code) = store.take_queued(now, until).await? {
                taken.push(code.id);
            }
            Ok(taken)
        }
    };
    let mut taken = context.race((0..RUNNERS).map(runner)).await?.concat();
    // One that others were at may have been passed over.
    while let Some(code) = context.store.take_queued(now, until).await? {
        taken.push(code.id);
    }
    taken.sort_unstable();
    let mut expected: Vec<_> = codes.iter().map(|code| code.id).collect();
    expected.sort_unstable();
    ensure(taken == expected, format!("{} were taken of {}", taken.len(), expected.len()))?;
    for code in &codes {
        same("its end", &finish(context, code, None).await?, &Finished::Replaced(None))?;
    }
    Ok(())
}

/// Ends of one code by many, each with tokens of its own, and one that gives up if `gives_up`.
async fn finish_by_many(context: &Context<'_>, gives_up: bool) -> Verdict {
    let (first, old) = linked(context).await?;
    let code = QueuedCode { link: first.link.clone(), ..sample::queued(context)? };
    queue(context, &code).await?;
    let sealed = |n: u8| PeerTokens { sealed: vec![n], ..old.clone() };
    let runner = |n: u8| {
        let (store, link) = (Arc::clone(&context.store), code.link.clone());
        let (id, tokens) = (code.id, (n > 0 || !gives_up).then(|| sealed(n)));
        async move { store.finish_queued(link, id, tokens).await }
    };
    let outcomes = context.race((0..RUNNERS).map(runner)).await?;
    let held = held(context, &code.link, context.now).await?;
    let given_up = gives_up && outcomes.first() == Some(&Finished::Replaced(None));
    let (winner, loser) = match given_up {
        true => (Finished::Replaced(None), Finished::Superseded),
        false => (Finished::Replaced(Some(old.clone())), Finished::Already),
    };
    same("ends", &count(&outcomes, &winner), &1)?;
    same("that came too late", &count(&outcomes, &loser), &(usize::from(RUNNERS) - 1))?;
    let number = outcomes.iter().zip(0..).find(|(outcome, _)| **outcome == winner).map(|(_, number)| number);
    let expected = if given_up { Some(old) } else { number.map(|n| PeerTokens { id: code.id, ..sealed(n) }) };
    same("the tokens", &held, &expected)?;
    context.store.forget_link(code.link).await?;
    Ok(())
}

pub(in super::super) async fn a_queued_code_is_finished_once_by_many(context: &Context<'_>) -> Verdict {
    finish_by_many(context, false).await?;
    finish_by_many(context, true).await
}

pub(in super::super) async fn a_code_that_comes_while_another_is_finished_is_not_lost(
    context: &Context<'_>,
) -> Verdict {
    let first = sample::queued(context)?;
    let tokens = sample::peer_tokens(context, &first)?;
    let second = QueuedCode { link: first.link.clone(), ..sample::queued(context)? };
    queue(context, &first).await?;
    let runner = |n: u8| {
        let (store, first, tokens, second) =
            (Arc::clone(&context.store), first.clone(), tokens.clone(), second.clone());
        async move {
            match n {
                20 => store.queue_code(second).await.map(|queued| queued == Queued::Added),
                _ => {
                    let finished = store.finish_queued(first.link, first.id, Some(tokens)).await?;
                    Ok(matches!(finished, Finished::Replaced(_)))
                }
            }
        }
    };
    let outcomes = context.race((0..40).map(runner)).await?;
    same("the second", &outcomes.get(20), &Some(&true))?;
    let held = held(context, &first.link, context.now).await?;
    let finished = count(&outcomes, &true) > 1;
    same("the tokens of the first", &held, &finished.then_some(tokens))?;
    let taken = take(context, &first.link, context.now).await?;
    same("what waits", &taken.map(|code| code.id), &Some(second.id))?;
    context.store.forget_link(first.link).await?;
    Ok(())
}

pub(in super::super) async fn a_code_that_comes_again_while_it_is_finished_does_not_wait_again(
    context: &Context<'_>,
) -> Verdict {
    let code = sample::queued(context)?;
    let tokens = sample::peer_tokens(context, &code)?;
    queue(context, &code).await?;
    let runner = |n: u8| {
        let (store, code, tokens) = (Arc::clone(&context.store), code.clone(), tokens.clone());
        async move {
            match n {
                20 => store.finish_queued(code.link, code.id, Some(tokens)).await.map(|_| Queued::Known),
                _ => store.queue_code(code).await,
            }
        }
    };
    let outcomes = context.race((0..RUNNERS).map(runner)).await?;
    same("that were new", &count(&outcomes, &Queued::Added), &0)?;
    same("what waits", &take(context, &code.link, context.now).await?, &None)?;
    same("the tokens", &held(context, &code.link, context.now).await?, &Some(tokens))?;
    context.store.forget_link(code.link).await?;
    Ok(())
}

pub(in super::super) async fn tokens_are_replaced_once_by_many(context: &Context<'_>) -> Verdict {
    let (_, old) = linked(context).await?;
    let next = |n: u8| PeerTokens { sealed: vec![n], revision: old.revision + 1, ..old.clone() };
    let now = context.now;
    let runner = |n: u8| {
        let (store, tokens, revision) = (Arc::clone(&context.store), next(n), old.revision);
        async move { store.replace_peer_tokens(tokens, Some(revision), now).await }
    };
    let outcomes = context.race((0..RUNNERS).map(runner)).await?;
    same("refreshes", &count(&outcomes, &true), &1)?;
    let winner = outcomes.into_iter().zip(0..).find(|(replaced, _)| *replaced).map(|(_, n)| next(n));
    same("the tokens", &held(context, &old.link, now).await?, &winner)?;
    // And where there are none.
    context.store.forget_link(old.link.clone()).await?;
    let runner = |n: u8| {
        let (store, tokens) = (Arc::clone(&context.store), next(n));
        async move { store.replace_peer_tokens(tokens, None, now).await }
    };
    let outcomes = context.race((0..RUNNERS).map(runner)).await?;
    same("first ones", &count(&outcomes, &true), &1)?;
    context.store.forget_link(old.link).await?;
    Ok(())
}

pub(in super::super) async fn forgotten_tokens_are_not_brought_back_by_those_who_refresh_them(
    context: &Context<'_>,
) -> Verdict {
    let (_, old) = linked(context).await?;
    let now = context.now;
    let runner = |n: u8| {
        let (store, old) = (Arc::clone(&context.store), old.clone());
        async move {
            match n {
                20 => store.forget_link(old.link).await.map(drop),
                // They keep their revision, so that each of them may have its turn.
                _ => store.replace_peer_tokens(old.clone(), Some(old.revision), now).await.map(drop),
            }
        }
    };
    context.race((0..RUNNERS).map(runner)).await?;
    ensure(held(context, &old.link, now).await?.is_none(), "tokens are back that were forgotten")
}

pub(in super::super) async fn the_end_of_a_code_is_seen_as_a_whole(context: &Context<'_>) -> Verdict {
    let (first, old) = linked(context).await?;
    let code = QueuedCode { link: first.link.clone(), ..sample::queued(context)? };
    let new = PeerTokens { sealed: vec![1], ..sample::peer_tokens(context, &code)? };
    queue(context, &code).await?;
    let (store, now, link) = (Arc::clone(&context.store), context.now, code.link.clone());
    let (id, tokens) = (code.id, new.clone());
    let write = async move { store.finish_queued(link, id, Some(tokens)).await.map(drop) };
    let link = code.link.clone();
    let look = move |store: Arc<dyn Store>| {
        let (link, old, new) = (link.clone(), old.clone(), new.clone());
        async move {
            match store.peer_tokens(link, now).await? {
                Some(found) if found == new => Ok(true),
                Some(found) if found == old => Ok(false),
                _ => Err(Torn::Seen("tokens that are neither the old ones nor the new ones")),
            }
        }
    };
    watch(context, write, look).await?;
    context.store.forget_link(code.link).await?;
    Ok(())
}

pub(in super::super) async fn the_end_of_a_code_that_is_given_up_is_no_half_end(context: &Context<'_>) -> Verdict {
    for polls in POLLS {
        let (first, old) = linked(context).await?;
        let code = QueuedCode { link: first.link.clone(), ..sample::queued(context)? };
        let new = sample::peer_tokens(context, &code)?;
        give_up(context.store.queue_code(code.clone()), polls).await?;
        context.store.queue_code(code.clone()).await?;
        give_up(context.store.finish_queued(code.link.clone(), code.id, Some(new.clone())), polls).await?;
        let found = held(context, &code.link, context.now).await?;
        ensure(found.is_some_and(|found| found == old || found == new), "neither the old tokens nor the new")?;
        let again = finish(context, &code, Some(&new)).await?;
        ensure(again == Finished::Already || again == Finished::Replaced(Some(old)), format!("again: {again:?}"))?;
        same("at last", &held(context, &code.link, context.now).await?.as_ref(), &Some(&new))?;
        same("what waits", &take(context, &code.link, context.now).await?, &None)?;
        let next = PeerTokens { sealed: vec![1], revision: new.revision + 1, ..new.clone() };
        give_up(context.store.replace_peer_tokens(next.clone(), Some(new.revision), context.now), polls).await?;
        let found = held(context, &code.link, context.now).await?;
        ensure(found.is_some_and(|found| found == new || found == next), "neither before nor after the refresh")?;
        give_up(context.store.forget_link(code.link.clone()), polls).await?;
        context.store.forget_link(code.link.clone()).await?;
        same("once forgotten", &held(context, &code.link, context.now).await?, &None)?;
    }
    Ok(())
}
