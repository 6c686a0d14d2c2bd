//! The bus by `LISTEN` and `NOTIFY`.
//!
//! * **Connections of its own.** One listens, and one tells; neither is of the
//!   store's pool. `LISTEN` belongs to a session, so they go to the server
//!   itself or to a pooler by the session: behind one that hands out
//!   connections by the transaction nothing would be heard. That is found out,
//!   and said, before anything else: what a listener is told on another
//!   connection it must hear. Later it tells itself something now and then
//!   ([`PostgresBusBuilder::keepalive`]).
//! * **No table, no privilege.** A role with `CONNECT` to the database can
//!   listen and tell, and nothing else is needed: give resource servers one
//!   like that, `CREATE ROLE api LOGIN PASSWORD '..'`. Whoever can connect can
//!   also listen to every channel of that database, and tell anything there:
//!   see [who hears what](crate::bus#who-hears-what). Channels belong to a
//!   database; an empty one beside the store's serves as well, if everybody
//!   uses it.
//! * **The primary.** A standby has no `LISTEN`. With several hosts in the URL,
//!   say `target_session_attrs=read-write`.
//!
//! A channel is `oauth_` and the [topic](crate::bus::Topic); a message is
//! base64, shorter than 8000 bytes. Nothing is told inside a transaction of the
//! store's: a full queue of the server's fails no revocation.

use std::{collections::VecDeque, fmt, future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::{sync::Mutex, time::timeout};
use tokio_postgres::{AsyncMessage, Client, Error, NoTls, Notification};

use super::{
    error::{Cause, Failure},
    tls::Tls,
    url::Target,
};
use crate::{
    bus::{Bus, BusError, BusFuture, Heard, Listening, Post, Topic},
    clock::{SystemRandom, random_bytes},
    secret::Secret,
    store::StoreError,
};

/// A bus by way of a PostgreSQL database: see [the module](self). Clones share
/// the connection that tells.
///
/// ```
/// use oauth_core::store::postgres::PostgresBus;
/// let bus = PostgresBus::builder("postgres://api:secret@db.example/oauth").build()?;
/// # Ok::<_, oauth_core::bus::BusError>(())
/// ```
#[derive(Clone)]
pub struct PostgresBus(Arc<Inner>);

/// Settings of a [`PostgresBus`]; made by [`PostgresBus::builder`].
#[derive(Clone)]
pub struct PostgresBusBuilder {
    url: Secret,
    times: Times,
}

#[derive(Clone, Copy, Debug)]
struct Times {
    connect: Duration,
    response: Duration,
    keepalive: Duration,
}

struct Inner {
    config: tokio_postgres::Config,
    tls: Option<Tls>,
    shown: String,
    times: Times,
    /// For telling. Taken out while it is used: given up halfway, it closes.
    teller: Mutex<Option<Link>>,
}

const HOUR: Duration = Duration::from_secs(3600);

impl PostgresBus {
    /// Settings for the database at `url`: [what it may
    /// say](super#the-url).
    #[must_use]
    pub fn builder(url: &str) -> PostgresBusBuilder {
        let seconds = Duration::from_secs;
        let times = Times { connect: seconds(3), response: seconds(5), keepalive: seconds(10) };
        PostgresBusBuilder { url: Secret::new(url), times }
    }
}

impl PostgresBusBuilder {
    /// Sets for how long opening a connection may take, at most one hour. The
    /// default is 3 seconds.
    #[must_use]
    pub fn connect_timeout(mut self, patience: Duration) -> Self {
        self.times.connect = patience.min(HOUR);
        self
    }

    /// Sets for how long the server may take to answer, at most one hour. The
    /// default is 5 seconds.
    #[must_use]
    pub fn response_timeout(mut self, patience: Duration) -> Self {
        self.times.response = patience.min(HOUR);
        self
    }

    /// Sets for how long a listener may hear nothing before it finds out
    /// whether it would, from 1 millisecond to one hour. The default is 10
    /// seconds. A connection that is gone without a word is noticed after this
    /// and the time for an answer.
    #[must_use]
    pub fn keepalive(mut self, silence: Duration) -> Self {
        self.times.keepalive = silence.clamp(Duration::from_millis(1), HOUR);
        self
    }

    /// The bus. Nothing has to be up yet.
    ///
    /// # Errors
    /// [`BusError`] if the URL is wrong.
    pub fn build(self) -> Result<PostgresBus, BusError> {
        let Target { config, tls, shown } = Target::parse(self.url.expose()).map_err(BusError::new)?;
        Ok(PostgresBus(Arc::new(Inner { config, tls, shown, times: self.times, teller: Mutex::new(None) })))
    }
}

impl Inner {
    async fn open(&self) -> Result<Link, Failure> {
        let open = async {
            let link = match &self.tls {
                Some(tls) => {
                    let (client, mut driver) = self.config.connect(tls.clone()).await?;
                    Link::new(client, stream::poll_fn(move |context| driver.poll_message(context)).boxed())
                }
                None => {
                    let (client, mut driver) = self.config.connect(NoTls).await?;
                    Link::new(client, stream::poll_fn(move |context| driver.poll_message(context)).boxed())
                }
            };
            Ok(link)
        };
        timeout(self.times.connect, open).await.unwrap_or(Err(Failure::Late("connecting")))
    }

    async fn run(&self, link: &mut Link, sql: &str) -> Result<(), Failure> {
        let answer = timeout(self.times.response, link.run(sql)).await;
        answer.unwrap_or(Err(Failure::Late("an answer")))
    }

    /// A connection at rest may be gone: then one that is new.
    async fn tell(&self, sql: &str) -> Result<(), Failure> {
        let mut place = self.teller.lock().await;
        if let Some(mut link) = place.take()
            && self.run(&mut link, sql).await.is_ok()
        {
            *place = Some(link);
            return Ok(());
        }
        let mut link = self.open().await?;
        self.run(&mut link, sql).await?;
        *place = Some(link);
        Ok(())
    }

    async fn listen(self: Arc<Self>, topics: Vec<Topic>) -> Result<Ear, Failure> {
        let own = random_bytes::<16>(&SystemRandom).map_err(StoreError::unavailable)?;
        let own = format!("oauth_own_{:032x}", u128::from_be_bytes(own));
        let mut link = self.open().await?;
        let channels = topics.iter().map(channel).chain([own.clone()]);
        let listen: String = channels.map(|channel| format!("LISTEN {channel};")).collect();
        self.run(&mut link, &listen).await?;
        let mut ear = Ear { bus: self, link, topics, own };
        // A pooler may well send back to a connection what it has said itself.
        let mut other = ear.bus.open().await?;
        ear.bus.run(&mut other, &format!("NOTIFY {}", ear.own)).await?;
        ear.hear_own().await?;
        Ok(ear)
    }
}

impl Bus for PostgresBus {
    fn publish(&self, posts: Vec<Post>) -> BusFuture<'_, Result<(), BusError>> {
        Box::pin(async move {
            BusError::check(&posts)?;
            // Neither has a character that would have to be quoted.
            let notify = |post: &Post| format!("NOTIFY {}, '{}';", channel(&post.topic), STANDARD.encode(&post.bytes));
            let sql: String = posts.iter().map(notify).collect();
            self.0.tell(&sql).await.map_err(error)
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

/// A connection, which is driven by whoever uses it.
struct Link {
    client: Client,
    driver: BoxStream<'static, Result<AsyncMessage, Error>>,
    /// What came while an answer was waited for.
    heard: VecDeque<Notification>,
    missed: bool,
}

/// How much may come while an answer is waited for.
const MOST: usize = 1024;

impl Link {
    fn new(client: Client, driver: BoxStream<'static, Result<AsyncMessage, Error>>) -> Self {
        Self { client, driver, heard: VecDeque::new(), missed: false }
    }

    async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        let Self { client, driver, heard, missed } = self;
        let mut answer = pin!(client.batch_execute(sql));
        poll_fn(|context| {
            loop {
                if let Poll::Ready(answer) = answer.as_mut().poll(context) {
                    return Poll::Ready(answer.map_err(Failure::from));
                }
                match driver.poll_next_unpin(context) {
                    Poll::Ready(Some(Ok(AsyncMessage::Notification(one)))) if heard.len() < MOST => {
                        heard.push_back(one);
                    }
                    Poll::Ready(Some(Ok(AsyncMessage::Notification(_)))) => *missed = true,
                    Poll::Ready(Some(Ok(_))) => {}
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error.into())),
                    Poll::Ready(None) => return Poll::Ready(Err(closed())),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    async fn next(&mut self) -> Result<Notification, Failure> {
        loop {
            if let Some(one) = self.heard.pop_front() {
                return Ok(one);
            }
            match self.driver.next().await {
                Some(Ok(AsyncMessage::Notification(one))) => return Ok(one),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(closed()),
            }
        }
    }
}

/// A connection that listens.
struct Ear {
    bus: Arc<Inner>,
    link: Link,
    topics: Vec<Topic>,
    /// A channel where nobody else tells anything.
    own: String,
}

impl Ear {
    /// Tells itself something, and hears it.
    async fn probe(&mut self) -> Result<(), Failure> {
        let notify = format!("NOTIFY {}", self.own);
        self.bus.run(&mut self.link, &notify).await?;
        self.hear_own().await
    }

    /// What comes before is kept. Where more came than that, its own word may have
    /// been lost with it: nobody waits for it, and a gap is told of at once.
    async fn hear_own(&mut self) -> Result<(), Failure> {
        if self.link.missed {
            return Ok(());
        }
        let mut before = VecDeque::new();
        let hear = async {
            loop {
                let heard = self.link.next().await?;
                if heard.channel() == self.own {
                    return Ok(());
                }
                if before.len() < MOST { before.push_back(heard) } else { self.link.missed = true }
            }
        };
        let outcome = timeout(self.bus.times.response, hear).await;
        before.append(&mut self.link.heard);
        self.link.heard = before;
        outcome.unwrap_or_else(|_| {
            let cause = "nothing is heard: does a pooler stand in between that has no LISTEN?";
            Err(StoreError::unavailable(Cause::new(cause)).into())
        })
    }

    async fn hear(&mut self) -> Result<Heard, Failure> {
        loop {
            if std::mem::take(&mut self.link.missed) {
                return Ok(Heard::Gap);
            }
            match timeout(self.bus.times.keepalive, self.link.next()).await {
                Ok(one) => {
                    let one = one?;
                    if one.channel() != self.own {
                        return Ok(self.read(&one));
                    }
                }
                Err(_) => self.probe().await?,
            }
        }
    }

    /// What cannot be read may have been anything.
    fn read(&self, one: &Notification) -> Heard {
        let topic = self.topics.iter().find(|topic| channel(topic) == one.channel());
        match (topic, STANDARD.decode(one.payload())) {
            (Some(topic), Ok(bytes)) => Heard::Message(Post { topic: *topic, bytes }),
            _ => Heard::Gap,
        }
    }
}

impl Listening for Ear {
    fn next(&mut self) -> BusFuture<'_, Result<Heard, BusError>> {
        Box::pin(async move { self.hear().await.map_err(error) })
    }
}

fn channel(topic: &Topic) -> String {
    format!("oauth_{topic}")
}

fn closed() -> Failure {
    StoreError::unavailable(Cause::new("PostgreSQL: the connection was closed")).into()
}

/// Without what a store says of itself.
fn error(failure: Failure) -> BusError {
    match failure.into() {
        StoreError::Unavailable(cause) => BusError::new(cause),
        other => BusError::new(other),
    }
}

impl fmt::Debug for PostgresBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresBus").field("server", &self.0.shown).finish_non_exhaustive()
    }
}

impl fmt::Debug for PostgresBusBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresBusBuilder").field("times", &self.times).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_channel_needs_no_quotes_and_is_not_cut() {
        let name = channel(&Topic::audience("https://as.example", "https://api.example"));
        assert!(name.len() < 64 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
        let longest = STANDARD.encode([0; crate::bus::LONGEST_MESSAGE]);
        assert!(longest.len() < 8000, "{}", longest.len());
    }

    #[test]
    fn no_password_is_shown() {
        let builder = PostgresBus::builder("postgres://api:hunter2@db.example/oauth");
        let shown = format!("{builder:?} {:?}", builder.clone().build().unwrap());
        assert!(shown.contains("db.example") && !shown.contains("hunter2"), "{shown}");
        let wrong = PostgresBus::builder("mysql://api:hunter2@db.example/oauth").build().unwrap_err();
        assert!(!format!("{wrong} {wrong:?}").contains("hunter2"));
    }
}
