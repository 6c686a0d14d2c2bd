//! [`Dpop`]: tokens that are bound to a key of the client's ([RFC 9449]).
//!
//! [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449

use std::{fmt, sync::Arc};

use http::Uri;
use oauth_core::{
    clock::Clock,
    dpop::{DEFAULT_ALGORITHMS, DpopNonces, InvalidTargetUri, MemoryReplayCache, ProofWindow, ReplayCache, TargetUri},
    jwt::Algorithm,
};

use super::{BuildError, ResourceServerBuilder, outage::Complaint};
use crate::outgoing::{Endpoint, Transport, UrlError};

/// How tokens that are bound to a key are accepted: for
/// [`ResourceServerBuilder::dpop`].
///
/// A proof is good once. So a route must be behind one
/// [`ResourceLayer`](super::ResourceLayer) of a resource server only: the inner one
/// of two finds the proof used already, and refuses. Let the outer one accept the
/// token, and say what else a route wants with [`Require`](super::Require).
///
/// ```
/// # #[cfg(feature = "client")]
/// # fn main() -> Result<(), oauth_tower::resource::BuildError> {
/// use oauth_core::dpop::DpopNonces;
/// use oauth_tower::resource::{Dpop, Issuer, ResourceServer};
///
/// # let shared = [7; 32];
/// let api = ResourceServer::builder("https://api.example")
///     .issuer(Issuer::jwt("https://as.example"))
///     .dpop(Dpop::required().nonces(DpopNonces::from_bytes(shared))) // 32 random bytes, the same on all nodes
///     .build()?;
/// assert!(api.metadata().dpop_bound_access_tokens_required);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "client"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Dpop {
    required: bool,
    algorithms: Vec<Algorithm>,
    window: ProofWindow,
    nonces: Option<DpopNonces>,
    replay: Option<Arc<dyn ReplayCache>>,
    bases: Vec<String>,
}

impl Dpop {
    /// Accepts bound tokens with a proof, and bearer tokens as well. A bound
    /// token without its proof is refused.
    pub fn optional() -> Self {
        Self::new(false)
    }

    /// Accepts bound tokens with a proof, and no bearer tokens: those are refused,
    /// and no `Bearer` challenge is sent (RFC 9449 section 7.1). A
    /// [`TokenScheme`](super::TokenScheme) of your own is served beside it all the
    /// same; then the metadata do not say that bound tokens are required
    /// (RFC 9728 section 2).
    pub fn required() -> Self {
        Self::new(true)
    }

    fn new(required: bool) -> Self {
        let (algorithms, window) = (DEFAULT_ALGORITHMS.to_vec(), ProofWindow::default());
        Self { required, algorithms, window, nonces: None, replay: None, bases: Vec::new() }
    }

    /// Accepts proofs that are signed by these algorithms only; by default
    /// [`DEFAULT_ALGORITHMS`].
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// How old a proof may be, and how far ahead its clock: by default 60 and
    /// 10 seconds.
    pub const fn window(mut self, window: ProofWindow) -> Self {
        self.window = window;
        self
    }

    /// Demands a nonce of these in every proof (RFC 9449 section 9). A client
    /// without one gets it with the 401, and the next one in time, along with a
    /// response.
    pub fn nonces(mut self, nonces: DpopNonces) -> Self {
        self.nonces = Some(nonces);
        self
    }

    /// Remembers here which proofs were used. By default, in the memory of this
    /// process ([`MemoryReplayCache`]): several nodes need a shared one.
    pub fn replay(mut self, replay: impl ReplayCache) -> Self {
        self.replay = Some(Arc::new(replay));
        self
    }

    /// Where clients see this service, if that is not the origin of the resource
    /// identifier. Called again, there as well.
    ///
    /// What a proof must name (`htu`) is this URL and the path of the request as
    /// the layer sees it. So where something outside the layer removes a prefix
    /// from the path (a proxy, axum's `nest`), the prefix belongs here. `Host`
    /// and its kin are never believed.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.bases.push(url.into());
        self
    }

    pub(super) fn build(
        self,
        resource: &str,
        transport: Transport,
        clock: &Arc<dyn Clock>,
    ) -> Result<ProofRules, BuildError> {
        if self.algorithms.is_empty() {
            return Err(BuildError::NoAlgorithm("DPoP proofs".into()));
        }
        let bases: Result<Box<[_]>, _> = match &*self.bases {
            [] => [origin(resource, transport)].into_iter().collect(),
            bases => bases.iter().map(|url| base(url, transport)).collect(),
        };
        let in_memory = || MemoryReplayCache::new(Arc::clone(clock), MemoryReplayCache::DEFAULT_CAPACITY);
        Ok(ProofRules {
            required: self.required,
            algorithms: self.algorithms.into(),
            window: self.window,
            nonces: self.nonces,
            replay: self.replay.unwrap_or_else(|| Arc::new(in_memory())),
            bases: bases?,
            clock: Arc::clone(clock),
            complaint: Complaint::default(),
        })
    }
}

impl<I> ResourceServerBuilder<I> {
    /// Accepts tokens that are bound to a key of the client's, each with a proof
    /// for the very request (RFC 9449). Without this, they are refused.
    pub fn dpop(self, dpop: Dpop) -> Self {
        self.with(|settings| settings.dpop = Some(dpop))
    }
}

/// What a proof is held to.
pub(super) struct ProofRules {
    pub(super) required: bool,
    pub(super) algorithms: Box<[Algorithm]>,
    pub(super) window: ProofWindow,
    pub(super) nonces: Option<DpopNonces>,
    pub(super) replay: Arc<dyn ReplayCache>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) complaint: Complaint,
    /// Without a slash at the end.
    bases: Box<[Box<str>]>,
}

impl ProofRules {
    /// Under which URIs a request to `uri` may have been sent.
    pub(super) fn targets(&self, uri: &Uri) -> Result<Vec<TargetUri>, InvalidTargetUri> {
        // RFC 9110 section 7.1: the target of `OPTIONS *` has no path.
        let path = if uri.path().starts_with('/') { uri.path() } else { "/" };
        self.bases.iter().map(|base| TargetUri::parse(&format!("{base}{path}"))).collect()
    }

    pub(super) fn nonce(&self) -> Option<String> {
        self.nonces.as_ref().map(|nonces| nonces.issue(self.clock.now()))
    }
}

impl fmt::Debug for ProofRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofRules").field("required", &self.required).finish_non_exhaustive()
    }
}

fn origin(resource: &str, transport: Transport) -> Result<Box<str>, BuildError> {
    let endpoint = parse(resource, transport)?;
    let uri = endpoint.uri();
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    Ok(format!("{}://{authority}", uri.scheme_str().unwrap_or("https")).into())
}

fn base(url: &str, transport: Transport) -> Result<Box<str>, BuildError> {
    if parse(url, transport)?.uri().query().is_some() {
        return Err(BuildError::Url { url: url.into(), reason: UrlError::Malformed });
    }
    Ok(url.trim_end_matches('/').into())
}

fn parse(url: &str, transport: Transport) -> Result<Endpoint, BuildError> {
    let reason = match (Endpoint::parse(url, transport), TargetUri::parse(url)) {
        (Ok(endpoint), Ok(_)) => return Ok(endpoint),
        (Err(reason), _) => reason,
        (Ok(_), Err(InvalidTargetUri)) => UrlError::Malformed,
    };
    Err(BuildError::Url { url: url.into(), reason })
}
