//! The admin address: metrics for whoever can reach it, everything else for
//! whoever knows the secret.

use axum::{
    Router,
    extract::{Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use oauth_axum_rs::Secret;

/// The environment variable with the secret.
pub const SECRET: &str = "OAUTH_ADMIN_SECRET";

/// The router of the admin address. `metrics` is asked for the text that
/// Prometheus reads. Without a secret, nothing else is served.
pub fn router(metrics: impl Fn() -> String + Clone + Send + Sync + 'static, secret: Option<Secret>) -> Router {
    router_with(metrics, secret, Router::new())
}

/// The same, with what administrators do besides.
pub fn router_with(
    metrics: impl Fn() -> String + Clone + Send + Sync + 'static,
    secret: Option<Secret>,
    guarded: Router,
) -> Router {
    let metrics = get(async move || ([(CONTENT_TYPE, "text/plain; version=0.0.4")], metrics()));
    let guarded =
        guarded.fallback(async || StatusCode::NOT_FOUND).layer(middleware::from_fn_with_state(secret, require_secret));
    Router::new().route("/metrics", metrics).fallback_service(guarded)
}

async fn require_secret(State(secret): State<Option<Secret>>, request: Request, next: Next) -> Response {
    let sent = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let sent = sent.map(|(_, token)| Secret::new(token.trim()));
    // Two absent secrets are not the same secret.
    if sent.is_some() && sent == secret {
        return next.run(request).await;
    }
    let challenge = HeaderValue::from_static("Bearer realm=\"admin\"");
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, challenge)]).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;

    async fn status(secret: Option<&str>, path: &str, sent: Option<&str>) -> StatusCode {
        let mut request = Request::get(path);
        if let Some(sent) = sent {
            request = request.header(AUTHORIZATION, sent);
        }
        let app = router(String::new, secret.map(Secret::new));
        app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    }

    #[tokio::test]
    async fn metrics_need_no_secret_and_everything_else_does() {
        assert_eq!(status(Some("s"), "/metrics", None).await, StatusCode::OK);
        assert_eq!(status(Some("s"), "/admin/x", None).await, StatusCode::UNAUTHORIZED);
        assert_eq!(status(Some("s"), "/admin/x", Some("Bearer t")).await, StatusCode::UNAUTHORIZED);
        assert_eq!(status(Some("s"), "/admin/x", Some("bearer s")).await, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn without_a_secret_nobody_has_it() {
        for sent in [None, Some("Bearer "), Some("Bearer")] {
            assert_eq!(status(None, "/admin/x", sent).await, StatusCode::UNAUTHORIZED);
        }
    }
}
