//! Proofs at the token endpoint.

use oauth_core::{
    dpop::{DpopKey, Proof, ProofRequest, TargetUri},
    secret::Secret,
};
use serde_json::Value;

use super::*;

const BOUND: &str = r#"{"access_token":"a","token_type":"DPoP","expires_in":300}"#;
const WANTED: &str = r#"{"error":"use_dpop_nonce"}"#;

pub(super) fn claims(request: &Request<Bytes>) -> Value {
    let proof = request.headers()[DpopProver::HEADER].to_str().unwrap();
    let payload = proof.split('.').nth(1).unwrap();
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn client(http: HttpClient, prover: DpopProver) -> TokenClient {
    let auth = ClientAuth::None { id: "app".into() };
    let builder = TokenClient::builder("https://as.example/token", auth).dpop(prover);
    builder.clock(ManualClock::new(UnixTime(1_000))).build(http).unwrap()
}

#[tokio::test]
async fn every_request_for_a_token_has_a_proof_of_the_key() {
    let (http, sent) = network(|_, _| reply(200, &[], BOUND));
    let key = DpopKey::generate(Algorithm::ES256).unwrap();
    let client = client(http, DpopProver::new(key.clone()));
    client.refresh(&"r".into(), None).await.unwrap();
    client.refresh(&"r".into(), None).await.unwrap();
    let sent = sent.lock().unwrap();
    let targets = [TargetUri::parse("https://as.example/token").unwrap()];
    let mut ids = Vec::new();
    for request in sent.iter() {
        let proof = request.headers()[DpopProver::HEADER].to_str().unwrap();
        let expected = ProofRequest::without_token("POST", &targets, UnixTime(1_000));
        assert_eq!(Proof::verify(proof, &expected).unwrap().jkt(), key.jkt());
        ids.push(claims(request)["jti"].to_string());
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_nonce_that_is_wanted_is_sent_along_once_and_remembered() {
    let (http, sent) = network(|at, request| match at {
        0 => reply(400, &[("dpop-nonce", "n1")], WANTED),
        // Fresh ones come with good answers too.
        1 if claims(request)["nonce"] == "n1" => reply(200, &[("dpop-nonce", "n2")], BOUND),
        2 if claims(request)["nonce"] == "n2" => reply(200, &[], BOUND),
        _ => reply(500, &[], ""),
    });
    let client = client(http, DpopProver::generate().unwrap());
    client.refresh(&"r".into(), None).await.unwrap();
    client.refresh(&"r".into(), None).await.unwrap();
    let sent = sent.lock().unwrap();
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[0].body(), sent[1].body());
    assert_eq!(claims(&sent[0])["nonce"], Value::Null);
    assert_ne!(claims(&sent[0])["jti"], claims(&sent[1])["jti"]);
}

#[tokio::test]
async fn a_server_that_never_has_enough_of_nonces_is_asked_twice_and_no_more() {
    let (http, sent) = network(|at, _| reply(400, &[("dpop-nonce", &format!("n{at}"))], WANTED));
    let client = client(http, DpopProver::generate().unwrap());
    let error = client.refresh(&"r".into(), None).await.unwrap_err();
    assert_eq!(error.code(), Some("use_dpop_nonce"));
    assert_eq!(sent.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn without_a_nonce_or_without_the_error_nothing_is_sent_again() {
    for (headers, body) in [
        (vec![], WANTED),
        (vec![("dpop-nonce", "a b")], WANTED),
        (vec![("dpop-nonce", "a"), ("dpop-nonce", "b")], WANTED),
        (vec![("dpop-nonce", "a")], r#"{"error":"invalid_grant"}"#),
    ] {
        let (http, sent) = network(move |_, _| reply(400, &headers, body));
        let client = client(http, DpopProver::generate().unwrap());
        assert!(client.refresh(&"r".into(), None).await.is_err());
        assert_eq!(sent.lock().unwrap().len(), 1, "{body}");
    }
}

#[tokio::test]
async fn an_assertion_is_made_anew_when_a_nonce_was_wanted() {
    let (http, sent) = network(|at, _| match at {
        0 => reply(401, &[("dpop-nonce", "n")], WANTED),
        _ => reply(200, &[], BOUND),
    });
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let auth = ClientAuth::private_key_jwt("app", key, "https://as.example");
    let builder = TokenClient::builder("https://as.example/token", auth).dpop(DpopProver::generate().unwrap());
    builder.build(http).unwrap().refresh(&"r".into(), None).await.unwrap();
    let sent = sent.lock().unwrap();
    assert_ne!(sent[0].body(), sent[1].body());
}

#[tokio::test]
async fn a_token_that_is_not_bound_is_discarded_where_a_key_was_proven() {
    let (http, _) = network(|_, _| reply(200, &[], TOKEN));
    let client = client(http, DpopProver::generate().unwrap());
    assert!(matches!(client.refresh(&"r".into(), None).await.unwrap_err(), TokenError::NotBound));
}

#[test]
fn a_nonce_is_of_its_origin_and_the_memory_of_them_is_bounded() {
    let prover = DpopProver::generate().unwrap();
    let said = |url: &str, nonce: &str| {
        let mut headers = http::HeaderMap::new();
        headers.insert(DpopProver::NONCE_HEADER, nonce.parse().unwrap());
        prover.learn(&url.parse().unwrap(), &headers)
    };
    let used = |url: &str| {
        let url = url.parse().unwrap();
        let token: Option<&Secret> = None;
        let proof = prover.proof(&http::Method::GET, &url, token, UnixTime(1)).unwrap();
        let request = Request::get(url).header(DpopProver::HEADER, proof).body(Bytes::new()).unwrap();
        claims(&request)["nonce"].as_str().map(str::to_owned)
    };
    assert!(said("https://as.example/token", "n1"));
    assert_eq!(used("https://AS.example:443/par?x=1").as_deref(), Some("n1"));
    for other in ["https://as.example:8443/token", "http://as.example/token", "https://api.example/"] {
        assert_eq!(used(other), None, "{other}");
    }
    assert!(!said("https://as.example/token", &"x".repeat(257)));
    assert_eq!(used("https://as.example/token").as_deref(), Some("n1"));
    for port in 1..=64 {
        said(&format!("https://as.example:{port}/"), "n");
    }
    assert_eq!(used("https://as.example/token"), None);
    assert_eq!(used("https://as.example:64/").as_deref(), Some("n"));
}
