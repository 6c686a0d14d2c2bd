//! Attempts to sign in that have not come back yet.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use oauth_axum_rs::{
    oauth_core::{clock::UnixTime, secret::Digest},
    oauth_tower::client::PendingAuthorization,
};

/// How long a person may take, in seconds.
const LIFETIME: u64 = 600;
/// More than this at a time, and the oldest are given up.
const MOST: usize = 10_000;

/// By the digest of their `state`.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<Digest, Attempt>>);

/// One request to an authorization server, and what only its browser and this
/// website know of it.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// Which server was asked: a response from another is dropped (RFC 9700
    /// section 4.4.2).
    pub(crate) number: usize,
    /// Which browser asked: the digest of its cookie (RFC 9700 section 4.7).
    pub(crate) browser: Digest,
    /// What the response is checked against, for this request alone.
    pub(crate) pending: PendingAuthorization,
    pub(crate) began: UnixTime,
}

impl Attempts {
    pub(crate) fn begin(&self, attempt: Attempt) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = attempt.began;
        if waiting.len() >= MOST {
            waiting.retain(|_, other| other.is_fresh(now));
        }
        if waiting.len() >= MOST
            && let Some(oldest) = waiting.iter().min_by_key(|(_, other)| other.began).map(|(state, _)| *state)
        {
            waiting.remove(&oldest);
        }
        waiting.insert(digest(attempt.pending.state().expose()), attempt);
    }

    /// The attempt with this `state`, if this browser made it. It comes back
    /// once, whatever the response says: a verifier is never used again.
    pub(crate) fn finish(&self, state: &str, browser: &Digest, now: UnixTime) -> Option<Attempt> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = digest(state);
        // A response in a foreign browser must not end the attempt of its owner.
        waiting.get(&state).filter(|attempt| attempt.browser == *browser)?;
        waiting.remove(&state).filter(|attempt| attempt.is_fresh(now))
    }
}

impl Attempt {
    fn is_fresh(&self, now: UnixTime) -> bool {
        self.began.until(now) < LIFETIME
    }
}

fn digest(state: &str) -> Digest {
    Digest::of(&[b"state", state.as_bytes()])
}
