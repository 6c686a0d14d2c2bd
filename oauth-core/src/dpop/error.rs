//! Why a proof is refused, in words that are fit for the client and for a log.

use crate::{
    challenge::Challenge,
    error::{ErrorCode, OAuthError},
    jwt::{Algorithm, JwtError},
};

/// Why a proof is refused. Names checks and claims, and shows no value.
///
/// ```
/// use oauth_core::{dpop::{self, DpopError}, error::OAuthError};
/// let error = DpopError::WrongMethod;
/// assert_eq!(error.code().as_str(), "invalid_dpop_proof");
/// assert_eq!(DpopError::NonceMissing.code().as_str(), "use_dpop_nonce");
/// assert_eq!(OAuthError::from(error).description(), "the proof is for another method");
/// assert!(error.challenge(dpop::DEFAULT_ALGORITHMS).to_string().starts_with("DPoP error="));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DpopError {
    /// There is no `DPoP` header, where there must be one (RFC 9449 section 7.1).
    #[error("a DPoP proof is required")]
    Missing,
    /// There is more than one `DPoP` header (RFC 9449 section 4.3, item 1).
    #[error("there is more than one DPoP proof")]
    Several,
    /// Longer than [`MAX_PROOF_BYTES`](super::MAX_PROOF_BYTES), or its header is
    /// too long.
    #[error("the proof is too large")]
    TooLarge,
    /// Not one compact JWS with a well-formed header (item 2).
    #[error("the proof is not a well-formed JWT")]
    Malformed,
    /// `typ` is not `dpop+jwt` (item 4).
    #[error("the proof has the wrong type")]
    WrongType,
    /// `alg` is missing, `none`, symmetric, unknown or not allowed here (item 5).
    #[error("the signature algorithm of the proof is not allowed")]
    AlgorithmNotAllowed,
    /// `crit` or `b64` is present, and no extension is understood here
    /// (RFC 7515 section 4.1.11).
    #[error("the proof demands an extension that is not understood")]
    CriticalExtension,
    /// There is no `jwk` in the header.
    #[error("the proof has no public key")]
    MissingKey,
    /// `jwk` has a private member (item 7). The key is burned: whoever saw the
    /// proof can sign.
    #[error("the key of the proof reveals its private half")]
    PrivateKey,
    /// `jwk` is symmetric (item 5).
    #[error("the key of the proof is symmetric")]
    SymmetricKey,
    /// `jwk` is malformed, unfit for `alg`, too small, or no key.
    #[error("the key of the proof is not valid for its algorithm")]
    InvalidKey,
    /// The signature is wrong (item 6).
    #[error("the signature of the proof is wrong")]
    InvalidSignature,
    /// The payload is not a JSON object, or has more than
    /// [`MAX_CLAIMS`](super::MAX_CLAIMS).
    #[error("the payload of the proof is malformed")]
    MalformedPayload,
    /// A claim that must be there is not (item 3).
    #[error("the proof lacks the claim {0}")]
    MissingClaim(&'static str),
    /// A claim has the wrong JSON type, is empty or too long.
    #[error("the claim {0} of the proof is malformed")]
    MalformedClaim(&'static str),
    /// A claim occurs twice (RFC 7519 section 4).
    #[error("a claim of the proof is repeated")]
    RepeatedClaim,
    /// `htm` is not the method of the request (item 8).
    #[error("the proof is for another method")]
    WrongMethod,
    /// `htu` is not the URI of the request (item 9).
    #[error("the proof is for another URI")]
    WrongTarget,
    /// `iat` is too long ago, or `exp` has come (item 11).
    #[error("the proof is too old")]
    TooOld,
    /// `iat` or `nbf` lies in the future (item 11).
    #[error("the proof is from the future")]
    FromTheFuture,
    /// `ath` is not the hash of the token that came along (item 12).
    #[error("the proof is for another access token")]
    WrongToken,
    /// `ath` is there and no token came along (RFC 9449 section 7: such a proof
    /// "is not usable without an access token").
    #[error("the proof is for a request with an access token")]
    UnexpectedToken,
    /// The proof was used before (RFC 9449 section 11.1).
    #[error("the proof was used before")]
    Replayed,
    /// A nonce is demanded and missing (item 10).
    #[error("the proof needs the nonce that comes with this response")]
    NonceMissing,
    /// The nonce is old or not from here (item 10).
    #[error("the nonce of the proof is not current")]
    NonceUnknown,
}

impl DpopError {
    /// The `error` value: `use_dpop_nonce` where a fresh nonce cures it
    /// (RFC 9449 sections 8 and 9), else `invalid_dpop_proof` (sections 5 and
    /// 7.1).
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::NonceMissing | Self::NonceUnknown => ErrorCode::UseDpopNonce,
            _ => ErrorCode::InvalidDpopProof,
        }
    }

    /// The `DPoP` challenge of a resource server (RFC 9449 section 7.1), which
    /// names the `algorithms` it accepts.
    #[must_use]
    pub fn challenge(self, algorithms: &[Algorithm]) -> Challenge {
        Challenge::dpop().error(&self.code()).error_description(&self.to_string()).algs(algorithms)
    }
}

impl From<DpopError> for OAuthError {
    fn from(error: DpopError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// What the JWS says is wrong, for a proof.
impl From<JwtError> for DpopError {
    fn from(error: JwtError) -> Self {
        match error {
            JwtError::TooLarge => Self::TooLarge,
            JwtError::UnsupportedAlgorithm | JwtError::AlgorithmNotAllowed => Self::AlgorithmNotAllowed,
            JwtError::CriticalExtension => Self::CriticalExtension,
            JwtError::InvalidSignature => Self::InvalidSignature,
            _ => Self::Malformed,
        }
    }
}
