//! Refusals in the app's own words: problem details (RFC 9457) as JSON.
//!
//!     cargo run -p examples --example custom_error_body
//!     curl -i http://127.0.0.1:9500/notes
//!     curl -i -H 'Authorization: Bearer junk' http://127.0.0.1:9500/notes
//!
//! Status, `WWW-Authenticate` and `Retry-After` stay as they are: clients go by
//! them. Only the body is new. What it says is what the challenge says; why
//! exactly a token was refused is for the log.

use axum::{
    Json, Router,
    response::{IntoResponse, Response},
    routing::get,
};
use examples::{complain, say, stand_in::StandIn};
use http::{HeaderValue, header::CONTENT_TYPE};
use oauth_axum_rs::{Refusal, ResourceServer, Token};
use serde_json::json;
use tokio::net::TcpListener;

const API: &str = "http://127.0.0.1:9500";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = StandIn::new("https://as.example");
    let app = app(&issuer)?;
    say(format!("403: curl -i -H 'Authorization: Bearer {}' {API}/notes", issuer.token(API, "other")));
    say(format!("200: curl -i -H 'Authorization: Bearer {}' {API}/notes", issuer.token(API, "notes:read")));
    axum::serve(TcpListener::bind("127.0.0.1:9500").await?, app).await?;
    Ok(())
}

fn app(issuer: &StandIn) -> Result<Router, Box<dyn std::error::Error>> {
    let api = ResourceServer::builder(API).issuer(issuer.issuer()).build()?;
    let notes = get(async |token: Token| format!("notes of {}\n", token.subject()));
    Ok(Router::new().route("/notes", notes).layer(api.layer().require_scope("notes:read").render_with(problem)))
}

fn problem(refusal: &Refusal) -> Response {
    complain(format!("refused: {refusal}"));
    let status = refusal.status();
    let body = json!({
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": refusal.description(),
        "error": refusal.error_code().map(|code| code.to_string()),
    });
    // Status and headers of the refusal, with this body.
    let mut response = refusal.response(Json(body).into_response().into_body());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use http::Request;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn the_body_is_a_problem_and_the_challenge_stays() {
        let issuer = StandIn::new("https://as.example");
        let app = app(&issuer).unwrap();
        for (token, status, error) in [
            (None, 401, None),
            (Some("junk".to_owned()), 401, Some("invalid_token")),
            (Some("a b".to_owned()), 400, Some("invalid_request")),
            (Some(issuer.token(API, "other")), 403, Some("insufficient_scope")),
        ] {
            let mut request = Request::get("/notes");
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
            let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
            let body: Value = serde_json::from_slice(&to_bytes(response.into_body(), 1000).await.unwrap()).unwrap();
            assert_eq!((&body["status"], body["error"].as_str()), (&json!(status), error));
            assert!(error.is_none_or(|error| challenge.contains(error)));
        }
    }
}
