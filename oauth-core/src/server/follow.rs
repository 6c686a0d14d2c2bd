//! The server's part on a bus: it tells what is revoked here, and hears what is
//! revoked at other nodes.

#[cfg(test)]
mod tests;
mod wire;

use std::{
    collections::BTreeMap,
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
};

use futures_util::future::select;

use super::AuthorizationServer;
use crate::{
    bus::{Backoff, Bus, MOST, News, Notice, Post, Receiver, RevokedRef, Taken, Topic, token_ref},
    clock::Random,
    engine::revocations::{Outbox, Revocations, Revoked, Told},
    event::{Event, EventSink},
    secret::Sealer,
    token::GrantRefs,
};

impl AuthorizationServer {
    /// Connects this node to a bus, for as long as the returned future is
    /// driven: spawn it. It tells the other nodes of this issuer, and the
    /// resource servers, what is revoked here; what is revoked at other nodes,
    /// it tells the [listeners](Self::revocations) in this process.
    ///
    /// No request waits for the bus, and none fails for it. What is revoked is
    /// put in line, from this call on, and told once the store has committed
    /// it. Up to 10,000 revocations may wait; if there are more, everyone is
    /// told to drop what they remember. [How long a revoked token may be
    /// accepted](crate::bus#what-may-be-relied-upon).
    ///
    /// The future ends once the last handle of this server is dropped and what
    /// was in line has been told, or has failed to be told once. It can be
    /// dropped at any time, and leaves nothing behind. Each call makes another;
    /// one for each bus is enough.
    ///
    /// ```
    /// use oauth_core::{bus::MemoryBus, server::AuthorizationServer};
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let server = AuthorizationServer::builder("https://auth.example").build().await?;
    /// let following = tokio::spawn(server.follow(MemoryBus::default()));
    /// drop(server);
    /// following.await?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn follow<B: Bus>(&self, bus: B) -> impl Future<Output = ()> + Send + 'static + use<B> {
        let outbox = self.revocations().open();
        let node = Node {
            bus: Arc::new(bus),
            topic: Topic::nodes(self.issuer()),
            issuer: self.issuer().to_owned(),
            resources: self.resources().iter().map(|resource| resource.identifier.clone()).collect(),
            sealer: self.inner.bus.clone(),
            grant_refs: self.inner.grant_refs.clone(),
            revocations: self.revocations().clone(),
            random: Arc::clone(&self.inner.random),
            events: Arc::clone(&self.inner.events),
        };
        async move {
            let (telling, hearing) = (pin!(node.tell(&outbox)), pin!(node.hear()));
            // Hearing has no end of its own.
            select(telling, hearing as Pin<&mut (dyn Future<Output = ()> + Send)>).await;
        }
    }
}

/// What of a server goes on while it is alive, and does not keep it alive.
struct Node {
    bus: Arc<dyn Bus>,
    topic: Topic,
    issuer: String,
    resources: Vec<String>,
    sealer: Sealer,
    grant_refs: GrantRefs,
    revocations: Revocations,
    random: Arc<dyn Random>,
    events: Arc<dyn EventSink>,
}

/// How many revocations are told at once.
const AT_ONCE: usize = 256;

/// What seals of other purposes are never taken for.
const CONTEXT: &[u8] = b"revocations";

impl Node {
    /// Tells what is in line, until nothing more can come.
    async fn tell(&self, outbox: &Outbox) {
        let mut backoff = Backoff::new(Arc::clone(&self.random));
        loop {
            let posts = match outbox.take(AT_ONCE).await {
                Taken::Items(told) => self.posts(&told),
                Taken::Overflow => {
                    self.events.event(&Event::BusOverflowed);
                    self.everything()
                }
                Taken::Closed => return,
            };
            self.publish(posts, outbox, &mut backoff).await;
        }
    }

    /// Tries until it has succeeded; once, if the server is gone. What comes
    /// twice does no harm.
    async fn publish(&self, posts: Vec<Post>, outbox: &Outbox, backoff: &mut Backoff) {
        let mut lost = false;
        while let Err(error) = self.bus.publish(posts.clone()).await {
            if !std::mem::replace(&mut lost, true) {
                self.events.event(&Event::BusLost { error: &error });
            }
            if outbox.is_closed() {
                return;
            }
            backoff.failed();
            backoff.pause(&*self.bus).await;
        }
        backoff.succeeded();
        if lost {
            self.events.event(&Event::BusFound);
        }
    }

    /// Hears what others tell, for ever.
    async fn hear(&self) {
        let mut receiver = Receiver::new(Arc::clone(&self.bus), vec![self.topic]).random(Arc::clone(&self.random));
        let mut connected = false;
        loop {
            match receiver.next().await {
                News::Message(post) => self.read(&post.bytes).iter().for_each(|what| self.revocations.publish(what)),
                News::Gap => {
                    self.revocations.publish(&Revoked::Anything);
                    if !std::mem::replace(&mut connected, true) {
                        self.events.event(&Event::BusFound);
                    }
                }
                News::Lost(error) => {
                    connected = false;
                    self.events.event(&Event::BusLost { error: &error });
                }
            }
        }
    }

    /// Everyone is told to drop everything.
    fn everything(&self) -> Vec<Post> {
        self.everyone().chain([self.seal(&[Revoked::Anything])]).collect()
    }

    /// Every API is told so.
    fn everyone(&self) -> impl Iterator<Item = Post> {
        let all = Notice::All.to_bytes();
        self.resources.iter().map(move |audience| self.post_to(audience, all.clone()))
    }

    fn posts(&self, told: &[Told]) -> Vec<Post> {
        let mut revoked: BTreeMap<&str, Vec<RevokedRef>> = BTreeMap::new();
        for one in told {
            for audience in one.resources.as_deref().unwrap_or(&self.resources) {
                revoked.entry(audience).or_default().extend(self.revoked_at(audience, one));
            }
        }
        let nodes: Vec<_> = told.iter().map(|one| one.what).collect();
        let mut posts: Vec<_> = nodes.chunks(MOST).map(|some| self.seal(some)).collect();
        if nodes.contains(&Revoked::Anything) {
            posts.extend(self.everyone());
        }
        for (audience, revoked) in revoked {
            let notices = revoked.chunks(MOST).map(|some| Notice::Revoked(some.to_vec()).to_bytes());
            posts.extend(notices.map(|bytes| self.post_to(audience, bytes)));
        }
        posts
    }

    /// What it is called at `audience` and nowhere else.
    fn revoked_at(&self, audience: &str, told: &Told) -> Option<RevokedRef> {
        let (Revoked::Grant(grant) | Revoked::Access { grant, .. }) = told.what else { return None };
        let mut revoked = RevokedRef::new(self.grant_refs.at_one(grant, audience)?);
        revoked.token = told.jti.as_deref().map(|jti| token_ref(audience, jti));
        revoked.until = told.until;
        Some(revoked)
    }

    fn post_to(&self, audience: &str, bytes: Vec<u8>) -> Post {
        Post { topic: Topic::audience(&self.issuer, audience), bytes }
    }

    /// For the other nodes. Where it cannot be sealed, nobody can read it,
    /// which says that something was missed.
    fn seal(&self, revoked: &[Revoked]) -> Post {
        let sealed = self.sealer.seal(CONTEXT, &wire::write(revoked), &*self.random);
        Post { topic: self.topic, bytes: sealed.unwrap_or_default() }
    }

    /// What another node has told; whatever it is that cannot be read, it may
    /// have been anything.
    fn read(&self, bytes: &[u8]) -> Vec<Revoked> {
        let opened = self.sealer.open(CONTEXT, bytes);
        opened.and_then(|plain| wire::read(&plain)).unwrap_or_else(|| vec![Revoked::Anything])
    }
}
