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
//! # Tokens that are bound to their sender
//!
//! * [`ResourceServerBuilder::dpop`]: to a key of the client's, which signs a
//!   proof for each request (RFC 9449).
//! * [`ResourceServerBuilder::mutual_tls`]: to the client's certificate (RFC 8705).
//!
//! Without these settings such tokens are refused, as is one that is bound in a
//! way that is not known here.

mod answer;
mod builder;
mod cache;
mod challenger;
mod configure;
mod credentials;
mod discovery;
mod dpop;
mod fetched;
mod flight;
mod form;
mod future;
mod introspection;
mod invalidate;
mod issuer;
mod jwks;
mod jwt;
mod layer;
#[cfg(feature = "server")]
mod local;
mod metadata;
mod outage;
mod proof;
mod refusal;
mod render;
mod require_scope;
mod route;
mod sender;
mod service;
#[cfg(test)]
mod tests;
mod token;
mod validate;

use std::{fmt, sync::Arc};

use futures_util::FutureExt;
use http::{Extensions, HeaderMap, request::Parts};

#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub use self::issuer::LocalIssuer;
pub use self::{
    builder::{BuildError, HasIssuer, NoIssuer, ResourceServerBuilder},
    dpop::Dpop,
    future::ResponseFuture,
    issuer::{IntrospectionEndpoint, IntrospectionIssuer, Issuer, JwtIssuer},
    layer::{Anonymous, ResourceLayer},
    metadata::MetadataService,
    refusal::{InvalidRequest, InvalidToken, Refusal, RefusalKind},
    render::{EmptyBody, Render},
    require_scope::{RequireScope, RequireScopeService},
    service::ResourceService,
    token::{TokenClaims, ValidatedToken},
};
use self::{
    credentials::Scheme,
    invalidate::Slot,
    sender::Sender,
    validate::{Check, Judge, Judged, Mechanism},
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
    /// compared byte for byte.
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

    /// Judges a request without a layer: the same path, for frameworks that
    /// have no tower.
    ///
    /// # Errors
    /// [`Refusal`], with the status and the headers to answer with. A request
    /// without credentials is one: [`RefusalKind::MissingCredentials`].
    pub async fn validate(&self, parts: &Parts) -> Result<Arc<ValidatedToken>, Refusal> {
        let check = self.judge.check(&parts.headers, Some((&parts.method, &parts.uri)));
        let connection = self.judge.mutual_tls.then_some(&parts.extensions);
        self.finish(check, connection).await.map_err(|kind| self.refuse(kind, &parts.headers))
    }

    /// As [`ResourceServer::validate`], where there are headers and nothing else:
    /// tokens that are bound to a key are refused, since nobody knows what their
    /// proof would have to be for.
    ///
    /// # Errors
    /// As [`ResourceServer::validate`].
    pub async fn validate_headers(&self, headers: &HeaderMap) -> Result<Arc<ValidatedToken>, Refusal> {
        self.finish(self.judge.check(headers, None), None).await.map_err(|kind| self.refuse(kind, headers))
    }

    /// The resource identifier.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.judge.resource
    }

    /// Fetches the keys of every JWT issuer unless they are at hand, for
    /// programs that would rather not start without them. Nothing else needs
    /// this: keys are fetched when the first token comes.
    ///
    /// # Errors
    /// The issuers that have no usable keys.
    pub async fn warm_up(&self) -> Result<(), NotReady> {
        let mut issuers = Vec::new();
        for configured in &self.judge.issuers {
            if let Mechanism::Jwt(verifier) = &configured.mechanism
                && verifier.keys.ready().await.is_err()
            {
                issuers.push(configured.issuer.to_string());
            }
        }
        if issuers.is_empty() { Ok(()) } else { Err(NotReady { issuers }) }
    }

    /// Forgets every verdict: the next use of each token is judged anew. For
    /// whoever may have missed a revocation.
    pub fn forget_all(&self) {
        self.judge.ledger.strike(Slot::EVERYTHING);
    }

    async fn finish(&self, check: Check, connection: Option<&Extensions>) -> Result<Arc<ValidatedToken>, RefusalKind> {
        let judged = match check {
            Check::Now(found, refresh) => {
                if let Some(refresh) = refresh {
                    // One push by the way; whoever comes next gives another.
                    refresh.now_or_never();
                }
                Judged::sent(found?.ok_or(RefusalKind::MissingCredentials)?)
            }
            Check::Later(verdict) => verdict.await?,
        };
        let sender = Sender { proven: judged.proven, connection };
        sender::check(&judged.token, sender).map_err(RefusalKind::InvalidToken)?;
        Ok(judged.token)
    }

    fn refuse(&self, kind: RefusalKind, headers: &HeaderMap) -> Refusal {
        Refusal::new(kind, Arc::clone(&self.judge.challenger)).under(Scheme::of(headers))
    }
}

impl fmt::Debug for ResourceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceServer").field("resource", &self.judge.resource).finish_non_exhaustive()
    }
}

/// Some issuers' keys could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no keys of {}", issuers.join(", "))]
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
