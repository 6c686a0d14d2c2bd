//! Scripts of other origins as clients (Fetch, "CORS protocol").

use http::{
    Method,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    },
};
use oauth_core::dpop::DpopNonces;
use tower::{Layer, ServiceBuilder};
use tower_http::cors::{Any, CorsLayer};

use super::*;
use crate::resource::{CORS_ALLOWED_HEADERS, CORS_EXPOSED_HEADERS, Dpop};

const PAGE: &str = "https://page.example";

fn cors() -> CorsLayer {
    CorsLayer::new().allow_origin(Any).allow_headers(CORS_ALLOWED_HEADERS).expose_headers(CORS_EXPOSED_HEADERS)
}

fn preflight() -> Request<String> {
    let request = Request::builder().method(Method::OPTIONS).header(ORIGIN, PAGE);
    let request = request.header(ACCESS_CONTROL_REQUEST_METHOD, "GET");
    request.header(ACCESS_CONTROL_REQUEST_HEADERS, "authorization,dpop").body(String::new()).unwrap()
}

// spec: RS-13
#[tokio::test]
async fn a_preflight_passes_without_a_token_wherever_the_cors_layer_stands() {
    let (key, calls) = (Key::es256(), Arc::new(AtomicUsize::new(0)));
    let layer = server(&key).layer();
    let outside = ServiceBuilder::new().layer(cors()).layer(layer.clone()).service(service(&calls));
    let inside = ServiceBuilder::new().layer(layer).layer(cors()).service(service(&calls));
    for response in [outside.oneshot(preflight()).await.unwrap(), inside.oneshot(preflight()).await.unwrap()] {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_HEADERS], "authorization,dpop");
    }
    // The app itself is not asked.
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

// spec: RS-13
#[tokio::test]
async fn a_script_may_read_the_challenge_and_the_nonce() {
    let (key, wallet) = (Key::es256(), oauth_core::dpop::DpopKey::generate(Algorithm::ES256).unwrap());
    let nonces = DpopNonces::from_bytes([7; 32]);
    let server = builder(fixed(&key)).dpop(Dpop::optional().nonces(nonces)).build().unwrap();
    let token = key.token(json!({ "cnf": { "jkt": wallet.jkt() } }));
    let (url, random) = ("https://api.example/", oauth_core::clock::SystemRandom);
    let proof = wallet.proof("GET", url, Some(&token), None, UnixTime(NOW), &random).unwrap();
    let request = Request::builder().header(ORIGIN, PAGE).header(AUTHORIZATION, format!("DPoP {token}"));
    let request = request.header("dpop", proof).body(String::new()).unwrap();
    let service = cors().layer(server.layer().layer(service(&Arc::default())));
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let exposed: Vec<_> = response.headers()[ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap().split(',').collect();
    for name in ["www-authenticate", "dpop-nonce"] {
        assert!(response.headers().contains_key(name) && exposed.contains(&name), "{name}");
    }
    assert!(exposed.contains(&"retry-after"));
}
