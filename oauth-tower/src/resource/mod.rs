//! The resource server: one layer that accepts tokens of anybody's
//! authorization server.
//!
//! ```
//! # #[cfg(feature = "client")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bytes::Bytes;
//! use http::{Request, Response, StatusCode};
//! use http_body_util::Full;
//! use oauth_tower::resource::{Issuer, ResourceServer};
//! use std::convert::Infallible;
//! use tower::{Service, ServiceBuilder, ServiceExt};
//!
//! async fn albums(_: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
//!     Ok(Response::new("all albums".into()))
//! }
//!
//! let api = ResourceServer::builder("https://api.example")
//!     .issuer(Issuer::jwt("https://as.example"))
//!     .build()?;
//! let service = ServiceBuilder::new()
//!     .layer(api.layer().require_scope("albums:read"))
//!     .service_fn(albums);
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! // Nobody gets in without a token.
//! let response = service.oneshot(Request::new(Full::default())).await?;
//! assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
//! assert_eq!(response.headers()["www-authenticate"], r#"Bearer realm="https://api.example""#);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })
//! # }
//! # #[cfg(not(feature = "client"))]
//! # fn main() {}
//! ```
//!
//! # What a request goes through
//!
//! 1. The `Authorization` header is read: at most one token (OAuth 2.1 section 7.2).
//! 2. The verdict on the token is looked up. On a hit nothing is verified,
//!    nobody is asked, and nothing is allocated; `exp` is compared each time.
//! 3. On a miss the token goes to its issuer's rules: signature and claims
//!    (RFC 9068), introspection (RFC 7662) or the local store. Concurrent
//!    misses for one token make one verification, or one question.
//! 4. A binding of the token to its sender is checked, for every request.
//! 5. The scope is checked, and the service is called with an
//!    `Arc<`[`ValidatedToken`]`>` in the extensions of the request.
//!
//! # What the client gets otherwise
//!
//! | Status | When |
//! |---|---|
//! | 400 `invalid_request` | malformed or repeated credentials |
//! | 401 | none, or of a scheme that is not served |
//! | 401 `invalid_dpop_proof`, `use_dpop_nonce` | the DPoP proof is not good, or lacks the nonce that comes along |
//! | 401 `invalid_token` | expired, revoked, forged, of another issuer, for another audience |
//! | 403 `insufficient_scope` | a good token without the scope |
//! | 503, `Retry-After` | the issuer is down, slow or wrong: an outage is no denial |
//!
//! # How long a revoked token is accepted
//!
//! * [`Issuer::jwt`]: until it expires. A key that its issuer withdraws takes
//!   its tokens along at the next fetch of keys, after an hour at most
//!   ([`ResourceServerBuilder::key_lifetime`]); if the issuer cannot be reached
//!   then, after [`ResourceServerBuilder::stale_limit`] more.
//! * [`Issuer::introspection`]: for [`IntrospectionIssuer::cache_for`], 30
//!   seconds by default.
#![cfg_attr(
    feature = "server",
    doc = "* [`Issuer::local`]: not at all if it was revoked in this process, else for [`LocalIssuer::cache_for`], 5 seconds by default."
)]
//!
//! With [`ResourceServer::follow`] revocations are heard of on a bus, as a rule
//! within milliseconds, and none of these is ever reached. All of them hold
//! again where the bus is cut, and for a JWT also where it was revoked while
//! the bus was cut or before this process began to listen
//! ([the whole table](oauth_core::bus#what-may-be-relied-upon)). Choose
//! lifetimes that you can live with while there is no bus.
//!
//! ## How soon a revocation is heard
//!
//! | | with the bus | without it, or while it is cut |
//! |---|---|---|
//! | `Issuer::local`, in the process that revokes | at once | at once |
//! | `Issuer::local`, beside another node | milliseconds | its `cache_for`: 5 seconds |
//! | [`Issuer::introspection`] | milliseconds | its `cache_for`: 30 seconds |
//! | [`Issuer::jwt`], tokens that name a [status list](JwtIssuer::status_list) | milliseconds | the list's `ttl`: 15 seconds, if the issuer is of this family. If no newer list can be fetched, or the issuer goes on to hand out an old one, since its own store fails, [`JwtIssuer::status_list_grace`] more: 1 minute, then 503. Where the issuer's clock is ahead, by so much more, but at most by `ttl` again |
//! | [`Issuer::jwt`], tokens that name none | milliseconds, if this process was listening then | until the token expires |
//!
//! A verdict's time is counted from when the issuer was asked, not from when it
//! answered; whoever comes when it is over asks anew, also if that answer is still
//! on its way. Milliseconds are what is usual, and nothing to rely on. Whoever listens
//! again drops its verdicts, but for JWTs that name no list this finds nothing out: what
//! was revoked meanwhile stays good to its end.
//!
//! Messages to resource servers are neither sealed nor signed. Whoever may publish on
//! the bus can make an API ask anew, or, if they know what it calls a grant, refuse its
//! JWTs; they can never have a token accepted. Let nobody publish but the
//! authorization server.
//!
//! # Tokens that are bound to their sender
//!
//! * [`ResourceServerBuilder::dpop`]: to a key of the client's, which signs a
//!   proof for each request (RFC 9449).
//! * [`ResourceServerBuilder::mutual_tls`]: to the client's certificate (RFC 8705).
//!
//! Without these settings such tokens are refused, as is one that is bound in a
//! way that is not known here.
//!
//! # Other kinds of client
//!
//! * Those that can send nothing but a form: [`ResourceServerBuilder::form_tokens`].
//! * Those that speak gRPC: [`GrpcStatus`].
//! * Scripts of other origins: [`CORS_EXPOSED_HEADERS`].
//!
//! # What can be watched
//!
//! [`ResourceServer::health`] says whether tokens can be judged now, and how old
//! the keys are.
//!
//! The feature `metrics` counts through the facade of that name. A recorder must
//! be installed before the resource server is built. No label has anything of a
//! request.
//!
//! | Metric | Labels | What it is |
//! |---|---|---|
//! | `oauth_resource_requests_total` | `resource`, `verdict` | requests, by where the verdict on the token came from: `hit` (the cache), `verified` (here), `asked` (the issuer or the store), `none` (none was needed) |
//! | `oauth_resource_refusals_total` | `resource`, `reason` | refusals, by [`RefusalKind::reason`] |
//! | `oauth_resource_bus_total` | `resource`, `event` | what came of [following](ResourceServer::follow) a bus: `heard` (a message), `gap` (some may have been missed: verdicts were dropped), `lost`, `unreadable`, `forgotten` (a revoked JWT, for want of room) |
//! | `oauth_resource_upstream_seconds` | `issuer`, `what`, `outcome` | how long fetches of `keys` and `metadata` and questions for `introspection` took: `ok`, `status` (other than 200), `timeout`, `unreachable`, `unusable`, `abandoned` (nobody waited any more) |
#![cfg_attr(feature = "metrics", doc = "\nThree gauges are set by [`ResourceServer::update_gauges`].")]
//!
//! The feature `tracing` says at `warn` what is down, and why; at `debug` why a
//! request is refused, and, in a span `upstream`, each call to an issuer; at
//! `trace`, where the verdict on each request came from. Nothing of a token, a
//! claim, a proof or a secret is said at any level.

mod answer;
mod ask;
mod breaker;
mod budget;
mod build_error;
mod builder;
mod cache;
mod configure;
mod cors;
mod credentials;
mod discovery;
mod dpop;
mod fetched;
mod flight;
mod follow;
mod forget;
mod form;
mod form_token;
mod future;
mod grpc;
mod health;
mod hierarchy;
mod introspection;
mod invalidate;
mod issuer;
mod jwks;
mod jwt;
mod layer;
#[cfg(feature = "server")]
mod local;
pub mod matrix;
mod metadata;
mod observe;
mod outage;
mod policy;
mod proof;
mod ready;
mod reason;
mod refusal;
mod render;
mod rendered;
mod require;
mod revoked;
mod route;
mod scheme;
mod sender;
mod service;
mod signed;
mod status;
mod stream;
mod terms;
#[cfg(test)]
mod tests;
mod token;
mod validate;
mod validated;

use std::{fmt, sync::Arc};

#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub use self::issuer::LocalIssuer;
use self::validate::Judge;
pub use self::{
    build_error::BuildError,
    builder::{HasIssuer, NoIssuer, ResourceServerBuilder},
    cors::{CORS_ALLOWED_HEADERS, CORS_EXPOSED_HEADERS},
    dpop::Dpop,
    form_token::{FormTokenFuture, FormTokenLayer, FormTokenService, UnreadableContent},
    future::ResponseFuture,
    grpc::GrpcStatus,
    health::{Health, IssuerHealth, IssuerKind, IssuerState},
    issuer::{IntrospectionEndpoint, IntrospectionIssuer, Issuer, JwtIssuer},
    layer::{Anonymous, ResourceLayer},
    metadata::MetadataService,
    policy::{Authentication, Detail, Policy},
    refusal::{InvalidRequest, InvalidToken, NotPermitted, Refusal, RefusalKind},
    render::{EmptyBody, Render},
    require::{Require, RequireService},
    scheme::{Presented, SchemeError, SchemeRequest, TokenScheme},
    service::ResourceService,
    signed::SignedAnswers,
    status::StatusListPolicy,
    stream::{TokenEnd, TokenLife, UntilTokenEnds},
    token::{TokenClaims, ValidatedToken},
    validated::Validated,
};

/// A protected resource and the authorization servers whose tokens it accepts.
/// Clones share everything.
#[derive(Clone)]
pub struct ResourceServer {
    judge: Arc<Judge>,
}

impl ResourceServer {
    /// Starts a resource server. `resource` is its identifier: the audience
    /// that every token must name (RFC 9068 section 4, RFC 8707 section 2),
    /// compared byte for byte. A URL, or whatever the authorization server calls
    /// it; without whitespace and control characters.
    ///
    /// ```
    /// # #[cfg(feature = "client")]
    /// # fn main() -> Result<(), oauth_tower::resource::BuildError> {
    /// use oauth_tower::resource::{Issuer, ResourceServer};
    /// use std::time::Duration;
    ///
    /// let api = ResourceServer::builder("https://api.example")
    ///     .issuer(Issuer::jwt("https://as.example"))
    ///     .issuer(
    ///         Issuer::introspection("https://old.example", "https://old.example/introspect")
    ///             .client_basic("api", "the client secret")
    ///             .cache_for(Duration::from_secs(10)),
    ///     )
    ///     .build()?;
    /// # drop(api);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "client"))]
    /// # fn main() {}
    /// ```
    pub fn builder(resource: impl Into<String>) -> ResourceServerBuilder {
        ResourceServerBuilder::new(resource.into())
    }

    /// The layer that protects a service. See [`ResourceLayer`].
    pub fn layer(&self) -> ResourceLayer {
        ResourceLayer::new(self.clone())
    }

    /// The resource identifier.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.judge.resource
    }

    /// Fetches the keys and metadata of every issuer unless they are at hand, for
    /// programs that would rather not start without them, and for
    /// [readiness](ResourceServer::health). Nothing else needs this: they are
    /// fetched when the first token comes.
    ///
    /// # Errors
    /// The issuers that have none of use.
    pub async fn warm_up(&self) -> Result<(), NotReady> {
        let mut issuers = Vec::new();
        for configured in &self.judge.issuers {
            if configured.warm_up().await.is_err() {
                issuers.push(configured.issuer.to_string());
            }
        }
        if issuers.is_empty() { Ok(()) } else { Err(NotReady { issuers }) }
    }
}

impl fmt::Debug for ResourceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceServer").field("resource", &self.judge.resource).finish_non_exhaustive()
    }
}

/// What some issuers' tokens are judged by could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no keys or metadata of {}", issuers.join(", "))]
pub struct NotReady {
    issuers: Vec<String>,
}

impl NotReady {
    /// Whose.
    #[must_use]
    pub fn issuers(&self) -> &[String] {
        &self.issuers
    }
}
