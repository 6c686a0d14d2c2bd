//! The future of an answer.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;

/// The answer of [`AuthorizationServerService`](super::AuthorizationServerService),
/// to be. It never fails: a fault is an answer too.
pub struct ResponseFuture(Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>);

impl ResponseFuture {
    pub(super) fn new(answer: impl Future<Output = Response<Bytes>> + Send + 'static) -> Self {
        Self(Box::pin(answer))
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx).map(|response| Ok(response.map(Full::new)))
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseFuture(..)")
    }
}
