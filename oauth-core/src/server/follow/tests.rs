//! Nodes on a bus that is fast, slow, gone or full of junk.

use std::{
    future::pending,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::FutureExt;

use super::*;
use crate::{
    bus::{BusError, BusFuture, Heard, Listening, MemoryBus},
    client::Client,
    clock::{ManualClock, UnixTime},
    engine::{
        policy::Resource,
        revocations::{Announcement, RevocationListener},
    },
    secret::{Digest, RootSecret},
    server::Selection,
    store::memory::MemoryStore,
    token::GrantId,
};

const ISSUER: &str = "https://as.example";
const ONE: &str = "https://one.example";
const TWO: &str = "https://two.example";

async fn node() -> AuthorizationServer {
    node_under([7; 32]).await
}

async fn node_under(root: [u8; 32]) -> AuthorizationServer {
    let builder = AuthorizationServer::builder(ISSUER).root_secret(RootSecret::new(root)).store(MemoryStore::default());
    let builder = builder.resource(Resource::new(ONE)).resource(Resource::new(TWO));
    builder.clock(ManualClock::new(UnixTime(1_000))).build().await.unwrap()
}

fn grant(number: u8) -> GrantId {
    GrantId::from_bytes([number; 16])
}

/// Writes down what it hears.
#[derive(Default)]
struct Notes(Mutex<Vec<Revoked>>);

impl RevocationListener for Notes {
    fn revoked(&self, what: &Revoked) {
        self.0.lock().unwrap().push(*what);
    }
}

impl Notes {
    fn of(server: &AuthorizationServer) -> Arc<Self> {
        let notes = Arc::new(Self::default());
        let weak = Arc::downgrade(&notes);
        server.revocations().subscribe(weak);
        notes
    }

    /// Waits until there are this many.
    async fn taken(&self, count: usize) -> Vec<Revoked> {
        until(|| self.0.lock().unwrap().len() >= count).await;
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// What comes of `future`, if that takes no more than letting others run.
async fn timely<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    for _ in 0..1_000 {
        if let Some(done) = future.as_mut().now_or_never() {
            return done;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never happens");
}

async fn until(holds: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never happens");
}

/// What an audience is told.
async fn ear(bus: &MemoryBus, audience: &str) -> Box<dyn Listening> {
    bus.listen(vec![Topic::audience(ISSUER, audience)]).await.unwrap()
}

async fn notice(ear: &mut Box<dyn Listening>) -> Notice {
    let Heard::Message(post) = timely(ear.next()).await.unwrap() else { panic!("a gap") };
    Notice::read(&post.bytes).unwrap()
}

async fn revoked(ear: &mut Box<dyn Listening>) -> Vec<RevokedRef> {
    match notice(ear).await {
        Notice::Revoked(revoked) => revoked,
        Notice::All => panic!("everything"),
    }
}

#[tokio::test]
async fn what_is_revoked_at_one_node_is_told_to_the_listeners_of_the_others() {
    let (bus, one, two) = (MemoryBus::default(), node().await, node().await);
    let notes = Notes::of(&two);
    let _following = [&one, &two].map(|node| tokio::spawn(node.follow(bus.clone())));
    assert_eq!(notes.taken(1).await, [Revoked::Anything], "it may have missed something before");
    one.revoke_grant(grant(1)).await.unwrap();
    assert_eq!(notes.taken(1).await, [Revoked::Grant(grant(1))]);
    let access = Revoked::Access { grant: grant(2), digest: Digest::of(&[b"x"]) };
    one.announce(access).named("jti").happened();
    assert_eq!(notes.taken(1).await, [access]);
}

#[tokio::test]
async fn what_is_heard_is_not_told_again() {
    let (bus, one, two) = (MemoryBus::default(), node().await, node().await);
    let mut heard = bus.listen(vec![Topic::nodes(ISSUER)]).await.unwrap();
    let notes = Notes::of(&two);
    let _following = [&one, &two].map(|node| tokio::spawn(node.follow(bus.clone())));
    notes.taken(1).await;
    one.revoke_grant(grant(1)).await.unwrap();
    notes.taken(1).await;
    assert!(heard.next().await.is_ok());
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(heard.next().now_or_never().is_none());
}

#[tokio::test]
async fn an_audience_is_told_by_the_name_that_it_alone_knows() {
    let (bus, node) = (MemoryBus::default(), node().await);
    let (mut at_one, mut at_two) = (ear(&bus, ONE).await, ear(&bus, TWO).await);
    let _following = tokio::spawn(node.follow(bus.clone()));
    let called = |number, audience: &str| node.grant_refs().at_one(grant(number), audience).unwrap();
    // Where the grant is good for, nobody has said.
    node.revoke_grant(grant(1)).await.unwrap();
    let until = UnixTime(1_000 + node.lifetimes().access);
    for (ear, audience) in [(&mut at_one, ONE), (&mut at_two, TWO)] {
        assert_eq!(revoked(ear).await, [RevokedRef::new(called(1, audience)).until(until)]);
    }
    // Now it is known.
    node.announce(Revoked::Grant(grant(2))).at(&[TWO.to_owned()]).happened();
    assert_eq!(revoked(&mut at_two).await, [RevokedRef::new(called(2, TWO)).until(until)]);
    let access = Revoked::Access { grant: grant(3), digest: Digest::of(&[b"x"]) };
    node.announce(access).at(&[ONE.to_owned()]).named("jti-1").happened();
    let expected = RevokedRef::new(called(3, ONE)).token(token_ref(ONE, "jti-1")).until(until);
    assert_eq!(revoked(&mut at_one).await, [expected], "and nothing of the second grant");
}

#[tokio::test]
async fn where_tokens_may_be_exchanged_every_audience_hears_of_each_grant() {
    let bus = MemoryBus::default();
    let builder = AuthorizationServer::builder(ISSUER).grant(crate::grant::TokenExchange::default());
    let node = builder.resource(Resource::new(ONE)).resource(Resource::new(TWO)).build().await.unwrap();
    let mut ears = [ear(&bus, ONE).await, ear(&bus, TWO).await];
    let _following = tokio::spawn(node.follow(bus.clone()));
    // What was had for a token of it may be good anywhere.
    node.announce(Revoked::Grant(grant(2))).at(&[TWO.to_owned()]).happened();
    for ear in &mut ears {
        assert_eq!(revoked(ear).await.len(), 1);
    }
}

#[tokio::test]
async fn what_may_not_have_happened_is_told_without_an_end() {
    let (bus, node) = (MemoryBus::default(), node().await);
    let mut ear = ear(&bus, ONE).await;
    let _following = tokio::spawn(node.follow(bus.clone()));
    let announce = || node.announce(Revoked::Grant(grant(1)));
    // A request that is given up halfway.
    drop(announce());
    assert_eq!(revoked(&mut ear).await[0].until, None);
    // One that was to revoke.
    drop(announce().intended());
    assert!(revoked(&mut ear).await[0].until.is_some());
    announce().withdraw();
    announce().happened();
    assert!(revoked(&mut ear).await[0].until.is_some());
}

/// Nobody ever gets an answer.
#[derive(Debug, Default)]
struct Hanging(AtomicUsize);

impl Bus for Hanging {
    fn publish(&self, _posts: Vec<Post>) -> BusFuture<'_, Result<(), BusError>> {
        self.0.fetch_add(1, SeqCst);
        Box::pin(pending())
    }

    fn listen(&self, _topics: Vec<Topic>) -> BusFuture<'_, Result<Box<dyn Listening>, BusError>> {
        Box::pin(pending())
    }

    fn pause(&self, _time: Duration) -> BusFuture<'_, ()> {
        Box::pin(pending())
    }
}

#[tokio::test]
async fn a_bus_that_hangs_delays_no_revocation() {
    let (bus, node) = (Arc::new(Hanging::default()), node().await);
    let notes = Notes::of(&node);
    let _following = tokio::spawn(node.follow(Arc::clone(&bus)));
    for number in 0..100 {
        assert!(node.revoke_grant(grant(number)).now_or_never().is_some());
        tokio::task::yield_now().await;
    }
    assert_eq!(notes.taken(100).await.len(), 100);
    assert_eq!(bus.0.load(SeqCst), 1, "one call hangs, and no more are begun");
}

#[tokio::test]
async fn more_than_can_wait_becomes_one_word_to_everybody() {
    let (bus, one, two) = (MemoryBus::default(), node().await, node().await);
    let notes = Notes::of(&two);
    let _other = tokio::spawn(two.follow(bus.clone()));
    let (mut at_one, mut at_two) = (ear(&bus, ONE).await, ear(&bus, TWO).await);
    notes.taken(1).await;
    // Nobody drives it yet.
    let following = one.follow(bus.clone());
    for _ in 0..10_001 {
        one.announce(Revoked::Grant(grant(1))).happened();
    }
    one.announce(Revoked::Grant(grant(2))).happened();
    let _following = tokio::spawn(following);
    for ear in [&mut at_one, &mut at_two] {
        assert_eq!(notice(ear).await, Notice::All);
    }
    assert_eq!(notes.taken(1).await, [Revoked::Anything]);
    // And then it goes on.
    one.announce(Revoked::Grant(grant(3))).happened();
    assert_eq!(notes.taken(1).await, [Revoked::Grant(grant(3))]);
}

#[tokio::test]
async fn many_at_once_are_told_in_few_messages_and_none_is_left_out() {
    let (bus, node) = (MemoryBus::default(), node().await);
    let mut ear = ear(&bus, ONE).await;
    let following = node.follow(bus.clone());
    for number in 0..100 {
        node.announce(Revoked::Grant(grant(number))).happened();
    }
    let _following = tokio::spawn(following);
    let mut heard = Vec::new();
    for _ in 0..4 {
        heard.extend(revoked(&mut ear).await.into_iter().map(|one| one.grant));
    }
    let all: Vec<_> = (0..100).map(|number| node.grant_refs().at_one(grant(number), ONE).unwrap()).collect();
    assert_eq!(heard, all);
}

#[tokio::test]
async fn what_cannot_be_read_may_have_been_anything() {
    let (bus, node, foreign) = (MemoryBus::default(), node().await, node_under([8; 32]).await);
    let notes = Notes::of(&node);
    let _following = [&node, &foreign].map(|node| tokio::spawn(node.follow(bus.clone())));
    notes.taken(1).await;
    for junk in [&b""[..], b"{}", &[1; 40]] {
        bus.publish(vec![Post { topic: Topic::nodes(ISSUER), bytes: junk.to_vec() }]).await.unwrap();
        assert_eq!(notes.taken(1).await, [Revoked::Anything]);
    }
    // One with another root secret, in the middle of its rotation.
    foreign.revoke_grant(grant(1)).await.unwrap();
    assert_eq!(notes.taken(1).await, [Revoked::Anything]);
}

#[tokio::test]
async fn what_is_revoked_while_the_bus_is_cut_is_told_once_it_is_back() {
    let (bus, one, two) = (MemoryBus::default(), node().await, node().await);
    let notes = Notes::of(&two);
    let _following = [&one, &two].map(|node| tokio::spawn(node.follow(bus.clone())));
    notes.taken(1).await;
    bus.set_down(true);
    one.revoke_grant(grant(1)).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(notes.0.lock().unwrap().is_empty());
    bus.set_down(false);
    // Whether or not the message comes in time, nothing that rests on it is kept.
    assert_eq!(notes.taken(1).await[0], Revoked::Anything);
}

/// Tells nothing for as long as it is mute, and breaks no subscription.
#[derive(Clone, Debug, Default)]
struct Mute(MemoryBus, Arc<AtomicBool>);

impl Bus for Mute {
    fn publish(&self, posts: Vec<Post>) -> BusFuture<'_, Result<(), BusError>> {
        if self.1.load(SeqCst) {
            return Box::pin(std::future::ready(Err(BusError::new("mute"))));
        }
        self.0.publish(posts)
    }

    fn listen(&self, topics: Vec<Topic>) -> BusFuture<'_, Result<Box<dyn Listening>, BusError>> {
        self.0.listen(topics)
    }

    fn pause(&self, time: Duration) -> BusFuture<'_, ()> {
        self.0.pause(time)
    }
}

#[tokio::test]
async fn what_cannot_be_told_is_told_once_it_can_be() {
    let (bus, node) = (Mute::default(), node().await);
    let mut ear = ear(&bus.0, ONE).await;
    let _following = tokio::spawn(node.follow(bus.clone()));
    bus.1.store(true, SeqCst);
    node.revoke_grant(grant(1)).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(ear.next().now_or_never().is_none());
    bus.1.store(false, SeqCst);
    let told = revoked(&mut ear).await;
    assert_eq!(told[0].grant, node.grant_refs().at_one(grant(1), ONE).unwrap());
}

#[tokio::test]
async fn where_one_number_ends_many_grants_everybody_is_told_to_drop_everything() {
    let (bus, one, two) = (MemoryBus::default(), node().await, node().await);
    let notes = Notes::of(&two);
    let _following = [&one, &two].map(|node| tokio::spawn(node.follow(bus.clone())));
    notes.taken(1).await;
    let app = Client::builder("app").redirect_uri("https://app.example/cb").build().unwrap();
    assert!(one.create_client(app.clone()).await.unwrap());
    for selection in [Selection::Client(app.id), Selection::IssuedBefore(UnixTime(1_000))] {
        let mut ears = [ear(&bus, ONE).await, ear(&bus, TWO).await];
        // The first step says it all, in the store and on the bus.
        one.revoke_all(selection).unwrap().next().await.unwrap().unwrap();
        for ear in &mut ears {
            assert_eq!(notice(ear).await, Notice::All);
        }
        assert_eq!(notes.taken(1).await, [Revoked::Anything]);
    }
}

#[tokio::test]
async fn the_future_ends_with_the_server_and_tells_first_what_is_in_line() {
    let (bus, node) = (MemoryBus::default(), node().await);
    let mut ear = ear(&bus, ONE).await;
    let following = node.follow(bus.clone());
    node.announce(Revoked::Grant(grant(1))).happened();
    drop(node);
    following.await;
    assert_eq!(revoked(&mut ear).await.len(), 1);
}

#[tokio::test]
async fn the_future_ends_though_the_bus_is_gone() {
    let (bus, node) = (MemoryBus::default(), node().await);
    bus.set_down(true);
    let following = tokio::spawn(node.follow(bus.clone()));
    node.announce(Revoked::Grant(grant(1))).happened();
    tokio::task::yield_now().await;
    drop(node);
    following.await.unwrap();
}

#[tokio::test]
async fn nothing_waits_for_a_future_that_was_dropped() {
    let node = node().await;
    let following = node.follow(MemoryBus::default());
    let outbox = Arc::downgrade(&node.revocations().open());
    drop(following);
    assert_eq!(outbox.strong_count(), 0);
    let told: Announcement<'_> = node.announce(Revoked::Grant(grant(1)));
    told.happened();
}
