//! Verdicts: kept, bounded, and never beyond their end.

use oauth_core::clock::Clock;

use super::*;
use crate::resource::{RefusalKind, invalidate::Slot};

#[tokio::test]
async fn a_hit_does_no_cryptography() {
    let key = Key::es256();
    let (server, token) = (server(&key), key.good());
    for _ in 0..100 {
        assert!(present(&server, &token).await.1);
    }
    assert_eq!(verifications(&server), 1);
}

// spec: RS-18
#[tokio::test]
async fn a_verdict_ends_at_exp_sharp_and_the_skew_is_verified_anew() {
    let key = Key::es256();
    let clock = clock();
    let server = builder(fixed(&key)).clock(clock.clone()).build().unwrap();
    let token = key.token(json!({ "exp": NOW + 100 }));
    assert!(present(&server, &token).await.1);
    clock.advance(99);
    assert!(present(&server, &token).await.1);
    assert_eq!(verifications(&server), 1);
    // `exp` has come, and the grace of 30 seconds runs.
    clock.advance(1);
    for round in 0..3 {
        assert!(present(&server, &token).await.1);
        assert_eq!(verifications(&server), 2 + round);
        assert_eq!(server.judge.cache.len().0, 0);
    }
    clock.advance(29);
    assert!(present(&server, &token).await.1);
    clock.advance(1);
    assert_eq!(present(&server, &token).await, (StatusCode::UNAUTHORIZED, false));
    assert_eq!(server.judge.cache.len().0, 0);
}

#[tokio::test]
async fn entries_are_bounded_in_number() {
    let key = Key::new(Algorithm::EdDSA);
    let server = builder(fixed(&key)).cache_entries(100).build().unwrap();
    for jti in 0..400 {
        assert!(present(&server, &key.token(json!({ "jti": jti.to_string() }))).await.1);
    }
    let (entries, _) = server.judge.cache.len();
    assert!((50..=110).contains(&entries), "{entries}");
}

#[tokio::test]
async fn entries_are_bounded_in_bytes() {
    let key = Key::new(Algorithm::EdDSA);
    let server = builder(fixed(&key)).cache_bytes(400_000).build().unwrap();
    for jti in 0..400 {
        let token = key.token(json!({ "jti": jti.to_string(), "blob": "x".repeat(2_000) }));
        assert!(present(&server, &token).await.1);
    }
    let (entries, _) = server.judge.cache.len();
    // Each takes its text, 2.7 KB in base64, and its claims, 2 KB and more.
    assert!((20..=85).contains(&entries), "{entries}");
}

#[tokio::test]
async fn without_a_cache_every_request_is_verified() {
    let key = Key::es256();
    let server = builder(fixed(&key)).cache_entries(0).build().unwrap();
    let token = key.good();
    for round in 1..=3 {
        assert!(present(&server, &token).await.1);
        assert_eq!(verifications(&server), round);
    }
}

#[tokio::test]
async fn denials_are_remembered_for_a_moment() {
    let key = Key::es256();
    let clock = clock();
    let server = builder(fixed(&key)).clock(clock.clone()).build().unwrap();
    let forged = Key::es256().sign(&key.header(), &claims());
    for _ in 0..50 {
        assert!(!present(&server, &forged).await.1);
    }
    assert_eq!(verifications(&server), 1);
    clock.advance(4);
    let other = Key::es256().sign(&key.header(), &claims());
    assert!(!present(&server, &other).await.1);
    assert_eq!(verifications(&server), 2);
    // Each for its own moment.
    clock.advance(1);
    assert!(!present(&server, &forged).await.1);
    assert!(!present(&server, &other).await.1);
    assert_eq!(verifications(&server), 3);
}

#[tokio::test]
async fn a_flood_of_denials_pushes_no_good_verdict_out() {
    let (key, evil) = (Key::new(Algorithm::EdDSA), Key::new(Algorithm::EdDSA));
    let server = builder(fixed(&key)).cache_bytes(200_000).cache_entries(50).build().unwrap();
    let good: Vec<_> = (0..10).map(|jti| key.token(json!({ "jti": jti.to_string() }))).collect();
    for token in &good {
        assert!(present(&server, token).await.1);
    }
    for jti in 0..2_000 {
        let forged = evil.sign(&key.header(), &changed(claims(), json!({ "jti": format!("evil {jti}") })));
        assert!(!present(&server, &forged).await.1);
    }
    let before = verifications(&server);
    for token in &good {
        assert!(present(&server, token).await.1);
    }
    assert_eq!(verifications(&server), before, "a good verdict was pushed out");
    let (_, denials) = server.judge.cache.len();
    assert!(denials < 30, "{denials} denials in 12,500 bytes");
}

#[tokio::test]
async fn two_tokens_never_share_a_verdict() {
    let key = Key::es256();
    let server = server(&key);
    let (ada, eve) = (key.good(), key.token(json!({ "sub": "eve" })));
    for _ in 0..2 {
        assert_eq!(server.validate_headers(&headers(&ada)).await.unwrap().subject(), "ada");
        assert_eq!(server.validate_headers(&headers(&eve)).await.unwrap().subject(), "eve");
    }
    // A prefix of a known token is another token.
    assert!(!present(&server, &ada[..ada.len() - 1]).await.1);
}

#[tokio::test]
async fn forgetting_is_one_step_and_takes_everything() {
    let key = Key::new(Algorithm::EdDSA);
    let server = server(&key);
    let tokens: Vec<_> = (0..20).map(|jti| key.token(json!({ "jti": jti.to_string() }))).collect();
    for token in &tokens {
        assert!(present(&server, token).await.1);
    }
    server.forget_all();
    for token in &tokens {
        assert!(present(&server, token).await.1);
    }
    assert_eq!(verifications(&server), 40);
}

#[tokio::test]
async fn a_strike_at_one_issuer_leaves_the_others_alone() {
    let (one, two) = (Key::es256(), Key::es256());
    let other = Issuer::jwt("https://two.example").keys(two.set());
    let server = builder(fixed(&one)).issuer(other).build().unwrap();
    let tokens = [one.good(), two.token(json!({ "iss": "https://two.example" }))];
    for token in &tokens {
        assert!(present(&server, token).await.1);
    }
    server.judge.ledger.strike(Slot::issuer(1));
    for token in &tokens {
        assert!(present(&server, token).await.1);
    }
    assert_eq!(verifications(&server), 3);
}

#[test]
fn threads_that_meet_at_one_token_verify_it_once() {
    let key = Key::es256();
    for round in 0..20 {
        let server = server(&key);
        let headers = headers(&key.token(json!({ "jti": round.to_string() })));
        let barrier = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    let verdict = futures_util::FutureExt::now_or_never(server.validate_headers(&headers));
                    assert!(verdict.unwrap().is_ok());
                });
            }
        });
        assert_eq!(verifications(&server), 1);
    }
}

#[tokio::test]
async fn an_outage_is_not_remembered_as_a_denial() {
    let key = Key::es256();
    let (upstream, clock) = (Upstream::new(), clock());
    upstream.answer("https://as.example/jwks", 500, &[], "");
    let issuer = Issuer::jwt(ISSUER).jwks_uri("https://as.example/jwks");
    let server = builder(issuer).http(upstream.client()).clock(clock.clone()).build().unwrap();
    let token = key.good();
    let refused = server.validate_headers(&headers(&token)).await.unwrap_err();
    assert!(matches!(refused.kind(), RefusalKind::Unavailable { .. }));
    upstream.json("https://as.example/jwks", &key.document());
    clock.advance(5);
    assert!(present(&server, &token).await.1);
    assert!(clock.now() < UnixTime(NOW + 60));
}
