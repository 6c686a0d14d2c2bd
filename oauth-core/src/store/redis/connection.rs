//! A server, and the connections to it, which many calls share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo, Pipeline, ProtocolVersion,
    PushInfo, PushKind, RedisConnectionInfo, RedisError, TlsCertificates, Value,
    aio::{MultiplexedConnection, SendError},
};
use tokio::sync::Mutex;

use super::{
    error::{Cause, Failure},
    url::{Access, Address},
};

/// Opens connections.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) access: Access,
    /// PEM: the authorities to trust instead of the system's.
    pub(super) roots: Option<Vec<u8>>,
    /// PEM: a certificate of our own, and its key.
    pub(super) identity: Option<(Vec<u8>, Vec<u8>)>,
    pub(super) connect_timeout: Duration,
    pub(super) response_timeout: Duration,
    /// How many connections to each server.
    pub(super) connections: usize,
}

impl Connector {
    async fn open(&self, address: &Address) -> Result<Link, Failure> {
        let dead = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&dead);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(Some(self.response_timeout))
            .set_push_sender(move |push: PushInfo| {
                told.fetch_or(push.kind == PushKind::Disconnection, Ordering::Relaxed);
                Ok::<_, SendError>(())
            });
        let unreachable = |error: RedisError| {
            let cause = Cause::of(&error);
            Failure::Unreachable(Cause::new(format!("{address}: {cause}")))
        };
        let client = self.client(address).map_err(unreachable)?;
        let connection = client.get_multiplexed_async_connection_with_config(&config).await.map_err(unreachable)?;
        Ok(Link { connection, dead })
    }

    pub(super) fn client(&self, address: &Address) -> Result<Client, RedisError> {
        let (host, port) = (address.host.clone(), address.port);
        let Access { tls, user, password, database, .. } = &self.access;
        // Says which version of the protocol is spoken: the third tells of the
        // end of a connection when it comes, not when it is used next.
        let mut settings = RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3).set_db(*database);
        if let Some(user) = user {
            settings = settings.set_username(user);
        }
        if let Some(password) = password {
            settings = settings.set_password(password);
        }
        let at = if *tls {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let info = at.into_connection_info()?.set_redis_settings(settings);
        if !tls {
            return Client::open(info);
        }
        // The driver takes the provider of the process; where there is none
        // yet, it is the one that all else here uses.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let identity = self.identity.clone();
        let client_tls = identity.map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key });
        Client::build_with_tls(info, TlsCertificates { client_tls, root_cert: self.roots.clone() })
    }
}

/// One connection. Its clones share it.
#[derive(Clone)]
struct Link {
    connection: MultiplexedConnection,
    /// The other end has closed it, or we have given it up.
    dead: Arc<AtomicBool>,
}

/// A place for a connection, which is opened when it is needed.
#[derive(Default)]
struct Lane {
    link: Mutex<Option<Link>>,
    failures: AtomicU64,
}

/// A server.
pub(super) struct Node {
    pub(super) address: Address,
    connector: Arc<Connector>,
    lanes: Vec<Lane>,
    turn: AtomicUsize,
}

impl Node {
    pub(super) fn new(address: Address, connector: &Arc<Connector>) -> Arc<Self> {
        let lanes = (0..connector.connections.max(1)).map(|_| Lane::default()).collect();
        Arc::new(Self { address, connector: Arc::clone(connector), lanes, turn: AtomicUsize::new(0) })
    }

    /// Sends all of these at once on one connection, and waits for the answers
    /// to all of them. Given up, it leaves nothing behind: what was sent runs
    /// to its end, and its answers go nowhere.
    pub(super) async fn send(&self, pipeline: &Pipeline, answers: usize) -> Result<Vec<Value>, Failure> {
        let mut link = self.link().await?;
        let outcome = link.connection.send_packed_commands(pipeline, 0, answers).await;
        outcome.map_err(|error| {
            let failure = Failure::of(error);
            if matches!(failure, Failure::Lost(_)) {
                link.dead.store(true, Ordering::Relaxed);
            }
            failure
        })
    }

    /// Lets the next call open its connection anew: perhaps to another server
    /// that has taken over the name.
    pub(super) async fn forget(&self) {
        for lane in &self.lanes {
            drop(lane.link.lock().await.take());
        }
    }

    async fn link(&self) -> Result<Link, Failure> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.lanes.len().max(1);
        let Some(lane) = self.lanes.get(turn) else { return Err(Failure::Closed) };
        let seen = lane.failures.load(Ordering::Acquire);
        let mut link = lane.link.lock().await;
        if let Some(link) = link.as_ref().filter(|link| !link.dead.load(Ordering::Relaxed)) {
            return Ok(link.clone());
        }
        // Who has waited for somebody's attempt shares its failure.
        if lane.failures.load(Ordering::Acquire) != seen {
            return Err(Failure::Unreachable(Cause::new(format!("{} cannot be reached", self.address))));
        }
        *link = None;
        match self.connector.open(&self.address).await {
            Ok(opened) => Ok(link.insert(opened).clone()),
            Err(failure) => {
                lane.failures.fetch_add(1, Ordering::Release);
                Err(failure)
            }
        }
    }
}
