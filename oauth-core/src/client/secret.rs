//! Client secrets, as they are kept.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

use crate::{
    clock::{Random, RandomError, UnixTime, random_bytes},
    secret::{Digest, Secret},
};

/// What is kept of a client secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSecret {
    pub(super) digest: Digest,
    pub(super) expires_at: Option<UnixTime>,
}

impl ClientSecret {
    /// Keeps the SHA-256 of `secret`: right for secrets with at least 128 bits
    /// of entropy, such as [`ClientSecret::generate`] makes. One that a person
    /// chose can be guessed from its digest; keep such clients out of stores.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self { digest: digest_of(secret), expires_at: None }
    }

    /// A fresh secret of 256 bits (43 base64url characters), to be shown once.
    ///
    /// # Errors
    /// [`RandomError`] if the source of randomness fails.
    pub fn generate(random: &dyn Random) -> Result<(Secret, Self), RandomError> {
        let secret = Secret::new(URL_SAFE_NO_PAD.encode(random_bytes::<32>(random)?));
        let kept = Self::new(&secret);
        Ok((secret, kept))
    }

    /// Sets `client_secret_expires_at`: from then on the secret is refused.
    #[must_use]
    pub const fn expires_at(mut self, time: UnixTime) -> Self {
        self.expires_at = Some(time);
        self
    }

    pub(super) fn is(&self, digest: &Digest, now: UnixTime) -> subtle::Choice {
        let live = self.expires_at.is_none_or(|end| now < end);
        self.digest.as_bytes().ct_eq(digest.as_bytes()) & u8::from(live).into()
    }
}

pub(super) fn digest_of(secret: &Secret) -> Digest {
    Digest::of(&[b"client secret", secret.expose().as_bytes()])
}
