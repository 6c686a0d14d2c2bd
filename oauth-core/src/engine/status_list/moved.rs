//! What an export has to know of lists, without the server that keeps them.

pub(crate) use super::number::PLACES;
use super::{
    claim::{BLOCK, COUNTED, lists_of},
    keys_of,
    number::{LONGEST, ListNumber},
};
use crate::{
    clock::UnixTime,
    secret::{Digest, RootSecret},
};

/// The highest number of a list.
pub(crate) const MAX_LIST: u64 = (1 << 53) - 1;

/// How many blocks all lists of a day have together.
pub(crate) const MAX_BLOCKS: u64 = (1 << 16) * (PLACES as u64) / BLOCK;

/// The lists of one day under one root secret.
pub(crate) struct Group {
    /// What their places are claimed from.
    pub(crate) digest: Digest,
    /// The number of the first.
    pub(crate) first: u64,
}

impl Group {
    /// The lists that so many blocks take.
    pub(crate) fn lists(&self, blocks: u64) -> impl Iterator<Item = u64> + use<> {
        let (first, lists) = (self.first, lists_of(blocks).min(1 << 16));
        (0..lists).map(move |serial| first + serial)
    }
}

/// Those that may have a token which is alive, whatever lifetime it was given.
pub(crate) fn groups(issuer: &str, root: &RootSecret, now: UnixTime) -> Vec<Group> {
    // By a clock that is faster than this one, tomorrow may have begun.
    let latest = ListNumber::day_of(now).saturating_add(1);
    let of_key = keys_of(root, issuer).into_iter().flat_map(|key| {
        let numbers = (0..=latest).rev().map(move |day| ListNumber { day, key: key.name, serial: 0 });
        let living = numbers.take_while(move |number| now < number.ends_at(LONGEST));
        living
            .filter_map(move |number| Some(Group { digest: key.group(number.day), first: number.number()? }))
            .collect::<Vec<_>>()
    });
    of_key.collect()
}

/// When a list has ended for certain.
pub(crate) fn until(list: u64) -> UnixTime {
    ListNumber::of(list).ends_at(LONGEST)
}

/// Until when it is known how many places were given.
pub(crate) fn counted_until(list: u64) -> UnixTime {
    until(list).saturating_add(COUNTED)
}
