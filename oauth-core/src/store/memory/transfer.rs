//! Pages of what is in memory: a lock is held for no longer than one takes.

use std::sync::{Arc, PoisonError};

use super::{MemoryStore, SHARDS, lock, shard::Shard};
use crate::{
    client::{Client, ClientId},
    store::{
        AccessToken, Consent, Cursor, Grant, LinkState, Page, StoreError, StoreFuture, Transfer,
        transfer::{after_consent, after_state, consent_of, link_of},
    },
    token::GrantId,
};

impl Transfer for MemoryStore {
    fn list_clients(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Arc<Client>>> {
        Box::pin(async move {
            let after = after.map(|cursor| client_at(&cursor)).transpose()?;
            let clients = self.0.clients.read().unwrap_or_else(PoisonError::into_inner);
            let later = clients.values().filter(|client| after.as_ref().is_none_or(|after| client.id > *after));
            let items = first(later.cloned().collect(), limit, |client| client.id.clone());
            let last = items.last().filter(|_| items.len() >= limit);
            let next = last.map(|client| Cursor::new(client.id.as_str()));
            Ok(Page { items, next })
        })
    }

    fn list_grants(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Grant>> {
        Box::pin(async move { self.page(after, limit, |shard, id| shard.grant(id).into_iter().collect()) })
    }

    fn list_access(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<(GrantId, AccessToken)>> {
        let tokens = |shard: &Shard, id| shard.tokens(id).iter().map(|access| (id, access.clone())).collect();
        Box::pin(async move { self.page(after, limit, tokens) })
    }

    fn list_consents(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Consent>> {
        Box::pin(async move {
            let (after, limit) = (after.as_ref().map(consent_of).transpose()?, limit.max(1));
            let items = lock(&self.0.given).after(after.as_ref(), limit);
            Ok(Page::of_rows(items, limit, after_consent))
        })
    }

    fn list_links(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<LinkState>> {
        Box::pin(async move {
            let (after, limit) = (after.as_ref().map(link_of).transpose()?, limit.max(1));
            Ok(Page::of_rows(lock(&self.0.links).after(after, limit, |state| Some(state)), limit, after_state))
        })
    }
}

impl MemoryStore {
    /// What `records` finds of the next grants of one shard, until it is
    /// enough.
    fn page<T>(
        &self,
        after: Option<Cursor>,
        limit: usize,
        records: impl Fn(&Shard, GrantId) -> Vec<T>,
    ) -> Result<Page<T>, StoreError> {
        let (at, after) = after.map_or(Ok((0, None)), |cursor| place_of(&cursor))?;
        let shard = lock(self.0.shards.get(at).ok_or(StoreError::Corrupt("cursor"))?);
        let ids = first(shard.ids_after(after), limit, |id| *id);
        let mut items = Vec::new();
        let mut last = None;
        for id in &ids {
            items.extend(records(&shard, *id));
            last = Some(*id);
            if items.len() >= limit {
                break;
            }
        }
        let next = match last {
            Some(id) if ids.len() >= limit || last != ids.last().copied() => Some(place(at, Some(id))),
            _ => (at + 1 < SHARDS).then(|| place(at + 1, None)),
        };
        Ok(Page { items, next })
    }
}

/// The first `limit` of `all`, at least one, in their order.
fn first<T, K: Ord>(mut all: Vec<T>, limit: usize, key: impl Fn(&T) -> K) -> Vec<T> {
    let limit = limit.max(1);
    if limit < all.len() {
        all.select_nth_unstable_by_key(limit, &key);
        all.truncate(limit);
    }
    all.sort_unstable_by_key(key);
    all
}

/// The number of a shard, and the last grant that was seen there.
fn place(shard: usize, after: Option<GrantId>) -> Cursor {
    let mut bytes = shard.to_be_bytes().to_vec();
    bytes.extend(after.iter().flat_map(|id| *id.as_bytes()));
    Cursor::new(bytes)
}

fn place_of(cursor: &Cursor) -> Result<(usize, Option<GrantId>), StoreError> {
    let wrong = StoreError::Corrupt("cursor");
    let Some((shard, id)) = cursor.as_bytes().split_first_chunk() else { return Err(wrong) };
    let shard = usize::from_be_bytes(*shard);
    match <[u8; 16]>::try_from(id) {
        Ok(id) => Ok((shard, Some(GrantId::from_bytes(id)))),
        Err(_) if id.is_empty() => Ok((shard, None)),
        Err(_) => Err(wrong),
    }
}

fn client_at(cursor: &Cursor) -> Result<ClientId, StoreError> {
    let text = std::str::from_utf8(cursor.as_bytes()).ok();
    text.and_then(|text| ClientId::new(text).ok()).ok_or(StoreError::Corrupt("cursor"))
}
