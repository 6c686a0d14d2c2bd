//! What strangers can cause: as much as the bounds say, and no more.

use std::time::Duration;

use futures_util::{FutureExt, future::join_all};

use super::{
    introspection::{ENDPOINT, active, issuer},
    keys::{JWKS, fixture, fixture_with},
    *,
};

/// Each of these comes at once, without waiting for anything.
fn flood(server: &ResourceServer, tokens: impl Iterator<Item = String>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let mut service = tower::Layer::layer(&server.layer(), service(&calls));
    for token in tokens {
        let response = service.call(request(&token)).now_or_never().expect("somebody was asked").unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

/// Tokens of issuers that nobody knows, all different. Nobody gets as far as
/// their signatures.
fn strangers(key: &Key, count: usize) -> impl Iterator<Item = String> {
    let good = key.good();
    let (input, signature) = good.rsplit_once('.').unwrap();
    let (header, signature) = (input.split_once('.').unwrap().0.to_owned(), signature.to_owned());
    (0..count).map(move |n| {
        let payload = format!(r#"{{"iss":"https://{n}.example","aud":"{RESOURCE}","sub":"eve","jti":"{n}"}}"#);
        format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(payload))
    })
}

// spec: RS-16
#[tokio::test]
async fn a_hundred_thousand_tokens_of_unknown_issuers_cause_no_request() {
    let f = fixture();
    flood(&f.server, strangers(&f.key, 50_000));
    assert_eq!((f.upstream.calls(), verifications(&f.server)), (0, 0));
    // Beside issuers that are verified, and one that is asked.
    let other = Issuer::jwt("https://other.example").jwks_uri("https://other.example/jwks");
    let asked = Issuer::introspection("https://asked.example", ENDPOINT).bearer("t");
    let server = builder(Issuer::jwt(ISSUER).jwks_uri(JWKS)).issuer(other).issuer(asked);
    let server = server.http(f.upstream.client()).build().unwrap();
    flood(&server, strangers(&f.key, 50_000));
    assert_eq!((f.upstream.calls(), verifications(&server)), (0, 0));
    assert_eq!(server.judge.cache.len(), (0, 0), "nothing of them is kept");
}

// spec: MET-10
#[tokio::test]
async fn a_minute_of_unknown_keys_causes_one_fetch_per_interval() {
    let f = fixture_with(|b| b.key_refetch_interval(Duration::from_secs(10)));
    let known = f.fresh(&f.key);
    assert!(present(&f.server, &known).await.1);
    let evil = Key::new(Algorithm::EdDSA);
    for second in 0..60 {
        f.clock.advance(1);
        let tokens = (0..20).map(|n| {
            let header = changed(evil.header(), json!({ "kid": format!("{second} {n}") }));
            evil.sign(&header, &claims())
        });
        let tokens: Vec<_> = tokens.collect();
        let calls = f.upstream.calls();
        let answers = join_all(tokens.iter().map(|token| present(&f.server, token))).await;
        // Whether there is such a key by now is known only if it was just asked for.
        let was_asked = f.upstream.calls() > calls;
        let status = if was_asked { StatusCode::UNAUTHORIZED } else { StatusCode::SERVICE_UNAVAILABLE };
        assert!(answers.into_iter().all(|answer| answer == (status, false)), "{second}");
        assert!(present(&f.server, &known).await.1);
    }
    assert_eq!(f.upstream.calls(), 1 + 6);
    assert!(f.upstream.urls().iter().all(|url| url == JWKS));
}

/// An introspection endpoint that knows the tokens of the tests, and no other.
fn asking() -> (ResourceServer, Upstream) {
    let upstream = Upstream::new();
    upstream.json(ENDPOINT, &active());
    let issuer = issuer().cache_for(Duration::from_secs(60)).concurrency(8);
    let server = builder(issuer).http(upstream.client()).cache_entries(100).cache_bytes(400_000).build().unwrap();
    (server, upstream)
}

#[tokio::test]
async fn live_answers_survive_a_flood_of_refused_tokens_and_memory_stays_bounded() {
    let (server, upstream) = asking();
    let live: Vec<_> = (0..20).map(|n| format!("live-{n}")).collect();
    for token in &live {
        assert!(present(&server, token).await.1);
    }
    upstream.json(ENDPOINT, &json!({ "active": false }));
    for n in 0..3_000 {
        // Short ones and long ones: entries as well as bytes are bounded.
        let token = format!("{n}-{}", "x".repeat(n % 2 * 2_000));
        assert_eq!(present(&server, &token).await, (StatusCode::UNAUTHORIZED, false));
    }
    let calls = upstream.calls();
    for token in &live {
        assert!(present(&server, token).await.1);
    }
    assert_eq!(upstream.calls(), calls, "a live answer was pushed out");
    let (good, denied) = server.judge.cache.len();
    assert!(good == 20 && denied < 80, "{good} answers, and {denied} denials in 25,000 bytes");
}

#[tokio::test]
async fn random_tokens_are_asked_about_up_to_the_cap_and_then_get_503_with_a_time_to_come_back() {
    let (server, upstream) = asking();
    assert!(present(&server, "live").await.1);
    upstream.close();
    let layer = server.layer();
    let mut waiting = Vec::new();
    for n in 0..500 {
        let mut answer = Box::pin(send(&layer, request(&format!("random-{n}"))));
        match answer.as_mut().now_or_never() {
            None => waiting.push(answer),
            Some((response, served)) => {
                assert_eq!((response.status(), served), (StatusCode::SERVICE_UNAVAILABLE, false));
                assert!(response.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
                assert!(!response.headers().contains_key(WWW_AUTHENTICATE), "nothing is known of the token");
            }
        }
    }
    assert_eq!((waiting.len(), upstream.calls()), (8, 1 + 8));
    assert!(present(&server, "live").await.1, "whoever is known does not notice");
    upstream.open();
    for (response, served) in join_all(waiting).await {
        assert_eq!((response.status(), served), (StatusCode::OK, true));
    }
    assert_eq!(server.judge.flights.len(), 0);
}
