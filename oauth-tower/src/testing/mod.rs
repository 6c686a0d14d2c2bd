//! A mock authorization server, for the tests of whoever uses this crate.
//!
//! [`MockIssuer`] has metadata, keys and an introspection endpoint, and issues
//! whatever token a test wants, good or bad. It is a tower service in memory
//! and goes by a clock that stands still: a test needs no socket, and does not
//! sleep.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use http::{Request, Response, StatusCode};
//! use oauth_tower::{
//!     resource::{Issuer, ResourceServer, ValidatedToken},
//!     testing::MockIssuer,
//! };
//! use std::{convert::Infallible, sync::Arc};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! const API: &str = "https://api.example";
//!
//! // What is tested: the program's own service, with the mock for an issuer.
//! let issuer = MockIssuer::new("https://as.example");
//! let api = ResourceServer::builder(API)
//!     .issuer(Issuer::jwt(issuer.url()))
//!     .http(issuer.http())
//!     .clock(issuer.clock())
//!     .build()?;
//! let service = api.layer().require_scope("albums:read").layer(service_fn(|request: Request<String>| async move {
//!     let token = request.extensions().get::<Arc<ValidatedToken>>();
//!     Ok::<_, Infallible>(Response::new(token.map_or_else(String::new, |token| token.subject().to_owned())))
//! }));
//! let send = |token: &str| {
//!     let request = Request::get("/albums").header("authorization", format!("Bearer {token}"));
//!     service.clone().oneshot(request.body(String::new()).unwrap())
//! };
//!
//! let token = issuer.token("ada").audience(API).scope("albums:read").lifetime(60).jwt();
//! assert_eq!(send(&token).await?.body(), "ada");
//! let narrow = issuer.token("ada").audience(API).scope("profile").jwt();
//! assert_eq!(send(&narrow).await?.status(), StatusCode::FORBIDDEN);
//!
//! // Everything that must never get through.
//! for forged in issuer.forged_tokens(API) {
//!     assert_eq!(send(forged.token()).await?.status(), StatusCode::UNAUTHORIZED, "{}", forged.name());
//! }
//!
//! issuer.clock().advance(60 + 30); // the clocks of others may be off by 30 seconds
//! assert_eq!(send(&token).await?.status(), StatusCode::UNAUTHORIZED);
//! # Ok(())
//! # }
//! ```
//!
//! # Over a socket
//!
//! [`MockIssuer`] is a tower service for requests with any body, so a whole
//! program can be tested against it. With axum:
//!
//! ```text
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let issuer = MockIssuer::builder(format!("http://{}", listener.local_addr()?)).clock(now).build();
//! tokio::spawn(axum::serve(listener, Router::new().fallback_service(issuer.clone())).into_future());
//! ```
//!
//! Here `now` is `ManualClock::new(SystemClock.now())`, since the program goes
//! by the time of day; and it must permit plain http to loopback
//! ([`insecure_http`](crate::resource::ResourceServerBuilder::insecure_http)).
//! The example `test_your_api` does all of this.
//!
//! # Panics
//!
//! This is for tests: what cannot be done panics, with the reason, at the
//! caller's line.

mod builder;
mod certificate;
mod dpop;
mod endpoint;
mod forged;
mod introspection;
mod keys;
mod outage;
mod request;
mod service;
mod state;
#[cfg(test)]
mod tests;
mod token;

use std::{
    fmt,
    fmt::Display,
    sync::{Arc, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use oauth_core::{clock::ManualClock, jwk::JwkSet};
use tower::ServiceExt;

pub use self::{
    builder::MockIssuerBuilder,
    certificate::client_certificate,
    dpop::DpopClient,
    endpoint::Endpoint,
    forged::ForgedToken,
    outage::Outage,
    request::ReceivedRequest,
    service::{ConnectionLost, MockBody},
    token::MockToken,
};
use self::{
    endpoint::Locations,
    state::{Inner, State},
};
use crate::outgoing::{ClientAuth, HttpClient};

/// An authorization server that does as a test says. Clones share everything.
///
/// It answers requests for its metadata (RFC 8414, and where OpenID Connect
/// looks for them), for its keys (RFC 7517) and for introspection (RFC 7662);
/// anything else is 404. See [the module](self) for how it is used.
#[derive(Clone)]
pub struct MockIssuer {
    inner: Arc<Inner>,
}

impl MockIssuer {
    /// An issuer with one ES256 key, which is made when first needed, and a
    /// clock that stands still at 1,700,000,000 (2023-11-14T22:13:20Z).
    ///
    /// # Panics
    /// If `url` is not an http or https URL without query and fragment.
    #[track_caller]
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self::builder(url).build()
    }

    /// An issuer with settings of its own.
    ///
    /// ```
    /// use oauth_core::jwt::Algorithm;
    /// use oauth_tower::testing::MockIssuer;
    /// let issuer = MockIssuer::builder("https://as.example/tenant")
    ///     .algorithms([Algorithm::EdDSA, Algorithm::ES384])
    ///     .resource_server("notes-api", "a secret")
    ///     .cache_control("max-age=120")
    ///     .build();
    /// assert_eq!(issuer.keys().keys().len(), 2);
    /// ```
    pub fn builder(url: impl Into<String>) -> MockIssuerBuilder {
        MockIssuerBuilder::new(url.into())
    }

    /// The issuer identifier: `iss` in tokens, for
    /// [`Issuer::jwt`](crate::resource::Issuer::jwt) and its kin.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.inner.url
    }

    /// The clock that this issuer goes by. Give it to the resource server too,
    /// and [`advance`](ManualClock::advance) it instead of sleeping.
    #[must_use]
    pub fn clock(&self) -> ManualClock {
        self.inner.clock.clone()
    }

    /// An HTTP client that reaches this issuer and nothing else, for
    /// [`ResourceServerBuilder::http`](crate::resource::ResourceServerBuilder::http).
    /// What is asked of any other host is answered with 404, and noted.
    #[must_use]
    pub fn http(&self) -> HttpClient {
        HttpClient::new(self.clone().map_request(|request: Request<Bytes>| request.map(Full::new)))
    }

    /// Where the keys are: `jwks_uri` of the metadata.
    #[must_use]
    pub fn jwks_uri(&self) -> String {
        self.inner.locations.url(Endpoint::Jwks)
    }

    /// Where tokens are introspected: `introspection_endpoint` of the metadata.
    #[must_use]
    pub fn introspection_endpoint(&self) -> String {
        self.inner.locations.url(Endpoint::Introspection)
    }

    /// Credentials that the introspection endpoint accepts, by
    /// `client_secret_basic`.
    ///
    /// ```
    /// use oauth_tower::{resource::Issuer, testing::MockIssuer};
    /// let issuer = MockIssuer::new("https://as.example");
    /// let asked = Issuer::introspection_discovered(issuer.url()).authenticated(issuer.client_auth());
    /// # drop(asked);
    /// ```
    #[must_use]
    pub fn client_auth(&self) -> ClientAuth {
        let (id, secret) = self.inner.resource_servers.first().cloned().unwrap_or_else(|| ("".into(), "".into()));
        ClientAuth::Basic { id, secret }
    }

    /// The keys as published now, for
    /// [`JwtIssuer::keys`](crate::resource::JwtIssuer::keys).
    #[must_use]
    pub fn keys(&self) -> JwkSet {
        self.state().keys.published().into_iter().collect()
    }

    /// A token to be issued to `subject`, good for five minutes; it lacks an
    /// audience. See [`MockToken`].
    pub fn token(&self, subject: impl Into<String>) -> MockToken {
        MockToken::new(self.clone(), &subject.into())
    }

    /// From now on, introspection calls `token` inactive. A JWT that is
    /// verified by its signature does not notice, here as anywhere.
    pub fn revoke(&self, token: &str) {
        self.state().issued.remove(token);
    }

    /// Signs with new keys from now on. The old ones stay published, until
    /// [`MockIssuer::withdraw_old_keys`].
    ///
    /// A resource server looks for an unknown key no sooner than
    /// [`key_refetch_interval`](crate::resource::ResourceServerBuilder::key_refetch_interval)
    /// after the last time, 5 seconds by default: advance the clock past that,
    /// as time passes between rotations anywhere.
    pub fn rotate_keys(&self) {
        self.state().keys.rotate();
    }

    /// Publishes none but the keys that sign now.
    pub fn withdraw_old_keys(&self) {
        self.state().keys.withdraw_old();
    }

    /// Tokens that no resource server with the identifier `resource` may
    /// accept. Each is like a good one but for the defect it is named after.
    ///
    /// All are to be refused with 401. The keys they are signed with are those
    /// of the moment; the times in them go by the clock, with two minutes to
    /// spare.
    #[must_use]
    pub fn forged_tokens(&self, resource: &str) -> Vec<ForgedToken> {
        forged::tokens(self, resource)
    }

    /// A client with a DPoP key of its own, for tokens that are
    /// [`bound_to`](MockToken::bound_to) it.
    #[must_use]
    pub fn dpop_client(&self) -> DpopClient {
        DpopClient::new(self.clock())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MockIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockIssuer").field("url", &self.url()).finish_non_exhaustive()
    }
}

/// The value, or the end of the test.
#[track_caller]
#[expect(clippy::panic, reason = "a test cannot go on from here, and says why")]
fn must<T, E: Display>(result: Result<T, E>, what: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{what}: {error}"),
    }
}
