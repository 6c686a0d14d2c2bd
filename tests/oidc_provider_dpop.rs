//! DPoP-bound tokens of `oidc-provider`, JWTs and opaque ones, through the layer: proofs, replay, nonces of either side.

use std::time::Duration;

use oauth_core::{
    dpop::{DpopKey, DpopNonces},
    jwt::Algorithm,
};
use oauth_tower::resource::Dpop;

use crate::support::*;

/// Both forms of bound tokens that it issues.
const FORMS: [&str; 2] = ["ES256", OPAQUE];

fn wallet() -> DpopKey {
    DpopKey::generate(Algorithm::ES256).unwrap()
}

/// An API that takes tokens of `provider` with proofs.
async fn proving(provider: &OidcProvider, dpop: Dpop) -> Protected {
    let issuers = [provider.of_jwts(), provider.of_opaque_tokens().into()];
    Protected::set(issuers, |settings, url| settings.dpop(dpop.base_url(url))).await
}

/// An API that wants a nonce of its own in every proof.
async fn with_nonces(provider: &OidcProvider) -> Protected {
    proving(provider, Dpop::required().nonces(DpopNonces::from_bytes([7; 32]))).await
}

/// The status, and the challenge of the scheme that was used.
fn refusal(answer: &Answer) -> (u16, String) {
    let challenges = answer.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap());
    let explained = challenges.filter(|challenge| challenge.contains("error=")).collect();
    (answer.status.as_u16(), explained)
}

#[track_caller]
fn is_refused(answer: &Answer, scheme: &str, error: &str) {
    let (status, challenge) = refusal(answer);
    assert_eq!(status, 401, "{answer}");
    assert!(challenge.starts_with(scheme) && challenge.contains(&format!("error=\"{error}\"")), "{challenge}");
}

// spec: RS-30
#[tokio::test]
async fn a_bound_token_is_accepted_with_a_proof_of_its_key() {
    for provider in [OidcProvider::start(), OidcProvider::with_nonces()] {
        let api = proving(&provider, Dpop::optional()).await;
        for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
            let key = DpopKey::generate(algorithm).unwrap();
            for form in FORMS {
                let token = provider.token_bound_to(&key, form).await;
                for _ in 0..2 {
                    let answer = api.call_bound(&key, &token).await;
                    assert_eq!(answer.status, 200, "{answer}");
                    assert_eq!(answer.json()["client_id"], "bound");
                }
                is_refused(&api.call_bound(&wallet(), &token).await, "DPoP", "invalid_token");
            }
        }
    }
}

// spec: RS-31
#[tokio::test]
async fn nonces_of_the_api_are_asked_for_and_those_of_the_authorization_server_are_none() {
    for provider in [OidcProvider::start(), OidcProvider::with_nonces()] {
        let (api, key) = (with_nonces(&provider).await, wallet());
        for form in FORMS {
            let token = provider.token_bound_to(&key, form).await;
            let first = api.call_with("DPoP", &token, &[&api.proof(&key, &token, None)]).await;
            is_refused(&first, "DPoP", "use_dpop_nonce");
            let nonce = first.header("dpop-nonce").to_owned();
            let second = api.call_with("DPoP", &token, &[&api.proof(&key, &token, Some(&nonce))]).await;
            assert_eq!(second.status, 200, "{second}");
            // The same nonce is good for other requests, for a while.
            let third = api.call_with("DPoP", &token, &[&api.proof(&key, &token, Some(&nonce))]).await;
            assert_eq!(third.status, 200, "{third}");
            let foreign = provider.nonce(&key).await;
            for other in [foreign.as_str(), "made-up"] {
                let proof = api.proof(&key, &token, Some(other));
                is_refused(&api.call_with("DPoP", &token, &[&proof]).await, "DPoP", "use_dpop_nonce");
            }
            api.clock.advance(3600);
            let late = api.call_with("DPoP", &token, &[&api.proof(&key, &token, Some(&nonce))]).await;
            is_refused(&late, "DPoP", "use_dpop_nonce");
            assert_eq!(api.call_bound(&key, &token).await.status, 200);
        }
    }
}

// spec: RS-28
#[tokio::test]
async fn a_proof_that_was_used_is_not_good_again() {
    let (provider, key) = (OidcProvider::start(), wallet());
    for api in [proving(&provider, Dpop::optional()).await, with_nonces(&provider).await] {
        for form in FORMS {
            let token = provider.token_bound_to(&key, form).await;
            let first = api.call_with("DPoP", &token, &[&api.proof(&key, &token, None)]).await;
            let nonce = Some(first.header("dpop-nonce")).filter(|nonce| !nonce.is_empty());
            let proof = api.proof(&key, &token, nonce);
            let answer = api.call_with("DPoP", &token, &[&proof]).await;
            assert_eq!(answer.status, 200, "{answer}");
            is_refused(&api.call_with("DPoP", &token, &[&proof]).await, "DPoP", "invalid_dpop_proof");
        }
    }
}

// spec: RS-32
#[tokio::test]
async fn a_bound_token_is_no_bearer_token_and_a_bearer_token_is_not_bound() {
    let (provider, key) = (OidcProvider::start(), wallet());
    let api = proving(&provider, Dpop::optional()).await;
    for form in FORMS {
        let bound = provider.token_bound_to(&key, form).await;
        for _ in 0..2 {
            is_refused(&api.call(&bound).await, "Bearer", "invalid_token");
            // A proof does not make up for the scheme.
            let proof = api.proof(&key, &bound, None);
            is_refused(&api.call_with("Bearer", &bound, &[&proof]).await, "Bearer", "invalid_token");
            assert_eq!(api.call_bound(&key, &bound).await.status, 200);
        }
        let bearer = provider.token(form).await;
        is_refused(&api.call_bound(&key, &bearer).await, "DPoP", "invalid_token");
        api.accepts(&bearer).await;
    }
    let strict = proving(&provider, Dpop::required()).await;
    let answer = strict.call(&provider.token("ES256").await).await;
    assert_eq!(answer.status, 401);
    let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
    assert!(challenges.len() == 1 && challenges[0].to_str().unwrap().starts_with("DPoP "), "{answer}");
}

#[tokio::test]
async fn a_proof_is_for_one_token_and_one_request() {
    let (provider, key) = (OidcProvider::start(), wallet());
    let api = proving(&provider, Dpop::optional()).await;
    let elsewhere = proving(&provider, Dpop::optional()).await;
    for form in FORMS {
        let token = provider.token_bound_to(&key, form).await;
        let other = provider.token_bound_to(&key, form).await;
        for proof in [api.proof(&key, &other, None), elsewhere.proof(&key, &token, None), String::new()] {
            is_refused(&api.call_with("DPoP", &token, &[&proof]).await, "DPoP", "invalid_dpop_proof");
        }
        is_refused(&api.call_with("DPoP", &token, &[]).await, "DPoP", "invalid_dpop_proof");
        let (one, two) = (api.proof(&key, &token, None), api.proof(&key, &token, None));
        is_refused(&api.call_with("DPoP", &token, &[&one, &two]).await, "DPoP", "invalid_dpop_proof");
        let early = api.proof(&key, &token, None);
        api.clock.advance(61);
        is_refused(&api.call_with("DPoP", &token, &[&early]).await, "DPoP", "invalid_dpop_proof");
        assert_eq!(api.call_bound(&key, &token).await.status, 200);
    }
}

#[tokio::test]
async fn a_bound_token_that_was_revoked_is_refused_when_the_cache_time_is_over() {
    let (provider, key) = (OidcProvider::start(), wallet());
    let issuer = provider.of_opaque_tokens().cache_for(Duration::from_secs(30));
    let api = Protected::set([issuer.into()], |settings, url| settings.dpop(Dpop::required().base_url(url))).await;
    let token = provider.token_bound_to(&key, OPAQUE).await;
    assert_eq!(api.call_bound(&key, &token).await.status, 200);
    provider.revoke_bound(&token).await;
    api.clock.advance(29);
    assert_eq!(api.call_bound(&key, &token).await.status, 200);
    assert_eq!(provider.times_asked("POST /token/introspection").await, 1);
    api.clock.advance(1);
    is_refused(&api.call_bound(&key, &token).await, "DPoP", "invalid_token");
}
