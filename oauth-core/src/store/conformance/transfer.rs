//! The checks for stores that can be listed: [`Transfer`].

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{
    Failure, Task,
    context::{Broken, Context, Verdict, ensure, same},
    sample,
};
use crate::{
    client::Client,
    store::{
        AccessToken, Consent, Cursor, Grant, LinkState, Page, PeerTokens, Queued, Store, StoreError, StoreFuture,
        Transfer,
    },
    token::GrantId,
};

/// Runs every check of what [`Transfer`] promises.
///
/// Like the [`Suite`](super::Suite) they may run on a store that holds other
/// data, if it is not too much: they go through all of it, a few records at a
/// time.
///
/// ```
/// use oauth_core::store::{conformance, memory::MemoryStore};
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// conformance::transfer(MemoryStore::default()).await;
/// # });
/// # Ok::<_, std::io::Error>(())
/// ```
///
/// # Panics
/// If the store fails a check; the message names all that failed.
#[expect(clippy::panic, reason = "failed checks should fail their test")]
pub async fn transfer<S: Store + Transfer>(store: S) {
    let store = Arc::new(store);
    let failures = failures(Arc::<S>::clone(&store), &*store).await;
    if !failures.is_empty() {
        let lines: Vec<_> = failures.iter().map(|failure| format!("\n  {failure}")).collect();
        panic!("the store fails {} checks of its listing:{}", failures.len(), lines.concat());
    }
}

/// The checks of `listed`, which lists what is in `store`.
pub(super) async fn failures(store: Arc<dyn Store>, listed: &dyn Transfer) -> Vec<Failure> {
    let nothing = |task: Task| drop(task);
    let context = Context::new(store, &nothing);
    let verdicts = [
        ("every client is listed", clients(&context, listed).await),
        ("every grant is listed as it is, revoked or not", grants(&context, listed).await),
        ("every access token is listed with its grant", tokens(&context, listed).await),
        ("every consent is listed as it is", consents(&context, listed).await),
        ("every link is listed as it is", links(&context, listed).await),
        ("a page has about as many records as it should", pages(&context, listed).await),
        ("what stays is listed while others come and go", churn(&context, listed).await),
        ("a cursor from elsewhere is refused", foreign(listed).await),
    ];
    let failed = verdicts.into_iter().filter_map(|(check, verdict)| Some((check, verdict.err()?)));
    failed.map(|(check, broken)| Failure { check: check.to_owned(), found: broken.to_string() }).collect()
}

/// One alone, a few that split what belongs together, and more than there are.
const LIMITS: [usize; 3] = [1, 3, 1_000];

/// More than any listing takes that goes on at all.
const MOST_PAGES: usize = 10_000;

/// Every page; `between` is told how many there are so far, and may do
/// something about it.
async fn walk<'s, T>(
    list: impl Fn(Option<Cursor>) -> StoreFuture<'s, Page<T>>,
    mut between: impl AsyncFnMut(usize) -> Verdict,
) -> Result<Vec<Vec<T>>, Broken> {
    let (mut pages, mut after) = (Vec::new(), None);
    while pages.len() < MOST_PAGES {
        let page = list(after).await?;
        pages.push(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(pages);
        }
        between(pages.len()).await?;
    }
    ensure(false, "the pages do not end")?;
    Ok(pages)
}

async fn all<'s, T>(list: impl Fn(Option<Cursor>) -> StoreFuture<'s, Page<T>>) -> Result<Vec<T>, Broken> {
    Ok(walk(list, async |_| Ok(())).await?.into_iter().flatten().collect())
}

async fn clients(context: &Context<'_>, listed: &dyn Transfer) -> Verdict {
    let mut expected = Vec::new();
    for _ in 0..7 {
        let name = format!("client {}", sample::id()?);
        let client = Client::builder(name).redirect_uri(sample::REDIRECT_URI).name("Zwölf \u{1F980}").build();
        let client = Arc::new(client.map_err(StoreError::unavailable)?);
        context.store.put_client((*client).clone()).await?;
        expected.push(client);
    }
    for limit in LIMITS {
        let found = all(|after| listed.list_clients(after, limit)).await?;
        for client in &expected {
            same(
                &format!("a client, at a limit of {limit}"),
                &found.iter().find(|one| one.id == client.id),
                &Some(client),
            )?;
        }
    }
    Ok(())
}

/// One of each state.
fn samples(context: &Context<'_>) -> Result<[Grant; 5], Broken> {
    let full = sample::full(context)?;
    let live = Grant { revoked_at: None, ..sample::full(context)? };
    Ok([sample::grant(context)?, sample::coded(context)?, sample::refreshable(context)?, full, live])
}

async fn grants(context: &Context<'_>, listed: &dyn Transfer) -> Verdict {
    let mut expected = samples(context)?.to_vec();
    for grant in &expected {
        context.store.insert_grant(grant.clone(), Some(sample::access(context)?)).await?;
    }
    // Revoked by a call, not inserted so.
    let Some(first) = expected.first_mut() else { return Ok(()) };
    context.store.revoke_grant(first.id, context.now).await?;
    first.revoked_at = Some(context.now);
    for limit in LIMITS {
        let found = all(|after| listed.list_grants(after, limit)).await?;
        for grant in &expected {
            same(
                &format!("a grant, at a limit of {limit}"),
                &found.iter().find(|one| one.id == grant.id),
                &Some(grant),
            )?;
        }
    }
    Ok(())
}

async fn tokens(context: &Context<'_>, listed: &dyn Transfer) -> Verdict {
    let (mut expected, mut gone) = (Vec::new(), Vec::new());
    for tokens in [1, 5, 0, 2] {
        let grant = sample::refreshable(context)?;
        context.store.insert_grant(grant.clone(), None).await?;
        for _ in 0..tokens {
            let access = sample::access(context)?;
            context.store.insert_access(grant.id, access.clone(), context.now).await?;
            expected.push((grant.id, access));
        }
        let revoked = sample::access(context)?;
        context.store.insert_access(grant.id, revoked.clone(), context.now).await?;
        context.store.revoke_access(grant.id, revoked.digest).await?;
        gone.push(revoked.digest);
    }
    for limit in LIMITS {
        let found: Vec<(GrantId, AccessToken)> = all(|after| listed.list_access(after, limit)).await?;
        for token in &expected {
            let own = found.iter().find(|(_, access)| access.digest == token.1.digest);
            same(&format!("a token, at a limit of {limit}"), &own, &Some(token))?;
        }
        ensure(!found.iter().any(|(_, access)| gone.contains(&access.digest)), "a revoked token is listed")?;
    }
    Ok(())
}

async fn consents(context: &Context<'_>, listed: &dyn Transfer) -> Verdict {
    let mut expected = Vec::new();
    for _ in 0..3 {
        // Of one person to several clients, whose names are each other's beginnings.
        let consent = sample::consent(context)?;
        for more in ["", "a", "ab", "b"] {
            let client = sample::client(&format!("{}{more}", consent.client))?;
            expected.push(Consent { client, ..sample::agreeing(context, &consent, "photos")? });
        }
    }
    for consent in &expected {
        same("a first one", &context.store.replace_consent(consent.clone(), None, context.now).await?, &true)?;
    }
    let Some(gone) = expected.pop() else { return Ok(()) };
    context.store.forget_consent(gone.subject.clone(), gone.client.clone()).await?;
    for limit in LIMITS {
        let found = all(|after| listed.list_consents(after, limit)).await?;
        for consent in &expected {
            let own = found.iter().find(|one| one.subject == consent.subject && one.client == consent.client);
            same(&format!("a consent, at a limit of {limit}"), &own, &Some(consent))?;
        }
        ensure(!found.contains(&gone), "a forgotten consent is listed")?;
    }
    Ok(())
}

async fn links(context: &Context<'_>, listed: &dyn Transfer) -> Verdict {
    let mut expected = Vec::new();
    for number in 0..7 {
        let code = sample::queued(context)?;
        let tokens = PeerTokens { id: sample::digest()?, ..sample::peer_tokens(context, &code)? };
        let state = LinkState { code: (number != 1).then_some(code), tokens: (number != 2).then_some(tokens) };
        if let Some(tokens) = state.tokens.clone() {
            same("the tokens", &context.store.replace_peer_tokens(tokens, None, context.now).await?, &true)?;
        }
        if let Some(code) = state.code.clone() {
            same("the code", &context.store.queue_code(code).await?, &Queued::Added)?;
        }
        expected.push(state);
    }
    let Some(gone) = expected.pop() else { return Ok(()) };
    for limit in LIMITS {
        let found = all(|after| listed.list_links(after, limit)).await?;
        for state in &expected {
            let own = found.iter().find(|one| one.link() == state.link());
            same(&format!("a link, at a limit of {limit}"), &own, &Some(state))?;
        }
        ensure(found.iter().all(|state| !state.is_empty()), "a link of nothing is listed")?;
        if let Some(link) = gone.link() {
            context.store.forget_link(link.clone()).await?;
        }
    }
    let found = all(|after| listed.list_links(after, 3)).await?;
    ensure(!found.contains(&gone), "a forgotten link is listed")?;
    for link in expected.iter().filter_map(LinkState::link) {
        context.store.forget_link(link.clone()).await?;
    }
    Ok(())
}

async fn pages(context: &Context<'_>, listed: &dyn Transfer) -> Verdict {
    const LIMIT: usize = 10;
    const MOST: usize = 5 * LIMIT;
    for _ in 0..20 * LIMIT {
        let access = Some(sample::access(context)?);
        context.store.insert_grant(sample::refreshable(context)?, access).await?;
    }
    let grants = walk(|after| listed.list_grants(after, LIMIT), async |_| Ok(())).await?;
    let tokens = walk(|after| listed.list_access(after, LIMIT), async |_| Ok(())).await?;
    let largest = grants.iter().map(Vec::len).chain(tokens.iter().map(Vec::len)).max().unwrap_or(0);
    ensure(largest <= MOST, format!("a page of {largest}, where {LIMIT} were asked for"))
}

async fn churn(context: &Context<'_>, listed: &dyn Transfer) -> Verdict {
    /// Fewer than go, so that what counts instead of remembering is led astray.
    const COME: usize = 5;
    let mut goes = Vec::new();
    for _ in 0..60 {
        let (grant, access) = (sample::refreshable(context)?, sample::access(context)?);
        context.store.insert_grant(grant.clone(), Some(access.clone())).await?;
        goes.push((grant.id, access.digest));
    }
    let mut stays = all(|after| listed.list_access(after, 100)).await?;
    stays.retain(|(id, access)| !goes.contains(&(*id, access.digest)));
    let come_and_go = async |page: usize| {
        if page <= COME {
            context.store.insert_grant(sample::coded(context)?, Some(sample::access(context)?)).await?;
        }
        if let Some((grant, digest)) = goes.pop() {
            context.store.revoke_access(grant, digest).await?;
        }
        Ok(())
    };
    let found = walk(|after| listed.list_access(after, 2), come_and_go).await?.concat();
    ensure(stays.iter().all(|token| found.contains(token)), "a token that stayed is not listed")?;

    let stays = all(|after| listed.list_grants(after, 100)).await?;
    let come = async |page: usize| match page {
        0..=COME => Ok(context.store.insert_grant(sample::coded(context)?, None).await?),
        _ => Ok(()),
    };
    let found = walk(|after| listed.list_grants(after, 2), come).await?.concat();
    ensure(stays.iter().all(|grant| found.contains(grant)), "a grant that stayed is not listed")
}

async fn foreign(listed: &dyn Transfer) -> Verdict {
    let cursor = || Some(Cursor::new([0xff; 3]));
    ensure(listed.list_clients(cursor(), 1).await.is_err(), "of clients")?;
    ensure(listed.list_grants(cursor(), 1).await.is_err(), "of grants")?;
    ensure(listed.list_access(cursor(), 1).await.is_err(), "of access tokens")?;
    ensure(listed.list_consents(cursor(), 1).await.is_err(), "of consents")?;
    ensure(listed.list_links(cursor(), 1).await.is_err(), "of links")
}
