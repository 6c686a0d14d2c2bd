//! Proofs of possession, as a client makes them ([RFC 9449]).
//!
//! [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use oauth_core::{
    clock::{Random, SystemRandom, UnixTime},
    dpop::{DpopKey, MAX_ID_CHARS, ProofError},
    jwt::Algorithm,
    keys::KeyError,
    secret::Secret,
};

/// The key of this client, and the nonce that each server wants to see next.
/// Clones share both.
///
/// ```
/// use http::{HeaderMap, HeaderValue, Method, Uri};
/// use oauth_core::clock::UnixTime;
/// use oauth_tower::client::DpopProver;
///
/// // A key of one's own that lasts: `DpopProver::new(SigningKey::from_pkcs8(..)?.into())`.
/// let prover = DpopProver::generate()?;
/// // For a HTTP client that is not this crate's: a proof for each request ...
/// let url = Uri::from_static("https://api.example/albums");
/// let token = "the access token".into();
/// let proof = prover.proof(&Method::GET, &url, Some(&token), UnixTime(1_700_000_000))?;
/// // ... and whatever each response says of nonces.
/// let mut headers = HeaderMap::new();
/// headers.insert("dpop-nonce", HeaderValue::from_static("n1"));
/// assert!(prover.learn(&url, &headers));
/// # drop(proof);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct DpopProver {
    key: DpopKey,
    random: Arc<dyn Random>,
    /// By origin, the one that was heard last at the end.
    nonces: Arc<Mutex<VecDeque<(String, String)>>>,
}

/// The origins whose nonces are kept at a time.
const ORIGINS: usize = 64;

impl DpopProver {
    /// The header of a proof (RFC 9449 section 4.1).
    pub const HEADER: HeaderName = HeaderName::from_static("dpop");

    /// The header of a nonce (RFC 9449 section 8.2).
    pub const NONCE_HEADER: HeaderName = HeaderName::from_static("dpop-nonce");

    /// With this key.
    #[must_use]
    pub fn new(key: DpopKey) -> Self {
        Self { key, random: Arc::new(SystemRandom), nonces: Arc::default() }
    }

    /// With a fresh key, for ES256. Tokens that are bound to it end with it: for
    /// tokens that outlive the process, [bring](DpopProver::new) one that is kept.
    ///
    /// # Errors
    /// [`KeyError`] if the library or its randomness fails.
    pub fn generate() -> Result<Self, KeyError> {
        DpopKey::generate(Algorithm::ES256).map(Self::new)
    }

    /// Draws the identifiers of proofs from here.
    #[must_use]
    pub fn random(mut self, random: impl Random) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// The thumbprint of the key (RFC 9449 section 6.1).
    #[must_use]
    pub fn jkt(&self) -> &str {
        self.key.jkt()
    }

    /// The value of the `DPoP` header for one request to `url`, made at `now`,
    /// with the nonce that this origin gave last. `token` is the access token that
    /// goes with it: none at an authorization server.
    ///
    /// # Errors
    /// [`ProofError`] if randomness or signing fails.
    pub fn proof(
        &self,
        method: &Method,
        url: &Uri,
        token: Option<&Secret>,
        now: UnixTime,
    ) -> Result<HeaderValue, ProofError> {
        let nonce = self.nonce(url);
        let (url, token) = (url.to_string(), token.map(Secret::expose));
        let proof = self.key.proof(method.as_str(), &url, token, nonce.as_deref(), now, &*self.random)?;
        // Base64url and dots are fit for any header.
        HeaderValue::from_maybe_shared(proof).map_err(|_| ProofError::Key(KeyError::Serialization))
    }

    /// Takes up the nonce in a response from `url`, for that origin alone; whether
    /// there was one (RFC 9449 section 8.2).
    pub fn learn(&self, url: &Uri, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(Self::NONCE_HEADER).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let Some(nonce) = value.to_str().ok().filter(|nonce| is_nonce(nonce)) else { return false };
        let origin = origin(url);
        let mut nonces = self.lock();
        nonces.retain(|(known, _)| *known != origin);
        if nonces.len() >= ORIGINS {
            nonces.pop_front();
        }
        nonces.push_back((origin, nonce.to_owned()));
        true
    }

    fn nonce(&self, url: &Uri) -> Option<String> {
        let origin = origin(url);
        self.lock().iter().find(|(known, _)| *known == origin).map(|(_, nonce)| nonce.clone())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, String)>> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for DpopProver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopProver").field("jkt", &self.jkt()).finish_non_exhaustive()
    }
}

/// RFC 9449 section 8.1: nonce = 1*NQCHAR.
fn is_nonce(text: &str) -> bool {
    let is_nqchar = |byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    (1..=MAX_ID_CHARS).contains(&text.len()) && text.bytes().all(is_nqchar)
}

/// Scheme, host and port (RFC 9110 section 4.3.1).
fn origin(url: &Uri) -> String {
    let scheme = url.scheme_str().unwrap_or_default();
    let port = url.port_u16().unwrap_or(if scheme == "http" { 80 } else { 443 });
    format!("{scheme}://{}:{port}", url.host().unwrap_or_default().to_ascii_lowercase())
}
