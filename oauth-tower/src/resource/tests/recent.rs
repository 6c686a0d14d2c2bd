//! Tokens that were good a moment ago go before strangers.

use std::{future::Future, net::IpAddr, pin::Pin, time::Duration};

use futures_util::{FutureExt, future::join_all};

use super::{
    introspection::{ENDPOINT, active, issuer},
    *,
};
use crate::{proxy::ClientAddress, resource::IntrospectionIssuer};

const LIFE: u64 = 60;

struct World {
    server: ResourceServer,
    upstream: Upstream,
    clock: ManualClock,
}

/// Verdicts live for a minute.
fn world(issuer: IntrospectionIssuer) -> World {
    let (upstream, clock) = (Upstream::new(), clock());
    upstream.json(ENDPOINT, &active());
    let issuer = issuer.cache_for(Duration::from_secs(LIFE));
    let server = builder(issuer).http(upstream.client()).clock(clock.clone()).build().unwrap();
    World { server, upstream, clock }
}

impl World {
    /// What a token gets, always from the same address.
    async fn sent(&self, token: &str) -> u16 {
        let mut request = request(token);
        request.extensions_mut().insert(ClientAddress(IpAddr::from([192, 0, 2, 1])));
        send(&self.server.layer(), request).await.0.status().as_u16()
    }

    /// `tokens` that were good until this moment.
    async fn expired(&self, tokens: &[&str]) {
        for token in tokens {
            assert_eq!(self.sent(token).await, 200);
        }
        self.clock.advance(LIFE);
    }

    /// What three strangers get.
    async fn flooded(&self) -> [u16; 3] {
        [self.sent("random1").await, self.sent("random2").await, self.sent("random3").await]
    }

    fn says(&self, active: bool) {
        let answer = if active { self::active() } else { json!({ "active": false }) };
        self.upstream.json(ENDPOINT, &answer);
    }
}

/// Sent, and waiting for the network.
fn begun<F: Future<Output = u16>>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    assert_eq!((&mut future).now_or_never(), None);
    future
}

#[tokio::test]
async fn a_token_that_was_good_a_moment_ago_has_a_place_where_strangers_have_none() {
    let world = world(issuer().concurrency(2).unlimited_per_address());
    world.expired(&["live", "second"]).await;
    world.upstream.close();
    let strangers = [begun(world.sent("random1")), begun(world.sent("random2"))];
    assert_eq!(world.sent("random3").await, 503);
    let live = begun(world.sent("live"));
    assert_eq!(world.upstream.calls(), 2 + 3);
    // However many of them there are, the reserve has an end.
    assert_eq!(world.sent("second").await, 503);
    world.upstream.open();
    assert_eq!(live.await, 200);
    assert_eq!(join_all(strangers).await, [200, 200]);
    // Those two seconds are over: nothing of it is left.
    world.clock.advance(2);
    assert_eq!((world.sent("second").await, world.sent("random3").await), (200, 200));
    assert_eq!(world.server.judge.cache.len().0, 5);
}

#[tokio::test]
async fn a_token_that_was_good_a_moment_ago_takes_nothing_from_a_budget() {
    let world = world(issuer().per_address(2, Duration::from_secs(3600)));
    world.expired(&["live"]).await;
    world.says(false);
    assert_eq!(world.flooded().await, [401, 401, 503]);
    world.says(true);
    for _ in 0..3 {
        assert_eq!((world.sent("live").await, world.sent("random3").await), (200, 503));
        world.clock.advance(LIFE);
    }
    // An outage does not make a stranger of it.
    world.upstream.answer(ENDPOINT, 500, &[], "");
    assert_eq!(world.sent("live").await, 503);
    world.clock.advance(2);
    world.says(true);
    assert_eq!(world.sent("live").await, 200);
}

#[tokio::test]
async fn one_that_was_denied_or_forgotten_since_is_a_stranger() {
    let world = world(issuer().per_address(3, Duration::from_secs(3600)));
    world.expired(&["denied", "forgotten"]).await;
    world.says(false);
    assert_eq!(world.flooded().await, [401, 401, 401]);
    assert_eq!(world.sent("denied").await, 401);
    world.upstream.answer(ENDPOINT, 500, &[], "");
    assert_eq!(world.sent("forgotten").await, 503);
    world.server.forget_token("forgotten");
    world.clock.advance(10);
    world.says(true);
    assert_eq!((world.sent("denied").await, world.sent("forgotten").await), (503, 503));
    assert_eq!(world.upstream.calls(), 2 + 3 + 2);
}

#[tokio::test]
async fn one_that_has_expired_itself_or_was_struck_is_a_stranger() {
    let world = world(issuer().per_address(1, Duration::from_secs(3600)));
    world.expired(&["struck"]).await;
    assert_eq!(world.sent("struck").await, 200);
    world.server.forget_all();
    world.upstream.json(ENDPOINT, &changed(active(), json!({ "exp": NOW + 2 * LIFE })));
    assert_eq!(world.sent("over").await, 200);
    world.clock.advance(LIFE);
    world.says(false);
    assert_eq!(world.sent("random").await, 401);
    assert_eq!((world.sent("over").await, world.sent("struck").await), (503, 503));
}
