//! The life of an issuer's keys.

use std::time::Duration;

use futures_util::{FutureExt, future::join_all};

use super::*;
use crate::resource::RefusalKind;

const JWKS: &str = "https://as.example/jwks";

struct Fixture {
    key: Key,
    upstream: Upstream,
    clock: ManualClock,
    server: ResourceServer,
}

/// A server whose only issuer publishes one key at [`JWKS`].
fn fixture() -> Fixture {
    fixture_with(|builder| builder)
}

fn fixture_with(
    settings: impl FnOnce(ResourceServerBuilder<HasIssuer>) -> ResourceServerBuilder<HasIssuer>,
) -> Fixture {
    let (key, upstream, clock) = (Key::new(Algorithm::EdDSA), Upstream::new(), clock());
    upstream.json(JWKS, &key.document());
    let issuer = Issuer::jwt(ISSUER).jwks_uri(JWKS);
    let builder = builder(issuer).http(upstream.client()).clock(clock.clone());
    let server = settings(builder).build().unwrap();
    Fixture { key, upstream, clock, server }
}

impl Fixture {
    /// A token that nobody has seen, good at the clock's time.
    fn fresh(&self, key: &Key) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let now = oauth_core::clock::Clock::now(&self.clock).0;
        let jti = NEXT.fetch_add(1, Ordering::SeqCst).to_string();
        key.token(json!({ "jti": jti, "iat": now, "exp": now + 3600 * 24 }))
    }

    async fn status(&self, key: &Key) -> StatusCode {
        present(&self.server, &self.fresh(key)).await.0
    }
}

#[tokio::test]
async fn keys_are_fetched_when_the_first_token_comes_and_not_for_junk() {
    let f = fixture();
    assert_eq!(f.upstream.calls(), 0);
    let junk = f.key.token(json!({ "iss": "https://evil.example" }));
    assert_eq!(present(&f.server, &junk).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(f.upstream.calls(), 0);
    for _ in 0..5 {
        assert_eq!(f.status(&f.key).await, StatusCode::OK);
    }
    assert_eq!(f.upstream.calls(), 1);
}

#[tokio::test]
async fn discovery_finds_the_keys_and_compares_the_issuer_byte_for_byte() {
    let key = Key::es256();
    let at = |issuer: &str, metadata: &Value| {
        let upstream = Upstream::new();
        upstream.json("https://as.example/.well-known/openid-configuration", metadata);
        upstream.json("https://keys.example/1", &key.document());
        (builder(Issuer::jwt(issuer)).http(upstream.client()).build().unwrap(), upstream)
    };
    let (server, upstream) = at(ISSUER, &json!({ "issuer": ISSUER, "jwks_uri": "https://keys.example/1" }));
    assert_eq!(present(&server, &key.good()).await.0, StatusCode::OK);
    assert_eq!(upstream.urls()[0], "https://as.example/.well-known/oauth-authorization-server");
    assert_eq!(upstream.calls(), 3);
    // A document of another issuer, keys in the clear, no keys: an outage, since
    // nothing is known of the token.
    for bad in [
        json!({ "issuer": "https://as.example/", "jwks_uri": "https://keys.example/1" }),
        json!({ "issuer": ISSUER, "jwks_uri": "http://keys.example/1" }),
        json!({ "issuer": ISSUER }),
        json!({ "issuer": ISSUER, "jwks_uri": "https://keys.example/2" }),
        json!([]),
    ] {
        let (server, _) = at(ISSUER, &bad);
        assert_eq!(present(&server, &key.good()).await.0, StatusCode::SERVICE_UNAVAILABLE, "{bad}");
    }
}

// spec: RS-16
#[tokio::test]
async fn an_issuer_that_is_not_listed_causes_no_fetch() {
    let f = fixture();
    let evil = Key::es256();
    for iss in ["https://evil.example", "https://as.example/"] {
        for jti in 0..20 {
            let token = evil.token(json!({ "iss": iss, "jti": jti.to_string() }));
            assert_eq!(present(&f.server, &token).await.0, StatusCode::UNAUTHORIZED);
        }
    }
    assert_eq!(f.upstream.calls(), 0);
    // Nor once the keys are there, however unknown the key id is.
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    f.clock.advance(60);
    let token = evil.token(json!({ "iss": "https://evil.example" }));
    assert_eq!(present(&f.server, &token).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(f.upstream.calls(), 1);
}

// spec: MET-10
#[tokio::test]
async fn an_unknown_kid_is_looked_for_once_per_interval_however_many_come() {
    let f = fixture();
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    let flood = || async {
        let tokens: Vec<_> = (0..200)
            .map(|n| f.key.sign(&changed(f.key.header(), json!({ "kid": format!("random {n}") })), &claims()))
            .collect();
        for (status, served) in join_all(tokens.iter().map(|token| present(&f.server, token))).await {
            assert_eq!((status, served), (StatusCode::UNAUTHORIZED, false));
        }
    };
    flood().await;
    assert_eq!(f.upstream.calls(), 1, "fetched a moment ago");
    f.clock.advance(6);
    flood().await;
    assert_eq!(f.upstream.calls(), 2);
    flood().await;
    assert_eq!(f.upstream.calls(), 2);
}

// spec: MET-10
#[tokio::test]
async fn a_new_key_is_found_by_its_first_token() {
    let f = fixture();
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    let next = Key::es256();
    f.upstream.json(JWKS, &json!({ "keys": [f.key.document()["keys"][0], next.document()["keys"][0]] }));
    f.clock.advance(6);
    assert_eq!(f.status(&next).await, StatusCode::OK);
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    assert_eq!(f.upstream.calls(), 2);
}

#[tokio::test]
async fn a_token_without_a_kid_survives_a_rotation() {
    let f = fixture();
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    let next = Key::new(Algorithm::EdDSA);
    f.upstream.json(JWKS, &next.document());
    f.clock.advance(6);
    let token = next.sign(&changed(next.header(), json!({ "kid": null })), &claims());
    assert_eq!(present(&f.server, &token).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_key_that_is_withdrawn_takes_its_tokens_along() {
    let f = fixture();
    let (old, next) = (f.fresh(&f.key), Key::es256());
    assert_eq!(present(&f.server, &old).await.0, StatusCode::OK);
    f.upstream.json(JWKS, &next.document());
    f.clock.advance(6);
    // Somebody's unknown key leads to the fetch.
    assert_eq!(f.status(&next).await, StatusCode::OK);
    assert_eq!(present(&f.server, &old).await.0, StatusCode::UNAUTHORIZED, "from the cache");
}

#[tokio::test]
async fn what_was_denied_for_want_of_a_key_is_good_once_the_key_is_there() {
    let f = fixture_with(|b| b.cache_denials_for(Duration::from_secs(60)));
    let next = Key::es256();
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    let early = f.fresh(&next);
    assert_eq!(present(&f.server, &early).await.0, StatusCode::UNAUTHORIZED, "the interval runs");
    f.upstream.json(JWKS, &next.document());
    f.clock.advance(5);
    assert_eq!(f.status(&next).await, StatusCode::OK);
    assert_eq!(present(&f.server, &early).await.0, StatusCode::OK, "the denial was still remembered");
}

// spec: MET-10
#[tokio::test]
async fn a_failed_fetch_keeps_the_last_good_set_for_a_bounded_time() {
    let f = fixture_with(|b| b.stale_limit(Duration::from_secs(1000)));
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    f.upstream.answer(JWKS, 500, &[], "");
    f.clock.advance(601);
    assert_eq!(f.status(&f.key).await, StatusCode::OK, "over, and stale");
    let calls = f.upstream.calls();
    assert_eq!(calls, 2);
    for _ in 0..50 {
        assert_eq!(f.status(&f.key).await, StatusCode::OK);
    }
    assert_eq!(f.upstream.calls(), calls, "it is not asked again at once");
    f.clock.advance(998);
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    f.clock.advance(2);
    assert_eq!(f.status(&f.key).await, StatusCode::SERVICE_UNAVAILABLE, "the hard limit");
    f.upstream.json(JWKS, &f.key.document());
    f.clock.advance(5);
    assert_eq!(f.status(&f.key).await, StatusCode::OK, "recovered without a restart");
}

#[tokio::test]
async fn an_unknown_kid_during_an_outage_is_not_known_to_be_bad() {
    let f = fixture();
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    f.upstream.answer(JWKS, 503, &[], "");
    f.clock.advance(6);
    assert_eq!(f.status(&Key::es256()).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(f.status(&Key::es256()).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    assert_eq!(f.upstream.calls(), 2);
}

#[tokio::test]
async fn an_issuer_that_is_down_is_503_with_retry_after_and_never_401() {
    for (status, body) in [(500, ""), (404, ""), (302, ""), (200, "<html>"), (200, "{}"), (200, r#"{"keys":{}}"#)] {
        let f = fixture();
        f.upstream.answer(JWKS, status, &[], body);
        let (response, served) = send(&f.server.layer(), request(&f.fresh(&f.key))).await;
        assert!(!served);
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
        assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
    }
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_hangs_is_503_after_the_timeout() {
    let f = fixture();
    f.upstream.close();
    let started = tokio::time::Instant::now();
    assert_eq!(f.status(&f.key).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(started.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn one_bad_key_never_spoils_the_set() {
    let f = fixture();
    let good = f.key.document()["keys"][0].clone();
    f.upstream.json(
        JWKS,
        &json!({ "keys": [
            { "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "post-quantum" },
            { "kty": "OKP", "crv": "X25519", "use": "enc", "x": "AAAA" },
            { "kty": "RSA", "n": "AAAA", "e": "AQAB", "kid": "tiny" },
            { "kty": "oct", "k": "AAAA" },
            { "kty": "EC", "crv": "secp256k1", "x": "AAAA", "y": "AAAA" },
            "not even an object",
            good,
        ]}),
    );
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
}

// spec: MET-11
#[tokio::test]
async fn where_a_kid_repeats_every_key_that_fits_is_tried() {
    let f = fixture();
    let (one, two) = (Key::es256(), Key::es256());
    let named = |key: &Key| changed(key.document()["keys"][0].clone(), json!({ "kid": "same" }));
    f.upstream.json(JWKS, &json!({ "keys": [named(&one), named(&two), named(&f.key)] }));
    for key in [&one, &two, &f.key] {
        let token = key.sign(&changed(key.header(), json!({ "kid": "same" })), &claims());
        assert_eq!(present(&f.server, &token).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn cache_headers_are_heeded_within_bounds() {
    for (header, lifetime) in [("max-age=1", 60), ("no-store", 60), ("max-age=120", 120), ("max-age=999999", 3600)] {
        let f = fixture();
        f.upstream.answer(JWKS, 200, &[("cache-control", header)], &f.key.document().to_string());
        assert_eq!(f.status(&f.key).await, StatusCode::OK);
        f.clock.advance(lifetime * 3 / 4 - 1);
        assert_eq!(f.status(&f.key).await, StatusCode::OK);
        assert_eq!(f.upstream.calls(), 1, "{header}: fresh");
        f.clock.advance(lifetime / 4 + 1);
        assert_eq!(f.status(&f.key).await, StatusCode::OK);
        assert_eq!(f.upstream.calls(), 2, "{header}: over");
    }
}

#[tokio::test]
async fn keys_that_are_due_are_fetched_by_the_way_and_nobody_waits() {
    let f = fixture();
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    f.clock.advance(500);
    f.upstream.close();
    // The fetch hangs; requests pass all the same, and share it.
    for _ in 0..5 {
        assert_eq!(f.status(&f.key).await, StatusCode::OK);
    }
    assert_eq!((f.upstream.calls(), f.upstream.finished()), (2, 1));
    f.upstream.open();
    for _ in 0..5 {
        tokio::task::yield_now().await;
        assert_eq!(f.status(&f.key).await, StatusCode::OK);
    }
    assert_eq!((f.upstream.calls(), f.upstream.finished()), (2, 2));
    f.clock.advance(400);
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    assert_eq!(f.upstream.calls(), 2, "it counts from the second fetch");
}

#[tokio::test]
async fn a_slow_fetch_does_not_hold_up_other_tokens() {
    let f = fixture();
    let known = f.fresh(&f.key);
    assert_eq!(present(&f.server, &known).await.0, StatusCode::OK);
    f.clock.advance(6);
    f.upstream.close();
    let stranger = Key::es256();
    let waiting = f.status(&stranger);
    futures_util::pin_mut!(waiting);
    assert!(waiting.as_mut().now_or_never().is_none());
    // Known ones from the cache, new ones by the keys at hand.
    assert_eq!(present(&f.server, &known).await.0, StatusCode::OK);
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    f.upstream.open();
    assert_eq!(waiting.await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_thousand_first_tokens_make_one_fetch() {
    for good in [true, false] {
        let f = fixture();
        if !good {
            f.upstream.answer(JWKS, 500, &[], "");
        }
        let token = f.fresh(&f.key);
        let statuses = join_all((0..1_000).map(|_| present(&f.server, &token))).await;
        let expected = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        assert!(statuses.iter().all(|(status, _)| *status == expected));
        assert_eq!(f.upstream.calls(), 1);
        assert_eq!(verifications(&f.server), usize::from(good));
    }
}

#[tokio::test]
async fn a_fetch_whose_first_caller_goes_away_is_carried_on_by_the_next() {
    let f = fixture();
    f.upstream.close();
    for _ in 0..300 {
        let attempt = f.status(&f.key);
        futures_util::pin_mut!(attempt);
        assert!(attempt.as_mut().now_or_never().is_none());
    }
    assert_eq!(f.upstream.calls(), 1);
    f.upstream.open();
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    assert_eq!(f.upstream.calls(), 1);
}

#[tokio::test]
async fn warming_up_says_whose_keys_are_missing() {
    let f = fixture();
    f.upstream.answer(JWKS, 500, &[], "");
    assert_eq!(f.server.warm_up().await.unwrap_err().issuers(), [ISSUER]);
    f.upstream.json(JWKS, &f.key.document());
    f.clock.advance(5);
    f.server.warm_up().await.unwrap();
    let refused = f.server.validate_headers(&HeaderMap::new()).await.unwrap_err();
    assert_eq!(*refused.kind(), RefusalKind::MissingCredentials);
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    assert_eq!(f.upstream.calls(), 2);
}
