//! The authorization server as a tower service.
//!
//! [`AuthorizationServerService`] answers every path of [`Endpoint`], under
//! any HTTP stack whose bodies implement [`http_body::Body`]. It is the place
//! for layers of your own: timeouts, limits, tracing. [`Cors`] lets scripts call
//! what apps in browsers need.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, StatusCode};
//! use http_body_util::Empty;
//! use oauth_core::server::AuthorizationServer;
//! use oauth_tower::server::AuthorizationServerService;
//! use tower::ServiceExt;
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let server = AuthorizationServer::builder("https://auth.example").build().await?;
//! let service = AuthorizationServerService::new(server);
//! let request = Request::get("/.well-known/oauth-authorization-server").body(Empty::<Bytes>::new())?;
//! let response = service.oneshot(request).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! It serves no sign-in page: the authorization endpoint sends the browser to
//! the interaction path of the server, which is the host's. `oauth-axum-rs`
//! has pages.
//!
//! Nothing is spawned, and a request whose connection goes away is dropped
//! where it is; the engine's steps are atomic. A body that trickles in is for
//! the HTTP stack's timeouts to end.

mod body;
mod cors;
mod endpoints;
mod future;
mod service;

pub use self::{
    cors::{Cors, InvalidOrigin},
    endpoints::Endpoint,
    future::ResponseFuture,
    service::{AuthorizationServerService, DEFAULT_BODY_LIMIT, EndpointService},
};
