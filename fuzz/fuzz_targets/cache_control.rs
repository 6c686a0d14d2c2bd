//! `Cache-Control` and `Age` of a set of keys, a line each: whatever they say, keys are used for a minute at least and
//! for an hour at most.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth_core_fuzz::{Answer, CLOCK, KEYS_DOCUMENT, NOW, access_token, client, wait_for};
use oauth_tower::resource::{Issuer, ResourceServer};
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let mut lines = data.split(|byte| *byte == b'\n');
    let (cache_control, age) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let headers = [("cache-control", cache_control), ("age", age)];
    let Some(answer) = Answer::new(200, &headers, KEYS_DOCUMENT.as_bytes()) else { return };
    let (http, asked) = client(answer);
    let clock = CLOCK();
    let issuer = Issuer::jwt("https://as.example").jwks_uri("https://as.example/jwks");
    let server = ResourceServer::builder("https://api.example").issuer(issuer).http(http).clock(clock.clone()).build();
    let server = server.expect("a server");
    let present = |jti: &str| {
        let token = access_token(&json!({ "jti": jti, "exp": NOW.0 + 100_000 }));
        let verdict = wait_for(server.validate_headers(&oauth_core_fuzz::bearer(&token)));
        assert!(verdict.is_ok(), "{verdict:?}");
        asked.count()
    };
    assert_eq!(present("1"), 1);
    clock.advance(44);
    assert_eq!(present("2"), 1, "fresh for a minute at least, and not due in the first three quarters");
    clock.advance(3_600 - 44);
    assert_eq!(present("3"), 2, "over after an hour at most");
});
