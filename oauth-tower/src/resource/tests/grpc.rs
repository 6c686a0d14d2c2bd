//! Refusals as gRPC says them.

use http::header::{CONTENT_TYPE, RETRY_AFTER};

use super::*;
use crate::resource::{Dpop, GrpcStatus, Refusal, Require};

async fn call(server: &ResourceServer, scope: &str, request: Request<String>) -> (HeaderMap, bool) {
    let calls = Arc::new(AtomicUsize::new(0));
    let layer = server.layer().require_scope(scope).render_with(GrpcStatus);
    let response = tower::Layer::layer(&layer, service(&calls)).oneshot(request).await.unwrap();
    // "HTTP-Status → ":status 200"": or clients see an answer that is not gRPC's.
    assert_eq!(response.status(), StatusCode::OK);
    (response.headers().clone(), calls.load(Ordering::SeqCst) > 0)
}

async fn refused(server: &ResourceServer, scope: &str, request: Request<String>) -> (String, String, HeaderMap) {
    let (headers, served) = call(server, scope, request).await;
    assert!(!served);
    assert_eq!(headers[CONTENT_TYPE], "application/grpc");
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    (text("grpc-status"), text("grpc-message"), headers)
}

#[tokio::test]
async fn credentials_that_are_missing_malformed_or_bad_are_unauthenticated() {
    let key = Key::es256();
    let server = server(&key);
    let without = refused(&server, "read", Request::new(String::new())).await;
    assert_eq!((&*without.0, &*without.1), ("16", "no credentials"));
    assert_eq!(without.2[WWW_AUTHENTICATE], r#"Bearer realm="https://api.example""#);
    for (token, error) in [("a b", "invalid_request"), ("junk", "invalid_token")] {
        let (status, _, headers) = refused(&server, "read", request(token)).await;
        assert_eq!(status, "16");
        assert!(headers[WWW_AUTHENTICATE].to_str().unwrap().contains(error), "{token}");
    }
    let (headers, served) = call(&server, "read", request(&key.good())).await;
    assert!(served && !headers.contains_key("grpc-status"));
}

#[tokio::test]
async fn a_message_says_no_more_than_a_challenge_would() {
    let key = Key::es256();
    let expired = key.token(json!({ "exp": NOW - 100 }));
    let forged = Key::es256().good();
    let server = server(&key);
    let (_, of_expired, _) = refused(&server, "read", request(&expired)).await;
    let (_, of_forged, _) = refused(&server, "read", request(&forged)).await;
    assert_eq!(of_expired, of_forged);
}

#[tokio::test]
async fn a_lack_of_scope_is_permission_denied() {
    let key = Key::es256();
    let (status, _, headers) = refused(&server(&key), "delete", request(&key.good())).await;
    assert_eq!(status, "7");
    assert!(headers[WWW_AUTHENTICATE].to_str().unwrap().contains(r#"scope="delete""#));
}

#[tokio::test]
async fn an_outage_is_unavailable_and_says_when_to_come_back() {
    let upstream = Upstream::new();
    let issuer = Issuer::jwt(ISSUER).jwks_uri("https://as.example/jwks");
    let server = builder(issuer).http(upstream.client()).build().unwrap();
    let (status, _, headers) = refused(&server, "read", request(&Key::es256().good())).await;
    assert_eq!(status, "14");
    let pushback: i32 = headers["grpc-retry-pushback-ms"].to_str().unwrap().parse().unwrap();
    assert!(pushback >= 1000 && pushback % 1000 == 0, "{pushback}");
    assert!(!headers.contains_key(RETRY_AFTER) && !headers.contains_key(WWW_AUTHENTICATE));
}

#[tokio::test]
async fn a_layer_that_is_missing_is_an_internal_error() {
    let layer = Require::scope("read").render_with(GrpcStatus);
    let inner = service(&Arc::default());
    let response = tower::Layer::layer(&layer, inner).oneshot(request("token")).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "13");
    assert_eq!(GrpcStatus.headers(&Refusal::not_validated())["grpc-status"], "13");
}

#[tokio::test]
async fn a_nonce_comes_as_metadata() {
    let (key, nonces) = (Key::es256(), oauth_core::dpop::DpopNonces::from_bytes([7; 32]));
    let server = builder(fixed(&key)).dpop(Dpop::required().nonces(nonces)).build().unwrap();
    let wallet = oauth_core::dpop::DpopKey::generate(Algorithm::ES256).unwrap();
    let token = key.token(json!({ "cnf": { "jkt": wallet.jkt() } }));
    let (url, random) = ("https://api.example/", oauth_core::clock::SystemRandom);
    let proof = wallet.proof("GET", url, Some(&token), None, UnixTime(NOW), &random).unwrap();
    let request = Request::builder().header(AUTHORIZATION, format!("DPoP {token}")).header("dpop", proof);
    let (status, _, headers) = refused(&server, "read", request.body(String::new()).unwrap()).await;
    assert_eq!(status, "16");
    assert!(headers["www-authenticate"].to_str().unwrap().contains("use_dpop_nonce"));
    assert!(headers.contains_key("dpop-nonce"));
}
