//! A limit on failed sign-ins.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use oauth_core::{clock::UnixTime, endpoint::RemoteAddress, secret::Digest};

/// The most windows that are kept.
const WINDOWS: usize = 65_536;
const WINDOW_SECONDS: u64 = 60;

/// How many times more one address may fail for all users together: several
/// people may share it.
const SHARED: u32 = 10;

/// Counts failed sign-ins per user and address, and per address.
///
/// A user's count at one address never closes the door to the same user
/// elsewhere, or anyone could lock anyone out.
#[derive(Debug)]
pub(super) struct SignInLimit {
    per_minute: u32,
    windows: Mutex<HashMap<Digest, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    ends: UnixTime,
    count: u32,
}

/// An attempt that counts as failed until it is known better.
#[derive(Debug)]
pub(super) struct Attempt {
    counters: Vec<(Digest, u32)>,
}

/// No attempt is possible for this many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limited {
    pub(super) seconds: u64,
}

impl SignInLimit {
    /// A limit of `per_minute` failures; 0 for no limit.
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute, windows: Mutex::default() }
    }

    /// Counts an attempt before it is made, so that many at a time cannot
    /// slip through together.
    pub(super) fn begin(&self, user: &str, address: Option<IpAddr>, now: UnixTime) -> Result<Attempt, Limited> {
        if self.per_minute == 0 {
            return Ok(Attempt { counters: Vec::new() });
        }
        let attempt = Attempt { counters: counters(user, address, self.per_minute) };
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let live = |key: &Digest| windows.get(key).filter(|window| now < window.ends);
        let full = attempt.counters.iter().filter_map(|(key, most)| live(key).filter(|window| window.count >= *most));
        if let Some(ends) = full.map(|window| window.ends).max() {
            return Err(Limited { seconds: now.until(ends).max(1) });
        }
        make_room(&mut windows, now);
        let fresh = Window { ends: now.saturating_add(WINDOW_SECONDS), count: 0 };
        for (key, _) in &attempt.counters {
            let window = windows.entry(*key).or_insert(fresh);
            if now >= window.ends {
                *window = fresh;
            }
            window.count = window.count.saturating_add(1);
        }
        Ok(attempt)
    }

    /// Takes an attempt back that succeeded. Earlier failures stay counted:
    /// an attacker may have an account of their own.
    pub(super) fn succeeded(&self, attempt: &Attempt) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, _) in &attempt.counters {
            if let Some(window) = windows.get_mut(key) {
                window.count = window.count.saturating_sub(1);
            }
        }
    }
}

/// The counters of an attempt, each with the most it allows.
fn counters(user: &str, address: Option<IpAddr>, per_minute: u32) -> Vec<(Digest, u32)> {
    let Some(network) = address.map(|address| RemoteAddress(address).network()) else {
        return vec![(Digest::of(&[b"user at large", user.as_bytes()]), per_minute)];
    };
    vec![
        (Digest::of(&[b"user", &network, user.as_bytes()]), per_minute),
        (Digest::of(&[b"address", &network]), per_minute.saturating_mul(SHARED)),
    ]
}

/// Keeps the map bounded: what is over goes, and if everything is recent, all
/// goes. Filling it takes a thousand failures a second.
fn make_room(windows: &mut HashMap<Digest, Window>, now: UnixTime) {
    if windows.len() < WINDOWS {
        return;
    }
    windows.retain(|_, window| now < window.ends);
    if windows.len() >= WINDOWS {
        windows.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_000);

    fn at(address: &str) -> Option<IpAddr> {
        Some(address.parse().unwrap())
    }

    fn fail(limit: &SignInLimit, times: u32, user: &str, address: Option<IpAddr>) {
        for _ in 0..times {
            limit.begin(user, address, NOW).unwrap();
        }
    }

    #[test]
    fn after_too_many_failures_one_user_at_one_address_has_to_wait() {
        let limit = SignInLimit::new(3);
        fail(&limit, 3, "alice", at("192.0.2.1"));
        assert_eq!(limit.begin("alice", at("192.0.2.1"), UnixTime(1_010)).unwrap_err(), Limited { seconds: 50 });
        assert!(limit.begin("alice", at("192.0.2.1"), UnixTime(1_060)).is_ok());
    }

    #[test]
    fn the_same_user_elsewhere_and_others_here_do_not_have_to_wait() {
        let limit = SignInLimit::new(3);
        fail(&limit, 3, "alice", at("192.0.2.1"));
        assert!(limit.begin("alice", at("192.0.2.2"), NOW).is_ok());
        assert!(limit.begin("alice", None, NOW).is_ok());
        assert!(limit.begin("bob", at("192.0.2.1"), NOW).is_ok());
    }

    #[test]
    fn one_address_cannot_try_one_password_on_every_user() {
        let limit = SignInLimit::new(1);
        for user in 0..SHARED {
            limit.begin(&user.to_string(), at("2001:db8::1"), NOW).unwrap();
        }
        assert!(limit.begin("another", at("2001:db8::ffff"), NOW).is_err());
        assert!(limit.begin("another", at("2001:db8:0:1::1"), NOW).is_ok());
    }

    #[test]
    fn success_is_not_counted_and_forgives_nothing() {
        let limit = SignInLimit::new(2);
        fail(&limit, 1, "alice", None);
        for _ in 0..5 {
            let attempt = limit.begin("alice", None, NOW).unwrap();
            limit.succeeded(&attempt);
        }
        fail(&limit, 1, "alice", None);
        assert!(limit.begin("alice", None, NOW).is_err());
    }

    #[test]
    fn zero_is_no_limit_and_the_map_is_bounded() {
        fail(&SignInLimit::new(0), 100, "alice", None);
        let limit = SignInLimit::new(1);
        for user in 0..WINDOWS + 10 {
            limit.begin(&user.to_string(), None, NOW).unwrap();
        }
        assert!(limit.windows.lock().unwrap().len() <= WINDOWS);
    }
}
