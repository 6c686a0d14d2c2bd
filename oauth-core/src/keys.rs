//! The keys that sign: generated, kept as PKCS#8, parsed once.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::{
    jwk::{Jwk, KeyMaterial, PublicKey},
    jwt::Algorithm,
};

/// A private key and the one algorithm it signs with. Clones share the key.
///
/// ```
/// use oauth_core::{jwt::Algorithm, keys::SigningKey};
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let stored = key.to_pkcs8()?;
/// let again = SigningKey::from_pkcs8(Algorithm::ES256, stored.as_bytes())?;
/// assert_eq!(again.kid(), key.kid()); // the RFC 7638 thumbprint
/// # Ok::<_, oauth_core::keys::KeyError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    pair: Pair,
    jwk: Jwk,
    public: PublicKey,
}

enum Pair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// Why a key could not be made, kept or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes are not a PKCS#8 private key for the algorithm, or the key is
    /// too small or too large.
    #[error("not a usable private key for this algorithm")]
    Rejected,
    /// The key could not be generated or written.
    #[error("the key could not be generated or encoded")]
    Generation,
    /// The claims could not be written as JSON.
    #[error("the claims cannot be written as JSON")]
    Serialization,
    /// The signing library failed.
    #[error("signing failed")]
    Signing,
}

/// A private key in PKCS#8 DER (RFC 5958), wiped on drop.
pub struct Pkcs8(Zeroizing<Vec<u8>>);

impl Pkcs8 {
    /// The DER bytes. Seal them before they rest anywhere.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Pkcs8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pkcs8(..)")
    }
}

impl SigningKey {
    /// A fresh key: RSA with 2048 bits, P-256, P-384 or Ed25519.
    ///
    /// RSA takes up to some seconds: not for the path of a request.
    ///
    /// # Errors
    /// [`KeyError::Generation`] if the library or its randomness fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let generated = match algorithm {
            Algorithm::ES256 => EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).map(Pair::Ec),
            Algorithm::ES384 => EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_FIXED_SIGNING).map(Pair::Ec),
            Algorithm::EdDSA => Ed25519KeyPair::generate().map(Pair::Ed),
            rsa => RsaKeyPair::generate(KeySize::Rsa2048).map(|key| Pair::Rsa(key, padding(rsa))),
        };
        Self::new(algorithm, generated.map_err(|_| KeyError::Generation)?)
    }

    /// Reads an unencrypted PKCS#8 DER key (RFC 5958) to sign with `algorithm`.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] if `der` is no key for `algorithm`, or an RSA key
    /// outside 2048 to 8192 bits.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        let parsed = match algorithm {
            Algorithm::ES256 => {
                EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, der).map(Pair::Ec)
            }
            Algorithm::ES384 => {
                EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, der).map(Pair::Ec)
            }
            Algorithm::EdDSA => Ed25519KeyPair::from_pkcs8(der).map(Pair::Ed),
            rsa => RsaKeyPair::from_pkcs8(der).map(|key| Pair::Rsa(key, padding(rsa))),
        };
        Self::new(algorithm, parsed.map_err(|_| KeyError::Rejected)?)
    }

    /// The key as PKCS#8 DER.
    ///
    /// # Errors
    /// [`KeyError::Generation`] if the library fails.
    pub fn to_pkcs8(&self) -> Result<Pkcs8, KeyError> {
        let copy = |bytes: &[u8]| Pkcs8(Zeroizing::new(bytes.to_vec()));
        match &self.0.pair {
            Pair::Rsa(key, _) => AsDer::<Pkcs8V1Der<'_>>::as_der(key).map(|der| copy(der.as_ref())),
            Pair::Ec(key) => key.to_pkcs8v1().map(|der| copy(der.as_ref())),
            Pair::Ed(key) => key.to_pkcs8v1().map(|der| copy(der.as_ref())),
        }
        .map_err(|_| KeyError::Generation)
    }

    /// The algorithm this key signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.jwk.alg
    }

    /// The key's name: its RFC 7638 thumbprint, so the same on every node.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.0.jwk.kid
    }

    /// The public half, as `jwks_uri` publishes it.
    #[must_use]
    pub fn public_jwk(&self) -> &Jwk {
        &self.0.jwk
    }

    /// The public half, ready to verify with.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public
    }

    /// Signs `message`; JWS form, so `r || s` for ECDSA (RFC 7518 section 3.4).
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        match &self.0.pair {
            Pair::Rsa(key, padding) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(*padding, &random, message, &mut signature).map(|()| signature)
            }
            Pair::Ec(key) => key.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Pair::Ed(key) => Ok(key.sign(message).as_ref().to_vec()),
        }
        .map_err(|_| KeyError::Signing)
    }

    fn new(algorithm: Algorithm, pair: Pair) -> Result<Self, KeyError> {
        let material = public_half(&pair).ok_or(KeyError::Rejected)?;
        let kid = material.thumbprint();
        let public = PublicKey::new(Some(&kid), &material, Some(algorithm)).map_err(|_| KeyError::Rejected)?;
        let jwk = Jwk { material, kid, public_key_use: "sig".into(), alg: algorithm };
        Ok(Self(Arc::new(Inner { pair, jwk, public })))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm())
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}

/// The encoding of an RSA algorithm; the others never ask.
fn padding(algorithm: Algorithm) -> &'static dyn RsaEncoding {
    match algorithm {
        Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_SHA512,
        _ => &signature::RSA_PKCS1_SHA256,
    }
}

fn public_half(pair: &Pair) -> Option<KeyMaterial> {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match pair {
        Pair::Rsa(key, _) => {
            // Named by its path, so that no other crate's choice of a provider
            // for the process matters.
            let components =
                jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.key_utils.rsa_pub_components_from_public_key;
            let (n, e) = components(key.public_key().as_ref()).ok()?;
            Some(KeyMaterial::Rsa { n: text(&n), e: text(&e) })
        }
        Pair::Ec(key) => {
            // SEC 1 section 2.3.3: 04, x, y; the length tells the curve.
            let (_, point) = key.public_key().as_ref().split_first()?;
            let (x, y) = point.split_at_checked(point.len() / 2)?;
            let crv = if x.len() == 32 { "P-256" } else { "P-384" };
            Some(KeyMaterial::Ec { crv: crv.into(), x: text(x), y: text(y) })
        }
        Pair::Ed(key) => Some(KeyMaterial::Okp { crv: "Ed25519".into(), x: text(key.public_key().as_ref()) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_from_pkcs8_as_the_same_key() {
        for algorithm in Algorithm::ALL {
            let key = SigningKey::generate(*algorithm).unwrap();
            let stored = key.to_pkcs8().unwrap();
            let again = SigningKey::from_pkcs8(*algorithm, stored.as_bytes()).unwrap();
            assert_eq!(again.public_jwk(), key.public_jwk());
            let signature = again.sign(b"message").unwrap();
            assert_eq!(key.public_key().verify(*algorithm, b"message", &signature), Ok(()));
            assert!(key.public_key().verify(*algorithm, b"massage", &signature).is_err());
        }
    }

    #[test]
    fn a_key_of_another_kind_or_no_key_is_rejected() {
        let ec = SigningKey::generate(Algorithm::ES256).unwrap().to_pkcs8().unwrap();
        let others = [Algorithm::ES384, Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256];
        for algorithm in others {
            assert_eq!(SigningKey::from_pkcs8(algorithm, ec.as_bytes()).unwrap_err(), KeyError::Rejected);
        }
        for algorithm in Algorithm::ALL {
            for der in [b"".as_slice(), b"\x30\x00", b"-----BEGIN PRIVATE KEY-----", &[0xff; 64]] {
                assert_eq!(SigningKey::from_pkcs8(*algorithm, der).unwrap_err(), KeyError::Rejected);
            }
        }
    }

    #[test]
    fn the_kid_is_the_thumbprint_so_every_node_names_a_key_alike() {
        let key = SigningKey::generate(Algorithm::ES384).unwrap();
        assert_eq!(key.kid(), key.public_jwk().material.thumbprint());
        assert_eq!(key.kid(), key.public_key().thumbprint());
        assert_eq!(key.kid().len(), 43);
    }

    // spec: SEC-07
    #[test]
    fn debug_output_shows_nothing_private() {
        let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
        let shown = format!("{key:?} {:?}", key.to_pkcs8().unwrap());
        assert_eq!(shown, format!("SigningKey {{ algorithm: EdDSA, kid: {:?}, .. }} Pkcs8(..)", key.kid()));
    }
}
