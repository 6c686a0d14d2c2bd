//! Rotations, outages and forgeries that real traffic brings, at `oidc-provider`'s expense.

use futures_util::future::join_all;
use oauth_tower::resource::Issuer;

use crate::support::*;

/// For how many seconds keys are good where the issuer does not say.
const KEYS_LAST: u64 = 600;
/// For how many more they serve while the issuer is down.
const KEYS_OUTLAST: u64 = 3600;
/// For how many seconds, at most, nobody is asked again after an attempt.
const PAUSE: u64 = 30;

#[tokio::test]
async fn a_withdrawn_key_takes_its_tokens_along_even_if_nothing_else_comes() {
    let provider = OidcProvider::start();
    let api = Protected::by([provider.of_jwts()]).await;
    let token = provider.token("ES256").await;
    api.accepts(&token).await;
    provider.change_keys(&["2"], "2").await;
    api.clock.advance(3600 + 1);
    api.refuses(&token).await;
}

// spec: MET-10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_nobody_announced_fails_no_request_on_several_threads() {
    let provider = OidcProvider::start();
    let api = Protected::by([provider.of_jwts()]).await;
    for round in 2..60 {
        let name = round.to_string();
        provider.change_keys(&[&name], &name).await;
        let tokens = join_all((0..64).map(|_| provider.token("ES256"))).await;
        api.clock.advance(PAUSE);
        join_all(tokens.iter().map(|token| api.accepts(token))).await;
    }
}

// The response to a fetch that was begun 15 seconds ago, and left, is not the newest there is.
#[tokio::test]
async fn a_fetch_that_was_begun_and_left_is_not_the_newest_there_is() {
    let provider = OidcProvider::start();
    let jwks = format!("{}/jwks", provider.issuer);
    let api = Protected::by([Issuer::jwt(&*provider.issuer).jwks_uri(jwks).into()]).await;
    let tokens = [provider.token("ES256").await, provider.token("ES256").await];
    api.accepts(&tokens[0]).await;
    api.clock.advance(500);
    api.accepts(&tokens[1]).await;
    while provider.times_asked("GET /jwks").await < 2 {}
    provider.change_keys(&["1", "2"], "2").await;
    api.clock.advance(15);
    api.accepts(&provider.token("ES256").await).await;
}

// spec: MET-10
#[tokio::test]
async fn keys_are_refreshed_after_an_outage_however_rare_requests_are() {
    let mut provider = OidcProvider::start();
    let api = Protected::by([provider.of_jwts()]).await;
    let tokens = [provider.token("ES256").await, provider.token("ES256").await, provider.token("ES256").await];
    api.accepts(&tokens[0]).await;
    provider.stop();
    api.clock.advance(KEYS_LAST);
    api.accepts(&tokens[1]).await;
    provider.resume();
    api.clock.advance(PAUSE);
    // It begins the fetch, and so waits for it: its key is gone.
    api.refuses(&tokens[2]).await;
    assert_eq!(provider.times_asked("GET /jwks").await, 1);
}

#[tokio::test]
async fn the_first_attempt_after_a_long_outage_succeeds() {
    let mut provider = OidcProvider::start();
    let api = Protected::by([provider.of_jwts()]).await;
    let tokens = [provider.token("ES256").await, provider.token("ES256").await, provider.token("ES256").await];
    api.accepts(&provider.token("ES256").await).await;
    provider.stop();
    api.clock.advance(KEYS_LAST);
    api.accepts(&tokens[0]).await;
    api.clock.advance(KEYS_OUTLAST - 1);
    api.accepts(&tokens[1]).await;
    api.clock.advance(1);
    api.cannot_tell(&tokens[2]).await;
    provider.resume();
    api.clock.advance(5);
    api.accepts(&provider.token("ES256").await).await;
}

// spec: RS-15
#[tokio::test]
async fn a_jwt_that_is_forged_is_refused_and_shown_to_nobody() {
    let provider = OidcProvider::start();
    let api = Protected::by([provider.of_jwts(), provider.of_opaque_tokens().into()]).await;
    let token = provider.token("ES256").await;
    for alg in ["HS256", "none", "ES512"] {
        api.refuses(&with_member(&token, 0, "alg", alg)).await;
    }
    assert_eq!(provider.times_asked("POST /token/introspection").await, 0);
}

#[tokio::test]
async fn a_jwt_that_introspection_does_not_take_is_refused() {
    let provider = OidcProvider::start();
    let api = Protected::by([provider.of_opaque_tokens().into()]).await;
    api.refuses(&provider.token("ES256").await).await;
}
