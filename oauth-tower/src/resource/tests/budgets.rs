//! How many questions each client address may cause.

use std::{net::IpAddr, time::Duration};

use super::{
    introspection::{ENDPOINT, active, issuer},
    *,
};
use crate::{
    outgoing::HttpClient,
    proxy::{ClientAddress, PeerAddress},
    resource::IntrospectionIssuer,
};

const MINUTE: Duration = Duration::from_secs(60);

struct Flooded {
    server: ResourceServer,
    upstream: Upstream,
    clock: ManualClock,
}

impl Flooded {
    /// An issuer that knows no token.
    fn new(issuer: IntrospectionIssuer) -> Self {
        let (upstream, clock) = (Upstream::new(), clock());
        upstream.json(ENDPOINT, &json!({ "active": false }));
        let server = builder(issuer).http(upstream.client()).clock(clock.clone()).build().unwrap();
        Self { server, upstream, clock }
    }

    /// What a token gets from an address: the status, and when to come again.
    async fn sent(&self, token: &str, address: impl Into<Option<IpAddr>>) -> (u16, Option<String>) {
        let mut request = request(token);
        if let Some(address) = address.into() {
            request.extensions_mut().insert(ClientAddress(address));
        }
        let (response, served) = send(&self.server.layer(), request).await;
        assert_eq!(served, response.status() == StatusCode::OK);
        let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), retry_after)
    }

    async fn spend(&self, tokens: std::ops::Range<u32>, address: IpAddr) -> Vec<u16> {
        let mut statuses = Vec::new();
        for n in tokens {
            statuses.push(self.sent(&format!("random{n}"), address).await.0);
        }
        statuses
    }
}

fn host(last: u8) -> IpAddr {
    [192, 0, 2, last].into()
}

#[tokio::test]
async fn an_address_that_sends_junk_is_told_to_come_later_and_nobody_is_asked() {
    let flooded = Flooded::new(issuer().per_address(3, MINUTE));
    assert_eq!(flooded.spend(0..3, host(1)).await, [401, 401, 401]);
    assert_eq!(flooded.sent("random3", host(1)).await, (503, Some("20".into())));
    assert_eq!(flooded.spend(4..100, host(1)).await, [503; 96]);
    assert_eq!(flooded.upstream.calls(), 3);
    assert_eq!(flooded.sent("random0", host(1)).await.0, 401, "what is known needs no question");
    flooded.clock.advance(20);
    assert_eq!(flooded.spend(100..102, host(1)).await, [401, 503]);
    assert_eq!(flooded.upstream.calls(), 4);
}

#[tokio::test]
async fn known_tokens_and_other_addresses_do_not_notice() {
    let flooded = Flooded::new(issuer().per_address(3, MINUTE));
    flooded.upstream.json(ENDPOINT, &active());
    assert_eq!(flooded.sent("known", host(1)).await.0, 200);
    flooded.upstream.json(ENDPOINT, &json!({ "active": false }));
    flooded.spend(0..10, host(1)).await;
    assert_eq!(flooded.sent("known", host(1)).await.0, 200);
    assert_eq!(flooded.sent("other", host(2)).await.0, 401);
    // What one address was not told, another may ask at once.
    assert_eq!(flooded.sent("shared", host(1)).await.0, 503);
    flooded.upstream.json(ENDPOINT, &active());
    assert_eq!(flooded.sent("shared", host(2)).await.0, 200);
    assert_eq!(flooded.sent("shared", host(1)).await.0, 200);
}

#[tokio::test]
async fn questions_about_good_tokens_are_given_back() {
    let flooded = Flooded::new(issuer().per_address(3, MINUTE));
    flooded.upstream.json(ENDPOINT, &active());
    assert_eq!(flooded.spend(0..50, host(1)).await, [200; 50]);
    flooded.upstream.json(ENDPOINT, &json!({ "active": false }));
    assert_eq!(flooded.spend(50..54, host(1)).await, [401, 401, 401, 503]);
    // An outage gives nothing back: that would be the worst time for a flood.
    flooded.upstream.answer(ENDPOINT, 500, &[], "");
    flooded.spend(60..63, host(2)).await;
    assert_eq!(flooded.upstream.calls(), 50 + 3 + 3);
    assert_eq!(flooded.sent("more", host(2)).await, (503, Some("20".into())));
    assert_eq!(flooded.upstream.calls(), 50 + 3 + 3);
}

#[tokio::test]
async fn whoever_joins_a_question_that_is_not_put_puts_it_in_turn() {
    let asked = Issuer::introspection_discovered(ISSUER).client_basic("api", "hush");
    let flooded = Flooded::new(asked.per_address(1, Duration::from_secs(3600)));
    let metadata = json!({ "issuer": ISSUER, "introspection_endpoint": ENDPOINT });
    flooded.upstream.json("https://as.example/.well-known/oauth-authorization-server", &metadata);
    assert_eq!(flooded.spend(0..2, host(1)).await, [401, 503]);
    // The metadata are over, so the next question waits for them first.
    flooded.clock.advance(600);
    flooded.upstream.json(ENDPOINT, &active());
    flooded.upstream.close();
    let both = futures_util::future::join(flooded.sent("shared", host(1)), flooded.sent("shared", host(2)));
    let opened = async {
        tokio::task::yield_now().await;
        flooded.upstream.open();
    };
    let ((spent, fresh), ()) = futures_util::future::join(both, opened).await;
    assert_eq!((spent.0, fresh.0), (503, 200));
}

#[tokio::test]
async fn an_endpoint_that_is_left_alone_costs_nobody_anything() {
    let (http, clock) = (HttpClient::new(service_fn(async |_| Err::<Response<String>, _>("no route"))), clock());
    let issuer = issuer().per_address(10, MINUTE);
    let server = builder(issuer).http(http).clock(clock.clone()).build().unwrap();
    let flooded = Flooded { server, upstream: Upstream::new(), clock };
    for n in 0..20 {
        let (status, retry_after) = flooded.sent(&format!("random{n}"), host(1)).await;
        assert_eq!(status, 503);
        // After a few it is left alone for 5 seconds; the budget would take 6.
        assert!(retry_after.is_some_and(|seconds| seconds.as_str() <= "5"), "{n}");
    }
}

#[tokio::test]
async fn thousand_first_uses_at_once_are_one_question_of_the_budget() {
    let flooded = Flooded::new(issuer().per_address(2, MINUTE));
    let all = futures_util::future::join_all((0..1000).map(|_| flooded.sent("same", host(1))));
    assert!(all.await.iter().all(|outcome| *outcome == (401, None)));
    assert_eq!(flooded.sent("other", host(1)).await.0, 401);
    assert_eq!(flooded.sent("third", host(1)).await.0, 503);
}

#[tokio::test]
async fn the_limit_is_there_by_default_where_the_address_is_known() {
    let flooded = Flooded::new(issuer());
    let (questions, period) = IntrospectionIssuer::DEFAULT_PER_ADDRESS;
    let statuses = flooded.spend(0..questions + 1, host(1)).await;
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), questions as usize);
    assert_eq!(statuses.last(), Some(&503));
    flooded.clock.advance(period.as_secs());
    assert_eq!(flooded.sent("again", host(1)).await.0, 401);
    // That of the connection counts where nothing better is known.
    let mut request = request("x");
    request.extensions_mut().insert(PeerAddress((host(1), 50_000).into()));
    let strict = Flooded::new(issuer().per_address(1, MINUTE));
    strict.sent("spent", host(1)).await;
    assert_eq!(send(&strict.server.layer(), request).await.0.status(), 503);
}

#[tokio::test]
async fn an_address_that_is_not_known_has_no_budget_to_exhaust() {
    let flooded = Flooded::new(issuer().per_address(1, MINUTE));
    for n in 0..20 {
        assert_eq!(flooded.sent(&format!("random{n}"), None).await.0, 401);
    }
    let unlimited = Flooded::new(issuer().per_address(1, MINUTE).unlimited_per_address());
    assert_eq!(unlimited.spend(0..20, host(1)).await, [401; 20]);
}

#[tokio::test]
async fn without_a_layer_it_is_the_same() {
    let flooded = Flooded::new(issuer().per_address(1, MINUTE));
    let mut parts = request("one").into_parts().0;
    parts.extensions.insert(ClientAddress(host(1)));
    assert_eq!(flooded.server.validate(&parts).await.unwrap_err().status(), 401);
    parts.headers = headers("two");
    assert_eq!(flooded.server.validate(&parts).await.unwrap_err().status(), 503);
    assert_eq!(flooded.server.validate_headers(&headers("three")).await.unwrap_err().status(), 401);
}

#[tokio::test]
async fn a_prefix_of_ipv6_is_one_address() {
    let flooded = Flooded::new(issuer().per_address(1, MINUTE));
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    assert_eq!(flooded.sent("a", address("2001:db8::1")).await.0, 401);
    assert_eq!(flooded.sent("b", address("2001:db8::2")).await.0, 503);
    assert_eq!(flooded.sent("c", address("2001:db8:0:1::1")).await.0, 401);
}
