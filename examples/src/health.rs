//! For whoever watches over a resource server's process.

use axum::{Router, extract::State, http::StatusCode, routing::get};
use oauth_axum_rs::ResourceServer;

/// `/healthz`: the process is up; `/readyz`: no issuer is known to be down, and
/// how things stand with each.
pub fn router(api: &ResourceServer) -> Router {
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready)).with_state(api.clone())
}

async fn ready(State(api): State<ResourceServer>) -> (StatusCode, String) {
    let health = api.health();
    if health.is_ready() {
        return (StatusCode::OK, health.to_string());
    }
    let text = health.to_string();
    tracing::warn!(issuers = text.trim_end(), "not ready");
    // Where nobody sends requests anymore, nobody would notice that it is back.
    tokio::spawn(async move { api.warm_up().await });
    (StatusCode::SERVICE_UNAVAILABLE, text)
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::Request,
    };
    use oauth_axum_rs::Issuer;
    use tower::ServiceExt;

    use super::*;

    async fn ask(api: &ResourceServer) -> (StatusCode, String) {
        let response = router(api).oneshot(Request::get("/readyz").body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn an_issuer_that_cannot_be_reached_makes_the_api_unready_once_that_is_known() {
        // Nobody listens on port 1.
        let issuer = Issuer::jwt("http://127.0.0.1:1");
        let api = ResourceServer::builder("https://api.example").issuer(issuer).insecure_http().build().unwrap();
        assert_eq!(ask(&api).await, (StatusCode::OK, "http://127.0.0.1:1 (jwt): unfetched\n".to_owned()));
        api.warm_up().await.unwrap_err();
        let (status, text) = ask(&api).await;
        assert_eq!((status, &*text), (StatusCode::SERVICE_UNAVAILABLE, "http://127.0.0.1:1 (jwt): failing\n"));
    }
}
