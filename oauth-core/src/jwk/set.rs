//! A key set as another party publishes it.

use serde::Deserialize;
use serde_json::Value;

use super::{PublicKey, parse};
use crate::{jwt::Algorithm, keys::SigningKey};

/// The keys of one issuer (RFC 7517 section 5).
///
/// Keys are read one by one: one that is unknown, unfit or broken is skipped
/// with a reason and never spoils the others. So an issuer can add an
/// algorithm that nobody here knows yet, and rotation goes on.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    keys: Vec<PublicKey>,
    skipped: Vec<Skipped>,
}

/// A document that is no JWK Set at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkError {
    /// Longer than [`JwkSet::MAX_BYTES`].
    #[error("the key set is too large")]
    TooLarge,
    /// Not a JSON object with an array `keys` (RFC 7517 section 5).
    #[error("the document is not a JWK Set")]
    Malformed,
}

/// A key of the document that is not in the set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Its place in the document's `keys`.
    pub index: usize,
    /// Its `kid`, if that is a string: the issuer's text, so quote it in logs.
    pub kid: Option<String>,
    /// Why it was skipped.
    pub reason: SkipReason,
}

/// Why a key is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SkipReason {
    /// No JSON object, or a member is missing, of the wrong type or not base64url.
    #[error("the key is malformed")]
    Malformed,
    /// `kty` is not RSA, EC or OKP.
    #[error("the key type is not supported")]
    UnsupportedKeyType,
    /// `crv` is not P-256, P-384 or Ed25519.
    #[error("the curve is not supported")]
    UnsupportedCurve,
    /// `alg` is not a signature algorithm known here, or not one for this key.
    #[error("the algorithm is not supported for this key")]
    UnsupportedAlgorithm,
    /// A symmetric key: it must not stand in a published set.
    #[error("the key is symmetric")]
    Symmetric,
    /// It has a private member: whoever reads the set can sign (RFC 7517 section 9.2).
    #[error("the key reveals its private half")]
    Private,
    /// `use` or `key_ops` reserve it for something else (RFC 7517 sections 4.2 and 4.3).
    #[error("the key is not meant for verifying signatures")]
    NotForSignatures,
    /// An RSA modulus below 2048 bits (RFC 7518 section 3.3).
    #[error("the key is too small")]
    TooSmall,
    /// An RSA modulus above 8192 bits.
    #[error("the key is too large")]
    TooLarge,
    /// Not a point on its curve, or not an RSA key.
    #[error("the key is not valid")]
    InvalidKey,
    /// This key and those after it are beyond [`JwkSet::MAX_KEYS`].
    #[error("the set has too many keys")]
    TooMany,
}

impl JwkSet {
    /// The longest document that is read.
    pub const MAX_BYTES: usize = 1024 * 1024;

    /// The most keys that are read; those after are skipped.
    pub const MAX_KEYS: usize = 100;

    /// Reads a JWK Set document.
    ///
    /// # Errors
    /// [`JwkError`] if the document as a whole is too large or not a JWK Set.
    /// A bad key is no error: see [`JwkSet::skipped`].
    pub fn parse(document: &[u8]) -> Result<Self, JwkError> {
        if document.len() > Self::MAX_BYTES {
            return Err(JwkError::TooLarge);
        }
        // A derived reader would take `[[…]]` for the object too.
        if document.trim_ascii_start().first() != Some(&b'{') {
            return Err(JwkError::Malformed);
        }
        let document: Document = serde_json::from_slice(document).map_err(|_| JwkError::Malformed)?;
        let mut set = Self::default();
        for (index, key) in document.keys.iter().enumerate() {
            if index == Self::MAX_KEYS {
                set.skip(index, key, SkipReason::TooMany);
                break;
            }
            match parse::public_key(key) {
                Ok(key) => set.keys.push(key),
                Err(reason) => set.skip(index, key, reason),
            }
        }
        Ok(set)
    }

    /// The keys that can be tried on a token with this `kid` and `alg`: those
    /// with that `kid`, or all if the token names none. Where a `kid` repeats,
    /// each key that fits `alg` is a candidate.
    pub fn candidates(&self, kid: Option<&str>, alg: Algorithm) -> impl Iterator<Item = &PublicKey> {
        let named = move |key: &&PublicKey| kid.is_none_or(|kid| key.kid() == Some(kid));
        self.keys.iter().filter(named).filter(move |key| key.algorithms().any(|own| own == alg))
    }

    /// The keys in use.
    #[must_use]
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// The keys left out, for a log or a metric.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    fn skip(&mut self, index: usize, key: &Value, reason: SkipReason) {
        let kid = key.get("kid").and_then(Value::as_str).map(str::to_owned);
        self.skipped.push(Skipped { index, kid, reason });
    }
}

impl FromIterator<PublicKey> for JwkSet {
    fn from_iter<I: IntoIterator<Item = PublicKey>>(keys: I) -> Self {
        Self { keys: keys.into_iter().collect(), skipped: Vec::new() }
    }
}

impl<'a> FromIterator<&'a SigningKey> for JwkSet {
    fn from_iter<I: IntoIterator<Item = &'a SigningKey>>(keys: I) -> Self {
        keys.into_iter().map(|key| key.public_key().clone()).collect()
    }
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}
