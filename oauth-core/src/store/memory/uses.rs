//! What was used, until when, and how often.

use std::collections::{BTreeSet, HashMap};

use super::{MemoryStore, lock};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{StoreFuture, Uses},
};

/// For how long a use is kept beyond its end, as other stores do: their nodes'
/// clocks differ.
const MARGIN: u64 = 60;

#[derive(Default)]
pub(super) struct Used {
    marks: HashMap<Digest, Mark>,
    by_end: BTreeSet<(UnixTime, Digest)>,
}

#[derive(Clone, Copy)]
struct Mark {
    count: u64,
    until: UnixTime,
}

impl Used {
    fn first(&mut self, digest: Digest, until: UnixTime, now: UnixTime) -> bool {
        let first = now < until && self.so_far(digest, now) == 0;
        if first {
            self.count(digest, until, now);
        }
        first
    }

    fn count(&mut self, digest: Digest, until: UnixTime, now: UnixTime) -> u64 {
        if let Some(mark) = self.marks.get_mut(&digest).filter(|mark| now < mark.until) {
            mark.count = mark.count.saturating_add(1);
            return mark.count;
        }
        if let Some(over) = self.marks.insert(digest, Mark { count: 1, until }) {
            self.by_end.remove(&(over.until, digest));
        }
        self.by_end.insert((until, digest));
        1
    }

    fn so_far(&self, digest: Digest, now: UnixTime) -> u64 {
        self.marks.get(&digest).filter(|mark| now < mark.until).map_or(0, |mark| mark.count)
    }

    pub(super) fn sweep(&mut self, now: UnixTime, limit: usize) -> usize {
        let mut removed = 0;
        while removed < limit
            && let Some((until, digest)) = self.by_end.first().copied()
            && until.saturating_add(MARGIN) <= now
        {
            self.by_end.pop_first();
            self.marks.remove(&digest);
            removed += 1;
        }
        removed
    }
}

impl Uses for MemoryStore {
    fn first_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(lock(&self.0.used).first(digest, until, now)) })
    }

    fn count_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, u64> {
        Box::pin(async move { Ok(lock(&self.0.used).count(digest, until, now)) })
    }

    fn uses(&self, digest: Digest, now: UnixTime) -> StoreFuture<'_, u64> {
        Box::pin(async move { Ok(lock(&self.0.used).so_far(digest, now)) })
    }
}
