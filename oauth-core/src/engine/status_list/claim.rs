//! Giving each token a place of its own, without asking the store for each.

use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

use super::{
    StatusLists,
    number::{ListNumber, PLACES},
};
use crate::{clock::UnixTime, engine::fault::Fault, server::AuthorizationServer, store::StatusPlace};

/// How many places a node claims at a time. Those that it has left when it
/// stops are given to nobody.
pub(super) const BLOCK: u64 = 256;

/// How much longer than its lists a count is kept, in seconds.
pub(super) const COUNTED: u64 = 86_400;

/// The places that are claimed and not given yet, by their numbers within the
/// day.
#[derive(Default)]
pub(super) struct Blocks(Mutex<(u64, Vec<Range<u64>>)>);

impl Blocks {
    fn next(&self, day: u64) -> Option<u64> {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, ranges) = &mut *blocks;
        let number = ranges.last_mut().filter(|_| *of == day)?.next();
        ranges.pop_if(|range| range.is_empty());
        number
    }

    fn add(&self, day: u64, block: Range<u64>) {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, ranges) = &mut *blocks;
        if *of != day {
            *of = day;
            ranges.clear();
        }
        ranges.push(block);
    }
}

impl StatusLists {
    /// A place that no other token has.
    pub(crate) async fn place(&self, server: &AuthorizationServer, now: UnixTime) -> Result<StatusPlace, Fault> {
        const EXHAUSTED: Fault = Fault::Internal("there are no more places in the status lists of the day");
        let key = self.keys.first().ok_or(Fault::Internal("there is no root secret"))?;
        let day = ListNumber::day_of(now);
        let number = match self.blocks.next(day) {
            Some(number) => number,
            None => self.claim(server, day, now).await?,
        };
        let serial = u16::try_from(number / u64::from(PLACES)).map_err(|_| EXHAUSTED)?;
        let list = ListNumber { day, key: key.name, serial }.number().ok_or(EXHAUSTED)?;
        let within = u32::try_from(number % u64::from(PLACES)).map_err(|_| EXHAUSTED)?;
        Ok(StatusPlace::new(list, key.scatter(list, within)))
    }

    /// Claims a block and takes the first of it.
    async fn claim(&self, server: &AuthorizationServer, day: u64, now: UnixTime) -> Result<u64, Fault> {
        let key = self.keys.first().ok_or(Fault::Internal("there is no root secret"))?;
        let until = server.end_of(ListNumber { day, key: key.name, serial: 0 }).saturating_add(COUNTED);
        let claimed = server.store().claim_statuses(key.group(day), until, now).await?;
        // The first block is number 1.
        let first = claimed.saturating_sub(1).saturating_mul(BLOCK);
        self.blocks.add(day, first.saturating_add(1)..first.saturating_add(BLOCK));
        Ok(first)
    }

    /// Whether a token may have a place in the list.
    pub(super) async fn exists(
        &self,
        server: &AuthorizationServer,
        number: ListNumber,
        now: UnixTime,
    ) -> Result<bool, Fault> {
        let Some(key) = self.keys.iter().find(|key| key.name == number.key) else { return Ok(false) };
        if now >= server.end_of(number) || !number.has_begun(now) {
            return Ok(false);
        }
        // Each day has a first one, whether or not anybody is in it yet: so
        // strangers who ask for the others make one question a second.
        if number.serial == 0 {
            return Ok(true);
        }
        let group = (number.day, number.key);
        let claimed = match self.publications.claimed(group, number.serial, now) {
            Some(known) => known,
            None => {
                let claimed = server.store().claimed_statuses(key.group(number.day), now).await?;
                self.publications.learn(group, lists_of(claimed), now)
            }
        };
        Ok(u64::from(number.serial) < claimed)
    }

    /// The numbers of all lists that have begun and not ended.
    pub(super) async fn all(&self, server: &AuthorizationServer, now: UnixTime) -> Result<Vec<u64>, Fault> {
        let mut lists = Vec::new();
        for key in &self.keys {
            let days = (0..=ListNumber::day_of(now)).rev().map(|day| ListNumber { day, key: key.name, serial: 0 });
            for number in days.take_while(|number| now < server.end_of(*number)) {
                let claimed = lists_of(server.store().claimed_statuses(key.group(number.day), now).await?);
                let serials = 0..u16::try_from(claimed).unwrap_or(u16::MAX);
                lists.extend(serials.filter_map(|serial| ListNumber { serial, ..number }.number()));
            }
        }
        Ok(lists)
    }
}

/// How many lists so many blocks take.
pub(super) fn lists_of(blocks: u64) -> u64 {
    blocks.saturating_mul(BLOCK).div_ceil(u64::from(PLACES))
}
