//! Compact JSON Web Signatures, strictly bounded ([RFC 7515], [RFC 8725]).
//!
//! Only what OAuth needs exists here: three parts, one asymmetric signature,
//! a key that the reader already holds. `none` and HMAC cannot be written down
//! ([`Algorithm`]; [`HmacAlgorithm`] is for client secrets alone), a header never supplies a key (`jku`, `x5u`, `jwk` and
//! `x5c` are not read), and claims can be read from a [`VerifiedJws`] only.
//!
//! ```
//! use oauth_core::{jwt::{self, Algorithm, Jws}, keys::SigningKey};
//!
//! let key = SigningKey::generate(Algorithm::EdDSA)?;
//! let token = jwt::sign(&key, "example+jwt", &serde_json::json!({ "hello": "world" }))?;
//!
//! let jws = Jws::parse(&token)?;
//! assert!(jws.typ_is("application/example+jwt"));
//! let claims: serde_json::Value = jws.verify(key.public_key())?.claims()?;
//! assert_eq!(claims["hello"], "world");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [RFC 7515]: https://www.rfc-editor.org/rfc/rfc7515
//! [RFC 8725]: https://www.rfc-editor.org/rfc/rfc8725

mod algorithm;
mod base64url;
mod header;
mod hmac;
mod jws;
mod numeric_date;
mod sign;
#[cfg(test)]
mod tests;

pub use self::{
    algorithm::{Algorithm, UnsupportedAlgorithm},
    hmac::HmacAlgorithm,
    jws::{Jws, VerifiedJws},
    sign::sign,
};
pub(crate) use self::{header::Text, numeric_date::NumericDate};
#[cfg(feature = "server")]
pub(crate) use self::{header::is_same_media_type, hmac::HmacJws, jws::unverified_issuer};
use crate::claims::ClaimsError;

/// The longest token that is looked at, in bytes; a longer one is refused. More
/// than an HTTP/1.1 server takes in all headers together (hyper: about 400 KiB),
/// so that the limit that counts is the HTTP stack's.
pub const MAX_TOKEN_BYTES: usize = 512 * 1024;

/// The longest decoded header, in bytes.
pub const MAX_HEADER_BYTES: usize = 4 * 1024;

/// The most members a header may have.
pub const MAX_HEADER_MEMBERS: usize = 32;

/// Why a token is refused. None of these says anything about its content, so
/// each is fit for a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtError {
    /// Longer than [`MAX_TOKEN_BYTES`], or its header than [`MAX_HEADER_BYTES`].
    #[error("the token is too large")]
    TooLarge,
    /// Not three non-empty base64url parts (RFC 7515 section 7.1).
    #[error("the token is not a compact JWS")]
    NotCompact,
    /// The header is not a JSON object, repeats a member, has more than
    /// [`MAX_HEADER_MEMBERS`], or has one of the wrong type (RFC 7515 section 4).
    #[error("the header of the token is malformed")]
    MalformedHeader,
    /// `alg` is missing, `none`, symmetric or unknown (RFC 8725 section 3.1).
    #[error("the signature algorithm of the token is not supported")]
    UnsupportedAlgorithm,
    /// `alg` is not among those this issuer may use (RFC 8725 section 3.1).
    #[error("the signature algorithm of the token is not allowed here")]
    AlgorithmNotAllowed,
    /// `crit` or `b64` is present, and no extension is understood here
    /// (RFC 7515 section 4.1.11, RFC 7797 section 6).
    #[error("the token demands an extension that is not understood")]
    CriticalExtension,
    /// `typ` is not the expected one (RFC 8725 section 3.11).
    #[error("the token is of another type")]
    WrongType,
    /// No key at hand fits. A fresh key set may have one.
    #[error("no known key fits the token")]
    UnknownKey,
    /// The signature is wrong.
    #[error("the signature of the token is wrong")]
    InvalidSignature,
    /// The payload is not JSON, or lacks the members that were asked for.
    #[error("the payload of the token is malformed")]
    MalformedPayload,
    /// The claims of an access token are malformed or not as expected.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
}
