//! A client that proves possession of its key ([RFC 9449]).
//!
//! [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use oauth_core::{
    clock::{Clock, ManualClock, SystemRandom},
    dpop::DpopKey,
    jwt::Algorithm,
};
use tower::{Service, ServiceExt};

use super::{keys::generate, must};

/// A client with a key of its own, and the nonce it heard last. Clones share
/// both. Made by [`MockIssuer::dpop_client`](super::MockIssuer::dpop_client).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bytes::Bytes;
/// use http::{Method, Request, Response, StatusCode};
/// use http_body_util::Full;
/// use oauth_core::dpop::DpopNonces;
/// use oauth_tower::{resource::{Dpop, Issuer, ResourceServer}, testing::MockIssuer};
/// use std::convert::Infallible;
/// use tower::{Layer, service_fn};
///
/// let issuer = MockIssuer::new("https://as.example");
/// let api = ResourceServer::builder("https://api.example")
///     .issuer(Issuer::jwt(issuer.url()))
///     .http(issuer.http())
///     .clock(issuer.clock())
///     .dpop(Dpop::required().nonces(DpopNonces::from_bytes([7; 32])))
///     .build()?;
/// let service = api.layer().layer(service_fn(|_: Request<Full<Bytes>>| async {
///     Ok::<_, Infallible>(Response::new(String::from("secret")))
/// }));
///
/// let client = issuer.dpop_client();
/// let token = issuer.token("ada").audience("https://api.example").bound_to(&client).jwt();
/// let request = || client.request(Method::GET, "https://api.example/albums", &token);
/// // Sent twice, since the first time there was no nonce.
/// assert_eq!(client.send(&service, request()).await?.body(), "secret");
///
/// let once = request();
/// assert_eq!(client.send(&service, once.clone()).await?.status(), StatusCode::OK);
/// assert_eq!(client.send(&service, once).await?.status(), StatusCode::UNAUTHORIZED, "a proof is good once");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct DpopClient {
    key: DpopKey,
    clock: ManualClock,
    nonce: Arc<Mutex<Option<String>>>,
}

const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

impl DpopClient {
    pub(super) fn new(clock: ManualClock) -> Self {
        Self { key: generate(Algorithm::ES256).into(), clock, nonce: Arc::default() }
    }

    /// The same client with this key, for another algorithm, say.
    #[must_use]
    pub fn with_key(self, key: DpopKey) -> Self {
        Self { key, ..self }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &DpopKey {
        &self.key
    }

    /// The thumbprint of the key: what `cnf.jkt` says (RFC 9449 section 6.1).
    #[must_use]
    pub fn jkt(&self) -> &str {
        self.key.jkt()
    }

    /// A fresh proof for one request with `token`, made now and with the nonce
    /// that was heard last: for any HTTP client's `DPoP` header. `url` is the
    /// absolute one that the client asks for.
    #[must_use]
    pub fn proof(&self, method: &Method, url: &str, token: &str) -> String {
        let nonce = self.lock().clone();
        let proof =
            self.key.proof(method.as_str(), url, Some(token), nonce.as_deref(), self.clock.now(), &SystemRandom);
        must(proof, "a proof cannot be made")
    }

    /// A request with `token` and a fresh proof (RFC 9449 section 7.1).
    ///
    /// # Panics
    /// If `url` is not an absolute URL, or if no header can carry `token`.
    #[track_caller]
    #[must_use]
    pub fn request(&self, method: Method, url: &str, token: &str) -> Request<Bytes> {
        let uri: Uri = must(url.parse(), "the URL of a request");
        must(uri.host().map(drop).ok_or("it is not absolute"), "the URL of a request");
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        self.authorize(&mut request, token);
        request
    }

    /// Sets `Authorization` and a fresh `DPoP` of a request that has an
    /// absolute URL.
    ///
    /// # Panics
    /// If no header can carry `token`.
    #[track_caller]
    pub fn authorize<B>(&self, request: &mut Request<B>, token: &str) {
        let proof = self.proof(request.method(), &request.uri().to_string(), token);
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, header(&format!("DPoP {token}")));
        headers.insert(DPOP, header(&proof));
    }

    /// Takes up the nonce in a response, if there is one (RFC 9449 section
    /// 8.2). It goes with every proof from here on, wherever that is sent: use
    /// one client for one server.
    pub fn learn(&self, headers: &HeaderMap) {
        if let Some(nonce) = headers.get(DPOP_NONCE).and_then(|value| value.to_str().ok()) {
            *self.lock() = Some(nonce.to_owned());
        }
    }

    /// Sends `request` as it is. If that lacks a nonce or has an old one, sends
    /// it once more with a fresh proof and the nonce that came back (RFC 9449
    /// section 9), as clients do.
    ///
    /// The service is driven to readiness each time.
    ///
    /// # Errors
    /// The service's.
    pub async fn send<S, B, R>(&self, service: &S, request: Request<Bytes>) -> Result<Response<R>, S::Error>
    where
        S: Service<Request<B>, Response = Response<R>> + Clone,
        B: From<Bytes>,
    {
        let response = service.clone().oneshot(request.clone().map(B::from)).await?;
        self.learn(response.headers());
        match token_of(&request) {
            Some(token) if demands_nonce(&response) => {
                let mut again = request.clone();
                self.authorize(&mut again, token);
                let response = service.clone().oneshot(again.map(B::from)).await?;
                self.learn(response.headers());
                Ok(response)
            }
            _ => Ok(response),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.nonce.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for DpopClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopClient").field("jkt", &self.jkt()).finish_non_exhaustive()
    }
}

fn token_of(request: &Request<Bytes>) -> Option<&str> {
    request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("DPoP ")
}

/// RFC 9449 section 9: a 401 whose challenge says `use_dpop_nonce`.
fn demands_nonce<R>(response: &Response<R>) -> bool {
    let says_so = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("\"use_dpop_nonce\""));
    response.status() == StatusCode::UNAUTHORIZED
        && response.headers().contains_key(DPOP_NONCE)
        && response.headers().get_all(WWW_AUTHENTICATE).iter().any(says_so)
}

#[track_caller]
fn header(text: &str) -> HeaderValue {
    must(HeaderValue::from_str(text), "a header")
}
