//! What verdicts rest on, and how they fall.
//!
//! Every verdict remembers the number of the last strike before it was judged,
//! and the slots of all it rests on: its issuer, its key, its grant, itself. A
//! strike numbers itself and writes that number into one slot. A verdict holds
//! while no slot of it bears a later number. So a strike is O(1) however many
//! verdicts fall by it, the cache is never scanned, and a verdict that was
//! being judged while the strike came falls as well: nothing has to be
//! re-checked after an insert.
//!
//! Grants, keys and tokens share slots by a seeded hash. If two meet in one,
//! a strike at the one costs the other a fresh judgment, and nothing else.

use std::{
    hash::{BuildHasher, Hash},
    sync::atomic::{AtomicU64, Ordering},
};

use foldhash::quality::RandomState;
use tokio::sync::{Notify, futures::Notified};

/// Slots that are shared by hash: 64 KiB.
const SHARED: u64 = 8192;

/// One thing that a verdict can rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(u32);

/// What a slot stands for, where slots are shared by hash.
#[derive(Clone, Copy, Hash)]
pub(super) enum Ground<'a> {
    /// A key, by its thumbprint.
    Key(&'a str),
    /// A grant, by what its issuer calls it in tokens.
    GrantRef(&'a str),
    /// One token, by the hash of its text.
    Text(u64),
    /// A grant of an authorization server in this process.
    #[cfg(feature = "server")]
    Grant(&'a [u8; 16]),
    /// One token of such a server, by its digest.
    #[cfg(feature = "server")]
    Token(&'a [u8; 32]),
}

/// The grounds of one verdict, and when it was judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    seen: u64,
    grounds: [Slot; 4],
}

/// The strikes so far.
#[derive(Debug)]
pub(super) struct Ledger {
    sequence: AtomicU64,
    /// First [`Slot::EVERYTHING`], then two for each issuer, then the shared ones.
    slots: Box<[AtomicU64]>,
    exact: u32,
    hasher: RandomState,
    /// Wakes those whose stream rests on a verdict.
    struck: Notify,
}

impl Slot {
    /// Every verdict rests on this.
    pub(super) const EVERYTHING: Self = Self(0);

    /// Verdicts about tokens of the issuer at `index`.
    pub(super) fn issuer(index: usize) -> Self {
        Self::exact(index, 1)
    }

    /// Denials of tokens of the issuer at `index`: they fall when it has new keys.
    pub(super) fn denials(index: usize) -> Self {
        Self::exact(index, 2)
    }

    fn exact(index: usize, which: u32) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX).saturating_mul(2).saturating_add(which))
    }
}

impl Ledger {
    pub(super) fn new(issuers: usize) -> Self {
        let exact = Slot::issuer(issuers).0;
        let slots = (0..u64::from(exact) + SHARED).map(|_| AtomicU64::new(0)).collect();
        Self { sequence: AtomicU64::new(0), slots, exact, hasher: RandomState::default(), struck: Notify::new() }
    }

    /// The number of the last strike. Read it before judging begins.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Acquire)
    }

    /// The slot of something that the issuer at `index` answers for.
    pub(super) fn shared(&self, index: usize, ground: Ground<'_>) -> Slot {
        let hash = self.hasher.hash_one((index, ground));
        // What no slot has is out of range, and a verdict on it never holds.
        Slot(u32::try_from(hash % SHARED).map_or(u32::MAX, |place| self.exact.saturating_add(place)))
    }

    /// Brings down every verdict that rests on `slot` and was judged, or began
    /// to be judged, before now.
    pub(super) fn strike(&self, slot: Slot) {
        let number = self.sequence.fetch_add(1, Ordering::AcqRel) + 1;
        if let Some(last) = self.slot(slot) {
            last.fetch_max(number, Ordering::AcqRel);
        }
        self.struck.notify_waiters();
    }

    /// Ready after the next strike, whatever it is at.
    pub(super) fn strikes(&self) -> Notified<'_> {
        self.struck.notified()
    }

    /// Whether a verdict still holds.
    pub(super) fn holds(&self, standing: &Standing) -> bool {
        let later = |last: &AtomicU64| last.load(Ordering::Acquire) > standing.seen;
        !standing.grounds.iter().any(|slot| self.slot(*slot).is_none_or(later))
    }

    /// Whether `slot` was struck since a verdict began to be judged.
    pub(super) fn was_struck(&self, slot: Slot, since: &Standing) -> bool {
        self.slot(slot).is_none_or(|last| last.load(Ordering::Acquire) > since.seen)
    }

    fn slot(&self, slot: Slot) -> Option<&AtomicU64> {
        self.slots.get(usize::try_from(slot.0).ok()?)
    }
}

impl Standing {
    /// The standing of a verdict about a token of the issuer at `index`, judged
    /// since the ledger's sequence was `seen`.
    pub(super) fn new(seen: u64, index: usize) -> Self {
        let issuer = Slot::issuer(index);
        Self { seen, grounds: [Slot::EVERYTHING, issuer, issuer, issuer] }
    }

    /// Resting on `one` and `other` as well.
    #[must_use]
    pub(super) const fn resting_on(self, one: Slot, other: Slot) -> Self {
        let [everything, issuer, ..] = self.grounds;
        Self { seen: self.seen, grounds: [everything, issuer, one, other] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strike_brings_down_what_rests_on_the_slot_and_nothing_else() {
        let ledger = Ledger::new(2);
        let key = ledger.shared(0, Ground::Key("k"));
        let standing = |index| Standing::new(ledger.sequence(), index);
        let (one, other) = (standing(0).resting_on(key, Slot::issuer(0)), standing(1));
        ledger.strike(key);
        assert!(!ledger.holds(&one));
        assert!(ledger.holds(&other));
        assert!(ledger.holds(&standing(0).resting_on(key, key)), "judged after the strike");
        ledger.strike(Slot::issuer(1));
        assert!(!ledger.holds(&other));
        let all = standing(0);
        ledger.strike(Slot::EVERYTHING);
        assert!(!ledger.holds(&all));
    }

    #[test]
    fn a_verdict_that_was_being_judged_during_the_strike_falls() {
        let ledger = Ledger::new(1);
        let seen = ledger.sequence();
        ledger.strike(Slot::issuer(0)); // while the store or the network is asked
        assert!(!ledger.holds(&Standing::new(seen, 0)));
    }

    #[test]
    fn keys_of_two_issuers_are_two_grounds() {
        let ledger = Ledger::new(2);
        let place = |index| ledger.shared(index, Ground::Key("same"));
        // Equal only if the hash collides, one time in 8192.
        assert!((0..8).any(|index| place(index) != place(index + 8)));
    }
}
