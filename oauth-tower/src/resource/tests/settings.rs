//! Settings at their edges: what is built, what is not, and what it means.

use std::time::Duration;

use futures_util::future::join_all;

use super::{
    introspection::{ENDPOINT, active, issuer, setup},
    keys::{JWKS, fixture_with},
    *,
};
use crate::resource::{BuildError, Dpop, IssuerState, Presented, SchemeError, SchemeRequest, TokenScheme};

const MILLI: Duration = Duration::from_millis(1);

fn unbuilt(builder: ResourceServerBuilder<HasIssuer>) -> BuildError {
    builder.http(Upstream::new().client()).build().unwrap_err()
}

#[test]
fn a_resource_that_no_token_can_name_is_not_built() {
    let build = |resource: &str| ResourceServer::builder(resource).issuer(fixed(&Key::es256())).build();
    for resource in [" https://api.example", "https://api.example\n", "a b", "a\u{a0}b", "a\0", "\u{85}", " "] {
        let error = build(resource).unwrap_err();
        assert!(matches!(&error, BuildError::MalformedResource(it) if it == resource), "{error}");
    }
    assert!(matches!(build("").unwrap_err(), BuildError::NoResource));
    // Not everybody calls APIs by URLs.
    for resource in ["api://notes", "notes", "urn:example:notes", "12345-ab.apps"] {
        assert!(build(resource).is_ok(), "{resource}");
    }
}

#[test]
fn a_limit_of_nothing_is_not_built_and_named() {
    for (asked, setting) in [
        (issuer().concurrency(0), "concurrency"),
        (issuer().per_address(0, Duration::from_secs(60)), "per_address"),
        (issuer().per_address(1, Duration::ZERO), "per_address"),
    ] {
        let error = unbuilt(builder(asked));
        assert!(matches!(error, BuildError::Zero(_)) && error.to_string().contains(setting), "{error}");
    }
    let least = issuer().concurrency(1).per_address(1, MILLI);
    assert!(builder(least).http(Upstream::new().client()).build().is_ok());
}

/// A scheme of this name.
#[derive(Debug)]
struct Named(&'static str);

impl TokenScheme for Named {
    fn name(&self) -> &'static str {
        self.0
    }

    fn read(&self, _: &SchemeRequest<'_>) -> Result<Presented, SchemeError> {
        Err(SchemeError::unavailable(1))
    }
}

#[test]
fn the_name_of_a_scheme_is_a_token_and_nobody_elses() {
    let with = |names: &[&'static str]| {
        let start = builder(fixed(&Key::es256()));
        names.iter().fold(start, |builder, name| builder.scheme(Named(name))).build()
    };
    for name in ["Bearer", "bearer", "DPoP", "dpop", "DPOP"] {
        let error = with(&[name]).unwrap_err();
        assert!(matches!(&error, BuildError::DuplicateScheme(it) if it == name), "{error}");
    }
    assert!(matches!(with(&["Pin", "Mac", "PIN"]).unwrap_err(), BuildError::DuplicateScheme(it) if it == "PIN"));
    for name in ["", "two words", "a,b", "a=b", "\"a\"", "a\n", "p\u{ed}n", "a/b", "a:b"] {
        let error = with(&[name]).unwrap_err();
        assert!(matches!(&error, BuildError::MalformedScheme(it) if it == name), "{error}");
    }
    assert!(with(&["Pin", "AWS4-HMAC-SHA256", "x!#$%&'*+-.^_`|~9"]).is_ok());
}

// spec: RS-33
#[tokio::test]
async fn where_proofs_are_required_another_scheme_stays_and_bearer_is_neither_taken_nor_offered() {
    let key = Key::es256();
    let server = builder(fixed(&key)).dpop(Dpop::required()).scheme(Named("Pin")).build().unwrap();
    let (response, served) = send(&server.layer(), request(&key.good())).await;
    let challenges: Vec<_> = response.headers().get_all(WWW_AUTHENTICATE).iter().collect();
    assert_eq!((response.status(), served, challenges.len()), (StatusCode::UNAUTHORIZED, false, 2));
    for (challenge, scheme) in challenges.iter().zip(["DPoP ", "Pin "]) {
        assert!(challenge.to_str().unwrap().starts_with(scheme), "{challenge:?}");
    }
    assert!(challenges[0].to_str().unwrap().contains(r#"algs=""#));
    // RFC 9728 section 2: "always requires".
    assert!(!server.metadata().dpop_bound_access_tokens_required);
    let alone = builder(fixed(&key)).dpop(Dpop::required()).build().unwrap();
    assert!(alone.metadata().dpop_bound_access_tokens_required);
}

#[tokio::test]
async fn the_longest_life_of_keys_holds_whatever_the_shortest_says() {
    for (shortest, longest, seconds) in [(3600, 60, 60), (30, 90, 90), (0, 0, 1)] {
        let (shortest, longest) = (Duration::from_secs(shortest), Duration::from_secs(longest));
        let f = fixture_with(|b| b.key_lifetime(shortest, longest));
        f.server.warm_up().await.unwrap();
        let health = f.server.health().issuers.remove(0);
        assert_eq!(health.keys_last_for, Some(seconds + 3600), "the longest, and the stale limit");
        f.clock.advance(seconds);
        assert_eq!(f.server.health().issuers[0].state, IssuerState::Stale);
    }
}

#[tokio::test]
async fn no_flood_of_unknown_keys_makes_more_than_a_fetch_a_second() {
    let f = fixture_with(|b| b.key_refetch_interval(Duration::ZERO));
    assert_eq!(f.status(&f.key).await, StatusCode::OK);
    let evil = Key::new(Algorithm::EdDSA);
    for n in 0..50 {
        let header = changed(evil.header(), json!({ "kid": format!("k{n}") }));
        assert!(!present(&f.server, &evil.sign(&header, &claims())).await.1);
    }
    assert_eq!(f.upstream.calls(), 1, "fetched this very second");
    f.clock.advance(1);
    let tokens: Vec<_> = (0..50).map(|_| f.fresh(&evil)).collect();
    join_all(tokens.iter().map(|token| present(&f.server, token))).await;
    assert_eq!(f.upstream.calls(), 2);
}

#[tokio::test]
async fn less_than_a_second_is_a_second_and_not_nothing() {
    let (server, upstream, clock) = setup(issuer().cache_for(900 * MILLI), &active());
    for (advance, calls) in [(0, 1), (0, 1), (1, 2)] {
        clock.advance(advance);
        assert!(present(&server, "t").await.1);
        assert_eq!(upstream.calls(), calls);
    }
    // Denials.
    let (upstream, clock) = (Upstream::new(), super::clock());
    upstream.json(ENDPOINT, &json!({ "active": false }));
    let server = builder(issuer()).http(upstream.client()).clock(clock.clone());
    let server = server.cache_denials_for(900 * MILLI).build().unwrap();
    for (advance, calls) in [(0, 1), (0, 1), (1, 2)] {
        clock.advance(advance);
        assert!(!present(&server, "t").await.1);
        assert_eq!(upstream.calls(), calls);
    }
    // Keys: 60.5 seconds and 1.5.
    let f = fixture_with(|b| b.key_lifetime(60_500 * MILLI, 60_500 * MILLI).stale_limit(1500 * MILLI));
    f.server.warm_up().await.unwrap();
    assert_eq!(f.server.health().issuers[0].keys_last_for, Some(61 + 2));
    // The pause after a failure.
    let f = fixture_with(|b| b.key_refetch_interval(1100 * MILLI));
    f.upstream.answer(JWKS, 500, &[], "");
    for (advance, calls) in [(0, 1), (1, 1), (1, 2)] {
        f.clock.advance(advance);
        assert_eq!(f.status(&f.key).await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(f.upstream.calls(), calls);
    }
}

#[cfg(feature = "server")]
#[tokio::test]
async fn less_than_a_second_is_remembered_of_a_server_in_this_process_too() {
    use crate::resource::validate::Mechanism;
    let local = oauth_core::server::AuthorizationServer::builder(ISSUER).build().await.unwrap();
    for (millis, seconds) in [(0, 0), (900, 1), (1000, 1), (1001, 2)] {
        let server = builder(Issuer::local(local.clone()).cache_for(millis * MILLI)).build().unwrap();
        let Mechanism::Local(found) = &server.judge.issuers[0].mechanism else { panic!() };
        assert_eq!(found.cache_for, seconds);
    }
}
