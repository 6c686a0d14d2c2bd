//! Requests with an access token, bearer or bound.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use oauth_core::{
    clock::{Clock, SystemClock},
    dpop::ProofError,
    secret::Secret,
    token::TokenType,
};
use zeroize::Zeroizing;

use super::dpop::DpopProver;
use crate::outgoing::{Endpoint, HttpClient, HttpError, Transport, UrlError};

/// Calls APIs with tokens. Clones share the HTTP client and, of DPoP, the key
/// and the nonces.
///
/// ```no_run
/// use bytes::Bytes;
/// use http::Request;
/// use oauth_core::token::TokenResponse;
/// use oauth_tower::{client::{ApiClient, DpopProver}, outgoing::HttpClient};
/// # async fn run(prover: DpopProver, tokens: TokenResponse) -> Result<(), Box<dyn std::error::Error>> {
/// let api = ApiClient::new(HttpClient::builder().build()?).dpop(prover);
/// let request = Request::get("https://api.example/albums").body(Bytes::new())?;
/// let response = api.send(request, &tokens.access_token, &tokens.token_type).await?;
/// # drop(response);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ApiClient {
    http: HttpClient,
    dpop: Option<DpopProver>,
    clock: Arc<dyn Clock>,
    transport: Transport,
}

/// Why an API was not called, or did not answer. What it answers is no error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The URL is none that a token may go to. It was not sent.
    #[error("the token was not sent: {0}")]
    Url(#[from] UrlError),
    /// The token is bound to a key (RFC 9449), and this client has none: give it
    /// with [`ApiClient::dpop`].
    #[error("the token is bound to a key that this client does not have")]
    NoKey,
    /// The token is of a type that these crates do not implement.
    #[error("the token is of a type this client does not implement")]
    UnknownTokenType,
    /// No header can carry the token.
    #[error("the token cannot be sent in a header")]
    Unsendable,
    /// The proof of this client's key could not be made.
    #[error("no proof of the key could be made: {0}")]
    Proof(#[from] ProofError),
    /// There is no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl ApiClient {
    /// A client that sends through `http`.
    pub fn new(http: HttpClient) -> Self {
        Self { http, dpop: None, clock: Arc::new(SystemClock), transport: Transport::Https }
    }

    /// With the key that tokens are bound to.
    pub fn dpop(mut self, prover: DpopProver) -> Self {
        self.dpop = Some(prover);
        self
    }

    /// Reads the time of proofs here.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Permits plain http to loopback addresses, for development.
    pub const fn insecure_http(mut self) -> Self {
        self.transport = Transport::HttpsOrLoopback;
        self
    }

    /// Sends `request`, which has an absolute URL, with `token`: in the
    /// `Authorization` header, and with a proof if it is bound (RFC 9449 section
    /// 7.1). If the API wants a nonce in that, the request is sent once more.
    ///
    /// # Errors
    /// [`CallError`]. A status of 400 or above is no error here; a redirect is an
    /// answer like any other.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        token: &Secret,
        token_type: &TokenType,
    ) -> Result<Response<Bytes>, CallError> {
        Endpoint::parse(&request.uri().to_string(), self.transport)?;
        match token_type {
            TokenType::Bearer => Ok(self.http.send(authorized(request, "Bearer", token)?).await?),
            TokenType::Dpop => self.send_bound(request, token).await,
            _ => Err(CallError::UnknownTokenType),
        }
    }

    async fn send_bound(&self, request: Request<Bytes>, token: &Secret) -> Result<Response<Bytes>, CallError> {
        let prover = self.dpop.as_ref().ok_or(CallError::NoKey)?;
        let url = request.uri().clone();
        let request = authorized(request, "DPoP", token)?;
        let once = async || {
            let mut request = request.clone();
            let proof = prover.proof(request.method(), &url, Some(token), self.clock.now())?;
            request.headers_mut().insert(DpopProver::HEADER, proof);
            let response = self.http.send(request).await?;
            let learned = prover.learn(&url, response.headers());
            Ok::<_, CallError>((response, learned))
        };
        match once().await? {
            // RFC 9449 section 9. Once, however often it is said.
            (response, true) if wants_nonce(&response) => Ok(once().await?.0),
            (response, _) => Ok(response),
        }
    }
}

fn authorized(mut request: Request<Bytes>, scheme: &str, token: &Secret) -> Result<Request<Bytes>, CallError> {
    let text = Zeroizing::new(format!("{scheme} {}", token.expose()));
    let mut value = HeaderValue::from_str(&text).map_err(|_| CallError::Unsendable)?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(request)
}

/// RFC 9449 section 9: a 401 whose challenge says `use_dpop_nonce`.
fn wants_nonce(response: &Response<Bytes>) -> bool {
    let says_so = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("use_dpop_nonce"));
    response.status() == StatusCode::UNAUTHORIZED && response.headers().get_all(WWW_AUTHENTICATE).iter().any(says_so)
}
