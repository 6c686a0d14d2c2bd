//! What is counted, and that it is counted once.

use std::time::Duration;

use futures_util::{FutureExt, future::join_all};
use oauth_core::{clock::SystemRandom, dpop::DpopKey};

use super::{
    introspection::{ENDPOINT, active, issuer},
    keys::JWKS,
    meter::Meter,
    *,
};
use crate::resource::{Dpop, Policy, RefusalKind, Require};

const REQUESTS: &str = "oauth_resource_requests_total";
const REFUSALS: &str = "oauth_resource_refusals_total";

fn counts(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
    pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[tokio::test]
async fn each_request_counts_once_by_where_its_verdict_came_from() {
    let (key, meter, upstream) = (Key::es256(), Meter::default(), Upstream::new());
    upstream.json(ENDPOINT, &active());
    let opaque = Issuer::introspection("https://other.example", ENDPOINT).client_basic("api", "hush");
    let server = meter.build(builder(fixed(&key)).issuer(opaque.token_prefix("op_")).http(upstream.client()));
    let good = key.good();
    for _ in 0..10 {
        assert!(present(&server, &good).await.1);
    }
    assert_eq!(meter.counts(REQUESTS), counts(&[("hit", 9), ("verified", 1)]));
    // Bad ones: verified, then remembered.
    let expired = key.token(json!({ "exp": NOW - 100 }));
    for _ in 0..3 {
        assert!(!present(&server, &expired).await.1);
    }
    assert_eq!(meter.counts(REQUESTS), counts(&[("hit", 11), ("verified", 2)]));
    for _ in 0..5 {
        assert!(present(&server, "op_aque").await.1);
    }
    assert_eq!(meter.counts(REQUESTS), counts(&[("asked", 1), ("hit", 15), ("verified", 2)]));
    // Nothing to find out.
    let none = || Request::builder().body(String::new()).unwrap();
    send(&server.layer(), none()).await;
    assert!(send(&server.layer().optional(), none()).await.1);
    present(&server, "two words").await;
    present(&server, "junk").await;
    present(&server, &key.token(json!({ "iss": "https://evil.example" }))).await;
    assert_eq!(meter.counts(REQUESTS), counts(&[("asked", 1), ("hit", 15), ("none", 5), ("verified", 2)]));
    // Whichever way in.
    server.validate_headers(&headers(&good)).await.unwrap();
    server.validate(&request(&good).into_parts().0).await.unwrap();
    assert_eq!(meter.counts(REQUESTS)[1], ("hit".to_owned(), 17));
}

#[tokio::test]
async fn concurrent_first_uses_are_each_counted_and_one_call_is_timed() {
    let (meter, upstream) = (Meter::default(), Upstream::new());
    upstream.json(ENDPOINT, &active());
    let server = meter.build(builder(issuer()).http(upstream.client()));
    upstream.close();
    let all = join_all((0..100).map(|_| present(&server, "t")));
    futures_util::pin_mut!(all);
    assert!(all.as_mut().now_or_never().is_none());
    upstream.open();
    all.await;
    assert_eq!(meter.counts(REQUESTS), counts(&[("asked", 100)]));
    let times = meter.times();
    let [(series, times)] = &*times else { panic!("{times:?}") };
    assert_eq!(series, "oauth_resource_upstream_seconds{issuer=https://as.example,what=introspection,outcome=ok}");
    assert_eq!(times.len(), 1);
}

#[tokio::test]
async fn each_refusal_counts_once_by_its_reason() {
    let (key, meter, wallet) = (Key::es256(), Meter::default(), DpopKey::generate(Algorithm::ES256).unwrap());
    let server = meter.build(builder(fixed(&key)).dpop(Dpop::optional()));
    let bound = key.token(json!({ "cnf": { "jkt": wallet.jkt() } }));
    let proof = wallet.proof("GET", "https://api.example/", Some(&bound), None, UnixTime(NOW), &SystemRandom).unwrap();
    let other = |changes| request(&key.token(changes));
    let dpop = |token: &str, proof: &str| {
        let request = Request::get("/").header(AUTHORIZATION, format!("DPoP {token}")).header("dpop", proof);
        request.body(String::new()).unwrap()
    };
    let twice = Request::builder().header(AUTHORIZATION, "Bearer a").header(AUTHORIZATION, "Bearer b");
    let layer = server.layer();
    let in_vain: Vec<(&str, &ResourceLayer, Request<String>)> = vec![
        ("missing_credentials", &layer, Request::default()),
        ("repeated_authorization", &layer, twice.body(String::new()).unwrap()),
        ("malformed_authorization", &layer, request("a b")),
        ("malformed_token", &layer, request("opaque")),
        ("wrong_issuer", &layer, other(json!({ "iss": "https://evil.example" }))),
        ("wrong_audience", &layer, other(json!({ "aud": "https://other.example" }))),
        ("expired", &layer, other(json!({ "exp": NOW - 100 }))),
        ("not_yet_valid", &layer, other(json!({ "nbf": NOW + 100 }))),
        ("missing_claim", &layer, other(json!({ "jti": null }))),
        ("unknown_key", &layer, request(&Key::es256().good())),
        ("binding_unserved", &layer, request(&bound)),
        ("proof_malformed", &layer, dpop(&bound, "junk")),
        ("not_bound", &layer, dpop(&key.good(), &proof)),
    ];
    let mut expected: Vec<(String, u64)> = Vec::new();
    for (reason, layer, request) in in_vain {
        assert!(!send(layer, request).await.1, "{reason}");
        expected.push((reason.to_owned(), 1));
        expected.sort();
        assert_eq!(meter.counts(REFUSALS), expected);
    }
    // A proof is good once.
    assert!(send(&layer, dpop(&bound, &proof)).await.1);
    assert!(!send(&layer, dpop(&bound, &proof)).await.1);
    // A good token, and not enough; at the layer and further inside.
    assert!(!send(&layer.clone().require_scope("admin"), request(&key.good())).await.1);
    let inner = tower::Layer::layer(&Require::new(Policy::new().clients(["other"])), service(&Arc::default()));
    tower::Layer::layer(&layer, inner).oneshot(request(&key.good())).await.unwrap();
    let headers = HeaderMap::new();
    server.validate_headers(&headers).await.unwrap_err();
    expected.extend(counts(&[("proof_replayed", 1), ("insufficient_scope", 1), ("client_not_permitted", 1)]));
    expected.iter_mut().for_each(|(reason, count)| *count += u64::from(reason == "missing_credentials"));
    expected.sort();
    assert_eq!(meter.counts(REFUSALS), expected);
    // What passes is no refusal.
    assert!(send(&layer.optional(), Request::default()).await.1);
    assert_eq!(meter.counts(REFUSALS), expected);
}

#[tokio::test(start_paused = true)]
async fn upstream_time_is_recorded_once_for_each_call_by_how_it_ended() {
    let key = Key::es256();
    let well_known = "https://as.example/.well-known/oauth-authorization-server";
    for (prepare, what, outcome) in [
        (Box::new(|_: &Upstream| {}) as Box<dyn Fn(&Upstream)>, "keys", "ok"),
        (Box::new(|up: &Upstream| _ = up.answer(JWKS, 500, &[], "")), "keys", "status"),
        (Box::new(|up: &Upstream| _ = up.answer(JWKS, 200, &[], "<html>")), "keys", "unusable"),
        (Box::new(|up: &Upstream| _ = up.answer(well_known, 502, &[], "")), "metadata", "status"),
        (Box::new(Upstream::close), "metadata", "timeout"),
    ] {
        let (meter, upstream) = (Meter::default(), Upstream::new());
        upstream.json(well_known, &json!({ "issuer": ISSUER, "jwks_uri": JWKS })).json(JWKS, &key.document());
        prepare(&upstream);
        let server = meter.build(builder(Issuer::jwt(ISSUER)).http(upstream.client()));
        let passes = present(&server, &key.good()).await.1;
        assert_eq!(passes, outcome == "ok");
        let times = meter.times();
        let (series, recorded) = times.iter().find(|(series, _)| series.contains(what)).unwrap();
        assert!(series.ends_with(&format!("what={what},outcome={outcome}}}")), "{series}");
        let seconds = if outcome == "timeout" { 5.0 } else { 0.0 };
        assert_eq!(*recorded, [seconds]);
        // The metadata first, if the keys were asked for at all.
        assert_eq!(times.len(), 1 + usize::from(what == "keys"), "{times:?}");
    }
}

#[tokio::test]
async fn a_call_that_everybody_has_left_is_recorded_as_that() {
    let (meter, upstream) = (Meter::default(), Upstream::new());
    let server = meter.build(builder(issuer()).http(upstream.client()));
    upstream.close();
    assert!(Box::pin(present(&server, "t")).now_or_never().is_none());
    let [(series, times)] = &*meter.times() else { panic!() };
    assert!(series.ends_with("outcome=abandoned}") && times.len() == 1, "{series}");
}

#[tokio::test]
async fn gauges_show_the_age_of_the_keys_and_what_is_cached() {
    let (key, meter, upstream, clock) = (Key::es256(), Meter::default(), Upstream::new(), clock());
    upstream.json(JWKS, &key.document());
    let issuer = Issuer::jwt(ISSUER).jwks_uri(JWKS);
    let server = meter.build(builder(issuer).http(upstream.client()).clock(clock.clone()));
    let age = "oauth_resource_key_age_seconds{resource=https://api.example,issuer=https://as.example}";
    let ready = "oauth_resource_issuer_ready{resource=https://api.example,issuer=https://as.example,kind=jwt}";
    let cached = |what: &str| {
        meter.update_gauges(&server);
        meter.gauge(&format!("oauth_resource_cache_entries{{resource=https://api.example,what={what}}}")).unwrap()
    };
    assert_eq!(cached("verdicts"), 0.0);
    assert_eq!((meter.gauge(age), meter.gauge(ready)), (None, Some(1.0)));
    present(&server, &key.good()).await;
    present(&server, &key.token(json!({ "jti": "2" }))).await;
    present(&server, &key.token(json!({ "exp": NOW - 100 }))).await;
    assert_eq!((cached("verdicts"), meter.gauge(age)), (2.0, Some(0.0)));
    server.judge.cache.len();
    assert_eq!(cached("denials"), 1.0);
    clock.advance(123);
    meter.update_gauges(&server);
    assert_eq!(meter.gauge(age), Some(123.0));
    upstream.answer(JWKS, 500, &[], "");
    clock.advance(10_000);
    server.warm_up().await.unwrap_err();
    meter.update_gauges(&server);
    assert_eq!((meter.gauge(age), meter.gauge(ready)), (Some(10_123.0), Some(0.0)));
}

#[tokio::test]
async fn no_request_can_make_a_new_series() {
    let (key, meter, upstream) = (Key::es256(), Meter::default(), Upstream::new());
    upstream.json(ENDPOINT, &json!({ "active": false }));
    let opaque = Issuer::introspection("https://other.example", ENDPOINT).client_basic("api", "hush");
    let server = meter.build(builder(fixed(&key)).issuer(opaque).http(upstream.client()));
    let before = meter.names();
    assert!(before.len() < 200);
    for number in 0..50 {
        let issuer = format!("https://{number}.evil.example");
        present(&server, &key.token(json!({ "iss": issuer, "sub": issuer }))).await;
        present(&server, &format!("random{number}")).await;
    }
    assert_eq!(meter.names(), before);
}

#[tokio::test]
async fn without_a_recorder_everything_works_all_the_same() {
    let key = Key::es256();
    let server = server(&key);
    assert!(present(&server, &key.good()).await.1);
    assert!(matches!(
        server.validate_headers(&HeaderMap::new()).await.unwrap_err().kind(),
        RefusalKind::MissingCredentials
    ));
    server.update_gauges();
    assert!(builder(issuer().cache_for(Duration::ZERO)).http(Upstream::new().client()).build().is_ok());
}
