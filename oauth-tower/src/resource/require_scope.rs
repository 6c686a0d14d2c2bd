//! [`RequireScope`]: more scope for some routes than for others.

use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Extensions, Request, Response};
use oauth_core::scope::Scope;
use tower::{Layer, Service};

use super::{Anonymous, EmptyBody, Refusal, RefusalKind, Render, ResponseFuture, ValidatedToken};

/// Asks for scope on a part of a service. A
/// [`ResourceLayer`](super::ResourceLayer) must stand further outside and
/// validate the token; this layer reads what it found.
///
/// Where no such layer has seen the request, nobody knows whether the token is
/// good: the answer is 500, since only the program can mend it.
///
/// ```
/// use oauth_tower::resource::RequireScope;
/// use tower::ServiceBuilder;
/// # use http::{Request, Response};
/// # async fn handler(_: Request<String>) -> Result<Response<String>, std::convert::Infallible> {
/// #     Ok(Response::default())
/// # }
/// let delete = ServiceBuilder::new().layer(RequireScope::new("albums:delete")).service_fn(handler);
/// # drop(delete);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RequireScope<R = EmptyBody> {
    required: Arc<Scope>,
    render: Arc<R>,
}

impl RequireScope {
    /// Asks for all of these scope tokens, separated by spaces; else 403
    /// `insufficient_scope` (OAuth 2.1 section 7.2.3).
    ///
    /// # Panics
    /// If `scope` is not a scope: it is part of the program, not of a request.
    pub fn new(scope: &str) -> Self {
        Self { required: Arc::new(literal(scope)), render: Arc::new(EmptyBody) }
    }
}

impl<R> RequireScope<R> {
    /// Answers refused requests by `render`.
    pub fn render_with<T>(self, render: T) -> RequireScope<T> {
        RequireScope { required: self.required, render: Arc::new(render) }
    }

    fn decide(&self, extensions: &Extensions) -> Result<(), Refusal> {
        match extensions.get::<Arc<ValidatedToken>>() {
            Some(token) if self.required.is_subset_of(token.scope()) => Ok(()),
            Some(token) => {
                let kind = RefusalKind::InsufficientScope(Arc::clone(&self.required));
                Err(Refusal::new(kind, Arc::clone(&token.challenger)).under(token.scheme()))
            }
            None => Err(extensions.get::<Anonymous>().map_or_else(Refusal::not_validated, Anonymous::refusal)),
        }
    }
}

impl<S, R> Layer<S> for RequireScope<R> {
    type Service = RequireScopeService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        let layer = Self { required: Arc::clone(&self.required), render: Arc::clone(&self.render) };
        RequireScopeService { inner, layer }
    }
}

/// A service that only requests with enough scope reach. Made by
/// [`RequireScope`].
pub struct RequireScopeService<S, R = EmptyBody> {
    inner: S,
    layer: RequireScope<R>,
}

impl<S, B, ResBody, R> Service<Request<B>> for RequireScopeService<S, R>
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
                // As in `ResourceService`: gives back what readiness holds.
                let clone = self.inner.clone();
                drop(mem::replace(&mut self.inner, clone));
                ResponseFuture::refused(refusal, Arc::clone(&self.layer.render))
            }
        }
    }
}

impl<S: Clone, R> Clone for RequireScopeService<S, R> {
    fn clone(&self) -> Self {
        let layer = RequireScope { required: Arc::clone(&self.layer.required), render: Arc::clone(&self.layer.render) };
        Self { inner: self.inner.clone(), layer }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for RequireScopeService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireScopeService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl ValidatedToken {
    /// Asks for scope within a handler.
    ///
    /// # Errors
    /// [`Refusal`] of the kind [`RefusalKind::InsufficientScope`] if the token
    /// lacks a token of `required`.
    pub fn require(&self, required: &Scope) -> Result<(), Refusal> {
        if required.is_subset_of(self.scope()) {
            return Ok(());
        }
        let kind = RefusalKind::InsufficientScope(Arc::new(required.clone()));
        Err(Refusal::new(kind, Arc::clone(&self.challenger)).under(self.scheme()))
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
