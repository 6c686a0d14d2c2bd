//! Requests this crate sends: to fetch keys and metadata, to introspect, to
//! get and revoke tokens.
//!
//! [`HttpClient`] is any tower service from requests to responses, boxed: put
//! your own layers around your own client for retries, proxies, client
//! certificates, tracing. With the feature `client`, `HttpClient::builder`
//! makes one of `reqwest`. Whatever the service, each exchange is bounded in
//! time and in size, and a redirect is an answer like any other: it is not
//! followed.
//!
//! What a stranger has named is not for that client: `GuardedFetch` (features
//! `client` and `server`) asks there.

mod client_auth;
mod endpoint;
#[cfg(all(feature = "client", feature = "server"))]
mod guard;
mod private_key_jwt;
#[cfg(feature = "client")]
mod reqwest;
pub(crate) mod well_known;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower::{Service, ServiceExt};

pub(crate) use self::client_auth::AuthError;
pub(crate) use self::endpoint::{Endpoint, Transport};
#[cfg(all(feature = "client", feature = "server"))]
#[cfg_attr(docsrs, doc(cfg(all(feature = "client", feature = "server"))))]
pub use self::guard::{GuardedFetch, GuardedFetchBuilder, Resolve, ResolveFuture, SystemResolver, is_special_use};
#[cfg(feature = "client")]
#[cfg_attr(docsrs, doc(cfg(feature = "client")))]
pub use self::reqwest::HttpClientBuilder;
pub use self::{client_auth::ClientAuth, endpoint::UrlError, private_key_jwt::PrivateKeyJwt};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Sends requests, each bounded in time and in the size of its response.
/// Clones share everything.
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use oauth_tower::outgoing::HttpClient;
/// use std::{convert::Infallible, time::Duration};
///
/// // Any tower service will do; here one that answers by itself.
/// let service = tower::service_fn(|_: Request<Bytes>| async {
///     Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello"))))
/// });
/// let client = HttpClient::new(service).with_timeout(Duration::from_secs(2));
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let response = client.send(Request::get("https://as.example/").body(Bytes::new())?).await?;
/// assert_eq!(response.body(), "hello");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct HttpClient {
    service: Arc<Exchange>,
    timeout: Duration,
    response_limit: usize,
}

type Exchange = dyn Fn(Request<Bytes>, usize) -> BoxFuture<'static, Result<Response<Bytes>, HttpError>> + Send + Sync;

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// No complete response came in time.
    #[error("the request timed out")]
    Timeout,
    /// The response is larger than the limit.
    #[error("the response is too large")]
    TooLarge,
    /// The client could not be set up: no TLS roots, say.
    #[error("the HTTP client cannot be built: {0}")]
    Setup(#[source] BoxError),
    /// The service failed: no connection, no valid certificate, and so on.
    #[error("the request failed: {0}")]
    Transport(#[source] BoxError),
}

impl HttpClient {
    /// How long an exchange may take unless said otherwise: 5 seconds.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

    /// How many bytes a response may have unless said otherwise: 1 MiB (1,048,576).
    pub const DEFAULT_RESPONSE_LIMIT: usize = 1024 * 1024;

    /// A client that sends through `service`, which is cloned for each request
    /// and driven to readiness first.
    ///
    /// Needs tokio's timer where it is used.
    pub fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Bytes>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        // Only cloned under the lock, so that the service need not be `Sync`.
        let service = Mutex::new(service);
        Self::from_exchange(move |request, limit| {
            let service = service.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Box::pin(async move {
                let transport = |error: S::Error| HttpError::Transport(error.into());
                let (head, body) = service.oneshot(request).await.map_err(transport)?.into_parts();
                let body = Limited::new(body, limit).collect().await.map_err(body_error)?;
                Ok(Response::from_parts(head, body.to_bytes()))
            })
        })
    }

    /// With another limit of time for a whole exchange.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// With another limit for the body of a response, in bytes.
    #[must_use]
    pub const fn with_response_limit(mut self, bytes: usize) -> Self {
        self.response_limit = bytes;
        self
    }

    /// The limit of time for a whole exchange.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Sends `request` and reads the response to its end.
    ///
    /// # Errors
    /// [`HttpError`] if no complete response came within the limits. A status
    /// of 400 or above is no error here.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let exchange = (self.service)(request, self.response_limit);
        tokio::time::timeout(self.timeout, exchange).await.unwrap_or(Err(HttpError::Timeout))
    }

    fn from_exchange(
        exchange: impl Fn(Request<Bytes>, usize) -> BoxFuture<'static, Result<Response<Bytes>, HttpError>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            service: Arc::new(exchange),
            timeout: Self::DEFAULT_TIMEOUT,
            response_limit: Self::DEFAULT_RESPONSE_LIMIT,
        }
    }
}

fn body_error(error: BoxError) -> HttpError {
    if error.is::<LengthLimitError>() { HttpError::TooLarge } else { HttpError::Transport(error) }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("timeout", &self.timeout)
            .field("response_limit", &self.response_limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future::pending};

    use http_body_util::Full;
    use tower::service_fn;

    use super::*;

    fn request() -> Request<Bytes> {
        Request::get("https://as.example/").body(Bytes::new()).unwrap()
    }

    #[tokio::test]
    async fn a_response_beyond_the_limit_is_not_read() {
        let service = service_fn(|_: Request<Bytes>| async {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(vec![b'x'; 1000]))))
        });
        let client = HttpClient::new(service);
        assert_eq!(client.send(request()).await.unwrap().body().len(), 1000);
        let strict = client.with_response_limit(999);
        assert!(matches!(strict.send(request()).await.unwrap_err(), HttpError::TooLarge));
    }

    #[tokio::test(start_paused = true)]
    async fn an_exchange_ends_in_time_wherever_it_hangs() {
        let service = service_fn(|_: Request<Bytes>| pending::<Result<Response<Full<Bytes>>, Infallible>>());
        let client = HttpClient::new(service).with_timeout(Duration::from_secs(3));
        let started = tokio::time::Instant::now();
        assert!(matches!(client.send(request()).await.unwrap_err(), HttpError::Timeout));
        assert_eq!(started.elapsed().as_secs(), 3);
    }

    #[tokio::test]
    async fn a_service_of_ones_own_is_driven_to_readiness() {
        let limited = tower::limit::ConcurrencyLimit::new(
            service_fn(|_: Request<Bytes>| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) }),
            1,
        );
        let client = HttpClient::new(limited);
        for _ in 0..3 {
            assert!(client.send(request()).await.is_ok());
        }
    }
}
