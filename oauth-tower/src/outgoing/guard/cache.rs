//! Documents that were good, kept while they are fresh.

use std::sync::Arc;

use moka::sync::Cache;
use oauth_core::{
    clock::UnixTime,
    fetch::{FetchRequest, Fetched, Purpose},
};

/// What makes two requests the same. The URL as it was written: a document is
/// judged by that.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    purpose: Purpose,
    url: Arc<str>,
}

impl Key {
    pub(super) fn of(request: &FetchRequest) -> Self {
        Self { purpose: request.purpose(), url: request.url().into() }
    }
}

/// The documents.
#[derive(Debug)]
pub(super) struct Documents(Cache<Key, Fetched>);

impl Documents {
    /// Room for so many bytes.
    pub(super) fn new(bytes: u64) -> Self {
        /// What an entry takes beside what it holds.
        const OVERHEAD: usize = 256;
        let weight = |key: &Key, document: &Fetched| {
            u32::try_from(key.url.len() + document.body.len() + OVERHEAD).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(bytes).weigher(weight).build())
    }

    /// The document under `key`, if it is good for `request` at `now`.
    pub(super) fn get(&self, key: &Key, request: &FetchRequest, now: UnixTime) -> Option<Fetched> {
        let kept = self.0.get(key)?;
        let is_fresh = now < kept.fresh_until && kept.asked >= request.since();
        (is_fresh && kept.body.len() <= request.limit()).then_some(kept)
    }

    pub(super) fn put(&self, key: Key, document: Fetched) {
        self.0.insert(key, document);
    }

    /// How many bytes they take, as they are counted.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.0.run_pending_tasks();
        self.0.weighted_size()
    }
}
