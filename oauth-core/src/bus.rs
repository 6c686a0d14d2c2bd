//! The bus: how processes tell each other of revocations.
//!
//! An authorization server of many nodes shares a store, and its resource
//! servers remember verdicts. A [`Bus`] carries what was revoked from the node
//! where it happened to all of them: [`MemoryBus`] within one process,
//! `PostgresBus` by `NOTIFY`, `RedisBus` by pub/sub, or your own.
//!
//! Nothing here starts a task. Spawn the futures of
//! `AuthorizationServer::follow` and, in the process of an API,
//! `ResourceServer::follow` of `oauth-tower`.
//!
//! # What may be relied upon
//!
//! A bus is the speed-up, and the short life of what is remembered is the
//! guarantee. Messages may be lost, repeated and reordered: nobody trusts one to
//! come. Whoever may have missed one drops all that it remembers.
//!
//! | | with the bus | bus cut | without |
//! |---|---|---|---|
//! | the node that revokes | at once | at once | at once |
//! | another node, `Issuer::local` | milliseconds | its `cache_for`: 5 seconds | the same |
//! | an API that asks by introspection | milliseconds | its `cache_for`: 30 seconds | the same |
//! | an API that verifies JWTs | milliseconds | until the token ends | the same |
//!
//! "Bus cut" also covers a subscriber that just hangs: that it does is noticed
//! after [its driver's times](Bus#timing). Once it is back, it drops what it
//! remembers, so what it asks about is refused from there on. A JWT proves
//! itself, however: one that was revoked while the bus was cut, or before the
//! API's process started, is good to its end there. Keep the life of JWTs short.
//!
//! A revocation never waits for the bus. It goes into a queue in memory, which
//! is bounded; if that overflows because the bus is slow or gone, everybody is
//! told once to drop everything.
//!
//! # Who hears what
//!
//! * The nodes of an issuer share one topic. What goes there is sealed under
//!   the root secret, so that nobody else learns a grant's id from it.
//! * Each resource of an issuer has a topic of its own, named after both by a
//!   hash: [`Topic::audience`]. A [`Notice`] there names grants as they are
//!   called at this resource alone (`grant_ref`), and never a token, so that
//!   what one resource server hears says nothing to another. These messages are
//!   not sealed: whoever may read or write the bus can tell how much is revoked
//!   at which resource, and can make everyone ask anew. Where resource servers
//!   do not trust each other, give each no more than its own topic.

mod memory;
mod notice;
mod queue;
mod receiver;
#[cfg(test)]
mod tests;
mod topic;

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

pub use self::{
    memory::MemoryBus,
    notice::{Notice, RevokedRef, UnreadableNotice, token_ref},
    receiver::{News, Receiver},
    topic::Topic,
};
#[cfg(feature = "server")]
pub(crate) use self::{
    notice::MOST,
    queue::{Queue, Taken},
    receiver::Backoff,
};

/// The longest message, in bytes: more than 32 revocations take.
pub const LONGEST_MESSAGE: usize = 4096;

/// The future of a bus, boxed so that buses can be swapped at run time.
pub type BusFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Carries messages between processes, as well as it can.
///
/// # Timing
///
/// A call must not hang for ever: give it up after some seconds, and fail. The
/// same goes for a subscription whose other end is gone without a word: probe
/// it when it has been silent for a while.
///
/// # Your own
///
/// ```
/// use oauth_core::bus::{Bus, BusError, BusFuture, Listening, MemoryBus, Post, Topic};
/// use std::time::Duration;
///
/// /// Says on standard output what is told.
/// #[derive(Debug)]
/// struct Loud(MemoryBus);
///
/// impl Bus for Loud {
///     fn publish(&self, posts: Vec<Post>) -> BusFuture<'_, Result<(), BusError>> {
///         posts.iter().for_each(|post| println!("{}: {} bytes", post.topic, post.bytes.len()));
///         self.0.publish(posts)
///     }
///     fn listen(&self, topics: Vec<Topic>) -> BusFuture<'_, Result<Box<dyn Listening>, BusError>> {
///         self.0.listen(topics)
///     }
///     fn pause(&self, time: Duration) -> BusFuture<'_, ()> {
///         Box::pin(tokio::time::sleep(time))
///     }
/// }
/// ```
pub trait Bus: fmt::Debug + Send + Sync + 'static {
    /// Sends each of `posts` to whoever listens to its topic, this process
    /// included. After an error, some of them may have been sent.
    ///
    /// # Errors
    /// [`BusError`] if the bus cannot be reached or a message is longer than
    /// [`LONGEST_MESSAGE`].
    fn publish(&self, posts: Vec<Post>) -> BusFuture<'_, Result<(), BusError>>;

    /// Listens to `topics`: what is published from the moment on that this
    /// returns is heard.
    ///
    /// # Errors
    /// [`BusError`] if the bus cannot be reached.
    fn listen(&self, topics: Vec<Topic>) -> BusFuture<'_, Result<Box<dyn Listening>, BusError>>;

    /// Returns after `time`: between two attempts to reach the bus. It is here
    /// because a bus knows the runtime that it runs on, and those who use it
    /// need none.
    fn pause(&self, time: Duration) -> BusFuture<'_, ()>;
}

/// A subscription: it ends when this is dropped.
pub trait Listening: Send {
    /// Waits for what comes next.
    ///
    /// # Errors
    /// [`BusError`] when the subscription is lost. It is not used again.
    fn next(&mut self) -> BusFuture<'_, Result<Heard, BusError>>;
}

/// A message and where it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Post {
    /// Where it goes.
    pub topic: Topic,
    /// What it says: at most [`LONGEST_MESSAGE`] bytes.
    pub bytes: Vec<u8>,
}

/// What comes out of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Heard {
    /// A message.
    Message(Post),
    /// Some may have been missed.
    Gap,
}

/// A bus could not do its work. Nothing of a password is in it.
#[derive(Debug, thiserror::Error)]
#[error("the bus is unavailable: {0}")]
pub struct BusError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl BusError {
    /// An error for `cause`.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }

    /// That one of `posts` is too long, if so.
    pub(crate) fn check(posts: &[Post]) -> Result<(), Self> {
        let too_long = posts.iter().any(|post| post.bytes.len() > LONGEST_MESSAGE);
        if too_long { Err(Self::new("a message is too long")) } else { Ok(()) }
    }
}

impl<B: Bus + ?Sized> Bus for Arc<B> {
    fn publish(&self, posts: Vec<Post>) -> BusFuture<'_, Result<(), BusError>> {
        (**self).publish(posts)
    }

    fn listen(&self, topics: Vec<Topic>) -> BusFuture<'_, Result<Box<dyn Listening>, BusError>> {
        (**self).listen(topics)
    }

    fn pause(&self, time: Duration) -> BusFuture<'_, ()> {
        (**self).pause(time)
    }
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("topic", &self.topic).field("bytes", &self.bytes.len()).finish()
    }
}
