//! Matrix: the layer as a homeserver needs it ([client-server API], "Client
//! Authentication").
//!
//! [`Matrix`] is a [`ResourceServer`](super::ResourceServer) with the name of a
//! homeserver, its accounts and its application services. Its layer judges tokens
//! as any other does, and answers as Matrix clients expect.
//!
//! ```
//! # #[cfg(feature = "client")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use oauth_tower::resource::{Issuer, ResourceServer, matrix::{EveryAccount, Matrix, Session}};
//! use std::{convert::Infallible, sync::Arc};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! let api = ResourceServer::builder("https://matrix.example.org").issuer(Issuer::jwt("https://as.example")).build()?;
//! let matrix = Matrix::builder(api, "example.org").accounts(EveryAccount).build()?;
//! let whoami = ServiceBuilder::new().layer(matrix.layer()).service_fn(async |request: Request<Full<Bytes>>| {
//!     let session = request.extensions().get::<Arc<Session>>();
//!     let user = session.map_or("", |session| session.user().as_str());
//!     Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(format!(r#"{{"user_id":"{user}"}}"#))))
//! });
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let response = whoami.oneshot(Request::new(Full::default())).await?;
//! assert_eq!(response.status(), 401); // {"errcode":"M_MISSING_TOKEN","error":"..."}
//! assert_eq!(response.headers()["access-control-allow-origin"], "*");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })
//! # }
//! # #[cfg(not(feature = "client"))]
//! # fn main() {}
//! ```
//!
//! # What the client gets otherwise
//!
//! | Answer | When |
//! |---|---|
//! | 401 `M_MISSING_TOKEN` | no `Authorization: Bearer`, two of them, or one without a token |
//! | 401 `M_UNKNOWN_TOKEN` | a token that is not good; a deactivated account; a device that is gone |
//! | the same with `soft_logout` | one that can be refreshed, as far as that is known: see below |
//! | 401 `M_USER_LOCKED` with `soft_logout` | a locked account, but where [`MatrixLayer::allow_locked`] was said |
//! | 403 `M_FORBIDDEN` | no `urn:matrix:client:api:*`, no device, less scope than the route asks; masquerade out of bounds |
//! | 403 `M_USER_SUSPENDED` | a suspended account, but where [`MatrixLayer::allow_suspended`] was said |
//! | 403 `M_GUEST_ACCESS_FORBIDDEN` | a guest, but where [`MatrixLayer::allow_guests`] was said |
//! | 400 `M_UNKNOWN_DEVICE` | an application service asks for a device that its user has not |
//! | 429 `M_LIMIT_EXCEEDED` | beyond [`MatrixBuilder::limit_users`] |
//! | 500 `M_UNKNOWN` | a good token that names two devices, or no user that there is: the servers disagree |
//! | 503 `M_UNKNOWN`, `Retry-After` | the issuer or the accounts cannot be asked: never taken for a sign-out |
//!
//! # When a client is told that it can refresh
//!
//! A 401 without `soft_logout: true` makes clients throw their keys away ("Soft logout").
//! It is there
//!
//! * for a token of an authorization server in this process whose grant lives and
//!   has a refresh token;
//! * for a JWT, and for an introspection response, if nothing is wrong but `exp`. Whether
//!   its grant lives, neither of them says;
//! * not for a token that its issuer calls inactive: RFC 7662 section 2.2 has it say no
//!   more than that. It is there if the token was good here until it expired.
//!
//! [client-server API]: https://spec.matrix.org/latest/client-server-api/

mod accounts;
mod admit;
mod appservice;
mod builder;
mod cors;
mod error;
mod layer;
mod refused;
mod session;
mod stage;
mod unrecognized;

pub use self::{
    accounts::{Account, AccountFuture, AccountState, Accounts, EveryAccount},
    appservice::Appservice,
    builder::{Matrix, MatrixBuildError, MatrixBuilder, NoAccounts},
    cors::{Cors, CorsFuture, CorsService},
    error::MatrixError,
    layer::{MatrixFuture, MatrixLayer, MatrixService},
    refused::MatrixJson,
    session::Session,
    stage::{InvalidStageUrl, OauthStage},
    unrecognized::Unrecognized,
};
