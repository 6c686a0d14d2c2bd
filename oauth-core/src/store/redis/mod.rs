//! The store for many nodes: Redis 7 or Valkey, one server or a cluster.
//!
//! * **One round trip.** Each verb on a grant is one script on one slot: it
//!   runs alone, and takes effect as a whole or not at all. Steps on different
//!   grants may run on different servers. A new grant of a user takes one more,
//!   for the list of their grants, and the end of an interaction, once per
//!   consent, takes three.
//! * **Nothing to sweep.** Every key that can end was given its time when it
//!   was written, an hour beyond its end: the server removes it. What has
//!   ended by the caller's clock is never taken for alive, whether it is still
//!   there or not. [`Grants::sweep`](super::Grants::sweep) does nothing.
//! * **Bounded.** Opening a connection, an answer and the whole call have
//!   their time. A server that is down, hangs, loads its data, follows another
//!   or has lost its cluster is [`StoreError::Unavailable`], never a yes or a
//!   no.
//! * **As durable as you set it**: see below, for by default it is not.
//!
//! A connection that is lost between a step and its answer leaves open whether
//! it took effect; the caller hears [`StoreError::Unavailable`], as that says.
//! It is sent again only where it changes nothing, or where it is certain that
//! nothing was done: no connection, a slot that has moved (`MOVED`, `ASK`), a
//! server that had not seen the script.
//!
//! # What can be lost
//!
//! | Setting | A crash of the server | A failover to its replica |
//! |---|---|---|
//! | `appendonly no` | everything since the last snapshot: minutes | the last moments |
//! | `appendonly yes`, `appendfsync everysec` | of a process nothing, of a machine up to 2 seconds | the last moments |
//! | `appendonly yes`, `appendfsync always` | nothing that was acknowledged | the last moments |
//! | and [`replicas(n)`](RedisStoreBuilder::replicas) | the same | nothing that was acknowledged, if one of the `n` takes over |
//!
//! What is lost is a revocation, a redemption or a rotation that a client was
//! told of: the grant lives again, the code is good again. A replica is sent
//! what was written after the caller has had the answer. With `replicas(n)`
//! each write is followed by `WAIT n` on its own connection; fewer than `n`
//! acknowledgments in time are [`StoreError::Unavailable`], although the step
//! has taken effect. Set `n` to the number of replicas each server has: of
//! more replicas than `n`, one without the write may take over. `WAIT` is for
//! memory, not for disks: it and `appendfsync` guard against different things.
//! A server that restarts empty and leads on loses everything, with whatever
//! setting: do not let anything restart a primary without persistence.
//!
//! A primary that is cut off from its cluster answers for up to
//! `cluster-node-timeout`, and reads there may be that old. `replicas(n)`
//! makes its writes fail meanwhile.
//!
//! The same goes for whatever is restored from a copy: see
//! [what to do](crate::server::Selection::IssuedBefore).
//!
//! # What to set
//!
//! `maxmemory-policy noeviction`: start-up refuses a server that removes keys
//! when memory is full. Then writes fail, except revocations. Clocks of nodes
//! and servers should agree to within a minute; the times of keys have an hour
//! to spare. While a slot moves between servers, steps that add a key to it
//! may fail until it has arrived.
//!
//! A user of its own needs, on the keys of its prefix: `+eval +evalsha +get
//! +set +del +incr +exists +persist +expireat +hset +hget +hgetall +hdel +time
//! +setbit +zadd +zcount +zrange +zrem +zcard +zrandmember +zrangebylex +wait
//! +info +hello +auth +asking +cluster|slots`, and `+scan` for an export of the
//! store. In a cluster the servers must be known by addresses that this program
//! can reach, and with TLS by names that their certificates have
//! (`cluster-preferred-endpoint-type`).
//!
//! # The keys
//!
//! | Key | What | Ends |
//! |---|---|---|
//! | `oauth:{G}:grant` | a hash: the grant `G` | with the grant, or its code while that is not redeemed |
//! | `oauth:{G}:retry` | a hash: the sealed answer for a retry | with its window |
//! | `oauth:{G}:access:D` | an access token, by its digest | with the token |
//! | `oauth:{G}:void:N` | a claim that may lead to no grant any more | after an hour |
//! | `oauth:interaction:D` | a hash: a request that waits for its person | with the interaction |
//! | `oauth:subject:D` | a sorted set: the ids of a user's grants, with the times of each; `D` is a digest of the user | with the last of the grants |
//! | `oauth:uses:D` | until when a use counts, and how many there were, see [`Uses`](super::Uses) | then, a minute to spare |
//! | `oauth:status:N` | the list `N` of revoked JWTs, a bit for each place, see [`Statuses`](super::Statuses) | with the list, an hour to spare |
//! | `oauth:consent:D` | a hash: what a person has agreed to for a client; `D` is a digest of the two | with the consent |
//! | `oauth:{links}:link:D` | a hash: a link to another server, with its code that waits and its tokens; `D` is a digest of the two names | with the later of the two, a day to spare for the code |
//! | `oauth:{links}:due`, `oauth:{links}:ending` | sorted sets: the links whose code waits, by when that is due and by when it ends | with the last of them |
//! | `oauth:client:ID`, `oauth:keys`, `oauth:epoch`, `oauth:probe:N` | a client, the sealed signing keys, the [epoch](super::Epoch), a number for the probe | never |
//!
//! Digests only, and what is sealed: nothing that could be presented.
//!
//! All links are in one slot, so on one server of a cluster: a few hundred bytes
//! and what is sealed for each person who has connected two services. Taking a
//! code is two round trips, the list and then a step on the link.
//!
//! # The URL
//!
//! `redis://user:password@host:port`, or `rediss://` for TLS with a
//! certificate that is verified, name included; for a server that is no
//! cluster also `/number`, its database. `?replicas=1` at the end sets
//! [`replicas`](RedisStoreBuilder::replicas). Several URLs name servers of one
//! cluster, and one is enough to find the others, which have the same user and
//! password. Whether it is a cluster is found out, not configured.
//!
//! The futures need a tokio runtime with I/O and time, on which each
//! connection is a task.

mod builder;
pub mod bus;
mod call;
mod clients;
mod connection;
mod consents;
mod epoch;
mod error;
mod finish;
mod grants;
mod interactions;
mod keys;
mod keyspace;
mod reciprocals;
mod request;
mod row;
mod script;
mod server;
mod slot;
mod statuses;
mod subjects;
mod topology;
mod transfer;
mod url;
mod uses;

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

use redis::Value;

pub use self::{
    builder::RedisStoreBuilder,
    bus::{RedisBus, RedisBusBuilder},
};
use self::{call::Servers, error::Cause, keyspace::Keyspace, request::Request, slot::slot};
use super::{Store, StoreError, StoreFuture};

/// A store in Redis or Valkey. Clones share its connections.
///
/// ```no_run
/// use oauth_core::store::{Store, redis::RedisStore};
/// # async fn open() -> Result<(), oauth_core::store::StoreError> {
/// let urls = ["rediss://oauth:secret@one.example", "rediss://oauth:secret@two.example"];
/// let store = RedisStore::builder(urls).replicas(1).build().await?;
/// store.check().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

struct Inner {
    servers: Servers,
    keys: Keyspace,
    shown: String,
}

impl RedisStore {
    /// Connects to the server at `url`, or to its cluster, with default
    /// settings.
    ///
    /// # Errors
    /// As [`RedisStoreBuilder::build`].
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::builder([url]).build().await
    }

    /// Settings for the server at one URL, or for the cluster of several:
    /// [what they may say](self#the-url).
    #[must_use]
    pub fn builder(urls: impl IntoIterator<Item = impl AsRef<str>>) -> RedisStoreBuilder {
        RedisStoreBuilder::new(urls)
    }

    /// Refuses every later call on any clone. Connections close when the last
    /// clone is dropped.
    pub fn close(&self) {
        self.0.servers.closed.store(true, Ordering::Release);
    }

    fn keys(&self) -> &Keyspace {
        &self.0.keys
    }

    async fn ask(&self, request: &Request) -> Result<Value, StoreError> {
        Ok(self.0.servers.call(request).await?)
    }

    /// Writes to every server that leads, and to its replicas if those count.
    async fn probe(&self) -> Result<(), StoreError> {
        for (_, leader) in self.0.servers.topology.leaders().await? {
            let mut names = (0..10_000).map(|number| self.keys().probe(number));
            let mut found = None;
            while found.is_none() {
                let name = names.next().ok_or_else(|| StoreError::unavailable(Cause::new("no name for a probe")))?;
                let place = self.0.servers.topology.leader(slot(&name)).await?;
                found = Some(name).filter(|_| place.address == leader.address);
            }
            if let Some(name) = found {
                self.ask(&Request::writes("INCR", name)).await?;
            }
        }
        Ok(())
    }
}

impl Store for RedisStore {
    fn check(&self) -> StoreFuture<'_, ()> {
        Box::pin(self.probe())
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("servers", &self.0.shown).finish_non_exhaustive()
    }
}
