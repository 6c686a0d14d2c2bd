//! What scripts of other origins may do: everything ("Web Browser Clients").

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS,
    },
};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

/// Answers `OPTIONS` by itself, so that no endpoint runs for it, and adds the three headers
/// to every response, with one more that lets scripts read `Retry-After` and `WWW-Authenticate`.
/// [`MatrixLayer`](super::MatrixLayer) does so too: this one is for the routes that need no token, and
/// for whatever answers where there is no route.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct Cors;

/// A service whose responses scripts may read. Made by [`Cors`].
#[derive(Clone, Debug)]
pub struct CorsService<S>(S);

pin_project! {
    /// The response of the service, with headers; or that to `OPTIONS`.
    pub struct CorsFuture<F> {
        // None: it is `OPTIONS`.
        #[pin]
        inner: Option<F>,
    }
}

impl<S> Layer<S> for Cors {
    type Service = CorsService<S>;

    fn layer(&self, inner: S) -> CorsService<S> {
        CorsService(inner)
    }
}

impl<S, B, RB: Default> Service<Request<B>> for CorsService<S>
where
    S: Service<Request<B>, Response = Response<RB>>,
{
    type Response = Response<RB>;
    type Error = S::Error;
    type Future = CorsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let is_options = *request.method() == Method::OPTIONS;
        CorsFuture { inner: if is_options { None } else { Some(self.0.call(request)) } }
    }
}

impl<F, E, RB: Default> Future for CorsFuture<F>
where
    F: Future<Output = Result<Response<RB>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Some(inner) = self.project().inner.as_pin_mut() else { return Poll::Ready(Ok(preflight(RB::default()))) };
        let mut response = ready!(inner.poll(cx))?;
        allow(response.headers_mut());
        Poll::Ready(Ok(response))
    }
}

impl<F> fmt::Debug for CorsFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CorsFuture(..)")
    }
}

/// The answer to `OPTIONS`.
pub(super) fn preflight<B>(empty: B) -> Response<B> {
    let mut response = Response::new(empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    allow(response.headers_mut());
    response
}

/// The headers that "servers MUST supply", and what scripts may read besides: without it a browser keeps to
/// itself when to come back (Fetch, "CORS-safelisted response-header name").
pub(super) fn allow(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS"));
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("X-Requested-With, Content-Type, Authorization"),
    );
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After, WWW-Authenticate"));
}
