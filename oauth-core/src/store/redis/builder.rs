//! Settings of the store.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use super::{
    Inner, RedisStore,
    call::{Replicas, Servers},
    connection::Connector,
    error::Cause,
    keyspace::Keyspace,
    server,
    topology::Topology,
    url,
};
use crate::{
    secret::Secret,
    store::{Store, StoreError},
};

/// Settings of a [`RedisStore`]; made by [`RedisStore::builder`].
#[derive(Clone)]
pub struct RedisStoreBuilder {
    urls: Vec<Secret>,
    prefix: String,
    connections: usize,
    replicas: Replicas,
    connect: Duration,
    response: Duration,
    roots: Option<Vec<u8>>,
    identity: Option<(Vec<u8>, Secret)>,
    eviction: bool,
}

/// The longest that anything may be told to take.
const HOUR: Duration = Duration::from_secs(3600);

impl RedisStoreBuilder {
    pub(super) fn new(urls: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self {
            urls: urls.into_iter().map(|url| Secret::new(url.as_ref())).collect(),
            prefix: "oauth".to_owned(),
            connections: 4,
            replicas: Replicas { count: 0, timeout: Duration::from_secs(1) },
            connect: Duration::from_secs(2),
            response: Duration::from_secs(3),
            roots: None,
            identity: None,
            eviction: false,
        }
    }

    /// Sets what the name of every key begins with, so that others may use the
    /// same servers: letters, digits, `-`, `_`, `.` and `:`. The default is
    /// `oauth`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how many connections this node has to each server that leads, from
    /// 1 to 256; calls share them. The default is 4. More are of use where
    /// [replicas](Self::replicas) are waited for: a connection that waits
    /// answers nothing else meanwhile.
    #[must_use]
    pub fn connections(mut self, count: usize) -> Self {
        self.connections = count.clamp(1, 256);
        self
    }

    /// Sets how many replicas must have what a call has written before it
    /// returns: a call that fewer have acknowledged fails. The default is 0,
    /// with which a failover loses the last moments:
    /// [what can be lost](super#what-can-be-lost). The URL may say so too, with
    /// `?replicas=1`; if both do, the larger number holds.
    #[must_use]
    pub const fn replicas(mut self, count: u32) -> Self {
        self.replicas.count = count;
        self
    }

    /// Sets for how long the replicas are waited for, from 1 millisecond to
    /// one hour. The default is 1 second.
    #[must_use]
    pub fn replica_timeout(mut self, patience: Duration) -> Self {
        self.replicas.timeout = patience.clamp(Duration::from_millis(1), HOUR);
        self
    }

    /// Sets for how long opening a connection may take, TLS and password
    /// included, at most one hour. The default is 2 seconds.
    #[must_use]
    pub fn connect_timeout(mut self, patience: Duration) -> Self {
        self.connect = patience.min(HOUR);
        self
    }

    /// Sets for how long an answer is waited for, replicas not included, at
    /// most one hour. The default is 3 seconds. A call takes no longer than
    /// this, the time for the replicas and the time to connect together.
    #[must_use]
    pub fn response_timeout(mut self, patience: Duration) -> Self {
        self.response = patience.min(HOUR);
        self
    }

    /// Sets the authorities to trust instead of the system's: certificates in
    /// PEM. Only for `rediss://`.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// Sets a certificate of our own and its private key, both in PEM, for
    /// servers that ask for one. Only for `rediss://`.
    #[must_use]
    pub fn client_certificate(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Secret>) -> Self {
        self.identity = Some((certificate.into(), key.into()));
        self
    }

    /// Takes servers that remove keys on their own when memory is full. They
    /// lose grants, and forget that a proof was used; a revocation is never
    /// undone, for it goes with its grant.
    #[must_use]
    pub const fn insecure_allow_eviction(mut self) -> Self {
        self.eviction = true;
        self
    }

    /// Connects, and finds out whether the servers are one or a cluster.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if a URL is wrong, the servers cannot be
    /// reached, let us not in, cannot be written to, are older than version 7,
    /// or are set to remove keys when memory is full.
    pub async fn build(self) -> Result<RedisStore, StoreError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if self.prefix.is_empty() || !self.prefix.chars().all(allowed) {
            return Err(StoreError::unavailable(Cause::new("a prefix is letters, digits, -, _, . and :")));
        }
        let (seeds, access) = self.parsed().map_err(StoreError::unavailable)?;
        let replicas = Replicas { count: self.replicas.count.max(access.replicas), ..self.replicas };
        let waiting = if replicas.count > 0 { replicas.timeout } else { Duration::ZERO };
        let shown = shown(&seeds);
        let connector = Connector {
            access,
            roots: self.roots,
            identity: self.identity.map(|(certificate, key)| (certificate, key.expose().as_bytes().to_vec())),
            connect_timeout: self.connect,
            response_timeout: self.response + waiting,
            connections: self.connections,
        };
        let servers = Servers {
            topology: Topology::new(seeds, connector),
            replicas,
            patience: self.connect + self.response + waiting,
            closed: AtomicBool::new(false),
        };
        server::inspect(&servers, self.eviction).await?;
        let store = RedisStore(Arc::new(Inner { servers, keys: Keyspace(self.prefix), shown }));
        store.check().await?;
        Ok(store)
    }

    fn parsed(&self) -> Result<(Vec<url::Address>, url::Access), Cause> {
        url::parse(&self.urls.iter().map(Secret::expose).collect::<Vec<_>>())
    }
}

fn shown(seeds: &[url::Address]) -> String {
    seeds.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.parsed().map_or_else(|_| "..".to_owned(), |(seeds, _)| shown(&seeds));
        f.debug_struct("RedisStoreBuilder")
            .field("servers", &servers)
            .field("prefix", &self.prefix)
            .field("connections", &self.connections)
            .field("replicas", &self.replicas)
            .finish_non_exhaustive()
    }
}
