//! Revocations, told to everyone in this process who caches verdicts, and put
//! in line for everyone outside.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use futures_util::future::join_all;

use crate::{bus::Queue, clock::UnixTime, secret::Digest, token::GrantId};

/// What was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revoked {
    /// A grant, and with it every token under it.
    Grant(GrantId),
    /// One access token.
    Access {
        /// Its grant.
        grant: GrantId,
        /// Its digest, as the store knows it.
        digest: Digest,
    },
    /// Perhaps anything: what other processes have revoked may have been
    /// missed.
    Anything,
}

/// Hears of revocations.
pub trait RevocationListener: Send + Sync {
    /// `what` is revoked: the store has committed it, and whoever asked for it
    /// has not been answered yet; or another process has said so. Drop what
    /// rests on it before returning.
    fn revoked(&self, what: &Revoked);

    /// Where another party has to be told, over a network: ends once it has been told of all that was
    /// heard until now. Whoever asks to revoke a token, or to end a device, is answered after that, as is
    /// whoever ends a grant by using a code or a refresh token again. So it must end soon, also while
    /// the other party cannot be reached. `None`: there is nothing to wait for.
    fn settled(&self) -> Option<Settling> {
        None
    }
}

/// What is waited for after a revocation.
pub type Settling = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The listeners of one process.
#[derive(Clone, Default)]
pub struct Revocations(Arc<Audience>);

#[derive(Default)]
struct Audience {
    listeners: Mutex<Vec<Weak<dyn RevocationListener>>>,
    /// One for each bus.
    outboxes: Mutex<Vec<Weak<Outbox>>>,
}

/// What waits to be told on a bus.
pub(crate) type Outbox = Queue<Told>;

/// A revocation, with what resource servers need to know of it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) what: Revoked,
    /// Where its tokens are good; `None` if that may be anywhere.
    pub(crate) resources: Option<Vec<String>>,
    /// `jti` of the one token.
    pub(crate) jti: Option<String>,
    /// When the last of the tokens ends; `None` if it is not certain that
    /// anything was revoked.
    pub(crate) until: Option<UnixTime>,
}

/// How many revocations may wait for a bus. Beyond that, everybody is told to
/// drop everything.
const MOST: usize = 10_000;

impl Revocations {
    /// Adds a listener for as long as it lives.
    pub fn subscribe(&self, listener: Weak<dyn RevocationListener>) {
        let mut listeners = lock(&self.0.listeners);
        listeners.retain(|one| one.strong_count() > 0);
        listeners.push(listener);
    }

    /// Tells every listener in this process, and nobody else: what came over
    /// the bus does not go back there.
    pub(crate) fn publish(&self, what: &Revoked) {
        let listeners = lock(&self.0.listeners).clone();
        listeners.iter().filter_map(Weak::upgrade).for_each(|listener| listener.revoked(what));
    }

    /// Waits until every listener in this process has told whom it tells of what was revoked until
    /// now ([`RevocationListener::settled`]).
    pub async fn settled(&self) {
        let listeners = lock(&self.0.listeners).clone();
        let open: Vec<Settling> = listeners.iter().filter_map(|one| one.upgrade()?.settled()).collect();
        join_all(open).await;
    }

    /// What is told from here on, for one bus, until it is dropped.
    pub(crate) fn open(&self) -> Arc<Outbox> {
        let outbox = Arc::new(Queue::new(MOST));
        let mut outboxes = lock(&self.0.outboxes);
        outboxes.retain(|one| one.strong_count() > 0);
        outboxes.push(Arc::downgrade(&outbox));
        outbox
    }

    /// Puts it in line for every bus; nobody waits for any.
    fn post(&self, told: impl Fn() -> Told) {
        let outboxes = lock(&self.0.outboxes);
        outboxes.iter().filter_map(Weak::upgrade).for_each(|outbox| outbox.push(told()));
    }

    fn close(&self) {
        lock(&self.0.outboxes).iter().filter_map(Weak::upgrade).for_each(|outbox| outbox.close());
    }
}

/// Those of a server, for as long as it lives: with it, the lines for the buses
/// end.
#[derive(Default)]
pub(crate) struct OwnRevocations(pub(crate) Revocations);

impl Drop for OwnRevocations {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A revocation that may be about to happen. Told when dropped, so that it is
/// told also where the request that caused it is given up halfway: the store
/// may have committed it all the same.
pub(crate) struct Announcement<'a> {
    revocations: &'a Revocations,
    what: Option<Revoked>,
    resources: Option<&'a [String]>,
    jti: Option<&'a str>,
    until: UnixTime,
    certain: bool,
    anywhere: bool,
}

impl<'a> Announcement<'a> {
    /// `until`: when the last token that can be under it ends.
    pub(crate) const fn new(revocations: &'a Revocations, what: Revoked, until: UnixTime) -> Self {
        Self { revocations, what: Some(what), resources: None, jti: None, until, certain: false, anywhere: false }
    }

    /// Its tokens may have been exchanged for others, which are good at any resource:
    /// then nothing that is said of where they are good counts.
    pub(crate) const fn anywhere_if(mut self, exchanged: bool) -> Self {
        self.anywhere = exchanged;
        self
    }

    /// Its tokens are good at these alone.
    pub(crate) const fn at(mut self, resources: &'a [String]) -> Self {
        if !self.anywhere {
            self.resources = Some(resources);
        }
        self
    }

    /// It is the token that goes by this name.
    pub(crate) const fn named(mut self, jti: &'a str) -> Self {
        self.jti = Some(jti);
        self
    }

    /// Somebody has asked for it: told as certain even if it is not known what
    /// became of it, since nobody is wronged who is taken at their word. Where
    /// nobody did (a token that is being used, perhaps for the second time),
    /// a request that is given up halfway must not shut out a good grant.
    pub(crate) const fn intended(mut self) -> Self {
        self.certain = true;
        self
    }

    /// It did happen.
    pub(crate) fn happened(mut self) {
        self.certain = true;
    }

    /// It did not happen.
    pub(crate) fn withdraw(mut self) {
        self.what = None;
    }
}

impl Drop for Announcement<'_> {
    fn drop(&mut self) {
        let Some(what) = self.what else { return };
        self.revocations.publish(&what);
        self.revocations.post(|| Told {
            what,
            resources: self.resources.map(<[String]>::to_vec),
            jti: self.jti.map(str::to_owned),
            until: self.certain.then_some(self.until),
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Revocations(..)")
    }
}
