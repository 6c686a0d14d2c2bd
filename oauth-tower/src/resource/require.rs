//! [`Require`]: more for some routes than for others.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Extensions, Request, Response};
use oauth_core::scope::Scope;
use tower::{Layer, Service};

use super::{Anonymous, EmptyBody, Policy, Refusal, Render, ResponseFuture, ValidatedToken, ready};

/// Asks more of the tokens of a part of a service. A
/// [`ResourceLayer`](super::ResourceLayer) must stand further outside and
/// validate the token; this layer reads what it found.
///
/// Where no such layer has seen the request, nobody knows whether the token is
/// good: the answer is 500, since only the program can mend it.
///
/// ```
/// use oauth_tower::resource::{Policy, Require};
/// use tower::ServiceBuilder;
/// # use http::{Request, Response};
/// # async fn handler(_: Request<String>) -> Result<Response<String>, std::convert::Infallible> {
/// #     Ok(Response::default())
/// # }
/// let delete = ServiceBuilder::new().layer(Require::scope("albums:delete")).service_fn(handler);
/// let pay = ServiceBuilder::new().layer(Require::new(Policy::new().scope("pay").max_age(300))).service_fn(handler);
/// # drop((delete, pay));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Require<R = EmptyBody> {
    policy: Arc<Policy>,
    render: Arc<R>,
}

impl Require {
    /// Asks for all that `policy` does.
    pub fn new(policy: impl Into<Policy>) -> Self {
        Self { policy: Arc::new(policy.into()), render: Arc::new(EmptyBody) }
    }

    /// Asks for all of these scope tokens, separated by spaces; else 403
    /// `insufficient_scope` (OAuth 2.1 section 7.2.3).
    ///
    /// # Panics
    /// If `scope` is not a scope: it is part of the program, not of a request.
    pub fn scope(scope: &str) -> Self {
        Self::new(Policy::new().scope(scope))
    }
}

impl<R> Require<R> {
    /// Answers refused requests by `render`.
    pub fn render_with<T>(self, render: T) -> Require<T> {
        Require { policy: self.policy, render: Arc::new(render) }
    }

    fn decide(&self, extensions: &Extensions) -> Result<(), Refusal> {
        match extensions.get::<Arc<ValidatedToken>>() {
            Some(token) => token.require(&self.policy),
            None => Err(extensions.get::<Anonymous>().map_or_else(Refusal::not_validated, Anonymous::refusal)),
        }
    }
}

impl<S, R> Layer<S> for Require<R> {
    type Service = RequireService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        let layer = Self { policy: Arc::clone(&self.policy), render: Arc::clone(&self.render) };
        RequireService { inner, layer }
    }
}

/// A service that only tokens reach which have what is asked for. Made by
/// [`Require`].
pub struct RequireService<S, R = EmptyBody> {
    inner: S,
    layer: Require<R>,
}

impl<S, B, ResBody, R> Service<Request<B>> for RequireService<S, R>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
    R: Render<ResBody>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.layer.decide(request.extensions()) {
            Ok(()) => ResponseFuture::serving(self.inner.call(request), None),
            Err(refusal) => {
                drop(ready::take(&mut self.inner));
                ResponseFuture::refused(refusal, Arc::clone(&self.layer.render))
            }
        }
    }
}

impl<S: Clone, R> Clone for RequireService<S, R> {
    fn clone(&self) -> Self {
        let layer = Require { policy: Arc::clone(&self.layer.policy), render: Arc::clone(&self.layer.render) };
        Self { inner: self.inner.clone(), layer }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for RequireService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl ValidatedToken {
    /// Asks for more within a handler.
    ///
    /// ```
    /// use oauth_tower::resource::{Policy, Refusal, ValidatedToken};
    ///
    /// fn delete(token: &ValidatedToken, album: &str) -> Result<(), Refusal> {
    ///     token.require(&Policy::new().scope("albums:delete").max_age(300))?;
    ///     // Gone it is.
    ///     # let _ = album;
    ///     Ok(())
    /// }
    /// # let _ = delete;
    /// ```
    ///
    /// # Errors
    /// [`Refusal`], ready to be answered with, if the token lacks something.
    pub fn require(&self, policy: &Policy) -> Result<(), Refusal> {
        let refuse = |kind| Refusal::new(kind, Arc::clone(&self.terms)).under(self.scheme());
        policy.check(self, &self.terms).map_err(refuse)
    }

    /// Asks for scope within a handler.
    ///
    /// # Errors
    /// [`Refusal`] of the kind
    /// [`RefusalKind::InsufficientScope`](super::RefusalKind::InsufficientScope)
    /// if the token lacks a token of `required`.
    pub fn require_scope(&self, required: &Scope) -> Result<(), Refusal> {
        if self.permits(required) { Ok(()) } else { self.require(&required.into()) }
    }
}

/// A scope that stands in a program's text.
#[expect(clippy::panic, reason = "documented: a mistake in the program, found when it starts")]
pub(super) fn literal(scope: &str) -> Scope {
    match scope.parse() {
        Ok(scope) => scope,
        Err(error) => panic!("`{scope}`: {error}"),
    }
}
