//! Reading while others write: a step is seen as a whole, or not at all.

use std::{pin::Pin, sync::Arc};

use super::{
    context::{Broken, Context, Verdict, same},
    sample,
};
use crate::{
    client::Client,
    secret::Digest,
    store::{Consent, FinishInteraction, Grant, RedeemCode, RotateRefresh, Store, StoreError},
    token::GrantId,
};

/// How many tasks read what one writes.
const READERS: usize = 8;
/// How often each looks, if it does not see the end.
const LOOKS: usize = 25;

/// What a reader should not see, or why it could not look.
pub(super) enum Torn {
    /// Half of a step.
    Seen(&'static str),
    /// Nothing.
    Failed(StoreError),
}

impl From<StoreError> for Torn {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<Torn> for Broken {
    fn from(torn: Torn) -> Self {
        match torn {
            Torn::Seen(what) => Self::new(format!("a reader saw {what}")),
            Torn::Failed(error) => error.into(),
        }
    }
}

type Runner = Pin<Box<dyn Future<Output = Result<Option<&'static str>, StoreError>> + Send>>;

/// Lets `write` run while readers look, each again and again, until `look`
/// says that it has seen the end.
pub(super) async fn watch<W, L, F>(context: &Context<'_>, write: W, look: L) -> Verdict
where
    W: Future<Output = Result<(), StoreError>> + Send + 'static,
    L: Fn(Arc<dyn Store>) -> F + Clone + Send + 'static,
    F: Future<Output = Result<bool, Torn>> + Send,
{
    let reader = |_| -> Runner {
        let (store, look) = (Arc::clone(&context.store), look.clone());
        Box::pin(async move {
            for _ in 0..LOOKS {
                match look(Arc::clone(&store)).await {
                    Ok(false) => {}
                    Ok(true) => break,
                    Err(Torn::Seen(what)) => return Ok(Some(what)),
                    Err(Torn::Failed(error)) => return Err(error),
                }
            }
            Ok(None)
        })
    };
    let mut runners: Vec<Runner> = (0..READERS).map(reader).collect();
    runners.insert(READERS / 2, Box::pin(async move { write.await.map(|()| None) }));
    match context.race(runners).await?.into_iter().flatten().next() {
        Some(what) => Err(Torn::Seen(what).into()),
        None => Ok(()),
    }
}

/// One look at a grant whose code is being redeemed for the token `access`.
pub(super) async fn redemption(store: &dyn Store, id: GrantId, access: Digest) -> Result<bool, Torn> {
    let Some(grant) = store.grant(id).await? else { return Err(Torn::Seen("no grant")) };
    let redeemed = is_redeemed(&grant);
    if redeemed != grant.refresh.is_some() {
        return Err(Torn::Seen("a redeemed code without a refresh token, or the reverse"));
    }
    match store.access(id, access).await? {
        Some((grant, _)) if !is_redeemed(&grant) => Err(Torn::Seen("an access token of a code that is not redeemed")),
        None if redeemed => Err(Torn::Seen("a redeemed code without its access token")),
        _ => Ok(redeemed),
    }
}

fn is_redeemed(grant: &Grant) -> bool {
    grant.code.as_ref().is_some_and(|code| code.redeemed_at.is_some())
}

pub(super) async fn a_redemption_is_seen_as_a_whole(context: &Context<'_>) -> Verdict {
    let grant = sample::coded(context)?;
    context.store.insert_grant(grant.clone(), None).await?;
    let redeem: RedeemCode = sample::redemption(context, &grant)?;
    let (id, access) = (grant.id, redeem.access.digest);
    let store = Arc::clone(&context.store);
    let write = async move { store.redeem_code(redeem).await.map(drop) };
    watch(context, write, move |store| async move { redemption(&*store, id, access).await }).await
}

pub(super) async fn a_rotation_is_seen_as_a_whole(context: &Context<'_>) -> Verdict {
    let grant = sample::refreshable(context)?;
    context.store.insert_grant(grant.clone(), None).await?;
    let mut steps: Vec<RotateRefresh> = vec![sample::rotation(context, &grant)?];
    for _ in 0..4 {
        let next = steps.last().map(|last| sample::following(context, last)).transpose()?;
        steps.extend(next);
    }
    // By number: that of the rotation is the generation that it leaves.
    let tokens: Arc<[Digest]> = steps.iter().map(|step| step.access.digest).collect();
    let store = Arc::clone(&context.store);
    let write = async move {
        for step in steps {
            store.rotate_refresh(step).await?;
        }
        Ok(())
    };
    let look = move |store: Arc<dyn Store>| {
        let tokens = Arc::clone(&tokens);
        async move { rotation(&*store, grant.id, &tokens).await }
    };
    watch(context, write, look).await
}

/// One look at a grant whose refresh token is rotated for each of `tokens`.
async fn rotation(store: &dyn Store, id: GrantId, tokens: &[Digest]) -> Result<bool, Torn> {
    let generation = |grant: &Grant| grant.refresh.as_ref().map_or(0, |one| one.generation);
    let reached = store.grant(id).await?.map_or(0, |grant| generation(&grant));
    for (token, number) in tokens.iter().zip(1..) {
        match store.access(id, *token).await? {
            Some((grant, _)) if generation(&grant) < number => {
                return Err(Torn::Seen("an access token before the rotation that made it"));
            }
            None if reached >= number => return Err(Torn::Seen("a rotation without its access token")),
            _ => {}
        }
    }
    Ok(usize::try_from(reached).is_ok_and(|reached| reached == tokens.len()))
}

pub(super) async fn a_revocation_is_seen_as_a_whole(context: &Context<'_>) -> Verdict {
    let grant = Grant { revoked_at: None, ..sample::full(context)? };
    let (id, now, access) = (grant.id, context.now, sample::access(context)?);
    let token = access.digest;
    context.store.insert_grant(grant, Some(access)).await?;
    let store = Arc::clone(&context.store);
    let write = async move { store.revoke_grant(id, now).await.map(drop) };
    let look = move |store: Arc<dyn Store>| async move {
        let Some(grant) = store.grant(id).await? else { return Err(Torn::Seen("no grant")) };
        let retry = grant.refresh.as_ref().is_some_and(|refresh| refresh.retry.is_some());
        if grant.revoked_at.is_some() == retry {
            return Err(Torn::Seen("a revoked grant with a way back to its tokens, or the reverse"));
        }
        match store.access(id, token).await? {
            Some((later, _)) if grant.revoked_at.is_some() && later.is_live(now) => {
                Err(Torn::Seen("a grant live again after its revocation"))
            }
            _ => Ok(grant.revoked_at.is_some()),
        }
    };
    watch(context, write, look).await
}

pub(super) async fn a_new_grant_is_seen_with_its_token(context: &Context<'_>) -> Verdict {
    let (grant, access) = (sample::grant(context)?, sample::access(context)?);
    let (id, token) = (grant.id, access.digest);
    let store = Arc::clone(&context.store);
    let write = async move { store.insert_grant(grant, Some(access)).await };
    let look = move |store: Arc<dyn Store>| async move {
        let found = store.grant(id).await?.is_some();
        if found && store.access(id, token).await?.is_none() {
            return Err(Torn::Seen("a new grant without its access token"));
        }
        Ok(found)
    };
    watch(context, write, look).await
}

pub(super) async fn the_end_of_an_interaction_is_seen_with_its_grant(context: &Context<'_>) -> Verdict {
    let (parked, grant) = (sample::parked(context)?, sample::coded(context)?);
    context.store.park_interaction(parked.clone()).await?;
    let (id, browser, now, led_to) = (parked.id, parked.browser, context.now, grant.id);
    let store = Arc::clone(&context.store);
    let finish = FinishInteraction { id, browser, now, grant: Some(grant) };
    let write = async move { store.finish_interaction(finish).await.map(drop) };
    let look = move |store: Arc<dyn Store>| async move {
        let over = store.interaction(id, browser, now).await?.is_none();
        if over && store.grant(led_to).await?.is_none() {
            return Err(Torn::Seen("an interaction that is over, and no grant"));
        }
        Ok(over)
    };
    watch(context, write, look).await
}

pub(super) async fn a_client_is_seen_as_a_whole_while_it_is_replaced(context: &Context<'_>) -> Verdict {
    let name = format!("client {}", sample::id()?);
    let client = |number: u8| {
        let client = Client::builder(&name).name(format!("Number {number}"));
        client.redirect_uri(format!("https://app.example/{number}")).build()
    };
    let versions: Vec<Client> = (0..4).map(client).collect::<Result<_, _>>().map_err(StoreError::unavailable)?;
    let Some((first, others)) = versions.split_first() else { return Ok(()) };
    context.store.put_client(first.clone()).await?;
    let (store, others, id) = (Arc::clone(&context.store), others.to_vec(), first.id.clone());
    let write = async move {
        for client in others {
            store.put_client(client).await?;
        }
        Ok(())
    };
    let known: Arc<[Client]> = versions.iter().cloned().collect();
    let look = move |store: Arc<dyn Store>| {
        let (known, id) = (Arc::clone(&known), id.clone());
        async move {
            let found = store.client(id).await?;
            match found.and_then(|found| known.iter().position(|client| *client == *found)) {
                Some(number) => Ok(number + 1 == known.len()),
                None => Err(Torn::Seen("a client that is neither the old one nor the new one")),
            }
        }
    };
    watch(context, write, look).await?;
    let last = context.store.client(first.id.clone()).await?;
    same("the client at last", &last.as_deref(), &versions.last())
}

pub(super) async fn a_consent_is_seen_as_a_whole_while_it_is_replaced(context: &Context<'_>) -> Verdict {
    let mut versions = vec![sample::consent(context)?];
    for tokens in ["photos:read", "photos:write", "notes"] {
        let next = versions.last().map(|last| sample::agreeing(context, last, tokens)).transpose()?;
        versions.extend(next);
    }
    let Some((first, others)) = versions.split_first() else { return Ok(()) };
    let (subject, client, now) = (first.subject.clone(), first.client.clone(), context.now);
    same("the first", &context.store.replace_consent(first.clone(), None, now).await?, &true)?;
    let (store, others, mut revision) = (Arc::clone(&context.store), others.to_vec(), first.revision);
    let write = async move {
        for consent in others {
            let next = consent.revision;
            store.replace_consent(consent, Some(revision), now).await?;
            revision = next;
        }
        Ok(())
    };
    let known: Arc<[Consent]> = versions.iter().cloned().collect();
    let look = move |store: Arc<dyn Store>| {
        let (known, subject, client) = (Arc::clone(&known), subject.clone(), client.clone());
        async move {
            let found = store.consent(subject, client, now).await?;
            match found.and_then(|found| known.iter().position(|consent| *consent == found)) {
                Some(number) => Ok(number + 1 == known.len()),
                None => Err(Torn::Seen("a consent that is neither the old one nor the new one")),
            }
        }
    };
    watch(context, write, look).await?;
    let last = context.store.consent(first.subject.clone(), first.client.clone(), now).await?;
    same("the consent at last", &last.as_ref(), &versions.last())
}
