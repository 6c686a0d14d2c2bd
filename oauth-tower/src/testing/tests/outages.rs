//! What fails, and comes back.

use std::time::Duration;

use futures_util::future::join_all;

use super::*;

const OUTAGES: [Outage; 4] =
    [Outage::Down, Outage::Slow, Outage::Garbage, Outage::Status(StatusCode::INTERNAL_SERVER_ERROR)];

#[tokio::test(start_paused = true)]
async fn every_outage_is_503_and_ends() {
    for outage in OUTAGES {
        for make in [jwt_api, asking_api] {
            let issuer = MockIssuer::new(AS);
            let api = make(&issuer);
            let token = issuer.token("ada").audience(API).jwt();
            issuer.outage(outage);
            assert_eq!(status(&api, &token).await, 503, "{outage:?}");
            issuer.recover();
            issuer.clock().advance(5);
            assert_eq!(status(&api, &token).await, 200, "{outage:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_fails_by_itself() {
    let issuer = MockIssuer::new(AS);
    issuer.outage_of(Endpoint::Introspection, Outage::Down);
    let token = issuer.token("ada").audience(API).jwt();
    assert_eq!(status(&jwt_api(&issuer), &token).await, 200);
    assert_eq!(status(&asking_api(&issuer), &token).await, 503);
    issuer.outage(Outage::Status(StatusCode::BAD_GATEWAY));
    issuer.outage_of(Endpoint::Jwks, Outage::Garbage);
    assert_eq!(get(&issuer, &issuer.jwks_uri()).await.body(), "<html>\u{1f4a5}");
    assert_eq!(post(&issuer, None, "").await.status(), 502);
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_known_outlast_an_outage() {
    let issuer = MockIssuer::new(AS);
    let api = jwt_api(&issuer);
    let token = || issuer.token("ada").audience(API).jwt();
    assert_eq!(status(&api, &token()).await, 200);
    issuer.outage(Outage::Slow);
    issuer.clock().advance(599);
    assert_eq!(status(&api, &token()).await, 200);
    issuer.clock().advance(3602);
    assert_eq!(status(&api, &token()).await, 503, "beyond the limit");
}

#[tokio::test(start_paused = true)]
async fn what_hangs_is_answered_when_the_issuer_recovers_and_was_asked_once() {
    let issuer = MockIssuer::new(AS);
    let api = asking_api(&issuer);
    let token = issuer.token("ada").audience(API).opaque();
    issuer.outage(Outage::Slow);
    let recovery = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        issuer.recover();
    };
    let all = join_all((0..100).map(|_| status(&api, &token)));
    let (statuses, ()) = futures_util::future::join(all, recovery).await;
    assert!(statuses.iter().all(|status| *status == 200));
    assert_eq!(issuer.calls(Endpoint::Introspection), 1);
}
