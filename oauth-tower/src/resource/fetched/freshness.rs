//! How a document is: for whoever wants to know, and does not need it.

use oauth_core::clock::UnixTime;

use super::{super::health::IssuerState, Fetched};

/// How a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::resource) struct Freshness {
    pub(in crate::resource) state: IssuerState,
    /// Seconds since it was asked for.
    pub(in crate::resource) age: Option<u64>,
    /// Seconds for which it may still serve, whatever happens.
    pub(in crate::resource) left: Option<u64>,
    /// When fetching failed last.
    pub(in crate::resource) last_failure: Option<UnixTime>,
}

impl Freshness {
    /// Of what is not fetched at all.
    pub(in crate::resource) const ALWAYS: Self =
        Self { state: IssuerState::Ready, age: None, left: None, last_failure: None };
}

impl<T: Send + Sync + 'static> Fetched<T> {
    /// How it is, without doing anything about it.
    pub(in crate::resource) fn freshness(&self, now: UnixTime) -> Freshness {
        let fetched = self.lock();
        let current = fetched.current.as_ref();
        let state = match current {
            Some(current) if now < current.over => IssuerState::Ready,
            Some(current) if now < current.dead => IssuerState::Stale,
            _ if fetched.failed.is_some() => IssuerState::Failing,
            _ => IssuerState::Unfetched,
        };
        Freshness {
            state,
            age: current.map(|current| now.0.saturating_sub(current.asked.0)),
            left: current.map(|current| current.dead.0.saturating_sub(now.0)),
            last_failure: fetched.last_failure,
        }
    }
}
