//! The bus by `SUBSCRIBE` and `PUBLISH`.
//!
//! * **Connections of its own.** One listens, and one tells; neither is of the
//!   store's. In a cluster any server will do for either, since they pass on
//!   to each other what is published: name several, and one that is gone is
//!   done without.
//! * **Little privilege.** A user of a resource server needs `resetchannels
//!   &oauth:revocations:TOPIC +subscribe +ping +hello +auth`, with the name of
//!   its [topic](crate::bus::Topic::audience) or `*` for all; a node of the
//!   authorization server `&oauth:revocations:* +subscribe +publish +ping
//!   +hello +auth`. No key is touched.
//! * **Watched.** A listener that hears nothing for a while asks whether the
//!   server is still there ([`RedisBusBuilder::keepalive`]). That it is cut off
//!   from the rest of its cluster, it does not say: then nothing is heard, and
//!   what is remembered ends by itself.
//!
//! A channel is `oauth:revocations:` and the [topic](crate::bus::Topic),
//! whatever the prefix of the store's keys; pub/sub knows no databases. A
//! server drops a listener that does not keep up
//! (`client-output-buffer-limit pubsub`), which then hears of a gap.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Pipeline, PushInfo, PushKind, RedisError, Value,
    aio::{MultiplexedConnection, SendError},
    cmd,
};
use tokio::{sync::Mutex, time::timeout};

use super::{
    connection::Connector,
    error::{Cause, Failure},
    url,
};
use crate::{
    bus::{Bus, BusError, BusFuture, Heard, Listening, Post, Queue, Taken, Topic},
    secret::Secret,
    store::StoreError,
};

/// A bus by way of Redis or Valkey: see [the module](self). Clones share the
/// connection that tells.
///
/// ```
/// use oauth_core::store::redis::RedisBus;
/// let bus = RedisBus::builder(["rediss://api:secret@one.example", "rediss://api:secret@two.example"]).build()?;
/// # Ok::<_, oauth_core::bus::BusError>(())
/// ```
#[derive(Clone)]
pub struct RedisBus(Arc<Inner>);

/// Settings of a [`RedisBus`]; made by [`RedisBus::builder`].
#[derive(Clone)]
pub struct RedisBusBuilder {
    urls: Vec<Secret>,
    connect: Duration,
    response: Duration,
    keepalive: Duration,
    roots: Option<Vec<u8>>,
    identity: Option<(Vec<u8>, Secret)>,
}

struct Inner {
    connector: Connector,
    seeds: Vec<url::Address>,
    keepalive: Duration,
    /// Which of the seeds is tried next.
    turn: AtomicUsize,
    /// For telling. Taken out while it is used: given up halfway, it closes.
    teller: Mutex<Option<MultiplexedConnection>>,
}

const HOUR: Duration = Duration::from_secs(3600);

/// How far behind a listener may fall.
const MOST: usize = 1024;

impl RedisBus {
    /// Settings for the server at one URL, or for the cluster of several:
    /// [what they may say](super#the-url).
    #[must_use]
    pub fn builder(urls: impl IntoIterator<Item = impl AsRef<str>>) -> RedisBusBuilder {
        RedisBusBuilder {
            urls: urls.into_iter().map(|url| Secret::new(url.as_ref())).collect(),
            connect: Duration::from_secs(2),
            response: Duration::from_secs(3),
            keepalive: Duration::from_secs(10),
            roots: None,
            identity: None,
        }
    }
}

impl RedisBusBuilder {
    /// Sets for how long opening a connection may take, TLS and password
    /// included, at most one hour. The default is 2 seconds.
    #[must_use]
    pub fn connect_timeout(mut self, patience: Duration) -> Self {
        self.connect = patience.min(HOUR);
        self
    }

    /// Sets for how long an answer is waited for, at most one hour. The default
    /// is 3 seconds.
    #[must_use]
    pub fn response_timeout(mut self, patience: Duration) -> Self {
        self.response = patience.min(HOUR);
        self
    }

    /// Sets for how long a listener may hear nothing before it asks whether the
    /// server is still there, from 1 millisecond to one hour. The default is 10
    /// seconds. A connection that is gone without a word is noticed after this
    /// and the time for an answer.
    #[must_use]
    pub fn keepalive(mut self, silence: Duration) -> Self {
        self.keepalive = silence.clamp(Duration::from_millis(1), HOUR);
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

    /// The bus. Nothing has to be up yet.
    ///
    /// # Errors
    /// [`BusError`] if a URL is wrong.
    pub fn build(self) -> Result<RedisBus, BusError> {
        let urls: Vec<_> = self.urls.iter().map(Secret::expose).collect();
        let (seeds, mut access) = url::parse(&urls).map_err(BusError::new)?;
        // Channels are the same in every database.
        access.database = 0;
        let connector = Connector {
            access,
            roots: self.roots,
            identity: self.identity.map(|(certificate, key)| (certificate, key.expose().as_bytes().to_vec())),
            connect_timeout: self.connect,
            response_timeout: self.response,
            connections: 1,
        };
        let (turn, teller) = (AtomicUsize::new(0), Mutex::new(None));
        Ok(RedisBus(Arc::new(Inner { connector, seeds, keepalive: self.keepalive, turn, teller })))
    }
}

impl Inner {
    /// A connection to the first of the servers that takes one.
    async fn open(&self, queue: &Arc<Queue<Push>>) -> Result<MultiplexedConnection, Failure> {
        let mut failure = Failure::Closed;
        for _ in &self.seeds {
            let turn = self.turn.load(Ordering::Relaxed) % self.seeds.len().max(1);
            let Some(address) = self.seeds.get(turn) else { break };
            match self.open_at(address, queue).await {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    failure = Failure::Unreachable(Cause::new(format!("{address}: {}", Cause::of(&error))));
                    self.turn.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        Err(failure)
    }

    async fn open_at(
        &self,
        address: &url::Address,
        queue: &Arc<Queue<Push>>,
    ) -> Result<MultiplexedConnection, RedisError> {
        let queue = Arc::clone(queue);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connector.connect_timeout))
            .set_response_timeout(Some(self.connector.response_timeout))
            .set_push_sender(move |push: PushInfo| {
                match push.kind {
                    PushKind::Message => queue.push(Push::read(push.data)),
                    PushKind::Disconnection | PushKind::Unsubscribe => queue.close(),
                    _ => {}
                }
                Ok::<_, SendError>(())
            });
        self.connector.client(address)?.get_multiplexed_async_connection_with_config(&config).await
    }

    /// A connection at rest may be gone: then one that is new.
    async fn tell(&self, posts: &[Post]) -> Result<(), Failure> {
        let mut pipeline = Pipeline::new();
        for post in posts {
            pipeline.cmd("PUBLISH").arg(channel(&post.topic)).arg(&post.bytes).ignore();
        }
        let mut place = self.teller.lock().await;
        if let Some(mut connection) = place.take()
            && pipeline.exec_async(&mut connection).await.is_ok()
        {
            *place = Some(connection);
            return Ok(());
        }
        let mut connection = self.open(&Arc::new(Queue::new(1))).await?;
        let outcome = pipeline.exec_async(&mut connection).await;
        outcome.map_err(|error| self.failed(error))?;
        *place = Some(connection);
        Ok(())
    }

    async fn listen(self: Arc<Self>, topics: Vec<Topic>) -> Result<Ear, Failure> {
        let queue = Arc::new(Queue::new(MOST));
        let mut connection = self.open(&queue).await?;
        let channels: Vec<_> = topics.iter().map(channel).collect();
        connection.subscribe(channels).await.map_err(|error| self.failed(error))?;
        Ok(Ear { bus: self, connection, queue, topics })
    }

    /// Another server may do better.
    fn failed(&self, error: RedisError) -> Failure {
        self.turn.fetch_add(1, Ordering::Relaxed);
        Failure::of(error)
    }
}

impl Bus for RedisBus {
    fn publish(&self, posts: Vec<Post>) -> BusFuture<'_, Result<(), BusError>> {
        Box::pin(async move {
            BusError::check(&posts)?;
            self.0.tell(&posts).await.map_err(error)
        })
    }

    fn listen(&self, topics: Vec<Topic>) -> BusFuture<'_, Result<Box<dyn Listening>, BusError>> {
        Box::pin(async move {
            let ear = Arc::clone(&self.0).listen(topics).await.map_err(error)?;
            Ok(Box::new(ear) as Box<dyn Listening>)
        })
    }

    fn pause(&self, time: Duration) -> BusFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// A channel, and what was said there; `None` if that makes no sense.
struct Push(Option<(Vec<u8>, Vec<u8>)>);

impl Push {
    fn read(data: Vec<Value>) -> Self {
        let mut data = data.into_iter();
        let mut bytes = || match data.next() {
            Some(Value::BulkString(bytes)) => Some(bytes),
            Some(Value::SimpleString(text)) => Some(text.into_bytes()),
            _ => None,
        };
        Self(bytes().zip(bytes()))
    }
}

/// A connection that listens.
struct Ear {
    bus: Arc<Inner>,
    connection: MultiplexedConnection,
    queue: Arc<Queue<Push>>,
    topics: Vec<Topic>,
}

impl Ear {
    async fn hear(&mut self) -> Result<Heard, Failure> {
        loop {
            match timeout(self.bus.keepalive, self.queue.take(1)).await {
                Ok(Taken::Items(pushes)) => return Ok(self.read(pushes)),
                Ok(Taken::Overflow) => return Ok(Heard::Gap),
                Ok(Taken::Closed) => return Err(self.lost()),
                Err(_) => drop(
                    self.connection.send_packed_command(&cmd("PING")).await.map_err(|error| self.bus.failed(error))?,
                ),
            }
        }
    }

    fn lost(&self) -> Failure {
        self.bus.turn.fetch_add(1, Ordering::Relaxed);
        Failure::Lost(Cause::new("the connection was closed"))
    }

    /// What cannot be read may have been anything.
    fn read(&self, pushes: Vec<Push>) -> Heard {
        let said = pushes.into_iter().next().and_then(|push| push.0);
        let found = said.and_then(|(name, bytes)| {
            let topic = self.topics.iter().find(|topic| channel(topic).as_bytes() == name)?;
            (bytes.len() <= crate::bus::LONGEST_MESSAGE).then_some(Post { topic: *topic, bytes })
        });
        found.map_or(Heard::Gap, Heard::Message)
    }
}

impl Listening for Ear {
    fn next(&mut self) -> BusFuture<'_, Result<Heard, BusError>> {
        Box::pin(async move { self.hear().await.map_err(error) })
    }
}

fn channel(topic: &Topic) -> String {
    format!("oauth:revocations:{topic}")
}

/// Without what a store says of itself.
fn error(failure: Failure) -> BusError {
    match failure.into() {
        StoreError::Unavailable(cause) => BusError::new(cause),
        other => BusError::new(other),
    }
}

fn shown(seeds: &[url::Address]) -> String {
    seeds.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

impl fmt::Debug for RedisBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBus").field("servers", &shown(&self.0.seeds)).finish_non_exhaustive()
    }
}

impl fmt::Debug for RedisBusBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBusBuilder").field("keepalive", &self.keepalive).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        let builder = RedisBus::builder(["redis://api:hunter2@db.example"]);
        let shown = format!("{builder:?} {:?}", builder.clone().build().unwrap());
        assert!(shown.contains("db.example") && !shown.contains("hunter2"), "{shown}");
        let wrong = RedisBus::builder(["http://api:hunter2@db.example"]).build().unwrap_err();
        assert!(!format!("{wrong} {wrong:?}").contains("hunter2"));
    }

    #[test]
    fn what_makes_no_sense_is_a_gap() {
        let bytes = |text: &str| Value::BulkString(text.into());
        assert_eq!(Push::read(vec![bytes("a"), bytes("b")]).0, Some((b"a".to_vec(), b"b".to_vec())));
        for data in [vec![], vec![bytes("a")], vec![bytes("a"), Value::Nil], vec![Value::Int(1), bytes("b")]] {
            assert_eq!(Push::read(data).0, None);
        }
    }
}
