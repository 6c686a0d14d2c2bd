//! [`FormTokenService`]: the layer around a service.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower::Service;

use super::{
    super::{EmptyBody, Render, ready},
    FormToken, FormTokenFuture, FormTokenLayer,
    read::{Reading, is_form},
};

/// A service that gets its forms whole. Made by [`FormTokenLayer`].
pub struct FormTokenService<S, R = EmptyBody> {
    inner: S,
    layer: Arc<FormTokenLayer<R>>,
}

impl<S, R> FormTokenService<S, R> {
    pub(super) const fn new(inner: S, layer: Arc<FormTokenLayer<R>>) -> Self {
        Self { inner, layer }
    }
}

impl<S, B, ResBody, R> Service<Request<B>> for FormTokenService<S, R>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
    B: Body + From<Bytes>,
    R: Render<ResBody>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = FormTokenFuture<S, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // Of this request, or of none.
        request.extensions_mut().remove::<FormToken>();
        if !self.layer.server.judge.form_tokens || !is_form(&request) {
            return FormTokenFuture::serving(self.inner.call(request));
        }
        // Dropped if the form cannot be read.
        let ready = ready::take(&mut self.inner);
        match Reading::start(request.body(), self.layer.limit, self.layer.timeout) {
            Ok(reading) => FormTokenFuture::reading(reading, request, ready, Arc::clone(&self.layer)),
            Err(reason) => FormTokenFuture::refused(self.layer.refuse(reason), Arc::clone(&self.layer.render)),
        }
    }
}

impl<S: Clone, R> Clone for FormTokenService<S, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: Arc::clone(&self.layer) }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for FormTokenService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormTokenService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
