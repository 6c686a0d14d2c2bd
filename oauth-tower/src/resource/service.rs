//! [`ResourceService`]: the layer around a service.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower::Service;

use super::{
    EmptyBody, Refusal, Render, ResourceLayer, ResponseFuture, layer::is_preflight, ready, sender::Proof,
    validate::Check,
};

/// A service that only requests with a good token reach. Made by
/// [`ResourceLayer`].
pub struct ResourceService<S, R = EmptyBody> {
    inner: S,
    layer: Arc<ResourceLayer<R>>,
}

impl<S, R> ResourceService<S, R> {
    pub(super) const fn new(inner: S, layer: Arc<ResourceLayer<R>>) -> Self {
        Self { inner, layer }
    }

    /// The service inside.
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    /// The service inside.
    pub const fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service inside.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: Clone, R> ResourceService<S, R> {
    fn refuse<B>(&mut self, refusal: Refusal) -> ResponseFuture<S, B, R>
    where
        S: Service<Request<B>>,
    {
        drop(ready::take(&mut self.inner));
        ResponseFuture::refused(refusal, Arc::clone(self.layer.render()))
    }
}

impl<S, B, ResBody, R> Service<Request<B>> for ResourceService<S, R>
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

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if is_preflight(&request) {
            self.layer.let_pass(request.extensions_mut());
            return ResponseFuture::serving(self.inner.call(request), None);
        }
        match self.layer.server().judge.check(
            request.headers(),
            Some((request.method(), request.uri())),
            Some(request.extensions()),
        ) {
            Check::Now(found, refresh) => match self.layer.admit(found, Proof::None, &mut request) {
                Ok(()) => ResponseFuture::serving(self.inner.call(request), refresh),
                Err(refusal) => self.refuse(refusal),
            },
            Check::Later(verdict) => {
                ResponseFuture::judging(verdict, request, ready::take(&mut self.inner), Arc::clone(&self.layer))
            }
        }
    }
}

impl<S: Clone, R> Clone for ResourceService<S, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: Arc::clone(&self.layer) }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for ResourceService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
