//! The life of an issuer's keys.

use std::time::Duration;

use futures_util::future::join_all;

use super::*;

pub(super) const JWKS: &str = "https://as.example/jwks";

pub(super) struct Fixture {
    pub(super) key: Key,
    pub(super) upstream: Upstream,
    pub(super) clock: ManualClock,
    pub(super) server: ResourceServer,
}

/// A server whose only issuer publishes one key at [`JWKS`].
pub(super) fn fixture() -> Fixture {
    fixture_with(|builder| builder)
}

pub(super) fn fixture_with(
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
    pub(super) fn fresh(&self, key: &Key) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let now = oauth_core::clock::Clock::now(&self.clock).0;
        let jti = NEXT.fetch_add(1, Ordering::SeqCst).to_string();
        key.token(json!({ "jti": jti, "iat": now, "exp": now + 3600 * 24 }))
    }

    pub(super) async fn status(&self, key: &Key) -> StatusCode {
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
