//! What was used, until when, and how often.

use redis::Value;

use super::{
    RedisStore,
    request::{Reply, Request},
    row::{gone_after, time},
    script::USE,
};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{StoreError, StoreFuture, Uses},
};

/// For how long a use is remembered beyond its end: for nodes, and servers
/// that take over, with a clock that is behind.
const MARGIN: u64 = 60;

impl RedisStore {
    async fn mark(&self, digest: Digest, until: UnixTime, now: UnixTime, counts: bool) -> Result<Reply, StoreError> {
        let script = Request::script(&USE, [self.keys().uses(digest)])
            .arg(time(until))
            .arg(time(now))
            .arg(gone_after(until, MARGIN))
            .arg(if counts { "1" } else { "" });
        Ok(Reply::new(self.ask(&script).await?, "use"))
    }
}

impl Uses for RedisStore {
    fn first_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            if until <= now {
                return Ok(false);
            }
            let mut reply = self.mark(digest, until, now, false).await?;
            match reply.text()?.as_str() {
                "1" => Ok(true),
                "again" => Ok(false),
                _ => Err(reply.damaged()),
            }
        })
    }

    fn count_use(&self, digest: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let mut reply = self.mark(digest, until, now, true).await?;
            reply.text()?.parse().map_err(|_| reply.damaged())
        })
    }

    fn uses(&self, digest: Digest, now: UnixTime) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let mut reply = match self.ask(&Request::reads("GET", self.keys().uses(digest))).await? {
                Value::Nil => return Ok(0),
                found => Reply::new(found, "use"),
            };
            let found = reply.text()?;
            let (ends_at, count) = found.split_once(' ').ok_or_else(|| reply.damaged())?;
            let number = |text: &str| text.parse().map_err(|_| reply.damaged());
            Ok(if now.0 < number(ends_at)? { number(count)? } else { 0 })
        })
    }
}
