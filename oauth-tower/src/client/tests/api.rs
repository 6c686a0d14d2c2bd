//! Requests with a token.

use http::header::AUTHORIZATION;
use oauth_core::{
    dpop::{DpopKey, Proof, ProofRequest, TargetUri},
    token::TokenType,
};

use super::{dpop::claims, *};

fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::from_static(b"body")).unwrap()
}

#[tokio::test]
async fn a_bearer_token_goes_over_https_only_and_in_no_log() {
    let (http, sent) = network(|_, _| reply(200, &[], "albums"));
    let api = ApiClient::new(http);
    let token = "t".into();
    let response = api.send(get("https://api.example/albums"), &token, &TokenType::Bearer).await.unwrap();
    assert_eq!(response.body(), "albums");
    let request = sent.lock().unwrap().pop().unwrap();
    assert_eq!(request.headers()[AUTHORIZATION], "Bearer t");
    assert!(request.headers()[AUTHORIZATION].is_sensitive() && !request.headers().contains_key("dpop"));
    for url in ["http://api.example/", "http://127.0.0.1/", "/albums"] {
        let refused = api.send(get(url), &token, &TokenType::Bearer).await.unwrap_err();
        assert!(matches!(refused, CallError::Url(_)), "{url}");
    }
    let unsendable = api.send(get("https://api.example/"), &"very\nsecret".into(), &TokenType::Bearer).await;
    let error = unsendable.unwrap_err();
    assert!(matches!(error, CallError::Unsendable) && !format!("{error} {error:?}").contains("secret"));
    let unknown = api.send(get("https://api.example/"), &token, &TokenType::Other("mac".into())).await;
    assert!(matches!(unknown.unwrap_err(), CallError::UnknownTokenType));
    assert!(sent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_bound_token_goes_with_a_proof_for_it_and_never_without() {
    let (http, sent) = network(|_, _| reply(200, &[], ""));
    let key = DpopKey::generate(Algorithm::ES256).unwrap();
    let api = ApiClient::new(http.clone()).clock(ManualClock::new(UnixTime(1_000)));
    let refused = api.send(get("https://api.example/a?b"), &"t".into(), &TokenType::Dpop).await.unwrap_err();
    assert!(matches!(refused, CallError::NoKey) && sent.lock().unwrap().is_empty());
    let api = api.dpop(DpopProver::new(key.clone()));
    api.send(get("https://api.example/a?b"), &"t".into(), &TokenType::Dpop).await.unwrap();
    let request = sent.lock().unwrap().pop().unwrap();
    assert_eq!(request.headers()[AUTHORIZATION], "DPoP t");
    let targets = [TargetUri::parse("https://api.example/a").unwrap()];
    let expected = ProofRequest::with_token("GET", &targets, "t", UnixTime(1_000));
    let proof = request.headers()[DpopProver::HEADER].to_str().unwrap();
    assert_eq!(Proof::verify(proof, &expected).unwrap().jkt(), key.jkt());
}

#[tokio::test]
async fn an_api_that_wants_a_nonce_is_asked_once_more() {
    let challenge = r#"Bearer, DPoP error="use_dpop_nonce", algs="ES256""#;
    let (http, sent) = network(move |at, _| match at {
        0 | 1 => reply(401, &[("dpop-nonce", &format!("n{at}")), ("www-authenticate", challenge)], ""),
        _ => reply(500, &[], ""),
    });
    let api = ApiClient::new(http).dpop(DpopProver::generate().unwrap());
    let response = api.send(get("https://api.example/a"), &"t".into(), &TokenType::Dpop).await.unwrap();
    assert_eq!(response.status(), 401);
    let sent = sent.lock().unwrap();
    assert_eq!(sent.len(), 2);
    assert_eq!((sent[1].body(), &claims(&sent[1])["nonce"]), (&Bytes::from_static(b"body"), &"n0".into()));
}
