//! OAuth 2.1 for axum: protect your routes, or be the authorization server.
//!
//! # Protect routes
//!
//! One layer accepts the access tokens of any authorization server.
//!
//! ```
//! # #[cfg(feature = "client")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use axum::{Router, routing::get};
//! use oauth_axum_rs::{Issuer, ResourceServer, Token};
//!
//! async fn notes(token: Token) -> String {
//!     format!("notes of {}", token.subject())
//! }
//!
//! let api = ResourceServer::builder("https://notes.example")
//!     .issuer(Issuer::jwt("https://auth.example"))
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/notes", get(notes))
//!     .layer(api.layer().require_scope("notes:read"));
//! # drop(app);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "client"))]
//! # fn main() {}
//! ```
//!
//! # Be the authorization server
//!
//! One router has every endpoint. Sign-in and consent are pages that come with
//! the feature `pages`, or your own.
//!
//! ```no_run
//! # #[cfg(all(feature = "pages", feature = "sqlite"))]
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! use axum::Router;
//! use oauth_axum_rs::{
//!     AuthorizationServer, AuthorizationServerExt, Client, PeerExt, RootSecret, SqliteStore,
//!     pages::{Pages, PasswordUsers},
//! };
//!
//! # let (hash, secret) = ("", [0; 32]);
//! let users = PasswordUsers::default().user("alice", hash)?;
//! let server = AuthorizationServer::builder("https://auth.example")
//!     .store(SqliteStore::open("oauth.db").await?)
//!     .root_secret(RootSecret::new(secret)) // 32 random bytes, kept in a file of their own
//!     .client(Client::builder("app").redirect_uri("https://app.example/cb").scope("notes:read").build()?)
//!     .subjects(users.clone())
//!     .build()
//!     .await?;
//! let app: Router = server.router().merge(Pages::new(&server, users).router());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, app.into_make_service_with_peer()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! | Feature | Default | What it adds |
//! |---|---|---|
//! | `client` | yes | reqwest with rustls for outgoing requests |
//! | `server` | no | the authorization server's router |
//! | `pages` | no | sign-in and consent pages, and users with passwords |
//! | `sqlite` | no | the SQLite store |
//! | `postgres` | no | the PostgreSQL store |
//! | `redis` | no | the Redis store |
//! | `tls` | no | a TLS listener for `axum::serve`, with client certificates |
//! | `testing` | no | a mock issuer, for tests of your service |
//! | `metrics`, `tracing` | no | what `oauth-tower` counts and says |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod authorized;
mod extract;
pub mod matrix;
mod metadata;
#[cfg(feature = "pages")]
#[cfg_attr(docsrs, doc(cfg(feature = "pages")))]
pub mod pages;
mod peer;
mod rejection;
#[cfg(feature = "server")]
mod router;
#[cfg(feature = "tls")]
mod tls;

/// Everything below the paved path.
pub use oauth_core;
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub use oauth_core::store::postgres::PostgresStore;
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub use oauth_core::store::redis::RedisStore;
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub use oauth_core::store::sqlite::SqliteStore;
pub use oauth_core::{
    client::{Client, ClientId},
    scope::Scope,
    secret::{RootSecret, Secret},
};
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub use oauth_core::{
    engine::policy::{Resource, Rotation, TokenFormat},
    server::AuthorizationServer,
    store::{composite::Composite, memory::MemoryStore},
};
/// The same for any tower service.
pub use oauth_tower;
pub use oauth_tower::resource::{
    Detail, Dpop, Issuer, Policy, Refusal, RefusalKind, Require, ResourceLayer, ResourceServer, ValidatedToken,
};
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub use oauth_tower::server::{AuthorizationServerService, Cors};

#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub use self::router::AuthorizationServerExt;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use self::tls::{ClientCertificates, TlsConfig, TlsError, TlsListener, TlsStream};
pub use self::{
    authorized::{Authorized, RequiredPolicy},
    extract::{RequiredScope, Scoped, Token},
    metadata::ResourceServerExt,
    peer::{IntoMakeServiceWithPeer, Peer, PeerExt, PeerService},
    rejection::TokenRejection,
};
