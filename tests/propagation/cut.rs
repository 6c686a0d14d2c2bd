//! Without the bus: what is remembered ends with its time, and when the bus is back it is dropped.

use super::{
    ASKS, How, Servers, all_accept, all_refuse, status,
    wire::{Mood, Wire},
};
use crate::{
    bus::{Place, until},
    support::*,
};

/// The shortest times there are, but for that of the API beside a node, which is what it is: 5 seconds.
const LISTS: &str = "\n[status_list]\nenabled = true\nttl_seconds = 1\n";

/// The processes of one issuer, all of whose connections lead over one wire.
struct Scene {
    place: Place,
    wire: Wire,
    servers: Servers,
    /// Those that must refuse within their time.
    apis: Vec<Remote>,
    /// This one remembers for an hour.
    remembers: Remote,
    _programs: Vec<Program>,
}

impl Scene {
    async fn start(place: Place, port: u16, url: impl Fn(u16) -> String) -> Self {
        let wire = Wire::to(port).await;
        let url = url(wire.port);
        let servers = Servers::start(&url, LISTS);
        let asks = |seconds| [&ASKS[..], &[seconds]].concat();
        let (asking, by_asking) = servers.api(&url, &asks("1"));
        let (verifying, by_list) = servers.api(&url, &[]);
        let (remembering, remembers) = servers.api(&url, &asks("3600"));
        let apis = servers.nodes.iter().cloned().chain([by_asking, by_list]).collect();
        let programs = vec![asking, verifying, remembering];
        Self { place, wire, servers, apis, remembers, _programs: programs }
    }

    /// Everyone hears.
    async fn until_all_listen(&self) {
        self.place.until_listeners(5).await;
    }

    async fn without_the_bus(&self, mood: Mood) {
        let Self { servers, wire, apis, remembers, .. } = self;
        self.until_all_listen().await;
        let alone = Tokens { access: servers.token(0).await, refresh: None };
        let (grant, good) = (servers.sign_in(1).await, servers.token(0).await);
        for token in [&alone.access, &grant.access, &good] {
            all_accept(apis, token).await;
            all_accept(std::slice::from_ref(remembers), token).await;
        }
        wire.set(mood);
        if mood == Mood::Cut {
            self.place.until_listeners(0).await;
        }
        let passed = wire.passed();
        // Nobody waits for the bus, and the process that revokes needs none.
        servers.revoke(0, How::Token, &alone).await;
        assert_eq!(status(&apis[0], &alone.access).await, 401);
        servers.revoke(1, How::Grant, &grant).await;
        assert_eq!(status(&apis[1], &grant.access).await, 401);
        for token in [&alone.access, &grant.access] {
            all_refuse(apis, token).await;
            assert_eq!(status(remembers, token).await, 200, "{mood:?}: it cannot have heard of it");
        }
        assert_eq!(wire.passed(), passed, "{mood:?}: nobody was told anything");

        wire.set(Mood::Well);
        for token in [&alone.access, &grant.access] {
            until("it drops what it remembers", async || status(remembers, token).await == 401).await;
            all_refuse(apis, token).await;
        }
        all_accept(apis, &good).await;
        all_accept(std::slice::from_ref(remembers), &good).await;
    }

    async fn play(self) {
        for mood in [Mood::Cut, Mood::Stalled, Mood::Cut] {
            println!("{mood:?}");
            self.without_the_bus(mood).await;
        }
    }
}

// spec: REV-14, INT-13
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_bus_of_postgresql_cut_nothing_is_accepted_after_its_time_and_then_what_was_remembered_is_dropped() {
    let database = new_database().await;
    let name = database.rsplit('/').next().unwrap().to_owned();
    let port = shared_postgres().port();
    Scene::start(Place::Postgres(database), port, |port| url_at(port, &name)).await.play().await;
}

// spec: REV-14, INT-13
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_bus_of_redis_cut_nothing_is_accepted_after_its_time_and_then_what_was_remembered_is_dropped() {
    let redis = Redis::start("");
    let port = redis.port();
    Scene::start(Place::Redis(redis), port, redis_url_at).await.play().await;
}
