//! The metadata of a protected resource as an axum router.

use axum::Router;
use oauth_tower::resource::{MetadataService, ResourceServer};

/// Makes a router of what a resource server says of itself.
///
/// ```
/// # #[cfg(feature = "client")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, routing::get};
/// use oauth_axum_rs::{Issuer, ResourceServer, ResourceServerExt};
///
/// let api = ResourceServer::builder("https://notes.example")
///     .issuer(Issuer::jwt("https://auth.example"))
///     .advertise_metadata()
///     .build()?;
/// let app: Router = Router::new()
///     .route("/notes", get(async || "all notes"))
///     .layer(api.layer())
///     .merge(api.metadata_router());
/// # drop(app);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "client"))]
/// # fn main() {}
/// ```
pub trait ResourceServerExt {
    /// The metadata (RFC 9728) at its well-known path, for any state; nothing
    /// else, no fallback. An identifier that is no https URL has no such path,
    /// and the router is empty.
    ///
    /// Merge it at the root of your app, outside the layer.
    fn metadata_router<S: Clone + Send + Sync + 'static>(&self) -> Router<S>;
}

impl ResourceServerExt for ResourceServer {
    fn metadata_router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        // A resource's path may look like a parameter of axum's old syntax.
        let router = Router::new().without_v07_checks();
        match self.metadata_path() {
            Some(path) => router.route_service(path, MetadataService::new(self)),
            None => router,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::{Request, StatusCode},
        routing::get,
    };
    use oauth_tower::{outgoing::HttpClient, resource::Issuer};
    use tower::ServiceExt;

    use super::*;

    // spec: MET-12
    #[tokio::test]
    async fn metadata_is_read_without_a_token_beside_routes_that_want_one() {
        let never =
            tower::service_fn(|_| async { Err::<axum::response::Response, _>(std::io::Error::other("no network")) });
        let api = ResourceServer::builder("https://api.example/v1/notes")
            .issuer(Issuer::jwt("https://auth.example"))
            .http(HttpClient::new(never))
            .build()
            .unwrap();
        let app = Router::new().route("/notes", get(async || "notes")).layer(api.layer()).merge(api.metadata_router());
        let app: Router = app.with_state(());
        let send = |path: &str| app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap());
        assert_eq!(send("/notes").await.unwrap().status(), StatusCode::UNAUTHORIZED);
        let response = send("/.well-known/oauth-protected-resource/v1/notes").await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let body = to_bytes(response.into_body(), 1_000).await.unwrap();
        assert!(str::from_utf8(&body).unwrap().contains(r#""resource":"https://api.example/v1/notes""#));
    }
}
