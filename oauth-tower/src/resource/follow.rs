//! Revocations that other processes tell of.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use futures_util::{
    FutureExt,
    future::{AbortHandle, abortable},
};
use oauth_core::bus::{Bus, News, Notice, Post, Receiver, RevokedRef, Topic};

use super::{
    ResourceServer,
    invalidate::{Ground, Slot},
    observe::BusEvent,
    revoked::Name,
    validate::{Configured, Judge, Mechanism},
};

impl ResourceServer {
    /// Listens on a bus for what the issuers of this resource server revoke, for
    /// as long as the returned future is driven: spawn it. Verdicts that rest on
    /// what was revoked fall when it is heard, and a JWT that was revoked is
    /// refused until it has expired (401 `invalid_token`).
    ///
    /// The issuers must be servers of this family of crates that
    /// `follow` the same bus; others are simply not heard of. For an issuer in
    /// this process, [`Issuer::local`](super::Issuer::local), it is that server
    /// which follows the bus.
    ///
    /// A bus is no guarantee. When this begins to listen, listens again after
    /// the bus was lost, or hears what it cannot read, every verdict on tokens
    /// of these issuers is dropped: they are asked about, or verified, anew.
    /// Which JWTs were revoked in the meantime, nobody says: those are accepted
    /// until they expire, and so are all of them after a restart. [How long a
    /// revoked token is accepted](super#how-long-a-revoked-token-is-accepted).
    ///
    /// The future ends with the last handle of this resource server (layers and
    /// services are handles). It can be dropped at any time, and leaves nothing
    /// behind.
    ///
    /// ```
    /// # #[cfg(feature = "client")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use oauth_core::bus::MemoryBus;
    /// use oauth_tower::resource::{Issuer, ResourceServer};
    ///
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// // Between processes: `PostgresBus` or `RedisBus`.
    /// let bus = MemoryBus::default();
    /// let api = ResourceServer::builder("https://api.example").issuer(Issuer::jwt("https://as.example")).build()?;
    /// let following = tokio::spawn(api.follow(bus));
    /// drop(api);
    /// following.await?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// # })
    /// # }
    /// # #[cfg(not(feature = "client"))]
    /// # fn main() {}
    /// ```
    pub fn follow<B: Bus>(&self, bus: B) -> impl Future<Output = ()> + Send + 'static + use<B> {
        let subjects: Vec<_> = self.judge.issuers.iter().enumerate().filter_map(|one| self.subject(one)).collect();
        let (following, handle) = abortable(follow(Arc::downgrade(&self.judge), bus, subjects));
        self.judge.followers.add(handle);
        following.map(drop)
    }

    fn subject(&self, (index, configured): (usize, &Configured)) -> Option<Subject> {
        let audience = configured.mechanism.audience()?.unwrap_or(self.resource());
        Some(Subject { index, topic: Topic::audience(&configured.issuer, audience) })
    }
}

impl Mechanism {
    /// What tokens must name, if not the resource; `None` if nobody has to be
    /// listened to.
    fn audience(&self) -> Option<Option<&str>> {
        match self {
            Self::Jwt(verifier) => Some(verifier.audience.as_deref()),
            Self::Introspection { introspector, .. } => Some(introspector.audience.as_deref()),
            #[cfg(feature = "server")]
            Self::Local(_) => None,
        }
    }
}

/// An issuer that is listened to.
struct Subject {
    index: usize,
    topic: Topic,
}

async fn follow(judge: Weak<Judge>, bus: impl Bus, subjects: Vec<Subject>) {
    let mut topics: Vec<_> = subjects.iter().map(|subject| subject.topic).collect();
    topics.sort_unstable();
    topics.dedup();
    if topics.is_empty() {
        return;
    }
    let mut receiver = Receiver::new(bus, topics);
    loop {
        let news = receiver.next().await;
        let Some(judge) = judge.upgrade() else { return };
        match news {
            News::Message(post) => judge.hear(&post, &subjects),
            News::Gap => {
                judge.bus.count(BusEvent::Gap);
                subjects.iter().for_each(|subject| judge.ledger.strike(Slot::issuer(subject.index)));
            }
            News::Lost(error) => judge.bus.lost(&error),
            _ => {}
        }
    }
}

impl Judge {
    fn hear(&self, post: &Post, subjects: &[Subject]) {
        let notice = Notice::read(&post.bytes);
        self.bus.count(if notice.is_ok() { BusEvent::Heard } else { BusEvent::Unreadable });
        for subject in subjects.iter().filter(|subject| subject.topic == post.topic) {
            match &notice {
                Ok(Notice::Revoked(revoked)) => revoked.iter().for_each(|one| self.refuse(subject.index, one)),
                // Something was missed, or cannot be understood.
                _ => self.ledger.strike(Slot::issuer(subject.index)),
            }
        }
    }

    /// First it is remembered and then verdicts fall, so that one that is found
    /// in between falls too.
    fn refuse(&self, index: usize, revoked: &RevokedRef) {
        if let Some(until) = revoked.until {
            let name = revoked.token.as_deref().map_or(Name::Grant(&revoked.grant), Name::Token);
            let until = until.saturating_add(self.skew.as_secs());
            if !self.revoked.remember(index, name, until, self.clock.now()) {
                self.bus.count(BusEvent::Forgotten);
            }
        }
        // One token falls with all of its grant's, which are judged anew.
        self.ledger.strike(self.ledger.shared(index, Ground::GrantRef(&revoked.grant)));
    }
}

/// Futures that end with the resource server that they listen for.
#[derive(Debug, Default)]
pub(super) struct Followers(Mutex<Vec<AbortHandle>>);

impl Followers {
    fn add(&self, handle: AbortHandle) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        let handles = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        handles.iter().for_each(AbortHandle::abort);
    }
}
