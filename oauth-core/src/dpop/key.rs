//! The client's side: a key, and proofs made with it (RFC 9449 section 4.2).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use super::{PROOF_TYPE, proof::token_hash};
use crate::{
    clock::{Random, RandomError, UnixTime, random_bytes},
    jwk::KeyMaterial,
    jwt::Algorithm,
    keys::{KeyError, SigningKey},
};

/// The key of a DPoP client. Clones share it.
///
/// ```
/// use oauth_core::{clock::{SystemRandom, UnixTime}, dpop::DpopKey, jwt::Algorithm};
/// let key = DpopKey::generate(Algorithm::ES256)?;
/// let nonce = "from-the-DPoP-Nonce-header";
/// let proof = key.proof("POST", "https://as.example/token", None, Some(nonce), UnixTime(1_000), &SystemRandom)?;
/// assert_eq!(proof.split('.').count(), 3);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct DpopKey(SigningKey);

/// Why no proof could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The source of randomness failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The signing library failed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl DpopKey {
    /// A fresh key. RSA takes up to some seconds.
    ///
    /// # Errors
    /// [`KeyError::Generation`] if the library or its randomness fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        SigningKey::generate(algorithm).map(Self)
    }

    /// The thumbprint of the key: `dpop_jkt` of an authorization request
    /// (RFC 9449 section 10), `cnf.jkt` of the tokens.
    #[must_use]
    pub fn jkt(&self) -> &str {
        self.0.kid()
    }

    /// The algorithm of its proofs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    /// The public half, as it stands in the header of its proofs.
    #[must_use]
    pub fn public_jwk(&self) -> &KeyMaterial {
        &self.0.public_jwk().material
    }

    /// A proof for one request, to send as its `DPoP` header. `url` may have a
    /// query or fragment, which is left out (RFC 9449 section 4.2); a new `jti`
    /// is drawn from `random` each time.
    ///
    /// # Errors
    /// [`ProofError`] if randomness or signing fails.
    pub fn proof(
        &self,
        method: &str,
        url: &str,
        access_token: Option<&str>,
        nonce: Option<&str>,
        now: UnixTime,
        random: &dyn Random,
    ) -> Result<String, ProofError> {
        let claims = Claims {
            jti: URL_SAFE_NO_PAD.encode(random_bytes::<16>(random)?),
            htm: method,
            htu: url.split(['?', '#']).next().unwrap_or_default(),
            iat: now,
            ath: access_token.map(token_hash),
            nonce,
        };
        let header = Header { typ: PROOF_TYPE, alg: self.algorithm(), jwk: self.public_jwk() };
        let header = serde_json::to_vec(&header).map_err(|_| KeyError::Serialization)?;
        let claims = serde_json::to_vec(&claims).map_err(|_| KeyError::Serialization)?;
        Ok(self.sign(&header, &claims)?)
    }

    /// Signs any header and any payload, for tests of those who verify.
    ///
    /// # Errors
    /// [`KeyError::Signing`] if the signing library fails.
    #[cfg(any(test, feature = "testing"))]
    #[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
    pub fn forge(&self, header: &str, claims: &str) -> Result<String, KeyError> {
        self.sign(header.as_bytes(), claims.as_bytes())
    }

    fn sign(&self, header: &[u8], claims: &[u8]) -> Result<String, KeyError> {
        let mut proof = URL_SAFE_NO_PAD.encode(header);
        proof.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut proof);
        let signature = self.0.sign(proof.as_bytes())?;
        proof.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut proof);
        Ok(proof)
    }
}

impl From<SigningKey> for DpopKey {
    fn from(key: SigningKey) -> Self {
        Self(key)
    }
}

#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: Algorithm,
    jwk: &'a KeyMaterial,
}

#[derive(Serialize)]
struct Claims<'a> {
    jti: String,
    htm: &'a str,
    htu: &'a str,
    iat: UnixTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}
