//! The numbers of lists, and places in them.

use aws_lc_rs::hmac;

use crate::{clock::UnixTime, secret::Digest};

/// How many places a list has: 2^20. Empty, it is some 150 bytes; with half of
/// all tokens revoked, 130 KiB.
pub(crate) const PLACES: u32 = 1 << (2 * HALF);

/// Half the bits of a place.
const HALF: u32 = 10;

const DAY: u64 = 86_400;

/// Nodes' clocks differ by no more.
pub(super) const MARGIN: u64 = 3_600;

/// The longest that an access token may live where there are lists, in seconds:
/// 31 days. Whoever does not know the server's settings keeps lists so long.
pub(crate) const LONGEST: u64 = 31 * DAY;

/// What a list is called: the day of its tokens, the root secret under which
/// its places were given, and which of that day's lists it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ListNumber {
    pub(super) day: u64,
    pub(super) key: u16,
    pub(super) serial: u16,
}

impl ListNumber {
    /// The day that it is.
    pub(super) const fn day_of(now: UnixTime) -> u64 {
        now.0 / DAY
    }

    pub(super) fn of(number: u64) -> Self {
        let low = |number: u64| u16::try_from(number & 0xffff).unwrap_or_default();
        Self { day: number >> 32, key: low(number >> 16), serial: low(number) }
    }

    /// Below 2^53, for whoever counts in doubles; `None` in a far future.
    pub(super) fn number(self) -> Option<u64> {
        let day = self.day.checked_mul(1 << 32).filter(|day| day >> 53 == 0)?;
        Some(day | u64::from(self.key) << 16 | u64::from(self.serial))
    }

    /// When the last of its tokens has ended, if one lives for `lifetime` seconds.
    pub(super) const fn ends_at(self, lifetime: u64) -> UnixTime {
        UnixTime(self.day.saturating_add(1).saturating_mul(DAY)).saturating_add(lifetime).saturating_add(MARGIN)
    }

    /// Whether it has begun, by the fastest clock.
    pub(super) const fn has_begun(self, now: UnixTime) -> bool {
        now.0.saturating_add(MARGIN) >= self.day.saturating_mul(DAY)
    }
}

/// Gives places under one root secret.
pub(super) struct ListKey {
    key: hmac::Key,
    /// What tells its lists from those under other root secrets: two that
    /// scatter differently must not share one.
    pub(super) name: u16,
    group: [u8; 32],
}

impl ListKey {
    pub(super) fn new(key: hmac::Key, issuer: &str) -> Self {
        let group = *Digest::of(&[hmac::sign(&key, b"group").as_ref(), issuer.as_bytes()]).as_bytes();
        let [a, b, ..] = group;
        Self { key, name: u16::from_be_bytes([a, b]), group }
    }

    /// What the places of a day are claimed from.
    pub(super) fn group(&self, day: u64) -> Digest {
        Digest::of(&[b"status list ", &self.group, &day.to_be_bytes()])
    }

    /// The place that the token of this number has in `list`: a permutation of
    /// all numbers below [`PLACES`] (a Feistel network), so that no two tokens
    /// meet.
    pub(super) fn scatter(&self, list: u64, number: u32) -> u32 {
        const MASK: u32 = (1 << HALF) - 1;
        const ROUNDS: u8 = 8;
        let (left, right) = (0..ROUNDS).fold((number >> HALF & MASK, number & MASK), |(left, right), round| {
            let mut context = hmac::Context::with_key(&self.key);
            context.update(b"place ");
            context.update(&list.to_be_bytes());
            context.update(&[round]);
            context.update(&right.to_be_bytes());
            let tag = context.sign();
            let mixed = tag.as_ref().first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes) & MASK);
            (right, left ^ mixed)
        });
        left << HALF | right
    }
}
