//! Keeping clients.

use std::sync::Arc;

use super::{
    context::{Broken, Context, Verdict, same},
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
