//! The resource server's layer in front of npm's `oidc-provider`, an authorization server of other people's making.

use std::time::Duration;

use futures_util::future::join_all;
use oauth_core::{dpop::DpopKey, jwt::Algorithm};
use oauth_tower::resource::Issuer;
use serde_json::json;
use tokio::sync::watch;

use crate::support::*;

/// What oidc-provider signs with; `Ed25519` is the name that RFC 9864 gives EdDSA.
const ALGORITHMS: [&str; 5] = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"];

/// For how many seconds keys are good where the issuer does not say.
const KEYS_LAST: u64 = 600;
/// For how many more they serve while the issuer is down.
const KEYS_OUTLAST: u64 = 3600;
/// For how many seconds, at most, nobody is asked again after an attempt.
const PAUSE: u64 = 30;

#[tokio::test]
async fn tokens_of_every_algorithm_are_accepted_with_the_keys_of_its_jwks() {
    let provider = OidcProvider::start();
    let api = Protected::by([provider.of_jwts()]).await;
    for algorithm in ALGORITHMS {
        let token = provider.token(algorithm).await;
        assert_eq!(part(&token, 0)["alg"], algorithm);
        let claims = api.accepts(&token).await;
        let expected = json!({
            "iss": provider.issuer, "sub": "web", "client_id": "web", "aud": [API], "scope": "albums:read",
        });
        assert_eq!(claims, expected);
    }
    assert_eq!(provider.times_asked("GET /jwks").await, 1);
}

#[tokio::test]
async fn one_api_takes_jwts_and_opaque_tokens_of_the_same_issuer() {
    let provider = OidcProvider::start();
    let api = Protected::by([provider.of_jwts(), provider.of_opaque_tokens().into()]).await;
    for form in ["RS256", OPAQUE] {
        let of_alice = api.accepts(&provider.tokens_of_alice(form).await.access).await;
        assert_eq!((&of_alice["sub"], &of_alice["client_id"]), (&json!("alice"), &json!("web")));
        assert_eq!(api.accepts(&provider.token(form).await).await["sub"], "web");
    }
    assert_eq!(provider.times_asked("POST /token/introspection").await, 2, "the opaque ones");
}

// spec: RS-17
#[tokio::test]
async fn a_token_for_another_audience_is_refused() {
    let provider = OidcProvider::start();
    let api = Protected::by([provider.of_jwts(), provider.of_opaque_tokens().into()]).await;
    for form in ALGORITHMS.into_iter().chain([OPAQUE]) {
        api.refuses(&provider.token_for(&format!("{OTHER_API}/{form}")).await).await;
    }
    // For nobody in particular.
    let unbounded = provider.tokens(WEB, &[("grant_type", "client_credentials")]).await;
    api.refuses(&unbounded.access).await;
}

// spec: RS-08
#[tokio::test]
async fn a_token_that_was_tampered_with_is_refused() {
    let provider = OidcProvider::start();
    let api = Protected::by([provider.of_jwts()]).await;
    for algorithm in ALGORITHMS {
        let token = provider.token(algorithm).await;
        api.refuses(&with_member(&token, 1, "scope", "albums:read albums:write")).await;
        for other in ["HS256", "none"].into_iter().chain(ALGORITHMS.into_iter().filter(|other| *other != algorithm)) {
            api.refuses(&with_member(&token, 0, "alg", other)).await;
        }
        let (signed, signature) = token.rsplit_once('.').unwrap();
        api.refuses(&format!("{signed}.")).await;
        api.refuses(&format!("{signed}.{}", changed(signature))).await;
        api.accepts(&token).await;
    }
    let asking = Protected::by([provider.of_opaque_tokens().into()]).await;
    asking.refuses(&changed(&provider.token(OPAQUE).await)).await;
}

/// With another first character.
fn changed(text: &str) -> String {
    format!("{}{}", if text.starts_with('A') { 'B' } else { 'A' }, &text[1..])
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_is_no_bearer_token() {
    let key = DpopKey::generate(Algorithm::ES256).unwrap();
    for provider in [OidcProvider::start(), OidcProvider::with_nonces()] {
        let api = Protected::by([provider.of_jwts(), provider.of_opaque_tokens().into()]).await;
        for form in ["ES256", OPAQUE] {
            api.refuses(&provider.token_bound_to(&key, form).await).await;
            api.accepts(&provider.token(form).await).await;
        }
    }
}

#[tokio::test]
async fn what_introspection_calls_inactive_is_refused() {
    let provider = OidcProvider::start();
    let api = Protected::by([provider.of_opaque_tokens().into()]).await;
    api.refuses("never-issued").await;
    let revoked = provider.token(OPAQUE).await;
    provider.revoke(&revoked).await;
    api.refuses(&revoked).await;
    // Active, but it is none for an API.
    let of_alice = provider.tokens_of_alice(OPAQUE).await;
    api.refuses(&of_alice.refresh.unwrap()).await;
    api.accepts(&of_alice.access).await;
}

#[tokio::test]
async fn a_token_dies_with_its_exp_whoever_remembers_it() {
    let provider = OidcProvider::start();
    let issuers = [provider.of_jwts(), provider.of_opaque_tokens().cache_for(Duration::from_hours(48)).into()];
    let api = Protected::by(issuers).await;
    let tokens = [provider.token("RS256").await, provider.token(OPAQUE).await];
    for token in &tokens {
        api.accepts(token).await;
    }
    // The API's clock is fast by less than the rest.
    api.clock.advance(23 * 3600);
    for token in &tokens {
        api.accepts(token).await;
    }
    api.clock.advance(3600);
    for token in &tokens {
        api.refuses(token).await;
    }
}

// spec: INT-13
#[tokio::test]
async fn a_revoked_token_is_refused_when_the_cache_time_is_over() {
    let provider = OidcProvider::start();
    let api = Protected::by([provider.of_opaque_tokens().cache_for(Duration::from_secs(30)).into()]).await;
    let token = provider.token(OPAQUE).await;
    let of_alice = provider.tokens_of_alice(OPAQUE).await;
    for token in [&token, &of_alice.access] {
        api.accepts(token).await;
    }
    provider.revoke(&token).await;
    // This ends the grant, and everything under it.
    provider.revoke(&of_alice.refresh.unwrap()).await;
    api.clock.advance(29);
    for token in [&token, &of_alice.access] {
        api.accepts(token).await;
    }
    assert_eq!(provider.times_asked("POST /token/introspection").await, 2, "once for each token");
    api.clock.advance(1);
    for token in [&token, &of_alice.access] {
        api.refuses(token).await;
    }
}

#[tokio::test]
async fn without_a_cache_a_revoked_token_is_refused_at_once() {
    let provider = OidcProvider::start();
    let api = Protected::by([provider.of_opaque_tokens().cache_for(Duration::ZERO).into()]).await;
    let token = provider.token(OPAQUE).await;
    api.accepts(&token).await;
    api.accepts(&token).await;
    provider.revoke(&token).await;
    api.refuses(&token).await;
}

/// Clients call `api` without a pause, each time with a token of its own, while `steps` are taken. None is refused.
async fn under_load(provider: &OidcProvider, api: &Protected, steps: impl AsyncFnOnce(Load)) {
    let (count, served) = watch::channel(0);
    let client = || async {
        loop {
            api.accepts(&provider.token("ES256").await).await;
            count.send_modify(|count| *count += 1);
        }
    };
    tokio::select! {
        () = steps(Load(served)) => {}
        _ = join_all((0..8).map(|_| client())) => unreachable!("they never stop"),
    }
}

struct Load(watch::Receiver<u32>);

impl Load {
    /// Waits until a hundred more requests have been served.
    async fn goes_on(&mut self) {
        let target = *self.0.borrow() + 100;
        self.0.wait_for(|served| *served >= target).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_of_keys_fails_no_request() {
    let provider = OidcProvider::start();
    let api = Protected::by([provider.of_jwts()]).await;
    let (seen, unseen) = (provider.token("ES256").await, provider.token("ES256").await);
    api.accepts(&seen).await;
    under_load(&provider, &api, async |mut load| {
        load.goes_on().await;
        provider.change_keys(&["1", "2"], "1").await;
        api.clock.advance(KEYS_LAST);
        load.goes_on().await;
        provider.change_keys(&["1", "2"], "2").await;
        load.goes_on().await;
        api.accepts(&provider.token("ES256").await).await;
        provider.change_keys(&["2"], "2").await;
        api.clock.advance(KEYS_LAST);
        load.goes_on().await;
    })
    .await;
    for token in [&seen, &unseen] {
        api.refuses(token).await;
    }
    assert_eq!(provider.times_asked("GET /jwks").await, 3, "once for each set");
}

// spec: MET-10
#[tokio::test]
async fn a_rotation_that_nobody_announced_fails_no_request() {
    let provider = OidcProvider::start();
    let api = Protected::by([provider.of_jwts()]).await;
    let before = provider.token("ES256").await;
    under_load(&provider, &api, async |mut load| {
        load.goes_on().await;
        api.clock.advance(PAUSE);
        provider.change_keys(&["1", "2"], "2").await;
        load.goes_on().await;
    })
    .await;
    api.accepts(&before).await;
    assert_eq!(provider.times_asked("GET /jwks").await, 2);
}

// spec: MET-10
#[tokio::test]
async fn keys_outlast_an_outage_of_their_issuer_for_a_bounded_time() {
    let mut provider = OidcProvider::start();
    let api = Protected::by([provider.of_jwts()]).await;
    api.accepts(&provider.token("RS256").await).await;
    let mut unseen = Vec::new();
    for algorithm in ALGORITHMS {
        unseen.push(provider.token(algorithm).await);
    }
    provider.stop();
    api.accepts(&unseen.pop().unwrap()).await;
    // These are over when the next one comes, and cannot be fetched.
    api.clock.advance(KEYS_LAST);
    api.accepts(&unseen.pop().unwrap()).await;
    api.clock.advance(KEYS_OUTLAST - 1);
    api.accepts(&unseen.pop().unwrap()).await;
    api.clock.advance(1);
    api.cannot_tell(&unseen.pop().unwrap()).await;

    provider.resume();
    api.clock.advance(PAUSE);
    api.accepts(&provider.token("RS256").await).await;
    api.refuses(&unseen.pop().unwrap()).await;
}

// spec: INT-14
#[tokio::test]
async fn while_introspection_is_down_the_answer_is_503_and_never_401() {
    let mut provider = OidcProvider::start();
    let api = Protected::by([provider.of_opaque_tokens().cache_for(Duration::from_secs(30)).into()]).await;
    let (seen, unseen) = (provider.token(OPAQUE).await, provider.token(OPAQUE).await);
    api.accepts(&seen).await;
    provider.stop();
    api.accepts(&seen).await;
    api.cannot_tell(&unseen).await;
    api.cannot_tell("never-issued").await;
    api.clock.advance(30);
    api.cannot_tell(&seen).await;

    provider.resume();
    api.clock.advance(PAUSE);
    api.accepts(&provider.token(OPAQUE).await).await;
    api.refuses(&seen).await;
}

// spec: INT-14
#[tokio::test]
async fn an_issuer_that_hangs_is_one_that_is_down() {
    let provider = OidcProvider::start();
    let issuers = [provider.of_jwts(), provider.of_opaque_tokens().into()];
    let api = Protected::with(Duration::from_millis(300), issuers).await;
    let tokens = [provider.token("RS256").await, provider.token(OPAQUE).await];
    provider.hang();
    for token in &tokens {
        api.cannot_tell(token).await;
    }
}

// spec: INT-14
#[tokio::test]
async fn a_resource_server_with_a_wrong_secret_learns_nothing_about_tokens() {
    let provider = OidcProvider::start();
    let mistaken = Issuer::introspection_discovered(&*provider.issuer).client_basic(RESOURCE_SERVER.id(), "wrong");
    let api = Protected::by([mistaken.into()]).await;
    api.cannot_tell(&provider.token(OPAQUE).await).await;
    api.cannot_tell("never-issued").await;
}

#[tokio::test]
async fn the_metadata_are_found_where_openid_connect_puts_them() {
    let provider = OidcProvider::at("/tenant");
    let api = Protected::by([provider.of_jwts(), provider.of_opaque_tokens().into()]).await;
    api.accepts(&provider.token("ES256").await).await;
    let asked = provider.asked().await;
    let fetched: Vec<&str> = asked.iter().filter_map(|asked| asked.strip_prefix("GET ")).collect();
    // RFC 8414 sections 3.1 and 5 put them elsewhere, where oidc-provider has nothing.
    let (elsewhere, nor_here) =
        ("/.well-known/oauth-authorization-server/tenant", "/.well-known/openid-configuration/tenant");
    assert_eq!(fetched, [elsewhere, nor_here, "/tenant/.well-known/openid-configuration", "/tenant/jwks"]);
    api.accepts(&provider.token(OPAQUE).await).await;
}

// spec: MET-07, RS-16
#[tokio::test]
async fn an_issuer_is_the_same_only_byte_for_byte() {
    let provider = OidcProvider::at("/tenant");
    let token = provider.token("ES256").await;
    let localhost = provider.issuer.replace("127.0.0.1", "localhost");
    for other in [format!("{}/", provider.issuer), provider.issuer.replace("http:", "HTTP:"), localhost] {
        let api = Protected::by([Issuer::jwt(&*other).into()]).await;
        api.refuses(&token).await;
        assert_eq!(api.server.warm_up().await.unwrap_err().issuers(), [&*other]);
        // Whoever signed this, nobody could know.
        api.cannot_tell(&with_member(&token, 1, "iss", &other)).await;
    }
    let api = Protected::by([provider.of_jwts()]).await;
    api.server.warm_up().await.unwrap();
    api.accepts(&token).await;
}
