//! [`ResourceLayer`]: what a route asks of a token.

use std::sync::Arc;

use http::{
    Extensions, HeaderMap, Method, Request,
    header::{ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, ORIGIN},
};
use tower::Layer;

use super::{
    EmptyBody, Policy, Refusal, RefusalKind, ResourceServer, ResourceService, ValidatedToken,
    sender::{self, Proof, Sender},
    terms::Terms,
};

/// Protects a service: only requests with a good token reach it. Made by
/// [`ResourceServer::layer`].
///
/// ```
/// # #[cfg(feature = "client")]
/// # fn main() -> Result<(), oauth_tower::resource::BuildError> {
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use oauth_tower::resource::{Issuer, Refusal, ResourceServer};
/// use std::convert::Infallible;
/// use tower::ServiceBuilder;
///
/// async fn handler(_: Request<String>) -> Result<Response<Full<Bytes>>, Infallible> {
///     Ok(Response::new("secret".into()))
/// }
///
/// let api = ResourceServer::builder("https://api.example").issuer(Issuer::jwt("https://as.example")).build()?;
/// let layer = api
///     .layer()
///     .require_scope("albums:read albums:write")
///     .render_with(|refusal: &Refusal| refusal.response(Full::new(Bytes::from("sorry\n"))));
/// let service = ServiceBuilder::new().layer(layer).service_fn(handler);
/// # drop(service);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "client"))]
/// # fn main() {}
/// ```
///
/// The error type stays that of the service: a refusal is a response.
///
/// A CORS preflight passes without a token (a browser never sends one with it),
/// as anonymous: a CORS layer may stand inside or outside. Where none answers it,
/// it reaches the service, so a handler for any method must not take every
/// `OPTIONS` for an authorized request; one that takes a token answers 401.
#[derive(Clone, Debug)]
#[must_use]
pub struct ResourceLayer<R = EmptyBody> {
    server: ResourceServer,
    policy: Policy,
    optional: bool,
    render: Arc<R>,
}

impl ResourceLayer {
    pub(super) fn new(server: ResourceServer) -> Self {
        Self { server, policy: Policy::new(), optional: false, render: Arc::new(EmptyBody) }
    }
}

impl<R> ResourceLayer<R> {
    /// Asks for all of these scope tokens, separated by spaces; else 403
    /// `insufficient_scope`, and the challenge lists them (OAuth 2.1 section
    /// 7.2.3). Called again, it asks for those as well.
    ///
    /// # Panics
    /// If `scope` is not a scope: it is part of the program, not of a request.
    pub fn require_scope(self, scope: &str) -> Self {
        self.require(Policy::new().scope(scope))
    }

    /// Asks for all that `policy` does; a [`Scope`](oauth_core::scope::Scope) is
    /// one. Called again, it asks for that as well.
    ///
    /// ```
    /// # #[cfg(feature = "client")]
    /// # fn main() -> Result<(), oauth_tower::resource::BuildError> {
    /// use oauth_tower::resource::{Issuer, Policy, ResourceServer};
    ///
    /// let api = ResourceServer::builder("https://api.example").issuer(Issuer::jwt("https://as.example")).build()?;
    /// let layer = api.layer().require(Policy::new().any_scope(["albums:read", "albums:write"]).max_age(3600));
    /// # drop(layer);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "client"))]
    /// # fn main() {}
    /// ```
    pub fn require(mut self, policy: impl Into<Policy>) -> Self {
        self.policy = self.policy.and(policy.into());
        self
    }

    /// Lets requests without credentials pass, as anonymous: they carry
    /// [`Anonymous`] in their extensions and no token. A bad token is refused
    /// all the same.
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Answers refused requests by `render`: for bodies without `Default`, and
    /// for bodies that say something.
    pub fn render_with<T>(self, render: T) -> ResourceLayer<T> {
        ResourceLayer { server: self.server, policy: self.policy, optional: self.optional, render: Arc::new(render) }
    }

    pub(super) const fn server(&self) -> &ResourceServer {
        &self.server
    }

    pub(super) const fn render(&self) -> &Arc<R> {
        &self.render
    }

    /// Decides on a request whose token is known, and tells the service of it.
    pub(super) fn admit<B>(
        &self,
        found: Result<Option<Arc<ValidatedToken>>, RefusalKind>,
        proof: Proof,
        request: &mut Request<B>,
    ) -> Result<(), Refusal> {
        let decision = self.decide(found, proof, request.extensions_mut());
        decision.map_err(|kind| self.server.refuse(kind, request.headers()))
    }

    /// Without credentials, and so without a token.
    pub(super) fn let_pass(&self, extensions: &mut Extensions) {
        // An outer layer's token is for another audience.
        extensions.remove::<Arc<ValidatedToken>>();
        extensions.insert(Anonymous { terms: Arc::clone(&self.server.judge.terms) });
    }

    fn decide(
        &self,
        found: Result<Option<Arc<ValidatedToken>>, RefusalKind>,
        proof: Proof,
        extensions: &mut Extensions,
    ) -> Result<(), RefusalKind> {
        let Some(token) = found? else {
            if !self.optional {
                return Err(RefusalKind::MissingCredentials);
            }
            self.let_pass(extensions);
            return Ok(());
        };
        let connection = self.server.judge.mutual_tls.then_some(&*extensions);
        sender::check(&token, Sender { proof, connection }).map_err(RefusalKind::InvalidToken)?;
        self.policy.check(&token, &self.server.judge.terms)?;
        extensions.insert(token);
        Ok(())
    }
}

impl<S, R> Layer<S> for ResourceLayer<R> {
    type Service = ResourceService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        let (server, policy) = (self.server.clone(), self.policy.clone());
        let layer = Self { server, policy, optional: self.optional, render: Arc::clone(&self.render) };
        ResourceService::new(inner, Arc::new(layer))
    }
}

/// The layer has seen the request, and it came without credentials.
#[derive(Clone, Debug)]
pub struct Anonymous {
    terms: Arc<Terms>,
}

impl Anonymous {
    /// The refusal of a handler that wants a token after all: 401, with the
    /// challenge of the layer.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        Refusal::new(RefusalKind::MissingCredentials, Arc::clone(&self.terms))
    }
}

/// Whether this is a CORS preflight, which needs no token: `OPTIONS` with both
/// headers, and never credentials (Fetch, "CORS-preflight fetch").
pub(super) fn is_preflight<B>(request: &Request<B>) -> bool {
    *request.method() == Method::OPTIONS && has_preflight_headers(request.headers())
}

fn has_preflight_headers(headers: &HeaderMap) -> bool {
    headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        && !headers.contains_key(AUTHORIZATION)
}
