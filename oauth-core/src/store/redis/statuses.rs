//! Which tokens that others verify were revoked.
//!
//! The places of a grant's tokens are fields of its hash, `status:list:place`,
//! each with the time at which its token goes; the same step that keeps the
//! token writes them. A list is a string of bits.

use redis::Value;

use super::{
    RedisStore,
    request::{Reply, Request},
    row::{MARGIN, gone_at},
    script::REVOKE_STATUSES,
};
use crate::{
    clock::UnixTime,
    store::{StatusPlace, Statuses, StoreError, StoreFuture},
    token::GrantId,
};

/// How many places one script is given: the server does nothing else meanwhile.
const MOST: usize = 4_096;

impl Statuses for RedisStore {
    fn grant_statuses(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Vec<StatusPlace>> {
        Box::pin(async move {
            let read = Request::reads("HGETALL", self.keys().grant(id));
            let fields = Reply::new(Value::Array(vec![self.ask(&read).await?]), "grant").hash()?;
            let fields = fields.iter().filter_map(|(name, at)| Some((name.strip_prefix(b"status:")?, at)));
            let read = |(place, at): (&[u8], &Vec<u8>)| place_of(place, at).ok_or(StoreError::Corrupt("grant"));
            let mut places = fields.map(read).collect::<Result<Vec<_>, _>>()?;
            places.retain(|(_, until)| now < *until);
            Ok(places.into_iter().map(|(place, _)| place).collect())
        })
    }

    fn revoke_statuses(&self, list: u64, indices: Vec<u32>, until: UnixTime) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            for some in indices.chunks(MOST) {
                let script = Request::script(&REVOKE_STATUSES, [self.keys().statuses(list)]).arg(gone_at(until));
                let script = some.iter().fold(script, |script, index| script.arg(index.to_string()));
                let mut reply = Reply::new(self.ask(&script).await?, "status list");
                if reply.text()? != "revoked" {
                    return Err(reply.damaged());
                }
            }
            Ok(())
        })
    }

    fn revoked_statuses(&self, list: u64, _: UnixTime) -> StoreFuture<'_, Vec<u32>> {
        Box::pin(async move {
            let bits = match self.ask(&Request::reads("GET", self.keys().statuses(list))).await? {
                Value::Nil => return Ok(Vec::new()),
                found => Reply::new(found, "status list").bytes()?,
            };
            // The highest bit of a byte is the first.
            let of_byte = |(at, byte): (usize, &u8)| {
                let (first, byte) = (u32::try_from(at).unwrap_or(u32::MAX).saturating_mul(8), *byte);
                (0..8).filter(move |bit| byte & (0x80 >> bit) != 0).map(move |bit| first.saturating_add(bit))
            };
            Ok(bits.iter().enumerate().flat_map(of_byte).collect())
        })
    }
}

/// A place, and when its token ends.
fn place_of(name: &[u8], at: &[u8]) -> Option<(StatusPlace, UnixTime)> {
    let (list, index) = std::str::from_utf8(name).ok()?.split_once(':')?;
    let place = StatusPlace::new(list.parse().ok()?, index.parse().ok()?);
    let until = match std::str::from_utf8(at).ok()? {
        "" => UnixTime::MAX,
        at => UnixTime(at.parse::<u64>().ok()?.saturating_sub(MARGIN)),
    };
    Some((place, until))
}
