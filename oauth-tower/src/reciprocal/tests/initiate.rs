//! Party A's request.

use http::header::AUTHORIZATION;

use super::*;
use crate::client::DpopProver;

// spec: TOK-50
#[tokio::test]
async fn the_code_goes_with_the_token_from_b_and_the_authentication_of_the_client() {
    let form = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Areciprocal&code=c&access_token=t&client_id=a";
    for (auth, rest) in [
        (ClientAuth::Basic { id: "a".into(), secret: "s".into() }, ""),
        (ClientAuth::Post { id: "a".into(), secret: "s".into() }, "&client_secret=s"),
    ] {
        let (http, log) = network(|_, _| reply(200, &[], "{}"));
        let by_header = matches!(auth, ClientAuth::Basic { .. });
        let client = TokenClient::builder("https://b.example/token", auth).build(http).unwrap();
        let answer = initiate(&client, &"c".into(), &"t".into()).await.unwrap();
        assert!(answer.is_accepted() && answer.error.is_none());
        assert_eq!(sent(&log), [format!("/token {form}{rest}")]);
        assert_eq!(log.lock().unwrap()[0].headers().contains_key(AUTHORIZATION), by_header);
    }
}

// spec: TOK-50
#[tokio::test]
async fn b_takes_the_code_or_says_why_not() {
    let b = B::new().await;
    b.takes("c").await;
    assert_eq!(b.queued().await, 1);
    let refused = initiate(&b.a, &"other".into(), &"no-token-of-b".into()).await.unwrap();
    assert_eq!((refused.status.as_u16(), refused.error.as_deref()), (400, Some("invalid_grant")));
    assert!(!refused.is_accepted());
    assert_eq!(b.queued().await, 1);
}

#[tokio::test]
async fn a_token_that_is_bound_goes_with_a_proof_of_its_key() {
    let (http, log) = network(|at, _| match at {
        0 => reply(400, &[("dpop-nonce", "n")], r#"{"error":"use_dpop_nonce"}"#),
        _ => reply(200, &[], "{}"),
    });
    let auth = ClientAuth::Basic { id: "a".into(), secret: "s".into() };
    let builder = TokenClient::builder("https://b.example/token", auth).dpop(DpopProver::generate().unwrap());
    let answer = initiate(&builder.build(http).unwrap(), &"c".into(), &"t".into()).await.unwrap();
    assert!(answer.is_accepted());
    let log = log.lock().unwrap();
    assert!(log.len() == 2 && log.iter().all(|request| request.headers().contains_key("dpop")));
}

#[tokio::test]
async fn an_answer_that_is_an_outage_is_told_as_it_is() {
    let (http, _) = network(|_, _| reply(503, &[("retry-after", "5")], "<html>"));
    let client = TokenClient::builder("https://b.example/token", ours()).build(http).unwrap();
    let answer = initiate(&client, &"c".into(), &"t".into()).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.error, answer.retry_after), (503, None, Some(5)));
}
