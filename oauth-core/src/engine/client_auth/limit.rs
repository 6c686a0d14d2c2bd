//! A limit on failures (OAuth 2.1 section 2.3.1: "MUST protect any endpoint
//! utilizing it against brute force attacks").
//!
//! Failures count for a client at an address first, so that nobody can lock a
//! client out from elsewhere. A crate for rate limits does not fit: only failures
//! count, success is taken back, and other nodes' counts come in.
//!
//! Each node counts by itself. It also counts each failure in the store, and
//! takes over what that says: so nodes that share a store share the limit, and
//! those who succeed cost it nothing.
//!
//! The tokens of registration are secrets too ([RFC 7591 section 3], [RFC 7592
//! section 3]), and count here: a client's own as its secret does, initial access
//! tokens as those of one client.
//!
//! [RFC 7591 section 3]: https://www.rfc-editor.org/rfc/rfc7591#section-3
//! [RFC 7592 section 3]: https://www.rfc-editor.org/rfc/rfc7592#section-3

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::super::{fault::Failure, remote_address::RemoteAddress};
use crate::{
    client::ClientId, clock::UnixTime, event::Event, random_keys::RandomKeys, secret::Digest,
    server::AuthorizationServer, store::Store,
};

const WINDOW_SECONDS: u64 = 60;

/// The most windows that are kept; all further ones share one.
pub(super) const WINDOWS: usize = 65_536;

/// How many times more one address may fail for all clients together: many may
/// share it.
pub(super) const FOR_ALL_CLIENTS: u32 = 10;

/// How many times more a client may fail from all addresses together.
pub(super) const FROM_EVERYWHERE: u32 = 100;

/// The failures of this minute.
#[derive(Debug)]
pub(crate) struct AuthLimit {
    per_minute: u32,
    /// Names the windows. It is keyed, so nobody finds two names for one window; were it
    /// to happen by chance, the two would share their failures for a minute.
    names: RandomState,
    windows: Mutex<Windows>,
}

#[derive(Debug, Default)]
struct Windows {
    open: HashMap<u64, Window, RandomKeys>,
    /// When what is over was dropped last.
    swept: UnixTime,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    ends: UnixTime,
    count: u32,
}

/// Whose secret somebody shows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose<'a> {
    Client(&'a ClientId),
    /// Of whoever may register: an initial access token.
    Registrant,
}

impl<'a> Whose<'a> {
    const fn client(self) -> Option<&'a ClientId> {
        match self {
            Self::Client(client) => Some(client),
            Self::Registrant => None,
        }
    }

    fn name(self) -> &'a [u8] {
        match self {
            Self::Client(client) => client.as_str().as_bytes(),
            // No client is called that: their names are VSCHAR (OAuth 2.1 appendix A.1).
            Self::Registrant => b"\0registrant",
        }
    }
}

impl AuthorizationServer {
    /// Begins to judge a secret that came from `address`; before it is compared,
    /// so that past the limit nobody learns whether it would have been right.
    /// Fails with [`Failure::TooMany`].
    pub(crate) fn begin_attempt(&self, whose: Whose<'_>, address: Option<IpAddr>) -> Result<Attempt, Failure> {
        let attempt = self.auth_limit().begin(whose, address, self.now());
        attempt.inspect_err(|_| self.tell(&Event::ClientAuthenticationLimited))
    }
}

/// An attempt, which counts as failed until it is known better.
#[derive(Debug)]
#[must_use]
pub(crate) struct Attempt {
    /// `None` if there is no limit.
    counted: Option<Counted>,
    /// `None` for [`Whose::Registrant`].
    client: Option<ClientId>,
    address: Option<IpAddr>,
}

/// The windows of an attempt.
#[derive(Clone, Copy, Debug)]
struct Counted {
    /// The client at the address.
    pair: u64,
    /// The address for all clients, if it is known.
    address: Option<u64>,
    /// The client from everywhere.
    client: u64,
}

/// The window of all for whom there was no room.
const OTHERS: u64 = 0;

impl AuthLimit {
    /// A limit of `per_minute` failures; 0 for no limit.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute, names: RandomState::new(), windows: Mutex::default() }
    }

    /// Counts an attempt before it is made, so that many at a time cannot slip
    /// through together. Fails with [`Failure::TooMany`].
    pub(crate) fn begin(&self, whose: Whose<'_>, address: Option<IpAddr>, now: UnixTime) -> Result<Attempt, Failure> {
        let mut attempt = Attempt { counted: None, client: whose.client().cloned(), address };
        if self.per_minute == 0 {
            return Ok(attempt);
        }
        let counted = Counted::new(&self.names, whose, address);
        let mut windows = self.lock();
        windows.make_room(now);
        let counted = counted.within(&windows);
        if let Some(ends) = self.full(&windows, &counted, now) {
            return Err(Failure::TooMany { retry_after: now.until(ends).max(1) });
        }
        for name in counted.all() {
            let window = windows.of(name, now);
            window.count = window.count.saturating_add(1);
        }
        attempt.counted = Some(counted);
        Ok(attempt)
    }

    /// Takes an attempt back that was no failure. Earlier failures stay counted:
    /// an attacker may have a client of their own.
    pub(crate) fn take_back(&self, attempt: &Attempt) {
        let Some(counted) = &attempt.counted else { return };
        let mut windows = self.lock();
        for name in counted.all() {
            if let Some(window) = windows.open.get_mut(&name) {
                window.count = window.count.saturating_sub(1);
            }
        }
    }

    /// Tells other nodes of a failure, and learns of theirs. If the store does not
    /// answer, this node's count stands.
    pub(crate) async fn failed(&self, attempt: &Attempt, store: &dyn Store, now: UnixTime) {
        let Some(counted) = attempt.counted else { return };
        for (name, shared) in [Some(counted.pair), counted.address].into_iter().flatten().zip(attempt.shared()) {
            if let Ok(count) = store.count_use(shared, now.saturating_add(WINDOW_SECONDS), now).await {
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                let mut windows = self.lock();
                let window = windows.of(name, now);
                window.count = window.count.max(count);
            }
        }
    }

    /// When the window ends that has no room, if there is one.
    fn full(&self, windows: &Windows, counted: &Counted, now: UnixTime) -> Option<UnixTime> {
        let full = |name: u64, most: u32| {
            let most = if name == OTHERS { self.per_minute.saturating_mul(FROM_EVERYWHERE) } else { most };
            let window = windows.open.get(&name).filter(|window| now < window.ends && window.count >= most)?;
            Some(window.ends)
        };
        let pair = full(counted.pair, self.per_minute);
        let address = counted.address.and_then(|name| full(name, self.per_minute.saturating_mul(FOR_ALL_CLIENTS)));
        // Whoever has not failed yet is let in even then: it may be the client.
        let everywhere = full(counted.client, self.per_minute.saturating_mul(FROM_EVERYWHERE));
        let both = everywhere.and_then(|_| full(counted.pair, 1));
        [pair, address, both].into_iter().flatten().max()
    }

    #[cfg(test)]
    pub(super) fn windows(&self) -> usize {
        self.lock().open.len()
    }

    fn lock(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Windows {
    /// The window of this name, a new one if the last has ended.
    fn of(&mut self, name: u64, now: UnixTime) -> &mut Window {
        let fresh = Window { ends: now.saturating_add(WINDOW_SECONDS), count: 0 };
        let window = self.open.entry(name).or_insert(fresh);
        if now >= window.ends {
            *window = fresh;
        }
        window
    }

    /// Drops what is over, if there is too much; once a second is enough.
    fn make_room(&mut self, now: UnixTime) {
        if self.open.len() + 3 > WINDOWS && self.swept != now {
            self.swept = now;
            self.open.retain(|_, window| now < window.ends);
        }
    }
}

impl Attempt {
    /// What the nodes call the client at the address, and the address.
    fn shared(&self) -> impl Iterator<Item = Digest> {
        let name = self.client.as_ref().map_or(Whose::Registrant, Whose::Client).name();
        let network = self.address.map(|address| RemoteAddress(address).network());
        let pair = match &network {
            Some(network) => Digest::of(&[b"client at ", network, name]),
            None => Digest::of(&[b"client at large ", name]),
        };
        let address = network.map(|network| Digest::of(&[b"address ", &network]));
        let shared = |digest: Digest| Digest::of(&[b"client authentication failures ", digest.as_bytes()]);
        [Some(pair), address].into_iter().flatten().map(shared)
    }
}

impl Counted {
    fn new(names: &RandomState, whose: Whose<'_>, address: Option<IpAddr>) -> Self {
        let (client, network) = (Some(whose.name()), address.map(|address| RemoteAddress(address).network()));
        let everywhere = None::<[u8; 8]>;
        let nobody = None::<&[u8]>;
        Self {
            // Without an address, this is not the window of the client from everywhere.
            pair: names.hash_one((true, network, client)),
            address: network.map(|_| names.hash_one((true, network, nobody))),
            client: names.hash_one((false, everywhere, client)),
        }
    }

    /// The same, with one window for all that have none and find no room.
    fn within(self, windows: &Windows) -> Self {
        let room = windows.open.len() + 3 <= WINDOWS;
        let place = |name| if room || windows.open.contains_key(&name) { name } else { OTHERS };
        Self { pair: place(self.pair), address: self.address.map(place), client: place(self.client) }
    }

    fn all(&self) -> impl Iterator<Item = u64> {
        [Some(self.pair), self.address, Some(self.client)].into_iter().flatten()
    }
}
