//! [`RequireHttps`]: nothing in the clear.

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use http::{Extensions, Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::{ClientScheme, PeerAddress};

/// Refuses what was sent in the clear: "clients MUST always use TLS", and bearer
/// tokens over plain http are anybody's (OAuth 2.1 sections 7.4.2 and 7.4.3.3).
///
/// The answer is 403 with an empty body, and nobody looks at the token. A request
/// passes if its [`ClientScheme`] is `https`: the listener says so of its own TLS
/// connections, and [`ProxyLayer`](super::ProxyLayer), which belongs outside of
/// this layer, of what comes from proxies that end TLS. What nobody says anything
/// of is refused.
///
/// ```
/// use http::{Request, Response, StatusCode, uri::Scheme};
/// use oauth_tower::proxy::{ClientScheme, RequireHttps};
/// use std::convert::Infallible;
/// use tower::{ServiceBuilder, ServiceExt};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let service = ServiceBuilder::new()
///     .layer(RequireHttps::new())
///     .service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::from("secret"))));
/// let response = service.clone().oneshot(Request::new(())).await?;
/// assert_eq!(response.status(), StatusCode::FORBIDDEN);
/// let request = Request::get("/").extension(ClientScheme(Scheme::HTTPS)).body(())?;
/// assert_eq!(service.oneshot(request).await?.into_body(), "secret");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct RequireHttps {
    loopback: bool,
}

impl RequireHttps {
    /// Refuses everything that was sent in the clear.
    pub const fn new() -> Self {
        Self { loopback: false }
    }

    /// Takes what comes from this machine in the clear, for development. Do not
    /// use it behind a proxy on the same machine: everything comes from there.
    pub const fn insecure_loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    fn admits(self, extensions: &Extensions) -> bool {
        let local = || PeerAddress::of(extensions).is_some_and(|peer| peer.ip().to_canonical().is_loopback());
        ClientScheme::is_https(extensions) || (self.loopback && local())
    }
}

impl<S> Layer<S> for RequireHttps {
    type Service = RequireHttpsService<S>;

    fn layer(&self, inner: S) -> RequireHttpsService<S> {
        RequireHttpsService { inner, rule: *self }
    }
}

/// A service that nothing reaches in the clear. Made by [`RequireHttps`].
#[derive(Clone, Debug)]
pub struct RequireHttpsService<S> {
    inner: S,
    rule: RequireHttps,
}

impl<S, B, ResBody> Service<Request<B>> for RequireHttpsService<S>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
    ResBody: Default,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = RequireHttpsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if self.rule.admits(request.extensions()) {
            return RequireHttpsFuture { serving: Some(self.inner.call(request)) };
        }
        // It is ready and will not be called: what it holds for the call, a
        // place under a limit perhaps, must be given back.
        let fresh = self.inner.clone();
        drop(mem::replace(&mut self.inner, fresh));
        RequireHttpsFuture { serving: None }
    }
}

pin_project! {
    /// The response of the service, or 403.
    pub struct RequireHttpsFuture<F> {
        #[pin]
        serving: Option<F>,
    }
}

impl<F, B, E> Future for RequireHttpsFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Default,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project().serving.as_pin_mut() {
            Some(serving) => serving.poll(cx),
            None => {
                let mut response = Response::new(B::default());
                *response.status_mut() = StatusCode::FORBIDDEN;
                Poll::Ready(Ok(response))
            }
        }
    }
}

impl<F> fmt::Debug for RequireHttpsFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequireHttpsFuture(..)")
    }
}
