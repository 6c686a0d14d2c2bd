//! Revocations, told to everyone in this process who caches verdicts.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use crate::{secret::Digest, token::GrantId};

/// What was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revoked {
    /// A grant, and with it every token under it.
    Grant(GrantId),
    /// One access token.
    Access {
        /// Its grant.
        grant: GrantId,
        /// Its digest, as the store knows it.
        digest: Digest,
    },
}

/// Hears of revocations.
pub trait RevocationListener: Send + Sync {
    /// `what` is revoked: the store has committed it, and whoever asked for it
    /// has not been answered yet. Drop what rests on it before returning.
    fn revoked(&self, what: &Revoked);
}

/// The listeners of one process.
#[derive(Clone, Default)]
pub struct Revocations {
    listeners: Arc<Mutex<Vec<Weak<dyn RevocationListener>>>>,
}

impl Revocations {
    /// Adds a listener for as long as it lives.
    pub fn subscribe(&self, listener: Weak<dyn RevocationListener>) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|one| one.strong_count() > 0);
        listeners.push(listener);
    }

    /// Tells every listener.
    pub(crate) fn publish(&self, what: &Revoked) {
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner).clone();
        listeners.iter().filter_map(Weak::upgrade).for_each(|listener| listener.revoked(what));
    }
}

/// A revocation that may be about to happen. Told when dropped, so that it is
/// told also where the request that caused it is given up halfway: the store
/// may have committed it all the same.
pub(crate) struct Announcement<'a> {
    revocations: &'a Revocations,
    what: Option<Revoked>,
}

impl<'a> Announcement<'a> {
    pub(crate) const fn new(revocations: &'a Revocations, what: Revoked) -> Self {
        Self { revocations, what: Some(what) }
    }

    /// It did not happen.
    pub(crate) fn withdraw(mut self) {
        self.what = None;
    }
}

impl Drop for Announcement<'_> {
    fn drop(&mut self) {
        if let Some(what) = &self.what {
            self.revocations.publish(what);
        }
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Revocations(..)")
    }
}
