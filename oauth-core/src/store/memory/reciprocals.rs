//! Codes that wait to be redeemed elsewhere, and what they brought.

use std::collections::{BTreeMap, BTreeSet};

use super::{MemoryStore, lock};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{
        Cursor, Finished, LinkState, Page, PeerTokens, Queued, QueuedCode, ReciprocalLink, Reciprocals, StoreFuture,
        transfer::{after_link, link_of},
    },
};

/// By the keys of the links. None is empty.
#[derive(Default)]
pub(super) struct Links {
    states: BTreeMap<Digest, LinkState>,
    due: BTreeSet<(UnixTime, Digest)>,
    by_end: BTreeSet<(UnixTime, Digest)>,
}

impl Links {
    /// Lets `change` at a link, and keeps the indexes true.
    fn step<T>(&mut self, key: Digest, change: impl FnOnce(&mut LinkState) -> T) -> T {
        let mut state = self.states.remove(&key).unwrap_or_default();
        if let Some(code) = &state.code {
            self.due.remove(&(code.due_at, key));
        }
        self.by_end.remove(&(state.swept_at(), key));
        let outcome = change(&mut state);
        if let Some(code) = &state.code {
            self.due.insert((code.due_at, key));
        }
        if !state.is_empty() {
            self.by_end.insert((state.swept_at(), key));
            self.states.insert(key, state);
        }
        outcome
    }

    fn take(&mut self, now: UnixTime, until: UnixTime) -> Option<QueuedCode> {
        let (_, key) = self.due.first().copied().filter(|(due_at, _)| *due_at <= now)?;
        self.step(key, |state| state.take(now, until))
    }

    /// At most `limit` of what `part` finds, behind `after`, in their order.
    pub(super) fn after<T>(
        &self,
        after: Option<Digest>,
        limit: usize,
        part: impl Fn(&LinkState) -> Option<&T>,
    ) -> Vec<T>
    where
        T: Clone,
    {
        use std::ops::Bound::{Excluded, Unbounded};
        let behind = (after.map_or(Unbounded, Excluded), Unbounded);
        self.states.range(behind).filter_map(|(_, state)| part(state)).take(limit).cloned().collect()
    }

    pub(super) fn sweep(&mut self, now: UnixTime, limit: usize) -> usize {
        let mut removed = 0;
        while removed < limit
            && let Some((end, key)) = self.by_end.first().copied()
            && end <= now
        {
            self.step(key, |state| state.sweep(now));
            removed += 1;
        }
        removed
    }
}

impl Reciprocals for MemoryStore {
    fn queue_code(&self, code: QueuedCode) -> StoreFuture<'_, Queued> {
        Box::pin(async move { Ok(lock(&self.0.links).step(code.link.key(), |state| state.queue(code))) })
    }

    fn take_queued(&self, now: UnixTime, until: UnixTime) -> StoreFuture<'_, Option<QueuedCode>> {
        Box::pin(async move { Ok(lock(&self.0.links).take(now, until)) })
    }

    fn defer_queued(&self, link: ReciprocalLink, id: Digest, due_at: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(lock(&self.0.links).step(link.key(), |state| state.defer(id, due_at))) })
    }

    fn finish_queued(&self, link: ReciprocalLink, id: Digest, tokens: Option<PeerTokens>) -> StoreFuture<'_, Finished> {
        Box::pin(async move {
            let key = link.key();
            let tokens = tokens.map(|tokens| PeerTokens { link, id, ..tokens });
            Ok(lock(&self.0.links).step(key, |state| state.finish(id, tokens)))
        })
    }

    fn peer_tokens(&self, link: ReciprocalLink, now: UnixTime) -> StoreFuture<'_, Option<PeerTokens>> {
        Box::pin(async move {
            let links = lock(&self.0.links);
            Ok(links.states.get(&link.key()).and_then(|state| state.live_tokens(now)).cloned())
        })
    }

    fn replace_peer_tokens(&self, tokens: PeerTokens, revision: Option<u64>, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let key = tokens.link.key();
            Ok(lock(&self.0.links).step(key, |state| state.replace_tokens(tokens, revision, now)))
        })
    }

    fn forget_link(&self, link: ReciprocalLink) -> StoreFuture<'_, Option<PeerTokens>> {
        Box::pin(async move { Ok(lock(&self.0.links).step(link.key(), std::mem::take).tokens) })
    }

    fn list_peer_tokens(
        &self,
        after: Option<Cursor>,
        limit: usize,
        now: UnixTime,
    ) -> StoreFuture<'_, Page<PeerTokens>> {
        Box::pin(async move {
            let (after, limit) = (after.as_ref().map(link_of).transpose()?, limit.max(1));
            let items = lock(&self.0.links).after(after, limit, |state| state.live_tokens(now));
            Ok(Page::of_rows(items, limit, |tokens| after_link(&tokens.link)))
        })
    }

    fn queued_codes(&self, now: UnixTime) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let links = lock(&self.0.links);
            let waiting = links.states.values().filter_map(|state| state.code.as_ref());
            Ok(waiting.fold(0, |count, code| count + u64::from(now < code.expires_at)))
        })
    }
}
