//! Tokens that are bound to a key, and their proofs (RFC 9449).

use http::Method;
use oauth_core::{
    clock::SystemRandom,
    dpop::{DpopKey, DpopNonces, ReplayCache, ReplayError, ReplayFuture},
    secret::Digest,
};

use super::*;
use crate::resource::{Dpop, InvalidToken, RefusalKind, Require};

const URL: &str = "https://api.example/photos";

fn wallet() -> DpopKey {
    DpopKey::generate(Algorithm::ES256).unwrap()
}

fn bound(key: &Key, wallet: &DpopKey) -> String {
    key.token(json!({ "cnf": { "jkt": wallet.jkt() } }))
}

fn serving(key: &Key, dpop: Dpop) -> ResourceServer {
    builder(fixed(key)).dpop(dpop).build().unwrap()
}

fn proof_at(wallet: &DpopKey, url: &str, token: &str, nonce: Option<&str>) -> String {
    wallet.proof("GET", url, Some(token), nonce, UnixTime(NOW), &SystemRandom).unwrap()
}

fn proof(wallet: &DpopKey, token: &str) -> String {
    proof_at(wallet, URL, token, None)
}

fn sent(scheme: &str, token: &str, proofs: &[&str]) -> Request<String> {
    let request = Request::builder().uri("/photos?page=2").header("host", "evil.example");
    let request = request.header(AUTHORIZATION, format!("{scheme} {token}"));
    let request = proofs.iter().fold(request, |request, proof| request.header("dpop", *proof));
    request.body(String::new()).unwrap()
}

/// The status, the challenges, and whether the service was called.
async fn outcome(server: &ResourceServer, request: Request<String>) -> (u16, Vec<String>, bool) {
    let (response, served) = send(&server.layer(), request).await;
    let challenges = response.headers().get_all(WWW_AUTHENTICATE).iter();
    let challenges = challenges.map(|value| value.to_str().unwrap().to_owned()).collect();
    (response.status().as_u16(), challenges, served)
}

/// What the `DPoP` challenge says of a request that is refused with 401.
async fn refused(server: &ResourceServer, request: Request<String>) -> String {
    let (status, challenges, served) = outcome(server, request).await;
    assert_eq!((status, served), (401, false));
    challenges.into_iter().find(|challenge| challenge.starts_with("DPoP ")).unwrap()
}

#[tokio::test]
async fn a_bound_token_passes_with_a_proof_for_the_request() {
    let (key, wallet) = (Key::es256(), wallet());
    let token = bound(&key, &wallet);
    for dpop in [Dpop::optional(), Dpop::required()] {
        let server = serving(&key, dpop);
        // A miss, then hits.
        for scheme in ["DPoP", "dpop", "DPOP"] {
            let request = sent(scheme, &token, &[&proof(&wallet, &token)]);
            assert_eq!(outcome(&server, request).await, (200, Vec::new(), true));
        }
        assert_eq!(verifications(&server), 1);
        let parts = sent("DPoP", &token, &[&proof(&wallet, &token)]).into_parts().0;
        assert_eq!(server.validate(&parts).await.unwrap().subject(), "ada");
        // Without the request, nothing can be said of its proof.
        assert!(server.validate_headers(&parts.headers).await.is_err());
    }
}

// spec: RS-22
#[tokio::test]
async fn there_is_exactly_one_proof_and_it_is_a_jws() {
    let (key, wallet) = (Key::es256(), wallet());
    let (server, token) = (serving(&key, Dpop::optional()), bound(&key, &wallet));
    let (one, other) = (proof(&wallet, &token), proof(&wallet, &token));
    let both = format!("{one}, {other}");
    let bad: [&[&str]; 6] = [&[], &[&one, &other], &[&one, &one], &[&both], &[""], &["junk"]];
    for proofs in bad {
        let challenge = refused(&server, sent("DPoP", &token, proofs)).await;
        assert!(challenge.contains(r#"error="invalid_dpop_proof""#), "{challenge}");
    }
}

// spec: RS-30
#[tokio::test]
async fn a_proof_of_another_key_makes_the_token_invalid() {
    let (key, wallet) = (Key::es256(), wallet());
    let (server, token) = (serving(&key, Dpop::optional()), bound(&key, &wallet));
    let thief = DpopKey::generate(Algorithm::ES256).unwrap();
    let challenge = refused(&server, sent("DPoP", &token, &[&proof(&thief, &token)])).await;
    assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
}

// spec: RS-25
// spec: RS-26
// spec: RS-29
#[tokio::test]
async fn a_proof_for_another_request_is_refused_even_if_the_token_is_known() {
    let (key, wallet) = (Key::es256(), wallet());
    let (server, token) = (serving(&key, Dpop::optional()), bound(&key, &wallet));
    assert_eq!(outcome(&server, sent("DPoP", &token, &[&proof(&wallet, &token)])).await.0, 200);
    let post = wallet.proof("POST", URL, Some(&token), None, UnixTime(NOW), &SystemRandom).unwrap();
    let bad = [
        proof_at(&wallet, "https://evil.example/photos", &token, None),
        proof_at(&wallet, "http://api.example/photos", &token, None),
        proof_at(&wallet, "https://api.example/photos/", &token, None),
        proof(&wallet, &key.good()),
        post,
    ];
    for proof in &bad {
        let challenge = refused(&server, sent("DPoP", &token, &[proof])).await;
        assert!(challenge.contains(r#"error="invalid_dpop_proof""#), "{challenge}");
    }
}

// spec: RS-26
#[tokio::test]
async fn the_external_base_url_is_configured() {
    let (key, wallet) = (Key::es256(), wallet());
    let dpop = Dpop::optional().base_url("https://Gate.example:443/api/").base_url("https://other.example");
    let (server, token) = (serving(&key, dpop), bound(&key, &wallet));
    let expected = [
        ("https://gate.example/api/photos", 200),
        ("https://other.example/photos?q#f", 200),
        (URL, 401),
        ("https://gate.example/photos", 401),
    ];
    for (url, status) in expected {
        let request = sent("DPoP", &token, &[&proof_at(&wallet, url, &token, None)]);
        assert_eq!(outcome(&server, request).await.0, status, "{url}");
    }
    for bad in ["http://gate.example", "gate.example", "https://gate.example?x"] {
        assert!(builder(fixed(&key)).dpop(Dpop::optional().base_url(bad)).build().is_err(), "{bad}");
    }
    assert!(builder(fixed(&key)).dpop(Dpop::optional().algorithms([])).build().is_err());
}

// spec: RS-28
#[tokio::test]
async fn a_proof_is_good_once_and_bad_ones_are_not_remembered() {
    let (key, wallet) = (Key::es256(), wallet());
    let (server, token) = (serving(&key, Dpop::optional()), bound(&key, &wallet));
    let proof = proof(&wallet, &token);
    // Refused before its time: the request was another.
    let (mut parts, body) = sent("DPoP", &token, &[&proof]).into_parts();
    parts.method = Method::PUT;
    assert_eq!(outcome(&server, Request::from_parts(parts, body)).await.0, 401);
    assert_eq!(outcome(&server, sent("DPoP", &token, &[&proof])).await.0, 200);
    let challenge = refused(&server, sent("DPoP", &token, &[&proof])).await;
    assert!(challenge.contains(r#"error="invalid_dpop_proof""#), "{challenge}");
}

// spec: RS-31
#[tokio::test]
async fn a_nonce_is_demanded_handed_out_and_replaced_in_time() {
    let (key, wallet, time) = (Key::es256(), wallet(), clock());
    let nonces = DpopNonces::from_bytes([7; 32]);
    let server = builder(fixed(&key)).clock(time.clone()).dpop(Dpop::required().nonces(nonces.clone())).build();
    let (layer, token) = (server.unwrap().layer(), bound(&key, &wallet));
    let now = || oauth_core::clock::Clock::now(&time);
    let made = |nonce: Option<&str>| {
        let proof = wallet.proof("GET", URL, Some(&token), nonce, now(), &SystemRandom).unwrap();
        sent("DPoP", &token, &[&proof])
    };
    for bad in [None, Some("stale")] {
        let (response, served) = send(&layer, made(bad)).await;
        assert!(!served && response.status() == StatusCode::UNAUTHORIZED);
        assert!(challenge(&response).contains(r#"error="use_dpop_nonce""#), "{}", challenge(&response));
        assert_eq!(response.headers()["dpop-nonce"], nonces.issue(now()));
    }
    let nonce = nonces.issue(now());
    let (response, served) = send(&layer, made(Some(&nonce))).await;
    assert!(served && !response.headers().contains_key("dpop-nonce"));
    time.advance(DpopNonces::DEFAULT_STEP);
    let (response, served) = send(&layer, made(Some(&nonce))).await;
    assert!(served);
    assert_eq!(response.headers()["dpop-nonce"], nonces.issue(now()));
}

// spec: RS-32
#[tokio::test]
async fn a_bound_token_is_no_bearer_token_and_a_bearer_token_is_no_bound_one() {
    let (key, wallet) = (Key::es256(), wallet());
    let (server, token, plain) = (serving(&key, Dpop::optional()), bound(&key, &wallet), key.good());
    for _ in 0..2 {
        let (status, challenges, served) = outcome(&server, sent("Bearer", &token, &[&proof(&wallet, &token)])).await;
        assert_eq!((status, served), (401, false));
        assert!(challenges[0].starts_with("Bearer ") && challenges[0].contains(r#"error="invalid_token""#));
        let challenge = refused(&server, sent("DPoP", &plain, &[&proof(&wallet, &plain)])).await;
        assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
    }
    assert_eq!(outcome(&server, sent("Bearer", &plain, &[])).await.0, 200);
}

// spec: RS-10
// spec: RS-33
// spec: MET-15
#[tokio::test]
async fn each_scheme_that_is_served_has_a_challenge_and_the_one_used_is_told_why() {
    let (key, wallet) = (Key::es256(), wallet());
    let dpop = Dpop::optional().algorithms([Algorithm::ES256, Algorithm::PS256]);
    let server = builder(fixed(&key)).dpop(dpop).advertise_metadata().build().unwrap();
    let requests = [Request::new(String::new()), sent("Bearer", "junk", &[]), sent("DPoP", "junk", &["junk"])];
    for (request, blamed) in requests.into_iter().zip([None, Some("Bearer"), Some("DPoP")]) {
        let (status, challenges, _) = outcome(&server, request).await;
        assert_eq!((status, challenges.len()), (401, 2));
        for (challenge, scheme) in challenges.iter().zip(["Bearer", "DPoP"]) {
            assert!(challenge.starts_with(&format!("{scheme} ")));
            assert!(challenge.contains("resource_metadata=\"https://"));
            assert_eq!(challenge.contains(r#"algs="ES256 PS256""#), scheme == "DPoP");
            assert_eq!(challenge.contains("error="), blamed == Some(scheme), "{challenge}");
        }
    }
    let required = serving(&key, Dpop::required());
    for request in [Request::new(String::new()), sent("Bearer", &key.good(), &[]), sent("DPoP", "junk", &[])] {
        let (status, challenges, _) = outcome(&required, request).await;
        assert_eq!((status, challenges.len()), (401, 1));
        assert!(challenges[0].starts_with("DPoP ") && challenges[0].contains("algs="));
    }
    // Further inside, too.
    let token = bound(&key, &wallet);
    let inner = tower::Layer::layer(&Require::scope("admin"), service(&Arc::default()));
    let request = sent("DPoP", &token, &[&proof(&wallet, &token)]);
    let response = tower::Layer::layer(&required.layer(), inner).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(challenge(&response).starts_with("DPoP ") && challenge(&response).contains("insufficient_scope"));
}

#[derive(Debug)]
struct Broken;

impl ReplayCache for Broken {
    fn first_use(&self, _: Digest, _: UnixTime) -> ReplayFuture<'_> {
        Box::pin(std::future::ready(Err(ReplayError::Full)))
    }
}

#[tokio::test]
async fn a_replay_cache_that_does_not_know_is_503() {
    let (key, wallet) = (Key::es256(), wallet());
    let (server, token) = (serving(&key, Dpop::optional().replay(Broken)), bound(&key, &wallet));
    let request = sent("DPoP", &token, &[&proof(&wallet, &token)]);
    assert_eq!(outcome(&server, request).await, (503, Vec::new(), false));
}

// spec: MET-14
#[test]
fn metadata_says_how_tokens_are_bound() {
    let key = Key::es256();
    let metadata = |dpop: Dpop| serving(&key, dpop.algorithms([Algorithm::ES256])).metadata();
    let optional = serde_json::to_value(metadata(Dpop::optional())).unwrap();
    assert_eq!(optional["dpop_signing_alg_values_supported"], json!(["ES256"]));
    assert_eq!(optional["bearer_methods_supported"], json!(["header"]));
    assert!(optional.get("dpop_bound_access_tokens_required").is_none());
    let required = serde_json::to_value(metadata(Dpop::required())).unwrap();
    assert_eq!(required["dpop_bound_access_tokens_required"], true);
    assert_eq!(required["bearer_methods_supported"], json!([]));
}

#[tokio::test]
async fn the_reason_is_there_for_the_log() {
    let (key, wallet) = (Key::es256(), wallet());
    let (server, plain) = (serving(&key, Dpop::required()), key.good());
    let kind = |request: Request<String>| {
        let server = server.clone();
        async move { server.validate(&request.into_parts().0).await.unwrap_err().kind().clone() }
    };
    assert_eq!(kind(sent("Bearer", &plain, &[])).await, RefusalKind::InvalidToken(InvalidToken::BearerUnserved));
    let unbound = kind(sent("DPoP", &plain, &[&proof(&wallet, &plain)])).await;
    assert_eq!(unbound, RefusalKind::InvalidToken(InvalidToken::NotBound));
}

// spec: RS-38
#[tokio::test]
async fn a_bearer_token_where_only_dpop_is_served_learns_why_from_the_challenge_there_is() {
    let key = Key::es256();
    let challenge = refused(&serving(&key, Dpop::required()), sent("Bearer", &key.good(), &[])).await;
    assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
}
