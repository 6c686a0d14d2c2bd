//! An API that asks the authorization server about each token (RFC 7662).
//!
//!     CLIENT_SECRET=... cargo run -p examples --example protect_by_introspection -- https://issuer.example
//!
//! Compared with `protect_by_jwt.rs`, only the builder differs. Tokens may be
//! opaque, and a revoked one is refused as soon as the answer is forgotten.

use std::time::Duration;

use axum::{Router, routing::get};
use oauth_axum_rs::{Issuer, ResourceServer, Token};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:9400".to_owned());
    // Who we are at the authorization server: it tells nothing to strangers.
    let secret = std::env::var("CLIENT_SECRET").unwrap_or_else(|_| "staple-battery-horse-correct".to_owned());

    let api = ResourceServer::builder("http://127.0.0.1:9400/api")
        .issuer(
            Issuer::introspection_discovered(issuer)
                .client_basic("rs", secret)
                // The longest that a revoked token is still accepted. Zero
                // asks for every request.
                .cache_for(Duration::from_secs(10)),
        )
        .insecure_http() // an issuer on this machine may do without TLS; no other may
        .build()?;

    let app = Router::new().route("/notes", get(notes)).layer(api.layer().require_scope("albums:read"));
    let listener = TcpListener::bind("127.0.0.1:9500").await?;
    axum::serve(listener, app).await?;
    Ok(())
}

/// The claims are the same whether they came in a JWT or in an answer.
async fn notes(token: Token) -> String {
    format!("notes of {}, asked for by {}\n", token.subject(), token.client_id().unwrap_or("nobody"))
}
