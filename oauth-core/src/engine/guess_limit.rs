//! A limit on guessing at the introspection endpoint (RFC 7662 section 4).
//!
//! The keyed tag already makes a guess hopeless, and costs the store nothing.
//! The limit is for clients that ask about their own tokens. Resource servers
//! are exempt: what they ask about is what strangers sent them, and a limit
//! would let any stranger shut out everyone else.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::fault::Failure;
use crate::{client::ClientId, clock::UnixTime};

/// Unrecognized tokens that one client may ask about in a minute.
pub(crate) const PER_MINUTE: u32 = 60;

/// What each client asked in vain in the present minute. Only clients that
/// have authenticated are in it, so there are no more than are registered.
#[derive(Debug, Default)]
pub(crate) struct GuessLimit {
    minute: Mutex<(u64, HashMap<ClientId, u32>)>,
}

impl GuessLimit {
    /// Counts a guess of `client`, and refuses it if there were too many.
    pub(crate) fn count(&self, client: &ClientId, now: UnixTime) -> Result<(), Failure> {
        let mut guard = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        let (minute, counts) = &mut *guard;
        if *minute != now.0 / 60 {
            *minute = now.0 / 60;
            counts.clear();
        }
        let count = counts.entry(client.clone()).or_default();
        *count = count.saturating_add(1);
        if *count > PER_MINUTE {
            return Err(Failure::TooMany { retry_after: 60 - now.0 % 60 });
        }
        Ok(())
    }
}
