//! Tokens in the content of a form, for clients that cannot set a header: a
//! page without script, a device with nothing but forms (OAuth 2.1 section
//! 7.2.1.2).
//!
//!     cargo run -p examples --example form_tokens
//!
//! It prints what to try with curl: a form with its token among the fields, the
//! same with the token in the header, and both, which is one too many and 400.

use axum::{Form, Router, routing::post};
use examples::{say, stand_in::StandIn};
use oauth_axum_rs::{ResourceServer, Token};
use serde::Deserialize;
use tokio::net::TcpListener;

const API: &str = "http://127.0.0.1:9500";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = StandIn::new("https://as.example");
    let (app, token) = (app(&issuer)?, issuer.token(API, "notes:write"));
    say(format!("200: curl -i -d text=hello -d access_token={token} {API}/notes"));
    say(format!("200: curl -i -d text=hello -H 'Authorization: Bearer {token}' {API}/notes"));
    say(format!("400: curl -i -d text=hello -d access_token=x -H 'Authorization: Bearer {token}' {API}/notes"));
    axum::serve(TcpListener::bind("127.0.0.1:9500").await?, app).await?;
    Ok(())
}

fn app(issuer: &StandIn) -> Result<Router, Box<dyn std::error::Error>> {
    let api = ResourceServer::builder(API).issuer(issuer.issuer()).form_tokens().build()?;
    Ok(Router::new()
        .route("/notes", post(add))
        .layer(api.layer().require_scope("notes:write"))
        .layer(api.form_token_layer().limit(10_000))) // axum: the last is outermost
}

#[derive(Deserialize)]
struct Note {
    text: String,
}

/// The form comes through as it was sent.
async fn add(token: Token, Form(note): Form<Note>) -> String {
    format!("{} notes: {}\n", token.subject(), note.text)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use http::Request;
    use tower::ServiceExt;

    use super::*;

    async fn submit(app: &Router, authorization: Option<&str>, form: String) -> (u16, String) {
        let mut request = Request::post("/notes").header("content-type", "application/x-www-form-urlencoded");
        if let Some(token) = authorization {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = app.clone().oneshot(request.body(Body::from(form)).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        (status, String::from_utf8(to_bytes(response.into_body(), 1000).await.unwrap().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_token_is_in_the_form_or_in_the_header() {
        let issuer = StandIn::new("https://as.example");
        let (app, token) = (app(&issuer).unwrap(), issuer.token(API, "notes:write"));
        let both = format!("text=a+b&access_token={token}");
        let served = (200, "ada notes: a b\n".to_owned());
        assert_eq!(submit(&app, None, both.clone()).await, served);
        assert_eq!(submit(&app, Some(&token), "text=a+b".into()).await, served);
        assert_eq!(submit(&app, Some(&token), both).await.0, 400);
        assert_eq!(submit(&app, None, "text=a+b".into()).await.0, 401);
        assert_eq!(submit(&app, None, format!("access_token={}", issuer.token(API, "other"))).await.0, 403);
        assert_eq!(submit(&app, None, format!("access_token={token}&text={}", "a".repeat(10_000))).await.0, 413);
    }
}
