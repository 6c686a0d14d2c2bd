//! From when the time of a list is counted.

use futures_util::future::join;

use super::*;
use crate::outgoing::HttpClient;

impl Fixture {
    /// The same list each time, with this header.
    fn publish_cached(&self, revoked: &[u32], changes: Value, cache_control: &str) {
        let list = self.list(&self.key, revoked, changes);
        self.upstream.answer(URI, 200, &[("cache-control", cache_control)], &list);
    }

    /// Whether a token that nobody has seen is good, and how often the list was fetched.
    async fn is_good(&self, index: u32) -> (bool, usize) {
        (self.says(&self.placed(index)).await == 200, self.lists())
    }
}

#[tokio::test]
async fn a_list_that_was_asked_for_before_its_end_and_read_after_it_is_over() {
    let f = fixture();
    assert_eq!(f.status(&f.key).await, StatusCode::OK, "the keys are there");
    f.publish(&[]);
    let token = f.placed(3);
    f.clock.advance(14);
    f.upstream.close();
    let network = async {
        while f.lists() == 0 {
            tokio::task::yield_now().await;
        }
        f.clock.advance(2);
        f.upstream.open();
        // The keys, and the list as it was.
        while f.upstream.finished() < 2 {
            tokio::task::yield_now().await;
        }
        f.publish(&[3]);
    };
    assert_eq!(join(f.says(&token), network).await.0, 401, "it was revoked 15 seconds ago");
    assert_eq!(f.lists(), 2);
}

#[tokio::test]
async fn a_list_of_which_a_second_was_left_when_it_was_asked_for_serves_for_a_second() {
    let f = fixture();
    f.publish(&[]);
    let token = f.placed(3);
    f.clock.advance(14);
    assert_eq!(f.says(&token).await, 200);
    f.publish(&[3]);
    f.clock.advance(1);
    assert_eq!((f.says(&token).await, f.lists()), (401, 2));
}

/// However slowly they come: whoever waited has an answer, and nobody has it later.
#[tokio::test]
async fn a_list_that_was_over_when_it_came_is_for_those_who_waited() {
    let (key, upstream, clock) = (Key::new(Algorithm::EdDSA), Upstream::new(), clock());
    upstream.json(JWKS, &key.document());
    let (inner, time) = (upstream.client(), clock.clone());
    let slow = HttpClient::new(service_fn(move |request: Request<bytes::Bytes>| {
        let (inner, time) = (inner.clone(), time.clone());
        async move {
            let response = inner.send(request).await.unwrap();
            time.advance(2);
            Ok::<_, Infallible>(response.map(http_body_util::Full::<bytes::Bytes>::from))
        }
    }));
    let server = builder(Issuer::jwt(ISSUER).jwks_uri(JWKS)).http(slow).clock(clock.clone()).build().unwrap();
    let f = Fixture { key, upstream, clock, server };
    f.publish_cached(&[], json!({ "iat": NOW - 20 }), "max-age=1");
    let token = f.placed(3);
    assert_eq!(f.says(&token).await, 200);
    f.publish(&[3]);
    assert_eq!(f.says(&token).await, 401);
}

#[tokio::test]
async fn where_the_issuer_s_clock_is_behind_what_is_left_by_its_own_counts() {
    let f = fixture();
    // Made 14 seconds ago, it says; 15, we say.
    f.publish_cached(&[], json!({ "iat": NOW - 15 }), "public, max-age=1");
    let token = f.placed(3);
    assert_eq!(f.says(&token).await, 200);
    f.publish(&[3]);
    f.clock.advance(1);
    assert_eq!((f.says(&token).await, f.lists()), (401, 2));
}

#[tokio::test]
async fn no_header_makes_a_list_that_is_over_serve_for_longer_than_its_ttl() {
    for cache_control in ["max-age=1000", "public"] {
        let f = fixture();
        f.publish_cached(&[], json!({ "iat": NOW - 20 }), cache_control);
        let token = f.placed(3);
        assert_eq!(f.says(&token).await, 200);
        f.publish_as(&f.key, &[3], json!({ "iat": NOW }));
        f.clock.advance(15);
        assert_eq!((f.says(&token).await, f.lists()), (401, 2), "{cache_control}");
    }
}

#[tokio::test]
async fn a_list_that_is_over_and_may_not_be_kept_is_not_fetched_all_the_time() {
    for cache_control in ["no-cache", "no-store", "max-age=0", "max-age=10, public"] {
        let f = fixture();
        // The last has been on the way for longer than it was fresh.
        let list = f.list(&f.key, &[], json!({ "iat": NOW - 20 }));
        f.upstream.answer(URI, 200, &[("cache-control", cache_control), ("age", "20")], &list);
        for index in 0..4 {
            assert_eq!(f.is_good(index).await, (true, 1), "{cache_control}");
            f.clock.advance(1);
        }
        f.publish(&[5]);
        f.clock.advance(1);
        assert_eq!(f.is_good(5).await, (false, 2), "{cache_control}");
    }
}

#[tokio::test]
async fn a_list_of_which_nothing_can_be_concluded_is_fetched_as_after_a_failure() {
    let f = fixture();
    f.publish_as(&f.key, &[], json!({ "iat": NOW - 1_000, "ttl": 500 }));
    for index in 0..4 {
        assert_eq!(f.is_good(index).await, (false, 1));
        f.clock.advance(1);
    }
    f.publish(&[]);
    f.clock.advance(1);
    assert_eq!(f.is_good(4).await, (true, 2));
}
