//! An API that takes the JWT access tokens of any authorization server.
//!
//!     cargo run -p examples --example protect_by_jwt -- https://issuer.example
//!
//! The keys of the issuer are found through its metadata when the first token
//! comes. Until then, nothing has to be up.

use axum::{Router, routing::get};
use oauth_axum_rs::{Issuer, ResourceServer, Token};
use tokio::net::TcpListener;

/// What this API is called: every token has to name it in `aud`.
const NOTES: &str = "http://127.0.0.1:9500/api";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:9400".to_owned());

    let api = ResourceServer::builder(NOTES)
        .issuer(Issuer::jwt(issuer))
        .insecure_http() // an issuer on this machine may do without TLS; no other may
        .build()?;

    let app = Router::new()
        .route("/notes", get(notes).layer(api.layer().require_scope("albums:read")))
        // Strangers are welcome here, but a bad token is refused all the same.
        .route("/", get(front_page).layer(api.layer().optional()));

    let listener = TcpListener::bind("127.0.0.1:9500").await?;
    axum::serve(listener, app).await?;
    Ok(())
}

/// Runs only for tokens that are valid, meant for this API, and have the scope.
async fn notes(token: Token) -> String {
    format!("notes of {}\n", token.subject())
}

async fn front_page(token: Option<Token>) -> String {
    token.map_or("hello stranger\n".to_owned(), |token| format!("hello {}\n", token.subject()))
}
