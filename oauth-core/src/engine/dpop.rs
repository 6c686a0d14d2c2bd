//! What an operator decides about DPoP, and the nonces of the server ([RFC 9449]).
//!
//! [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449

use http::{HeaderName, HeaderValue, Response};

use crate::{
    dpop::{DEFAULT_ALGORITHMS, DpopNonces, ProofWindow},
    jwt::Algorithm,
    server::AuthorizationServer,
    store::SharedReplayCache,
};

/// How the server takes proofs of possession, wherever a client asks for
/// something. Set it with
/// [`AuthorizationServerBuilder::dpop`](crate::server::AuthorizationServerBuilder::dpop).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DpopSettings {
    /// The algorithms of proofs: by default [`DEFAULT_ALGORITHMS`]. Without any,
    /// there is no DPoP here: proofs are not looked at, and every token is a
    /// bearer token.
    pub algorithms: Vec<Algorithm>,
    /// Whether no token is issued without a proof. A client that wants it so for
    /// itself says `dpop_bound_access_tokens` (RFC 9449 section 5.2).
    pub required: bool,
    /// Whether each proof must have a nonce of this server (section 8). Every node
    /// knows them, since they come from the root secret.
    pub nonces: bool,
    /// How old a proof may be, and how far ahead its clock: 60 and 10 seconds.
    pub window: ProofWindow,
}

impl Default for DpopSettings {
    fn default() -> Self {
        let (algorithms, window) = (DEFAULT_ALGORITHMS.to_vec(), ProofWindow::default());
        Self { algorithms, required: false, nonces: false, window }
    }
}

impl DpopSettings {
    /// Whether proofs are taken at all.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        !self.algorithms.is_empty()
    }
}

impl AuthorizationServer {
    /// The nonces that the server hands out, for an API of the same deployment
    /// that demands them too.
    #[must_use]
    pub fn dpop_nonces(&self) -> DpopNonces {
        DpopNonces::new(self.root())
    }

    /// Where the server remembers which proofs were used, for an API in the same
    /// process: all nodes know of each.
    #[must_use]
    pub fn replay_cache(&self) -> SharedReplayCache {
        SharedReplayCache::new(self.shared_store(), self.shared_clock())
    }

    /// `response` with the nonce for the next proof, where proofs need one
    /// (RFC 9449 section 8.2).
    pub(crate) fn with_dpop_nonce<B>(&self, mut response: Response<B>) -> Response<B> {
        const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
        if self.dpop().is_on()
            && self.dpop().nonces
            && let Ok(nonce) = HeaderValue::from_str(&self.dpop_nonces().issue(self.now()))
        {
            response.headers_mut().insert(DPOP_NONCE, nonce);
        }
        response
    }
}
