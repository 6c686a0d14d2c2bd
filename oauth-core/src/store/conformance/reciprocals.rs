//! Codes that wait to be redeemed at another server, and the tokens they brought.

mod races;
mod tokens;

pub(super) use self::{races::*, tokens::*};
use super::{
    context::{Broken, Context, Verdict, ensure, same},
    sample::{self, DAY, HOUR},
};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{Finished, PeerTokens, Queued, QueuedCode, ReciprocalLink, StoreError},
};

/// For how long whoever takes a code has it alone.
const TURN: u64 = 60;

/// What is taken at `now` of this link. What others have left behind is ended, so that it is in nobody's way.
async fn take(context: &Context<'_>, link: &ReciprocalLink, now: UnixTime) -> Result<Option<QueuedCode>, Broken> {
    const LEFT: usize = 1_000;
    for _ in 0..LEFT {
        match context.store.take_queued(now, now.saturating_add(TURN)).await? {
            Some(other) if other.link != *link => {
                context.store.finish_queued(other.link, other.id, None).await?;
            }
            taken => return Ok(taken),
        }
    }
    Err(Broken::new("codes are taken again and again".to_owned()))
}

async fn held(context: &Context<'_>, link: &ReciprocalLink, now: UnixTime) -> Result<Option<PeerTokens>, StoreError> {
    context.store.peer_tokens(link.clone(), now).await
}

async fn finish(context: &Context<'_>, code: &QueuedCode, tokens: Option<&PeerTokens>) -> Result<Finished, StoreError> {
    context.store.finish_queued(code.link.clone(), code.id, tokens.cloned()).await
}

async fn defer(context: &Context<'_>, code: &QueuedCode, due_at: UnixTime) -> Result<bool, StoreError> {
    context.store.defer_queued(code.link.clone(), code.id, due_at).await
}

/// Queues the code, which must be new there.
async fn queue(context: &Context<'_>, code: &QueuedCode) -> Verdict {
    same("queue_code", &context.store.queue_code(code.clone()).await?, &Queued::Added)
}

pub(super) async fn a_queued_code_is_taken_again_until_it_is_finished(context: &Context<'_>) -> Verdict {
    let code = sample::queued(context)?;
    same("before", &take(context, &code.link, context.now).await?, &None)?;
    queue(context, &code).await?;
    let mut now = context.now;
    for attempts in 1..4 {
        let until = now.saturating_add(TURN);
        let expected = QueuedCode { attempts, due_at: until, ..code.clone() };
        same("when it is due", &take(context, &code.link, now).await?, &Some(expected))?;
        same("in somebody's turn", &take(context, &code.link, until.saturating_sub(1)).await?, &None)?;
        now = until;
    }
    same("defer_queued", &defer(context, &code, context.after(HOUR)).await?, &true)?;
    same("a second before", &take(context, &code.link, context.after(HOUR - 1)).await?, &None)?;
    let taken = take(context, &code.link, context.after(HOUR)).await?;
    same("attempts", &taken.map(|taken| taken.attempts), &Some(4))?;
    same("given up", &finish(context, &code, None).await?, &Finished::Replaced(None))?;
    same("once given up", &take(context, &code.link, context.after(DAY)).await?, &None)?;
    same("defer_queued, once given up", &defer(context, &code, context.now).await?, &false)?;
    same("given up again", &finish(context, &code, None).await?, &Finished::Superseded)?;
    let tokens = sample::peer_tokens(context, &code)?;
    same("redeemed, once given up", &finish(context, &code, Some(&tokens)).await?, &Finished::Superseded)?;
    same("its tokens", &held(context, &code.link, context.now).await?, &None)
}

pub(super) async fn codes_are_taken_when_they_are_due_the_first_first(context: &Context<'_>) -> Verdict {
    let first = sample::queued(context)?;
    take(context, &first.link, context.after(HOUR)).await?;
    let mut codes = vec![first];
    // One has expired long ago, and one has yet to be due.
    for (due, expires) in [(30, 600), (10, 600), (20, 0), (40, 600)] {
        let (due_at, expires_at) = (context.after(due), context.after(expires));
        codes.push(QueuedCode { due_at, expires_at, ..sample::queued(context)? });
    }
    for code in &codes {
        queue(context, code).await?;
    }
    let mut taken = Vec::new();
    while let Some(code) = context.store.take_queued(context.after(39), context.after(HOUR)).await? {
        taken.push(code.due_at == context.after(HOUR) && code.attempts == 1);
        let at = codes.iter().position(|other| other.id == code.id);
        same("the next", &at, &[0, 2, 3, 1].get(taken.len() - 1).copied())?;
    }
    same("those that are due", &taken, &vec![true; 4])?;
    let last = context.store.take_queued(context.after(40), context.after(HOUR)).await?;
    same("the last", &last.map(|code| code.id), &codes.last().map(|code| code.id))?;
    for code in &codes {
        same("its end", &finish(context, code, None).await?, &Finished::Replaced(None))?;
    }
    Ok(())
}

pub(super) async fn a_code_that_comes_again_is_known(context: &Context<'_>) -> Verdict {
    let (store, now) = (&context.store, context.now);
    let first = sample::queued(context)?;
    let again = |code: &QueuedCode, at| QueuedCode { queued_at: at, sealed: vec![9], ..code.clone() };
    queue(context, &first).await?;
    same("while it waits", &store.queue_code(again(&first, now)).await?, &Queued::Known)?;
    let taken = take(context, &first.link, now).await?;
    same("what waits", &taken.as_ref().map(|code| &code.sealed), &Some(&first.sealed))?;
    same("while it is redeemed", &store.queue_code(again(&first, now)).await?, &Queued::Known)?;
    same("its turn", &take(context, &first.link, now).await?, &None)?;
    let tokens = sample::peer_tokens(context, &first)?;
    same("redeemed", &finish(context, &first, Some(&tokens)).await?, &Finished::Replaced(None))?;
    same("once redeemed", &store.queue_code(again(&first, now)).await?, &Queued::Known)?;
    let before = tokens.ends_at.saturating_sub(1);
    same("while the tokens last", &store.queue_code(again(&first, before)).await?, &Queued::Known)?;
    same("what waits then", &take(context, &first.link, context.after(HOUR)).await?, &None)?;
    queue(context, &again(&first, tokens.ends_at)).await?;
    same("given up", &finish(context, &first, None).await?, &Finished::Replaced(None))?;
    // It has left no trace but the tokens, which have ended by that clock.
    queue(context, &again(&first, tokens.ends_at)).await?;
    same("given up again", &finish(context, &first, None).await?, &Finished::Replaced(None))
}

pub(super) async fn a_code_takes_the_place_of_the_one_that_waits(context: &Context<'_>) -> Verdict {
    let now = context.now;
    let first = sample::queued(context)?;
    let second = QueuedCode { link: first.link.clone(), ..sample::queued(context)? };
    queue(context, &first).await?;
    ensure(take(context, &first.link, now).await?.is_some(), "the first is not due")?;
    queue(context, &second).await?;
    same("to defer the first", &defer(context, &first, context.after(DAY)).await?, &false)?;
    same("the first, given up", &finish(context, &first, None).await?, &Finished::Superseded)?;
    let tokens = sample::peer_tokens(context, &first)?;
    same("the first, redeemed", &finish(context, &first, Some(&tokens)).await?, &Finished::Superseded)?;
    same("its tokens", &held(context, &first.link, now).await?, &None)?;
    let expected = QueuedCode { attempts: 1, due_at: now.saturating_add(TURN), ..second.clone() };
    same("the second", &take(context, &first.link, now).await?, &Some(expected))?;
    same("its end", &finish(context, &second, None).await?, &Finished::Replaced(None))
}

/// Some links of which no two are the same, whatever joins, cuts or leaves out a part of their names.
fn links() -> Result<Vec<ReciprocalLink>, Broken> {
    let tail = sample::id()?;
    let link = |(client, subject): (&str, Option<&str>)| {
        let subject =
            subject.map(|subject| if subject.is_empty() { String::new() } else { format!("{subject} {tail}") });
        Ok::<_, Broken>(ReciprocalLink::new(sample::client(&format!("{tail} {client}"))?, subject))
    };
    let same_end = ReciprocalLink::new(sample::client(&format!("{tail} a:b"))?, Some(format!("c {tail}")));
    let names = [
        ("a", None),
        ("a", Some("")),
        ("a", Some("b:c")),
        ("a", Some("b")),
        ("a", Some("B")),
        ("b", Some("b")),
        ("a", Some("\0")),
        ("a", Some("b\0")),
        ("a", Some("None")),
        ("a", Some("å'\"\\\u{1F980}{}")),
        ("b", None),
    ];
    let mut links = names.into_iter().map(link).collect::<Result<Vec<_>, _>>()?;
    links.push(same_end);
    // Longer than what an index takes.
    links.push(ReciprocalLink::new(sample::client(&format!("{tail} a"))?, Some("ab".repeat(5_000))));
    Ok(links)
}

pub(super) async fn links_do_not_meet(context: &Context<'_>) -> Verdict {
    let (store, now) = (&context.store, context.now);
    let id = sample::digest()?;
    let mut each = Vec::new();
    for link in links()? {
        // One code, which each of them has: whose it is, is not for its digest to say.
        let code = QueuedCode { link, id, ..sample::queued(context)? };
        let tokens = PeerTokens { sealed: sample::random::<16>()?.to_vec(), ..sample::peer_tokens(context, &code)? };
        each.push((code, tokens));
    }
    for (code, _) in &each {
        queue(context, code).await?;
    }
    for (code, tokens) in &each {
        same("its end", &finish(context, code, Some(tokens)).await?, &Finished::Replaced(None))?;
    }
    for (code, tokens) in &each {
        same("its tokens", &held(context, &code.link, now).await?.as_ref(), &Some(tokens))?;
        let next = PeerTokens { revision: tokens.revision + 1, ..tokens.clone() };
        same("a refresh", &store.replace_peer_tokens(next, Some(tokens.revision), now).await?, &true)?;
    }
    for (code, tokens) in &each {
        let next = PeerTokens { revision: tokens.revision + 1, ..tokens.clone() };
        same("what is forgotten", &store.forget_link(code.link.clone()).await?, &Some(next))?;
        same("forgotten again", &store.forget_link(code.link.clone()).await?, &None)?;
    }
    Ok(())
}

pub(super) async fn waiting_codes_are_counted(context: &Context<'_>) -> Verdict {
    let (store, end) = (&context.store, context.after(600));
    let before = (store.queued_codes(context.now).await?, store.queued_codes(end).await?);
    let found = async |what: &str, added: u64, at_the_end: u64| {
        same(what, &store.queued_codes(context.now).await?, &(before.0 + added))?;
        same(&format!("{what}, later"), &store.queued_codes(end).await?, &(before.1 + at_the_end))
    };
    let (first, second) = (sample::queued(context)?, sample::queued(context)?);
    let second = QueuedCode { expires_at: end.saturating_add(1), ..second };
    for code in [&first, &second] {
        queue(context, code).await?;
        context.store.queue_code(code.clone()).await?;
    }
    found("two", 2, 1).await?;
    let tokens = sample::peer_tokens(context, &first)?;
    finish(context, &first, Some(&tokens)).await?;
    found("one that was redeemed", 1, 1).await?;
    finish(context, &second, None).await?;
    found("one that was given up", 0, 0).await?;
    queue(context, &second).await?;
    store.forget_link(second.link.clone()).await?;
    store.forget_link(first.link.clone()).await?;
    found("one that was forgotten", 0, 0).await
}

pub(super) async fn a_sweep_removes_ended_links_in_small_batches(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let now = context.after(365 * DAY);
    while store.sweep(now, 1000).await? == 1000 {}
    // A link of both, of which one part ends first and then the other.
    let code = QueuedCode { expires_at: now.saturating_sub(DAY - 1), ..sample::queued(context)? };
    let tokens = PeerTokens { ends_at: now, ..sample::peer_tokens(context, &code)? };
    let (link, kept) = (code.link.clone(), Digest::of(&[b"another code"]));
    store.replace_peer_tokens(PeerTokens { id: kept, ..tokens.clone() }, None, context.now).await?;
    queue(context, &code).await?;
    let lives =
        PeerTokens { ends_at: now.saturating_add(1), ..sample::peer_tokens(context, &sample::queued(context)?)? };
    same("tokens that live on", &store.replace_peer_tokens(lives.clone(), None, context.now).await?, &true)?;
    for _ in 0..5 {
        queue(context, &QueuedCode { expires_at: now.saturating_sub(DAY), ..sample::queued(context)? }).await?;
        let tokens = sample::peer_tokens(context, &sample::queued(context)?)?;
        store.replace_peer_tokens(PeerTokens { ends_at: now, ..tokens }, None, context.now).await?;
    }
    // Ten links, and the tokens of the one of both.
    for expected in [3, 3, 3, 2, 0] {
        same("of eleven, three at a time", &store.sweep(now, 3).await?, &expected)?;
    }
    same("tokens with a second to live", &held(context, &lives.link, now).await?, &Some(lives))?;
    same("tokens that have ended", &held(context, &link, context.now).await?, &None)?;
    let taken = store.take_queued(now, now.saturating_add(TURN)).await?;
    same("a code with a second to be told of", &taken.map(|code| code.link), &Some(link))?;
    same("the next", &store.take_queued(now, now.saturating_add(TURN)).await?, &None)?;
    while store.sweep(now.saturating_add(1), 3).await? == 3 {}
    same("nothing", &store.take_queued(now.saturating_add(DAY), now.saturating_add(DAY)).await?, &None)
}

/// The first second and the last, in every place where there is a time. But what ended in the first second, a
/// server may have removed.
pub(super) async fn a_link_may_be_of_the_ends_of_time(context: &Context<'_>) -> Verdict {
    for end in [UnixTime(0), UnixTime::MAX] {
        let lasting = end.max(context.after(600));
        let (queued_at, due_at, expires_at) = (end, UnixTime(0), lasting);
        let attempts = u32::MAX - 1;
        let code = QueuedCode { queued_at, due_at, expires_at, attempts, ..sample::queued(context)? };
        let tokens = sample::peer_tokens(context, &code)?;
        let tokens =
            PeerTokens { obtained_at: end, expires_at: Some(end), ends_at: lasting, revision: u64::MAX, ..tokens };
        queue(context, &code).await?;
        for _ in 0..2 {
            let expected = QueuedCode { attempts: u32::MAX, due_at: UnixTime(TURN), ..code.clone() };
            same("taken", &take(context, &code.link, UnixTime(0)).await?, &Some(expected))?;
            same("deferred", &defer(context, &code, UnixTime(0)).await?, &true)?;
        }
        same("deferred for good", &defer(context, &code, UnixTime::MAX).await?, &true)?;
        same("not yet", &take(context, &code.link, context.now).await?, &None)?;
        same("its end", &finish(context, &code, Some(&tokens)).await?, &Finished::Replaced(None))?;
        same("its tokens", &held(context, &code.link, context.now).await?.as_ref(), &Some(&tokens))?;
        same("its tokens at the end", &held(context, &code.link, lasting).await?, &None)?;
        context.store.forget_link(code.link).await?;
    }
    Ok(())
}
