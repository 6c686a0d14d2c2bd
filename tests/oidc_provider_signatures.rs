//! `oidc-provider` signs its introspection responses (RFC 9701), and we our questions (RFC 7523).

use std::time::Duration;

use oauth_core::{jwt::Algorithm, keys::SigningKey};
use oauth_tower::{
    client::TokenClient,
    outgoing::{ClientAuth, HttpClient, PrivateKeyJwt},
    resource::{IntrospectionIssuer, Issuer, SignedAnswers},
};

use crate::support::*;

const ASKED: &str = "POST /token/introspection";
const KEYS: &str = "GET /jwks";

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap()
}

/// Its opaque tokens, by answers that it signs.
fn signed(provider: &OidcProvider) -> IntrospectionIssuer {
    provider.of_opaque_tokens().signed(SignedAnswers::discovered())
}

// spec: INT-11
#[tokio::test]
async fn signed_answers_are_verified_by_the_keys_of_its_jwks() {
    let provider = OidcProvider::start();
    let api = Protected::on_time([signed(&provider).into()]).await;
    for _ in 0..3 {
        let claims = api.accepts(&provider.token(OPAQUE).await).await;
        assert_eq!((&claims["client_id"], &claims["iss"]), (&"web".into(), &provider.issuer.as_str().into()));
    }
    let of_alice = provider.tokens_of_alice(OPAQUE).await;
    assert_eq!(api.accepts(&of_alice.access).await["sub"], "alice");
    assert_eq!((provider.times_asked(ASKED).await, provider.times_asked(KEYS).await), (4, 1));
    // What it says of a token counts as it does in a plain answer.
    api.refuses("never-issued").await;
    api.refuses(&of_alice.refresh.unwrap()).await;
    api.refuses(&provider.token_for(&format!("{OTHER_API}/{OPAQUE}")).await).await;
    let revoked = provider.token(OPAQUE).await;
    provider.revoke(&revoked).await;
    api.refuses(&revoked).await;
}

// spec: INT-11
#[tokio::test]
async fn a_server_that_does_not_sign_its_answers_is_not_believed_where_that_was_demanded() {
    let provider = OidcProvider::with_plain_answers();
    let api = Protected::on_time([signed(&provider).into()]).await;
    api.cannot_tell(&provider.token(OPAQUE).await).await;
    api.cannot_tell("never-issued").await;
    assert_eq!(provider.times_asked(ASKED).await, 2);
    let trusting = Protected::on_time([provider.of_opaque_tokens().into()]).await;
    trusting.accepts(&provider.token(OPAQUE).await).await;
}

// spec: INT-11
#[tokio::test]
async fn only_a_fresh_answer_to_us_by_a_key_and_an_algorithm_of_the_issuers_counts() {
    let provider = OidcProvider::start();
    let other = OidcProvider::start();
    let of = |how: SignedAnswers| Issuer::from(provider.of_opaque_tokens().signed(how));
    let by_another = SignedAnswers::jwks_uri(format!("{}/jwks", other.issuer));
    let bad = [
        by_another,
        SignedAnswers::discovered().algorithms([Algorithm::ES256]),
        SignedAnswers::discovered().audience("somebody-else"),
    ];
    for how in bad {
        let api = Protected::on_time([of(how)]).await;
        api.cannot_tell(&provider.token(OPAQUE).await).await;
        api.cannot_tell("never-issued").await;
    }
    // By our clock, all its answers are ten minutes old.
    let fast = Protected::by([of(SignedAnswers::discovered())]).await;
    fast.cannot_tell(&provider.token(OPAQUE).await).await;
    let by_url = SignedAnswers::jwks_uri(format!("{}/jwks", provider.issuer)).algorithms([Algorithm::RS256]);
    Protected::on_time([of(by_url)]).await.accepts(&provider.token(OPAQUE).await).await;
}

#[tokio::test]
async fn a_rotation_of_the_keys_of_answers_fails_no_request() {
    let provider = OidcProvider::start();
    let api = Protected::on_time([signed(&provider).into()]).await;
    let before = provider.token(OPAQUE).await;
    api.accepts(&before).await;
    provider.change_keys(&["2"], "2").await;
    // At the pace at which keys are fetched again, which only the wait for it would make faster.
    api.clock.advance(5);
    api.accepts(&provider.token(OPAQUE).await).await;
    assert_eq!(provider.times_asked(KEYS).await, 2);
    // What the withdrawn key had signed is asked about again; the server that comes after knows nothing of it.
    api.refuses(&before).await;
}

// spec: INT-14
#[tokio::test]
async fn while_the_keys_of_answers_cannot_be_had_nothing_can_be_told() {
    let provider = OidcProvider::start();
    let nowhere = SignedAnswers::jwks_uri(format!("http://127.0.0.1:{}/jwks", free_port()));
    let api = Protected::on_time([provider.of_opaque_tokens().signed(nowhere).into()]).await;
    api.cannot_tell(&provider.token(OPAQUE).await).await;
    api.cannot_tell("never-issued").await;
}

#[tokio::test]
async fn a_resource_server_may_prove_itself_by_a_signature() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256] {
        let key = SigningKey::generate(algorithm).unwrap();
        let provider = OidcProvider::knowing(&key);
        let issuer = provider.introspection().private_key_jwt(BY_KEY, key.clone()).client_as_subject();
        let api = Protected::on_time([issuer.cache_for(Duration::ZERO).into()]).await;
        let token = provider.token(OPAQUE).await;
        // It takes no assertion twice.
        for _ in 0..3 {
            api.accepts(&token).await;
        }
        api.refuses("never-issued").await;
    }
}

#[tokio::test]
async fn assertions_can_be_as_older_servers_want_them() {
    let key = key();
    let provider = OidcProvider::knowing(&key);
    let older = PrivateKeyJwt::new(BY_KEY, key, format!("{}/token", provider.issuer)).typ("JWT");
    // Both at once: the question is signed, and so is the answer, by ES256.
    let how = SignedAnswers::discovered().algorithms([Algorithm::ES256]);
    let issuer = provider.introspection().authenticated(older).client_as_subject().signed(how);
    let api = Protected::on_time([issuer.into()]).await;
    api.accepts(&provider.token(OPAQUE).await).await;
}

// spec: INT-14
#[tokio::test]
async fn an_assertion_that_is_refused_says_nothing_about_tokens() {
    let good = key();
    let provider = OidcProvider::knowing(&good);
    let elsewhere = PrivateKeyJwt::new(BY_KEY, good.clone(), "https://elsewhere.example");
    let mistaken = [
        PrivateKeyJwt::new(BY_KEY, key(), &*provider.issuer),
        PrivateKeyJwt::new("nobody", good, &*provider.issuer),
        elsewhere,
    ];
    for auth in mistaken {
        let api = Protected::on_time([provider.introspection().authenticated(auth).into()]).await;
        api.cannot_tell(&provider.token(OPAQUE).await).await;
        api.cannot_tell("never-issued").await;
    }
}

#[tokio::test]
async fn a_client_gets_its_tokens_by_a_signature() {
    let key = key();
    let provider = OidcProvider::knowing(&key);
    let auth = ClientAuth::private_key_jwt(BY_KEY, key, &*provider.issuer);
    let client = TokenClient::builder(format!("{}/token", provider.issuer), auth)
        .revocation_endpoint(format!("{}/token/revocation", provider.issuer))
        .insecure_http()
        .build(HttpClient::builder().build().unwrap())
        .unwrap();
    let api = Protected::on_time([provider.of_opaque_tokens().cache_for(Duration::ZERO).into()]).await;
    let resource = format!("{API}/{OPAQUE}");
    for _ in 0..2 {
        let tokens = client.client_credentials(Some("albums:read"), Some(&resource)).await.unwrap();
        let token = tokens.access_token;
        assert_eq!(api.accepts(token.expose()).await["client_id"], BY_KEY);
        client.revoke(token.clone()).await.unwrap();
        api.refuses(token.expose()).await;
    }
}
