//! An authorization server inside an axum app, with the built-in pages, and an
//! API of the same app that accepts its tokens.
//!
//!     cargo run -p examples --example mount_authorization_server

use axum::{Router, routing::get};
use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, Client, Issuer, PeerExt, Resource, ResourceServer, RootSecret,
    SqliteStore, Token,
    oauth_core::client::GrantType,
    pages::{Pages, PasswordUsers},
};
use tokio::net::TcpListener;

const ISSUER: &str = "http://127.0.0.1:9400";
const API: &str = "http://127.0.0.1:9400/notes";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In earnest: `.user("alice", "$argon2id$...")`, or users of your own.
    let users = PasswordUsers::default().insecure_plain("alice", "wonderland");
    let app = Client::builder("app")
        .name("Note Taker")
        .redirect_uri("http://127.0.0.1/callback")
        .grant_type(GrantType::REFRESH_TOKEN)
        .scope("notes:read")
        .build()?;

    let server = AuthorizationServer::builder(ISSUER)
        .store(SqliteStore::open(std::env::temp_dir().join("oauth-example.db")).await?)
        // In earnest: 32 random bytes from a file, apart from the store.
        .root_secret(RootSecret::new([7; 32]))
        .client(app)
        .resource(Resource::new(API).scopes("notes:read".parse()?))
        .subjects(users.clone()) // a user who is removed loses their refresh tokens too
        .insecure_development() // plain http, on this machine only
        .build()
        .await?;

    // Validation in process: no network, and a revoked token fails at once.
    let api = ResourceServer::builder(API).issuer(Issuer::local(server.clone())).build()?;
    let notes = async |token: Token| format!("notes of {}\n", token.subject());

    let app = Router::new()
        .route("/notes", get(notes).layer(api.layer().require_scope("notes:read")))
        .merge(server.router()) // /authorize /token /revoke /introspect /jwks /.well-known/...
        .merge(Pages::new(&server, users).scope_text("notes:read", "Read your notes").router());

    let listener = TcpListener::bind("127.0.0.1:9400").await?;
    // The pages limit failed sign-ins by the address of whoever connects.
    axum::serve(listener, app.into_make_service_with_peer()).await?;
    Ok(())
}
