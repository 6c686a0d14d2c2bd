//! JSON Web Keys: ours to publish ([`Jwk`], [`JwkDocument`]) and others' to
//! verify with ([`PublicKey`], [`JwkSet`]) ([RFC 7517], [RFC 7638]).
//!
//! Private and symmetric keys have no place in either: a [`Jwk`] cannot hold
//! one, and a [`JwkSet`] skips it.
//!
//! ```
//! use oauth_core::{jwk::{JwkDocument, JwkSet}, jwt::Algorithm, keys::SigningKey};
//!
//! let key = SigningKey::generate(Algorithm::ES256)?;
//! let document = serde_json::to_vec(&JwkDocument::of([&key]))?;
//!
//! let set = JwkSet::parse(&document)?;
//! assert_eq!(set.candidates(Some(key.kid()), Algorithm::ES256).count(), 1);
//! assert_eq!(set.candidates(Some(key.kid()), Algorithm::RS256).count(), 0);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
//! [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638

mod parse;
mod public_key;
mod set;
#[cfg(test)]
mod tests;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

pub(crate) use self::parse::PRIVATE_MEMBERS;
pub use self::{
    public_key::PublicKey,
    set::{JwkError, JwkSet, SkipReason, Skipped},
};
use crate::{jwt::Algorithm, keys::SigningKey};

/// One public key as this server publishes it (RFC 7517 section 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Jwk {
    /// The key itself.
    #[serde(flatten)]
    pub material: KeyMaterial,
    /// `kid`: the key's RFC 7638 thumbprint.
    pub kid: String,
    /// `use`: always `sig`.
    #[serde(rename = "use")]
    pub public_key_use: String,
    /// `alg`: the one algorithm the key signs with.
    pub alg: Algorithm,
}

/// The members of a public key that depend on its type (RFC 7518 section 6,
/// RFC 8037 section 2); every value in base64url.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty")]
#[non_exhaustive]
pub enum KeyMaterial {
    /// An RSA key.
    #[serde(rename = "RSA")]
    Rsa {
        /// The modulus.
        n: String,
        /// The exponent.
        e: String,
    },
    /// A point on a NIST curve.
    #[serde(rename = "EC")]
    Ec {
        /// The curve: `P-256` or `P-384`.
        crv: String,
        /// The x coordinate, full length.
        x: String,
        /// The y coordinate, full length.
        y: String,
    },
    /// An Edwards-curve key.
    #[serde(rename = "OKP")]
    Okp {
        /// The curve: `Ed25519`.
        crv: String,
        /// The public key.
        x: String,
    },
}

impl KeyMaterial {
    /// The RFC 7638 thumbprint: SHA-256 over the required members in
    /// lexicographic order, without white space, in base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // Names of curves and base64url need no escaping in JSON.
        let canonical = match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Self::Ec { crv, x, y } => format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Self::Okp { crv, x } => format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#),
        };
        URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
    }
}

/// The JWK Set document that `jwks_uri` serves (RFC 7517 section 5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwkDocument {
    /// The published keys.
    pub keys: Vec<Jwk>,
}

impl JwkDocument {
    /// The public halves of `keys`.
    pub fn of<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> Self {
        Self { keys: keys.into_iter().map(|key| key.public_jwk().clone()).collect() }
    }
}
