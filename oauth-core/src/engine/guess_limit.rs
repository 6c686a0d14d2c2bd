//! A limit on guessing at the endpoints for introspection (RFC 7662 section 4) and
//! revocation (RFC 7009 section 5).
//!
//! The keyed tag already makes a guess hopeless, and costs the store nothing.
//! At introspection the limit is for clients that ask about their own tokens, and
//! for whatever is not active to them: what is somebody else's counts as what is
//! nobody's. Resource servers are exempt: what they ask about is what strangers sent
//! them, and a limit would let any stranger shut out everyone else. At revocation it
//! is for each client at each address, and for requests that revoke nothing.
//!
//! Each node counts by itself.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{fault::Failure, remote_address::RemoteAddress};
use crate::{client::ClientId, clock::UnixTime, secret::Digest};

/// Tokens that one client may ask about in a minute and that are not active to it.
pub(crate) const PER_MINUTE: u32 = 60;

/// The most askers that are told apart; all further ones count as one.
const ASKERS: usize = 65_536;

/// Whose guesses count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Asker(Digest);

impl Asker {
    pub(crate) fn introspecting(client: &ClientId) -> Self {
        Self(Digest::of(&[b"introspection ", client.as_str().as_bytes()]))
    }

    /// `name` is empty where nobody says who they are.
    pub(crate) fn revoking(name: &str, address: Option<IpAddr>) -> Self {
        let network = address.map(|address| RemoteAddress(address).network()).unwrap_or_default();
        Self(Digest::of(&[b"revocation ", &network, name.as_bytes()]))
    }

    fn others() -> Self {
        Self(Digest::of(&[b"others"]))
    }
}

/// What each asked in vain in the present minute.
#[derive(Debug, Default)]
pub(crate) struct GuessLimit {
    minute: Mutex<Minute>,
}

#[derive(Debug, Default)]
struct Minute {
    number: u64,
    counts: HashMap<Asker, u32>,
}

impl GuessLimit {
    /// Counts a guess of `asker`, and refuses it if there were more than `most`, which
    /// is 0 where nothing is limited.
    pub(crate) fn count(&self, asker: Asker, most: u32, now: UnixTime) -> Result<(), Failure> {
        if most == 0 {
            return Ok(());
        }
        let mut minute = self.lock(now);
        let count = minute.count_of(asker);
        *count = count.saturating_add(1);
        if *count > most {
            return Err(Failure::TooMany { retry_after: 60 - now.0 % 60 });
        }
        Ok(())
    }

    /// Takes back what was no guess after all.
    pub(crate) fn take_back(&self, asker: Asker, now: UnixTime) {
        let mut minute = self.lock(now);
        let count = minute.count_of(asker);
        *count = count.saturating_sub(1);
    }

    fn lock(&self, now: UnixTime) -> MutexGuard<'_, Minute> {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.number != now.0 / 60 {
            minute.number = now.0 / 60;
            minute.counts.clear();
        }
        minute
    }
}

impl Minute {
    fn count_of(&mut self, asker: Asker) -> &mut u32 {
        let room = self.counts.len() < ASKERS || self.counts.contains_key(&asker);
        self.counts.entry(if room { asker } else { Asker::others() }).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_030);

    fn at(name: &str, address: &str) -> Asker {
        Asker::revoking(name, Some(address.parse().unwrap()))
    }

    #[test]
    fn each_client_at_each_address_has_a_count_of_its_own_that_ends_with_the_minute() {
        let limit = GuessLimit::default();
        let askers = [at("a", "192.0.2.1"), at("b", "192.0.2.1"), at("a", "192.0.2.2"), Asker::revoking("a", None)];
        for asker in askers {
            assert!(limit.count(asker, 1, NOW).is_ok());
            assert!(matches!(limit.count(asker, 1, NOW), Err(Failure::TooMany { retry_after: 30 })));
            assert!(limit.count(asker, 0, NOW).is_ok());
        }
        limit.take_back(askers[0], NOW);
        limit.take_back(askers[0], NOW);
        assert!(limit.count(askers[0], 1, NOW).is_ok());
        assert!(limit.count(askers[1], 1, UnixTime(NOW.0 + 30)).is_ok());
    }

    #[test]
    fn no_number_of_askers_takes_more_room_than_there_is() {
        let limit = GuessLimit::default();
        for number in 0..ASKERS + 1000 {
            drop(limit.count(Asker::revoking(&number.to_string(), None), 1, NOW));
        }
        assert!(limit.lock(NOW).counts.len() <= ASKERS + 1);
        assert!(limit.count(at("new", "192.0.2.1"), 500, NOW).is_err(), "they share one count");
    }
}
