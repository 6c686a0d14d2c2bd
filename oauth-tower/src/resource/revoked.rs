//! JWTs that were revoked and have not expired: whoever verifies them by
//! themselves has to remember.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use oauth_core::{bus::token_ref, clock::UnixTime, secret::Digest};

/// Grants and tokens that are refused until the last of them has expired.
pub(super) struct Revoked {
    most: usize,
    /// How many there are, so that nobody takes the lock while there are none.
    count: AtomicUsize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    until: HashMap<Digest, UnixTime>,
    /// The same, with what ends first at the front.
    ends: BTreeSet<(UnixTime, Digest)>,
}

/// What is revoked, of the issuer at some index.
#[derive(Clone, Copy)]
pub(super) enum Name<'a> {
    /// A grant, by what it is called here.
    Grant(&'a str),
    /// One token, likewise.
    Token(&'a str),
}

impl Revoked {
    pub(super) fn new(most: usize) -> Self {
        Self { most, count: AtomicUsize::new(0), kept: Mutex::default() }
    }

    /// Refuses what is called this until then. Where there is no room, what
    /// would end first is given up for it: `false` if something was.
    pub(super) fn remember(&self, index: usize, name: Name<'_>, until: UnixTime, now: UnixTime) -> bool {
        let mut kept = self.lock();
        kept.end(now);
        if until > now {
            kept.insert(key(index, name), until);
        }
        let fits = kept.until.len() <= self.most;
        if !fits {
            kept.drop_first();
        }
        self.count.store(kept.until.len(), Ordering::Release);
        fits
    }

    /// Whether a token of this `jti` under this grant is to be refused at
    /// `audience`.
    pub(super) fn holds(&self, index: usize, audience: &str, grant: Option<&str>, jti: &str, now: UnixTime) -> bool {
        if self.count.load(Ordering::Acquire) == 0 {
            return false;
        }
        let token = token_ref(audience, jti);
        let names = [grant.map(Name::Grant), Some(Name::Token(&token))];
        let kept = self.lock();
        names.into_iter().flatten().any(|name| kept.until.get(&key(index, name)).is_some_and(|until| now < *until))
    }

    /// How many are remembered.
    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn insert(&mut self, key: Digest, until: UnixTime) {
        match self.until.get_mut(&key) {
            Some(known) if *known >= until => {}
            Some(known) => {
                self.ends.remove(&(*known, key));
                *known = until;
                self.ends.insert((until, key));
            }
            None => {
                self.until.insert(key, until);
                self.ends.insert((until, key));
            }
        }
    }

    fn end(&mut self, now: UnixTime) {
        while self.ends.first().is_some_and(|(until, _)| *until <= now) {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some((_, key)) = self.ends.pop_first() {
            self.until.remove(&key);
        }
    }
}

fn key(index: usize, name: Name<'_>) -> Digest {
    let (kind, name) = match name {
        Name::Grant(name) => (b"g", name),
        Name::Token(name) => (b"t", name),
    };
    Digest::of(&[&index.to_be_bytes(), kind, name.as_bytes()])
}

impl fmt::Debug for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revoked").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_000);

    fn holds(revoked: &Revoked, grant: &str, now: u64) -> bool {
        revoked.holds(0, "https://api", Some(grant), "1", UnixTime(now))
    }

    #[test]
    fn a_grant_is_refused_until_its_last_token_has_ended_and_then_forgotten() {
        let revoked = Revoked::new(10);
        assert!(!holds(&revoked, "a", 1_000));
        assert!(revoked.remember(0, Name::Grant("a"), UnixTime(1_300), NOW));
        assert!(revoked.remember(0, Name::Grant("a"), UnixTime(1_200), NOW), "said again, and earlier");
        assert!(holds(&revoked, "a", 1_299) && !holds(&revoked, "a", 1_300) && !holds(&revoked, "b", 1_000));
        assert!(!revoked.holds(1, "https://api", Some("a"), "1", NOW), "another issuer's");
        assert!(revoked.remember(0, Name::Grant("b"), UnixTime(1_400), UnixTime(1_300)));
        assert_eq!(revoked.len(), 1);
        assert!(revoked.remember(0, Name::Grant("late"), UnixTime(1_300), UnixTime(1_300)));
        assert_eq!(revoked.len(), 1, "over before it came");
    }

    #[test]
    fn one_token_is_refused_and_others_of_its_grant_are_not() {
        let revoked = Revoked::new(10);
        assert!(revoked.remember(0, Name::Token(&token_ref("https://api", "1")), UnixTime(1_300), NOW));
        assert!(holds(&revoked, "a", 1_000));
        assert!(!revoked.holds(0, "https://api", Some("a"), "2", NOW));
        assert!(!revoked.holds(0, "https://other", Some("a"), "1", NOW));
    }

    #[test]
    fn it_holds_no_more_than_it_may_and_gives_up_what_ends_first() {
        let revoked = Revoked::new(3);
        for (name, until) in [("a", 1_300), ("b", 1_100), ("c", 1_200)] {
            assert!(revoked.remember(0, Name::Grant(name), UnixTime(until), NOW));
        }
        assert!(!revoked.remember(0, Name::Grant("d"), UnixTime(1_250), NOW));
        assert_eq!(revoked.len(), 3);
        assert_eq!(["a", "b", "c", "d"].map(|name| holds(&revoked, name, 1_000)), [true, false, true, true]);
        let none = Revoked::new(0);
        assert!(!none.remember(0, Name::Grant("a"), UnixTime(1_300), NOW));
        assert!(!holds(&none, "a", 1_000));
    }
}
