//! The authorization server's endpoints as an axum router.

use axum::Router;
use oauth_core::server::AuthorizationServer;
use oauth_tower::server::AuthorizationServerService;

/// Makes a router of an authorization server.
///
/// ```
/// use axum::{Router, routing::get};
/// use oauth_axum_rs::{AuthorizationServer, AuthorizationServerExt};
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let server = AuthorizationServer::builder("https://auth.example").build().await?;
/// let app: Router = Router::new().route("/", get(async || "hello")).merge(server.router());
/// # drop(app);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub trait AuthorizationServerExt {
    /// Every endpoint at its path, for any state; nothing else, no fallback.
    ///
    /// Merge it at the root of your app, even if the issuer has a path: the
    /// routes contain that path already, and RFC 8414 section 3.1 wants the
    /// metadata at the root, before it. Nest it only where something in front
    /// of the app removes a path prefix that the issuer does not have.
    fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S>;
}

impl AuthorizationServerExt for AuthorizationServer {
    fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        AuthorizationServerService::new(self.clone()).router()
    }
}

/// For settings of the service, the limit on bodies for one.
impl AuthorizationServerExt for AuthorizationServerService {
    fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        // An issuer's path may look like a parameter of axum's old syntax.
        let router = Router::new().without_v07_checks();
        self.routes().fold(router, |router, (path, endpoint)| router.route_service(&path, endpoint))
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        http::{Request, StatusCode},
        routing::get,
    };
    use tower::ServiceExt;

    use super::*;

    async fn status(app: &Router, path: &str) -> StatusCode {
        app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap().status()
    }

    #[tokio::test]
    async fn the_router_merges_into_an_app_with_state_and_leaves_the_rest_to_it() {
        let server = AuthorizationServer::builder("https://auth.example").build().await.unwrap();
        let app = Router::new().route("/", get(async || "app")).merge(server.router::<u8>());
        let app = app.fallback(async || StatusCode::IM_A_TEAPOT).with_state(7);
        assert_eq!(status(&app, "/").await, StatusCode::OK);
        assert_eq!(status(&app, "/jwks").await, StatusCode::OK);
        assert_eq!(status(&app, "/elsewhere").await, StatusCode::IM_A_TEAPOT);
    }

    // spec: MET-01
    #[tokio::test]
    async fn an_issuer_with_a_path_has_its_endpoints_below_and_its_metadata_before_it() {
        let server = AuthorizationServer::builder("https://auth.example/:t/a").build().await.unwrap();
        let app = server.router();
        assert_eq!(status(&app, "/.well-known/oauth-authorization-server/:t/a").await, StatusCode::OK);
        assert_eq!(status(&app, "/:t/a/jwks").await, StatusCode::OK);
        assert_eq!(status(&app, "/jwks").await, StatusCode::NOT_FOUND);
    }
}
