//! The tokens: what replaces them, and until when they count.

use super::*;
use crate::store::{Cursor, Page};

/// Tokens that are in place, and the code they came of.
pub(super) async fn linked(context: &Context<'_>) -> Result<(QueuedCode, PeerTokens), Broken> {
    let code = sample::queued(context)?;
    let tokens = sample::peer_tokens(context, &code)?;
    queue(context, &code).await?;
    same("the first tokens", &finish(context, &code, Some(&tokens)).await?, &Finished::Replaced(None))?;
    Ok((code, tokens))
}

/// The same tokens, refreshed.
fn refreshed(tokens: &PeerTokens) -> Result<PeerTokens, Broken> {
    let (sealed, revision) = (sample::random::<16>()?.to_vec(), tokens.revision.wrapping_add(1));
    Ok(PeerTokens { sealed, scope: sample::scope("a")?, expires_at: None, revision, ..tokens.clone() })
}

pub(in super::super) async fn tokens_stay_until_those_of_the_next_code_come(context: &Context<'_>) -> Verdict {
    let now = context.now;
    let (first, old) = linked(context).await?;
    same("the first", &held(context, &first.link, now).await?.as_ref(), &Some(&old))?;
    let second = QueuedCode { link: first.link.clone(), ..sample::queued(context)? };
    queue(context, &second).await?;
    same("while another waits", &held(context, &first.link, now).await?.as_ref(), &Some(&old))?;
    ensure(take(context, &first.link, now).await?.is_some(), "the second is not due")?;
    same("while it is redeemed", &held(context, &first.link, now).await?.as_ref(), &Some(&old))?;
    same("the first, again", &finish(context, &first, Some(&old)).await?, &Finished::Already)?;
    // They say that they are of another link and another code, which nobody believes.
    let new = sample::peer_tokens(context, &second)?;
    let claimed = PeerTokens { id: sample::digest()?, link: sample::link()?, ..new.clone() };
    same("the second", &finish(context, &second, Some(&claimed)).await?, &Finished::Replaced(Some(old)))?;
    same("once redeemed", &held(context, &first.link, now).await?.as_ref(), &Some(&new))?;
    same("under what they have claimed", &held(context, &claimed.link, now).await?, &None)?;
    let other = PeerTokens { sealed: vec![1], ..new.clone() };
    for tokens in [Some(&other), None] {
        same("the second, again", &finish(context, &second, tokens).await?, &Finished::Already)?;
    }
    same("the first, too late", &finish(context, &first, None).await?, &Finished::Superseded)?;
    let third = QueuedCode { link: first.link.clone(), ..sample::queued(context)? };
    queue(context, &third).await?;
    same("the third, given up", &finish(context, &third, None).await?, &Finished::Replaced(None))?;
    same("in place", &held(context, &first.link, now).await?, &Some(new))
}

pub(in super::super) async fn tokens_are_replaced_at_their_revision_alone(context: &Context<'_>) -> Verdict {
    let (store, now) = (&context.store, context.now);
    let (_, first) = linked(context).await?;
    store.forget_link(first.link.clone()).await?;
    let refused = async |what: &str, revision, expected: Option<&PeerTokens>| {
        let other = PeerTokens { sealed: vec![7], ..first.clone() };
        same(what, &store.replace_peer_tokens(other, revision, now).await?, &false)?;
        same(&format!("what is there, {what}"), &held(context, &first.link, now).await?.as_ref(), &expected)
    };
    refused("where there are none", Some(first.revision), None).await?;
    // Neighbors, of which each is another, however far from zero.
    for revision in [0, 1, (1 << 53) + 1, i64::MAX.unsigned_abs(), 1 << 63, u64::MAX - 1, u64::MAX] {
        let tokens = PeerTokens { revision, ..first.clone() };
        let next = PeerTokens { revision: revision ^ 1, ..refreshed(&first)? };
        same("the first", &store.replace_peer_tokens(tokens.clone(), None, now).await?, &true)?;
        refused("in the place of none", None, Some(&tokens)).await?;
        refused("of another revision", Some(revision ^ 1), Some(&tokens)).await?;
        let foreign = PeerTokens { id: sample::digest()?, ..next.clone() };
        same("of another code", &store.replace_peer_tokens(foreign, Some(revision), now).await?, &false)?;
        same("a refresh", &store.replace_peer_tokens(next.clone(), Some(revision), now).await?, &true)?;
        same("once refreshed", &held(context, &first.link, now).await?.as_ref(), &Some(&next))?;
        refused("at an earlier revision", Some(revision), Some(&next)).await?;
        same("forget_link", &store.forget_link(first.link.clone()).await?, &Some(next))?;
        refused("once forgotten", Some(revision ^ 1), None).await?;
    }
    Ok(())
}

pub(in super::super) async fn a_refresh_leaves_a_waiting_code_alone(context: &Context<'_>) -> Verdict {
    let now = context.now;
    let (first, old) = linked(context).await?;
    let second = QueuedCode { link: first.link.clone(), ..sample::queued(context)? };
    queue(context, &second).await?;
    let next = refreshed(&old)?;
    same("a refresh", &context.store.replace_peer_tokens(next.clone(), Some(old.revision), now).await?, &true)?;
    let expected = QueuedCode { attempts: 1, due_at: now.saturating_add(TURN), ..second.clone() };
    same("the code", &take(context, &first.link, now).await?, &Some(expected))?;
    same("the refreshed, again", &finish(context, &first, None).await?, &Finished::Already)?;
    let tokens = sample::peer_tokens(context, &second)?;
    same("its end", &finish(context, &second, Some(&tokens)).await?, &Finished::Replaced(Some(next)))
}

/// By the clock of whoever asks.
pub(in super::super) async fn tokens_count_until_their_end(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    for end in [context.now.saturating_sub(600), context.after(600)] {
        let code = sample::queued(context)?;
        let first = PeerTokens { ends_at: end, ..sample::peer_tokens(context, &code)? };
        let second = PeerTokens { ends_at: end.saturating_add(60), ..refreshed(&first)? };
        let before = end.saturating_sub(1);
        same("the first", &store.replace_peer_tokens(first.clone(), None, before).await?, &true)?;
        same("a second before their end", &held(context, &first.link, before).await?.as_ref(), &Some(&first))?;
        same("at their end", &held(context, &first.link, end).await?, &None)?;
        let replace = |revision, now| store.replace_peer_tokens(second.clone(), revision, now);
        same("as none, a second before their end", &replace(None, before).await?, &false)?;
        same("by their revision, at their end", &replace(Some(first.revision), end).await?, &false)?;
        same("as none, at their end", &replace(None, end).await?, &true)?;
        same("the next", &held(context, &first.link, end).await?, &Some(second.clone()))?;
        same("until their own end", &held(context, &first.link, end.saturating_add(60)).await?, &None)?;
        store.forget_link(first.link).await?;
    }
    Ok(())
}

pub(in super::super) async fn a_forgotten_link_is_gone(context: &Context<'_>) -> Verdict {
    let (store, now) = (&context.store, context.now);
    let (first, old) = linked(context).await?;
    let second = QueuedCode { link: first.link.clone(), ..sample::queued(context)? };
    queue(context, &second).await?;
    same("forget_link", &store.forget_link(first.link.clone()).await?, &Some(old.clone()))?;
    same("forget_link again", &store.forget_link(first.link.clone()).await?, &None)?;
    same("its tokens", &held(context, &first.link, now).await?, &None)?;
    same("its code", &take(context, &first.link, now).await?, &None)?;
    let tokens = sample::peer_tokens(context, &second)?;
    same("the code's end", &finish(context, &second, Some(&tokens)).await?, &Finished::Superseded)?;
    same("the first, again", &finish(context, &first, Some(&old)).await?, &Finished::Superseded)?;
    same("a refresh", &store.replace_peer_tokens(refreshed(&old)?, Some(old.revision), now).await?, &false)?;
    same("its tokens at last", &held(context, &first.link, now).await?, &None)?;
    queue(context, &first).await?;
    same("forget_link, of a code alone", &store.forget_link(first.link.clone()).await?, &None)?;
    same("its code at last", &take(context, &first.link, now).await?, &None)
}

pub(in super::super) async fn tokens_are_listed_until_their_end(context: &Context<'_>) -> Verdict {
    const MOST: usize = 10_000;
    let mut expected = Vec::new();
    for _ in 0..30 {
        expected.push(linked(context).await?.1);
    }
    let (_, gone) = linked(context).await?;
    context.store.forget_link(gone.link.clone()).await?;
    let ended = PeerTokens { ends_at: context.now, ..sample::peer_tokens(context, &sample::queued(context)?)? };
    context.store.replace_peer_tokens(ended.clone(), None, UnixTime(0)).await?;
    let waits = sample::queued(context)?;
    queue(context, &waits).await?;
    for limit in [1, 3, 1_000] {
        let (mut found, mut after, mut pages, mut largest) = (Vec::new(), None, 0, 0);
        loop {
            let Page { items, next } = context.store.list_peer_tokens(after, limit, context.now).await?;
            pages += 1;
            largest = largest.max(items.len());
            found.extend(items);
            after = next;
            if after.is_none() || pages > MOST {
                break;
            }
        }
        ensure(after.is_none(), "the pages do not end")?;
        // About as many as asked for: a store may have to look at what it has in steps of its own.
        ensure(largest <= limit.max(20), format!("{largest} on a page, where {limit} were asked for"))?;
        for tokens in &expected {
            let own = found.iter().find(|one| one.link == tokens.link);
            same(&format!("tokens, at a limit of {limit}"), &own, &Some(tokens))?;
        }
        let others = [&gone.link, &ended.link, &waits.link];
        ensure(!found.iter().any(|one| others.contains(&&one.link)), "what does not count is listed")?;
    }
    let foreign = context.store.list_peer_tokens(Some(Cursor::new([0xff; 3])), 1, context.now).await;
    ensure(foreign.is_err(), "a cursor from elsewhere is not refused")?;
    for link in expected.into_iter().map(|tokens| tokens.link).chain([ended.link, waits.link]) {
        context.store.forget_link(link).await?;
    }
    Ok(())
}
