//! Keeping clients.

use std::sync::Arc;

use super::{
    context::{Broken, Context, RUNNERS, Verdict, count, ensure, same},
    sample,
};
use crate::{
    client::{Client, ClientSecret},
    clock::UnixTime,
    store::StoreError,
    token::GrantId,
};

fn client(id: GrantId, name: &str) -> Result<Client, Broken> {
    let secret = ClientSecret::new(&"a generated secret".into());
    let client = Client::builder(format!("client {id}"))
        .secret(secret.clone().expires_at(UnixTime(4_000_000_000)))
        .secret(secret)
        .redirect_uri("https://app.example/callback?a=b")
        .scope("albums:read albums:write")
        .name(name);
    client.build().map_err(|error| StoreError::unavailable(error).into())
}

pub(super) async fn a_client_is_kept_replaced_and_removed(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let (own, other) = (sample::id()?, sample::id()?);
    let (first, second, neighbor) = (client(own, "One")?, client(own, "Zwölf \u{1F980}")?, client(other, "Two")?);
    let id = first.id.clone();
    same("before", &store.client(id.clone()).await?, &None)?;
    store.put_client(first.clone()).await?;
    store.put_client(neighbor.clone()).await?;
    same("once put", &store.client(id.clone()).await?, &Some(Arc::new(first)))?;
    store.put_client(second.clone()).await?;
    same("once replaced", &store.client(id.clone()).await?, &Some(Arc::new(second)))?;
    same("delete_client", &store.delete_client(id.clone()).await?, &true)?;
    same("delete_client again", &store.delete_client(id.clone()).await?, &false)?;
    same("once removed", &store.client(id).await?, &None)?;
    same("the other client", &store.client(neighbor.id.clone()).await?, &Some(Arc::new(neighbor)))
}

fn at_revision(id: GrantId, name: &str, revision: u64) -> Result<Client, Broken> {
    let mut client = client(id, name)?;
    client.revision = revision;
    Ok(client)
}

pub(super) async fn a_client_is_replaced_at_its_revision_alone(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let id = sample::id()?;
    let (first, second) = (at_revision(id, "One", 0)?, at_revision(id, "Two", 1)?);
    let held = || store.client(first.id.clone());
    same("before", &store.replace_client(first.clone(), 0).await?, &false)?;
    same("what was never there", &held().await?, &None)?;
    store.put_client(first.clone()).await?;
    same("at a later revision", &store.replace_client(second.clone(), 1).await?, &false)?;
    same("what was not replaced", &held().await?, &Some(Arc::new(first.clone())))?;
    same("at its revision", &store.replace_client(second.clone(), 0).await?, &true)?;
    same("once replaced", &held().await?, &Some(Arc::new(second.clone())))?;
    same("at an earlier revision", &store.replace_client(first.clone(), 0).await?, &false)?;
    let far = at_revision(id, "Far", 4_000_000_000)?;
    same("to any other revision", &store.replace_client(far.clone(), 1).await?, &true)?;
    same("and on", &store.replace_client(far.clone(), far.revision).await?, &true)?;
    store.delete_client(first.id.clone()).await?;
    same("once removed", &store.replace_client(second, far.revision).await?, &false)?;
    same("what was removed", &held().await?, &None)
}

pub(super) async fn a_client_is_replaced_once_by_many(context: &Context<'_>) -> Verdict {
    let id = sample::id()?;
    context.store.put_client(at_revision(id, "before", 0)?).await?;
    let clients = (0..RUNNERS).map(|n| at_revision(id, &format!("by {n}"), 1)).collect::<Result<Vec<_>, _>>()?;
    let runner = |client| {
        let store = Arc::clone(&context.store);
        async move { store.replace_client(client, 0).await }
    };
    let outcomes = context.race(clients.iter().cloned().map(runner)).await?;
    same("replacements", &count(&outcomes, &true), &1)?;
    let winner = clients.into_iter().zip(outcomes).find(|(_, replaced)| *replaced).map(|(client, _)| Arc::new(client));
    let id = winner.as_ref().map(|client| client.id.clone());
    let Some(id) = id else { return Ok(()) };
    same("the client", &context.store.client(id).await?, &winner)
}

pub(super) async fn a_removed_client_is_not_brought_back_by_those_who_replace_it(context: &Context<'_>) -> Verdict {
    let id = sample::id()?;
    let first = at_revision(id, "before", 0)?;
    context.store.put_client(first.clone()).await?;
    let runner = |n: u8| {
        let (store, name) = (Arc::clone(&context.store), first.id.clone());
        let client = at_revision(id, "after", 0);
        async move {
            let Ok(client) = client else { return Ok(()) };
            match n {
                20 => store.delete_client(name).await.map(drop),
                _ => store.replace_client(client, 0).await.map(drop),
            }
        }
    };
    context.race((0..RUNNERS).map(runner)).await?;
    ensure(context.store.client(first.id).await?.is_none(), "a client is back that was removed")
}
