//! What has been used, shared by many nodes.

use super::{
    RedisStore,
    request::{Reply, Request},
    script::FIRST_USE,
};
use crate::{
    clock::UnixTime,
    dpop::{ReplayCache, ReplayError, ReplayFuture},
    secret::Digest,
    store::StoreError,
};

/// For how long a use is remembered beyond its end: for servers that take over
/// with a clock that is behind.
const MARGIN: u64 = 60;

/// No proof is good for that long: some thousand years.
const FAR: u64 = 100_000_000_000;

/// By the server's clock, which is one for all nodes. A failover may forget
/// the last moments' uses, unless
/// [replicas](super::RedisStoreBuilder::replicas) are waited for.
impl ReplayCache for RedisStore {
    fn first_use(&self, digest: Digest, until: UnixTime) -> ReplayFuture<'_> {
        Box::pin(async move {
            let unavailable = |error: StoreError| ReplayError::Unavailable(Box::new(error));
            let script = Request::script(&FIRST_USE, [self.keys().used(digest)])
                .arg(until.0.to_string())
                .arg(until.0.min(FAR).saturating_add(MARGIN).to_string());
            let mut reply = Reply::new(self.ask(&script).await.map_err(unavailable)?, "use");
            match reply.text().map_err(unavailable)?.as_str() {
                "first" => Ok(true),
                "again" | "late" => Ok(false),
                _ => Err(unavailable(reply.damaged())),
            }
        })
    }
}
