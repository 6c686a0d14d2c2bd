//! How to test an API that stands behind the layer: the tests are below.
//!
//!     cargo test -p examples --example test_your_api
//!     cargo run -p examples --example test_your_api -- https://issuer.example
//!
//! All it takes is that the program makes its service in a function, which says
//! nothing of network and time: the tests put a mock issuer and its clock there.

use axum::{Router, routing::get};
use oauth_axum_rs::{Issuer, ResourceServer, Token};
use tokio::net::TcpListener;

/// What this API is called: every token has to name it in `aud`.
const ALBUMS: &str = "https://albums.example";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = std::env::args().nth(1).ok_or("usage: test_your_api ISSUER")?;
    let api = ResourceServer::builder(ALBUMS).issuer(Issuer::jwt(issuer)).build()?;
    axum::serve(TcpListener::bind("127.0.0.1:9500").await?, app(&api)).await?;
    Ok(())
}

/// The service, whoever issues the tokens.
fn app(api: &ResourceServer) -> Router {
    let read = get(albums).layer(api.layer().require_scope("albums:read"));
    let write = axum::routing::delete(no_album).layer(api.layer().require_scope("albums:write"));
    Router::new().route("/albums", read).route("/albums/{name}", write)
}

async fn albums(token: Token) -> String {
    format!("albums of {}\n", token.subject())
}

async fn no_album() {}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::{Method, Request, StatusCode},
    };
    use bytes::Bytes;
    use oauth_core::{
        clock::{Clock, ManualClock, SystemClock},
        dpop::DpopNonces,
    };
    use oauth_tower::{
        resource::{Dpop, HasIssuer, ResourceServerBuilder},
        testing::{Endpoint, MockIssuer, Outage},
    };
    use tower::ServiceExt;

    use super::*;

    /// What `main` builds, but for where it asks and what time it is.
    fn api(issuer: &MockIssuer) -> ResourceServerBuilder<HasIssuer> {
        let accepted = Issuer::jwt(issuer.url());
        ResourceServer::builder(ALBUMS).issuer(accepted).http(issuer.http()).clock(issuer.clock())
    }

    fn world() -> (MockIssuer, Router) {
        let issuer = MockIssuer::new("https://issuer.example");
        let api = api(&issuer).build().expect("the settings make sense");
        (issuer, app(&api))
    }

    async fn ask(app: &Router, method: Method, path: &str, token: &str) -> (StatusCode, String) {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        (head.status, String::from_utf8(to_bytes(body, 1024).await.unwrap().to_vec()).unwrap())
    }

    async fn status(app: &Router, token: &str) -> StatusCode {
        ask(app, Method::GET, "/albums", token).await.0
    }

    #[tokio::test]
    async fn a_reader_reads_and_does_not_delete() {
        let (issuer, app) = world();
        let token = issuer.token("ada").audience(ALBUMS).scope("albums:read").jwt();
        assert_eq!(ask(&app, Method::GET, "/albums", &token).await, (StatusCode::OK, "albums of ada\n".into()));
        assert_eq!(ask(&app, Method::DELETE, "/albums/1", &token).await.0, StatusCode::FORBIDDEN);
        let writer = issuer.token("ada").audience(ALBUMS).scope("albums:write").jwt();
        assert_eq!(ask(&app, Method::DELETE, "/albums/1", &writer).await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn no_forged_token_gets_through_on_any_route() {
        let (issuer, app) = world();
        for (method, path) in [(Method::GET, "/albums"), (Method::DELETE, "/albums/1")] {
            for forged in issuer.forged_tokens(ALBUMS) {
                let (status, _) = ask(&app, method.clone(), path, forged.token()).await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}: {}", forged.name());
            }
        }
        assert_eq!(issuer.calls(Endpoint::Elsewhere), 0);
    }

    #[tokio::test]
    async fn a_thousand_requests_cause_one_fetch_of_keys_and_a_rotation_one_more() {
        let (issuer, app) = world();
        let token = || issuer.token("ada").audience(ALBUMS).scope("albums:read").jwt();
        for _ in 0..1000 {
            assert_eq!(status(&app, &token()).await, StatusCode::OK);
        }
        assert_eq!(issuer.calls(Endpoint::Jwks), 1);
        issuer.clock().advance(60);
        issuer.rotate_keys();
        assert_eq!(status(&app, &token()).await, StatusCode::OK);
        assert_eq!(issuer.calls(Endpoint::Jwks), 2);
    }

    #[tokio::test]
    async fn an_outage_of_the_issuer_is_503_and_passes() {
        let (issuer, app) = world();
        let token = issuer.token("ada").audience(ALBUMS).scope("albums:read").jwt();
        issuer.outage(Outage::Down);
        assert_eq!(status(&app, &token).await, StatusCode::SERVICE_UNAVAILABLE);
        issuer.recover();
        issuer.clock().advance(10);
        assert_eq!(status(&app, &token).await, StatusCode::OK);
    }

    #[tokio::test]
    async fn opaque_tokens_are_asked_about_and_a_revoked_one_is_refused() {
        let issuer = MockIssuer::new("https://issuer.example");
        let asked = Issuer::introspection_discovered(issuer.url()).authenticated(issuer.client_auth());
        let api = ResourceServer::builder(ALBUMS).issuer(asked).http(issuer.http()).clock(issuer.clock());
        let app = app(&api.build().unwrap());
        let token = issuer.token("ada").audience(ALBUMS).scope("albums:read").opaque();
        assert_eq!(status(&app, &token).await, StatusCode::OK);
        issuer.revoke(&token);
        issuer.clock().advance(30); // as long as an answer is remembered
        assert_eq!(status(&app, &token).await, StatusCode::UNAUTHORIZED);
    }

    #[tokio::test]
    async fn a_bound_token_takes_a_proof() {
        let issuer = MockIssuer::new("https://issuer.example");
        let dpop = Dpop::optional().nonces(DpopNonces::from_bytes([7; 32]));
        let app = app(&api(&issuer).dpop(dpop).build().unwrap());
        let client = issuer.dpop_client();
        let token = issuer.token("ada").audience(ALBUMS).scope("albums:read").bound_to(&client).jwt();
        assert_eq!(status(&app, &token).await, StatusCode::UNAUTHORIZED);
        let request: Request<Bytes> = client.request(Method::GET, "https://albums.example/albums", &token);
        assert_eq!(client.send::<_, Body, _>(&app, request).await.unwrap().status(), StatusCode::OK);
    }

    /// For tests of a whole program: the same issuer behind a socket.
    #[tokio::test]
    async fn the_issuer_can_be_served_over_a_socket() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let now = ManualClock::new(SystemClock.now());
        let issuer = MockIssuer::builder(url).clock(now).build();
        let serving = axum::serve(listener, Router::new().fallback_service(issuer.clone()));
        tokio::spawn(serving.into_future());

        let api = ResourceServer::builder(ALBUMS).issuer(Issuer::jwt(issuer.url())).insecure_http().build().unwrap();
        let token = issuer.token("ada").audience(ALBUMS).scope("albums:read").jwt();
        issuer.outage(Outage::Down);
        assert!(api.warm_up().await.is_err());
        issuer.recover();
        let api = ResourceServer::builder(ALBUMS).issuer(Issuer::jwt(issuer.url())).insecure_http().build().unwrap();
        assert_eq!(status(&app(&api), &token).await, StatusCode::OK);
        assert_eq!(issuer.calls(Endpoint::Jwks), 1);
    }
}
