//! How often others are asked, whatever strangers name.

use futures_util::FutureExt;

use super::*;

async fn asked(world: &World, url: &str) -> Option<u64> {
    retry_after(&world.fetch.fetch(keys_at(url)).await)
}

const MINUTE: Duration = Duration::from_secs(60);

// spec: SEC-14
#[tokio::test]
async fn one_host_is_asked_so_often_and_no_oftener() {
    let world = World::with(|_| Reply::json(KEYS), |builder| builder.per_host(3, MINUTE)).await;
    for number in 0..3 {
        assert_eq!(asked(&world, &format!("https://app.example/{number}")).await, None);
    }
    // Another port is the same host.
    assert_eq!(asked(&world, "https://app.example:8443/").await, Some(20));
    assert_eq!(asked(&world, "https://other.example/").await, None, "another one has its own");
    assert_eq!(asked(&world, "https://app.example/0").await, None, "what is kept takes nothing");
    world.clock.advance(20);
    // And what was refused has taken nothing either.
    assert_eq!(asked(&world, "https://app.example:8443/").await, None);
    assert_eq!(asked(&world, "https://app.example/9").await, Some(20));
    assert_eq!(world.site.connections(), 5);
}

// spec: SEC-14
#[tokio::test]
async fn all_hosts_together_are_asked_so_often_and_no_oftener() {
    let set = |builder: GuardedFetchBuilder| builder.overall(2, MINUTE).per_host(1, MINUTE);
    let world = World::with(|_| Reply::json(KEYS), set).await;
    assert_eq!(asked(&world, "https://app.example/").await, None);
    assert_eq!(asked(&world, "https://other.example/").await, None);
    assert_eq!(asked(&world, "https://localhost.example/").await, Some(30));
    world.clock.advance(30);
    // Neither its URL nor its host was charged.
    let outcome = world.fetch.fetch(keys_at("https://localhost.example/")).await;
    assert!(is_unavailable(&outcome, Stage::Tls), "{outcome:?}");
    assert_eq!(world.site.connections(), 3);
}

// spec: SEC-14
#[tokio::test]
async fn failures_count_like_everything_else() {
    let world = World::with(|_| Reply::of("404", &[], ""), |builder| builder.per_host(2, MINUTE)).await;
    for number in 0..2 {
        assert_eq!(asked(&world, &format!("https://app.example/{number}")).await, None);
    }
    assert_eq!(asked(&world, "https://app.example/2").await, Some(30));
}

// spec: SEC-14
#[tokio::test]
async fn so_many_requests_are_under_way_at_once_and_no_more() {
    let world = World::with(|_| Reply::raw("").hang(), |builder| builder.at_once(2)).await;
    let url = |number| keys_at(&format!("https://app.example/{number}"));
    let mut open: Vec<_> = (0..2).map(|number| world.fetch.fetch(url(number))).collect();
    while world.site.requests().len() < 2 {
        for fetch in &mut open {
            assert!(fetch.as_mut().now_or_never().is_none());
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(retry_after(&world.fetch.fetch(url(2)).await), Some(1));
    assert_eq!(world.site.connections(), 2);
    open.pop();
    let mut next = world.fetch.fetch(url(2));
    while world.site.requests().len() < 3 {
        assert!(next.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
}
