//! A key to verify with, parsed once.

use std::fmt;

use aws_lc_rs::{
    digest::{self, SHA256, SHA384, SHA512, digest},
    signature::{self, EcdsaVerificationAlgorithm, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{KeyMaterial, SkipReason};
use crate::jwt::{Algorithm, JwtError};

/// The smallest RSA modulus (RFC 7518 section 3.3) and the largest one, which
/// bounds what one verification can cost.
const RSA_MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// A public key, parsed, and bound to the algorithms it may be used with.
///
/// The algorithms follow from the key's own `alg`, else from its type and
/// curve; a token's header has no say (RFC 8725 section 3.1).
#[derive(Clone)]
pub struct PublicKey {
    kid: Option<Box<str>>,
    thumbprint: Box<str>,
    /// One parsed key for each allowed algorithm, since parsing fixes both.
    verifiers: Vec<(Algorithm, ParsedPublicKey)>,
}

impl PublicKey {
    /// The `kid` of the key, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The RFC 7638 SHA-256 thumbprint, in base64url: the same for the same
    /// key under any `kid`.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The algorithms this key verifies.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.verifiers.iter().map(|(algorithm, _)| *algorithm)
    }

    /// Checks `signature` over `message`.
    pub(crate) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), JwtError> {
        let same = |(own, _): &&(Algorithm, ParsedPublicKey)| *own == algorithm;
        let (_, key) = self.verifiers.iter().find(same).ok_or(JwtError::AlgorithmNotAllowed)?;
        match hash(algorithm) {
            // Hashing first spares the library's streaming context: 1 % of RSA.
            Some(hash) => key.verify_digest_sig(&digest(hash, message), signature),
            None => key.verify_sig(message, signature),
        }
        .map_err(|_| JwtError::InvalidSignature)
    }

    /// Parses `material`; `only` is the JWK's own `alg`.
    pub(crate) fn new(kid: Option<&str>, material: &KeyMaterial, only: Option<Algorithm>) -> Result<Self, SkipReason> {
        let (material, verifiers) = match material {
            KeyMaterial::Rsa { n, e } => rsa(n, e, only)?,
            KeyMaterial::Ec { crv, x, y } => ec(crv, x, y, only)?,
            KeyMaterial::Okp { crv, x } => okp(crv, x, only)?,
        };
        Ok(Self { kid: kid.map(Into::into), thumbprint: material.thumbprint().into(), verifiers })
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("kid", &self.kid)
            .field("thumbprint", &self.thumbprint)
            .field("algorithms", &self.algorithms().collect::<Vec<_>>())
            .finish()
    }
}

/// The hash of an algorithm that signs one; Ed25519 takes the message itself.
fn hash(algorithm: Algorithm) -> Option<&'static digest::Algorithm> {
    match algorithm {
        Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 => Some(&SHA256),
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => Some(&SHA384),
        Algorithm::RS512 | Algorithm::PS512 => Some(&SHA512),
        Algorithm::EdDSA => None,
    }
}

type Parsed = (KeyMaterial, Vec<(Algorithm, ParsedPublicKey)>);

fn rsa(n: &str, e: &str, only: Option<Algorithm>) -> Result<Parsed, SkipReason> {
    let n = unsigned(n)?;
    let e = unsigned(e)?;
    if n.len() < *RSA_MODULUS_BYTES.start() || (n.len() == *RSA_MODULUS_BYTES.start() && n.first() < Some(&0x80)) {
        return Err(SkipReason::TooSmall);
    }
    if n.len() > *RSA_MODULUS_BYTES.end() {
        return Err(SkipReason::TooLarge);
    }
    // An even exponent, or 1, is no RSA key; beyond 32 bits it only burns time.
    if e.len() > 4 || e == [1] || e.last().is_none_or(|last| last % 2 == 0) {
        return Err(SkipReason::InvalidKey);
    }
    let components = RsaPublicKeyComponents { n: &n, e: &e };
    let verifiers = allowed(RSA, only)?
        .into_iter()
        .map(|(algorithm, parameters)| Ok((algorithm, components.to_parsed_public_key(parameters)?)))
        .collect::<Result<_, aws_lc_rs::error::KeyRejected>>()
        .map_err(|_| SkipReason::InvalidKey)?;
    let material = KeyMaterial::Rsa { n: URL_SAFE_NO_PAD.encode(n), e: URL_SAFE_NO_PAD.encode(e) };
    Ok((material, verifiers))
}

const RSA: &[(Algorithm, &RsaParameters)] = &[
    (Algorithm::RS256, &signature::RSA_PKCS1_2048_8192_SHA256),
    (Algorithm::RS384, &signature::RSA_PKCS1_2048_8192_SHA384),
    (Algorithm::RS512, &signature::RSA_PKCS1_2048_8192_SHA512),
    (Algorithm::PS256, &signature::RSA_PSS_2048_8192_SHA256),
    (Algorithm::PS384, &signature::RSA_PSS_2048_8192_SHA384),
    (Algorithm::PS512, &signature::RSA_PSS_2048_8192_SHA512),
];

fn ec(crv: &str, x: &str, y: &str, only: Option<Algorithm>) -> Result<Parsed, SkipReason> {
    let (algorithm, parameters, length): (_, &'static EcdsaVerificationAlgorithm, _) = match crv {
        "P-256" => (Algorithm::ES256, &signature::ECDSA_P256_SHA256_FIXED, 32),
        "P-384" => (Algorithm::ES384, &signature::ECDSA_P384_SHA384_FIXED, 48),
        _ => return Err(SkipReason::UnsupportedCurve),
    };
    allowed(&[(algorithm, ())], only)?;
    let mut point = vec![4];
    for coordinate in [x, y] {
        let bytes = octets(coordinate)?;
        // RFC 7518 section 6.2.1.2: "the full size of a coordinate".
        if bytes.len() != length {
            return Err(SkipReason::InvalidKey);
        }
        point.extend(bytes);
    }
    // Whether the point lies on the curve is checked here.
    let key = ParsedPublicKey::new(parameters, &point).map_err(|_| SkipReason::InvalidKey)?;
    let material = KeyMaterial::Ec { crv: crv.into(), x: x.into(), y: y.into() };
    Ok((material, vec![(algorithm, key)]))
}

fn okp(crv: &str, x: &str, only: Option<Algorithm>) -> Result<Parsed, SkipReason> {
    if crv != "Ed25519" {
        return Err(SkipReason::UnsupportedCurve);
    }
    allowed(&[(Algorithm::EdDSA, ())], only)?;
    let bytes = octets(x)?;
    // Only the raw form: the library would also take a DER structure here.
    if bytes.len() != signature::ED25519_PUBLIC_KEY_LEN {
        return Err(SkipReason::InvalidKey);
    }
    let key = ParsedPublicKey::new(&signature::ED25519, &bytes).map_err(|_| SkipReason::InvalidKey)?;
    let material = KeyMaterial::Okp { crv: crv.into(), x: x.into() };
    Ok((material, vec![(Algorithm::EdDSA, key)]))
}

/// The entries of `family` that the key's own `alg` leaves: one at least.
fn allowed<T: Copy>(family: &[(Algorithm, T)], only: Option<Algorithm>) -> Result<Vec<(Algorithm, T)>, SkipReason> {
    let fits = |algorithm| only.is_none_or(|only| only == algorithm);
    let left: Vec<_> = family.iter().copied().filter(|(algorithm, _)| fits(*algorithm)).collect();
    if left.is_empty() { Err(SkipReason::UnsupportedAlgorithm) } else { Ok(left) }
}

fn octets(text: &str) -> Result<Vec<u8>, SkipReason> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| SkipReason::Malformed)
}

/// RFC 7518 section 6.3.1.1 forbids leading zero octets, and warns that some
/// libraries write one all the same.
fn unsigned(text: &str) -> Result<Vec<u8>, SkipReason> {
    let mut bytes = octets(text)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    Ok(bytes)
}
