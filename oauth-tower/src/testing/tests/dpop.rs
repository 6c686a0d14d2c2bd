//! A client that proves possession, and one that cannot.

use http::{Method, header::WWW_AUTHENTICATE};
use oauth_core::{
    dpop::{DpopKey, DpopNonces},
    jwt::Algorithm,
};

use super::*;
use crate::resource::Dpop;

const ALBUMS: &str = "https://api.example/albums?page=2";

fn dpop_api(issuer: &MockIssuer, dpop: Dpop) -> ResourceServer {
    api_of(issuer, Issuer::jwt(issuer.url())).dpop(dpop).build().unwrap()
}

fn challenges(response: &Response<String>) -> String {
    let values = response.headers().get_all(WWW_AUTHENTICATE);
    values.iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn a_bound_token_is_accepted_with_the_clients_proof_and_each_proof_once() {
    let issuer = MockIssuer::new(AS);
    let service = behind(&dpop_api(&issuer, Dpop::optional()));
    let client = issuer.dpop_client();
    let token = issuer.token("ada").audience(API).bound_to(&client).jwt();
    let request = client.request(Method::POST, ALBUMS, &token);
    assert_eq!(client.send(&service, request.clone()).await.unwrap().body(), "ada");
    let replayed = client.send(&service, request).await.unwrap();
    assert_eq!(replayed.status(), 401);
    assert!(challenges(&replayed).contains("invalid_dpop_proof"));
    // Neither as a bearer token nor with the proof of another.
    assert_eq!(service.clone().oneshot(bearer(&token)).await.unwrap().status(), 401);
    let thief = issuer.dpop_client();
    let request = thief.request(Method::POST, ALBUMS, &token);
    assert_eq!(thief.send(&service, request).await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_nonce_is_taken_up_where_one_is_demanded() {
    let issuer = MockIssuer::new(AS);
    let calls = Arc::new(AtomicUsize::new(0));
    let api = dpop_api(&issuer, Dpop::required().nonces(DpopNonces::from_bytes([7; 32])));
    let counted = Arc::clone(&calls);
    let service = behind(&api).map_request(move |request: Sent| {
        counted.fetch_add(1, Ordering::SeqCst);
        request
    });
    let client = issuer.dpop_client();
    let token = issuer.token("ada").audience(API).lifetime(10_000).bound_to(&client).jwt();
    let request = || client.request(Method::GET, ALBUMS, &token);
    for (expected, wait) in [(2, 0), (3, 120), (4, 120), (6, 1000), (7, 0)] {
        issuer.clock().advance(wait);
        assert_eq!(client.send(&service, request()).await.unwrap().status(), 200);
        assert_eq!(calls.load(Ordering::SeqCst), expected, "after {wait} seconds");
    }
    // A refusal that no nonce cures is not tried again.
    let request = client.request(Method::GET, ALBUMS, "junk");
    assert_eq!(client.send(&service, request).await.unwrap().status(), 401);
    assert_eq!(calls.load(Ordering::SeqCst), 8);
}

#[tokio::test]
async fn a_nonce_is_taken_up_from_a_response_that_came_another_way() {
    let issuer = MockIssuer::new(AS);
    let service = behind(&dpop_api(&issuer, Dpop::required().nonces(DpopNonces::from_bytes([7; 32]))));
    let client = issuer.dpop_client().with_key(DpopKey::generate(Algorithm::EdDSA).unwrap());
    let token = issuer.token("ada").audience(API).bound_to(&client).jwt();
    let mut request = Request::get("https://api.example/albums").body(Full::default()).unwrap();
    client.authorize(&mut request, &token);
    let response = service.clone().oneshot(request.clone()).await.unwrap();
    assert_eq!(response.status(), 401);
    client.clone().learn(response.headers());
    client.authorize(&mut request, &token);
    assert_eq!(service.clone().oneshot(request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_opaque_token_can_be_bound_too() {
    let issuer = MockIssuer::new(AS);
    let asked = Issuer::introspection_discovered(AS).authenticated(issuer.client_auth());
    let service = behind(&api_of(&issuer, asked).dpop(Dpop::optional()).build().unwrap());
    let client = issuer.dpop_client();
    let token = issuer.token("ada").audience(API).bound_to(&client).opaque();
    let request = client.request(Method::GET, ALBUMS, &token);
    assert_eq!(client.send(&service, request).await.unwrap().body(), "ada");
    assert_eq!(service.clone().oneshot(bearer(&token)).await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_token_bound_to_a_certificate_is_accepted_on_its_connection_alone() {
    let issuer = MockIssuer::new(AS);
    let service = behind(&api_of(&issuer, Issuer::jwt(AS)).mutual_tls().build().unwrap());
    let certificate = client_certificate("app");
    let token = issuer.token("ada").audience(API).bound_to_certificate(&certificate).jwt();
    for (shown, expected) in [(Some(certificate), 200), (Some(client_certificate("other")), 401), (None, 401)] {
        let mut request = bearer(&token);
        if let Some(certificate) = shown {
            request.extensions_mut().insert(certificate);
        }
        assert_eq!(service.clone().oneshot(request).await.unwrap().status(), expected);
    }
}

#[test]
#[should_panic(expected = "the URL of a request: it is not absolute")]
fn a_proof_is_for_an_absolute_url() {
    drop(MockIssuer::new(AS).dpop_client().request(Method::GET, "/albums", "token"));
}
