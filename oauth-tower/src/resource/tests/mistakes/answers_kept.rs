//! What an introspection endpoint answers is read to the letter, and kept no
//! longer than it is true.

use std::time::Duration;

use super::*;

fn asked(answer: &Value, cache_for: u64) -> (World, ManualClock) {
    let (upstream, clock) = (Upstream::new(), clock());
    upstream.json(ENDPOINT, answer);
    let issuer = issuer().cache_for(Duration::from_secs(cache_for));
    let server = builder(issuer).http(upstream.client()).clock(clock.clone()).build().unwrap();
    (World { server, upstream, urls: &[ENDPOINT] }, clock)
}

// spec: INT-12
#[tokio::test]
async fn nothing_but_a_plain_yes_for_this_resource_is_a_yes() {
    for changes in [
        json!({ "active": null }),
        json!({ "active": "true" }),
        json!({ "active": 1 }),
        json!({ "active": [true] }),
        json!({ "exp": 0 }),
        json!({ "exp": -1 }),
        json!({ "exp": NOW - 30 }),
        json!({ "exp": (NOW + 60).to_string() }),
        json!({ "exp": true }),
        json!({ "nbf": NOW + 31 }),
        json!({ "aud": null }),
        json!({ "aud": [] }),
        json!({ "aud": 42 }),
        json!({ "aud": "https://other.example" }),
        json!({ "iss": "https://other.example" }),
        json!({ "iss": [ISSUER] }),
        json!({ "sub": null }),
        json!({ "scope": ["read"] }),
        json!({ "token_type": "refresh_token" }),
        json!({ "token_type": "mac" }),
        json!({ "token_type": ["Bearer"] }),
        json!({ "cnf": { "jkt": "x" } }),
        json!({ "cnf": {} }),
    ] {
        let (world, _) = asked(&changed(active(), changes), 30);
        // The answer, and the memory of it.
        for _ in 0..2 {
            world.refuses(request("opaque"), 401, Some("invalid_token")).await;
        }
        assert_eq!(world.upstream.calls(), 1);
    }
}

// spec: INT-13
#[tokio::test]
async fn a_yes_ends_at_exp_however_long_answers_are_kept_and_without_exp_when_they_are_over() {
    let (world, clock) = asked(&changed(active(), json!({ "exp": NOW + 10 })), 3600);
    assert!(present(&world.server, "opaque").await.1);
    clock.advance(9);
    assert!(present(&world.server, "opaque").await.1);
    assert_eq!(world.upstream.calls(), 1);
    clock.advance(31);
    world.refuses(request("opaque"), 401, Some("invalid_token")).await;

    let (world, clock) = asked(&active(), 30);
    assert!(present(&world.server, "opaque").await.1);
    world.upstream.json(ENDPOINT, &json!({ "active": false }));
    clock.advance(30);
    world.refuses(request("opaque"), 401, Some("invalid_token")).await;
}

#[tokio::test]
async fn a_token_goes_into_the_form_and_breaks_out_of_nothing() {
    let (world, _) = asked(&json!({ "active": false }), 30);
    for token in ["a/b+c=", "~.-_", "a..b", "//evil.example/x", &"x".repeat(7_000)] {
        world.refuses(request(token), 401, Some("invalid_token")).await;
        let form = world.upstream.last().into_body();
        let pairs: Vec<(String, String)> = form_urlencoded::parse(&form).into_owned().collect();
        let expected = [("token", token), ("token_type_hint", "access_token")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    // RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
    assert_eq!(world.upstream.last().headers()[AUTHORIZATION], "Basic YXBpOmh1c2g=");
}

// spec: RS-18
#[tokio::test]
async fn a_jwt_from_the_cache_is_held_to_its_exp_like_a_new_one() {
    let (key, clock) = (Key::es256(), clock());
    let server = builder(fixed(&key)).clock(clock.clone()).skew(0).build().unwrap();
    let world = World { server, upstream: Upstream::new(), urls: &[] };
    let token = key.token(json!({ "exp": NOW + 100 }));
    for (advance, good) in [(0, true), (99, true), (1, false), (0, false)] {
        clock.advance(advance);
        assert_eq!(present(&world.server, &token).await.1, good);
    }
    world.refuses(request(&token), 401, Some("invalid_token")).await;
}
