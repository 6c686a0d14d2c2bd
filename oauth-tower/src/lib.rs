//! OAuth 2.1 for tower: protect any HTTP service, or be the authorization server.
//!
//! `async fn(Request) -> Result<Response, Error>` is all this crate knows of
//! web frameworks: it works on a bare hyper service, on axum, on tonic.
//!
//! * [`resource`] is the resource server: one layer that accepts tokens of any
//!   authorization server, validated by JWT, by introspection or by the local
//!   store.
#![cfg_attr(feature = "server", doc = "* [`server`] is the authorization server as a tower service.")]
#![cfg_attr(
    feature = "client",
    doc = "* [`client`] asks people for consent, gets, refreshes and revokes tokens, and calls APIs."
)]
#![cfg_attr(
    all(feature = "client", feature = "server"),
    doc = "* [`reciprocal`] lets two services call each other after one consent."
)]
#![cfg_attr(
    feature = "testing",
    doc = "* [`testing`] is a mock issuer, for tests of services that stand behind the layer."
)]
//! * [`outgoing`] is how this crate sends requests of its own: by default with
//!   `reqwest`, else with any tower service.
//!
//! ```
//! # #[cfg(feature = "client")]
//! # fn main() -> Result<(), oauth_tower::resource::BuildError> {
//! use http::{Request, Response};
//! use oauth_tower::resource::{Issuer, ResourceServer, ValidatedToken};
//! use std::{convert::Infallible, sync::Arc};
//! use tower::ServiceBuilder;
//!
//! async fn notes(request: Request<String>) -> Result<Response<String>, Infallible> {
//!     let token = request.extensions().get::<Arc<ValidatedToken>>();
//!     Ok(Response::new(format!("notes of {}", token.map_or("nobody", |token| token.subject()))))
//! }
//!
//! let api = ResourceServer::builder("https://notes.example")
//!     .issuer(Issuer::jwt("https://issuer.example"))
//!     .build()?;
//! let service = ServiceBuilder::new()
//!     .layer(api.layer().require_scope("notes:read"))
//!     .service_fn(notes);
//! # drop(service);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "client"))]
//! # fn main() {}
//! ```
//!
//! # Features
//!
//! | Feature | Default | What it adds |
//! |---|---|---|
//! | `client` | yes | `reqwest` with rustls for outgoing requests, and the module `client` |
//! | `server` | no | the authorization server as a tower service, and validation by its store |
//! | `tracing` | no | events for outages and refusals, spans around calls to issuers |
//! | `metrics` | no | counters of verdicts and refusals, and the time that issuers take |
//! | `testing` | no | a mock issuer and forged tokens, for the tests of your own service: see `testing` |
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "client")]
#[cfg_attr(docsrs, doc(cfg(feature = "client")))]
pub mod client;
#[cfg(all(feature = "client", feature = "server"))]
#[cfg_attr(docsrs, doc(cfg(all(feature = "client", feature = "server"))))]
pub mod matrix;
pub mod outgoing;
pub mod proxy;
#[cfg(all(feature = "client", feature = "server"))]
#[cfg_attr(docsrs, doc(cfg(all(feature = "client", feature = "server"))))]
pub mod reciprocal;
pub mod resource;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod server;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;

mod budget;
mod flight;
mod seconds;
mod shared;
