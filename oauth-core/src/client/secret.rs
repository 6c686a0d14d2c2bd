//! Client secrets, as they are kept.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

use super::ClientId;
use crate::{
    clock::{Random, RandomError, UnixTime, random_bytes},
    secret::{Digest, RootSecret, SealError, Sealer, Secret},
};

/// What is kept of a client secret.
///
/// For `client_secret_basic` and `client_secret_post` that is its hash. An HMAC
/// cannot be verified by a hash of its key, so for `client_secret_jwt`, and for
/// nothing else, it is the secret itself: sealed at rest under the root secret.
///
/// ```
/// use oauth_core::{client::{AuthMethod, Client, ClientId, ClientSecret}, clock::SystemRandom, secret::RootSecret};
/// let root = RootSecret::generate(&SystemRandom)?;
/// let (secret, kept) = ClientSecret::generate_sealed(&ClientId::new("app")?, &root, &SystemRandom)?;
/// let app = Client::builder("app").auth_method(AuthMethod::ClientSecretJwt).secret(kept).build()?;
/// println!("shown once: {}", secret.expose());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret {
    pub(super) kept: Kept,
    pub(super) expires_at: Option<UnixTime>,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Kept {
    Digest(Digest),
    Sealed(Arc<[u8]>),
    Plain(Secret),
}

impl ClientSecret {
    /// Keeps the SHA-256 of `secret`: right for secrets with at least 128 bits
    /// of entropy, such as [`ClientSecret::generate`] makes. One that a person
    /// chose can be guessed from its digest; keep such clients out of stores.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self { kept: Kept::Digest(digest_of(secret)), expires_at: None }
    }

    /// A fresh secret of 256 bits (43 base64url characters), to be shown once.
    ///
    /// # Errors
    /// [`RandomError`] if the source of randomness fails.
    pub fn generate(random: &dyn Random) -> Result<(Secret, Self), RandomError> {
        let secret = fresh(random)?;
        let kept = Self::new(&secret);
        Ok((secret, kept))
    }

    /// Keeps `secret` itself, sealed under `root` for the client `id`: for
    /// `client_secret_jwt`. It has 32 bytes at least, more for HS384 and HS512
    /// (RFC 7518 section 3.2).
    ///
    /// # Errors
    /// [`SealError`] if the source of randomness fails.
    pub fn sealed(secret: &Secret, id: &ClientId, root: &RootSecret, random: &dyn Random) -> Result<Self, SealError> {
        Self::sealed_by(&sealer(root), secret, id, random)
    }

    /// A fresh secret of 384 bits (64 base64url characters: enough for HS512),
    /// to be shown once, and kept sealed.
    ///
    /// # Errors
    /// [`SealError`] if the source of randomness fails.
    pub fn generate_sealed(id: &ClientId, root: &RootSecret, random: &dyn Random) -> Result<(Secret, Self), SealError> {
        let secret = random_bytes::<48>(random).map_err(|_| SealError)?;
        let secret = Secret::new(URL_SAFE_NO_PAD.encode(secret));
        let kept = Self::sealed(&secret, id, root, random)?;
        Ok((secret, kept))
    }

    /// Keeps `secret` itself, as it is: for `client_secret_jwt` of a client that
    /// is configured and not stored. A store refuses it.
    #[must_use]
    pub fn in_memory(secret: Secret) -> Self {
        Self { kept: Kept::Plain(secret), expires_at: None }
    }

    /// Sets `client_secret_expires_at`: from then on the secret is refused.
    #[must_use]
    pub const fn expires_at(mut self, time: UnixTime) -> Self {
        self.expires_at = Some(time);
        self
    }

    pub(crate) fn sealed_by(
        sealer: &Sealer,
        secret: &Secret,
        id: &ClientId,
        random: &dyn Random,
    ) -> Result<Self, SealError> {
        let sealed = sealer.seal(id.as_str().as_bytes(), secret.expose().as_bytes(), random)?;
        Ok(Self { kept: Kept::Sealed(sealed.into()), expires_at: None })
    }

    pub(super) const fn is_hashed(&self) -> bool {
        matches!(self.kept, Kept::Digest(_))
    }

    /// How long the secret is; `None` if only its hash is known.
    pub(super) fn bytes(&self) -> Option<usize> {
        match &self.kept {
            Kept::Digest(_) => None,
            Kept::Sealed(sealed) => Some(sealed.len().saturating_sub(Sealer::OVERHEAD)),
            Kept::Plain(secret) => Some(secret.expose().len()),
        }
    }

    pub(super) fn is(&self, digest: &Digest, now: UnixTime) -> subtle::Choice {
        let Kept::Digest(own) = &self.kept else { return 0.into() };
        own.as_bytes().ct_eq(digest.as_bytes()) & u8::from(self.lives(now)).into()
    }

    /// When it ends, if it does.
    #[must_use]
    pub const fn end(&self) -> Option<UnixTime> {
        self.expires_at
    }

    pub(crate) fn lives(&self, now: UnixTime) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// The secret itself; `None` if only its hash is kept, or if it was sealed
    /// under another root secret or for another client.
    #[cfg(any(feature = "server", test))]
    pub(crate) fn open(&self, sealer: &Sealer, id: &ClientId) -> Option<Secret> {
        match &self.kept {
            Kept::Digest(_) => None,
            Kept::Sealed(sealed) => {
                let opened = sealer.open(id.as_str().as_bytes(), sealed)?;
                std::str::from_utf8(&opened).ok().map(Secret::from)
            }
            Kept::Plain(secret) => Some(secret.clone()),
        }
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = match self.kept {
            Kept::Digest(_) => "hashed",
            Kept::Sealed(_) => "sealed",
            Kept::Plain(_) => "in memory",
        };
        f.debug_struct("ClientSecret").field("kept", &kept).field("expires_at", &self.expires_at).finish()
    }
}

/// What seals client secrets under `root`.
pub(crate) fn sealer(root: &RootSecret) -> Sealer {
    root.sealer(b"client secret")
}

pub(super) fn digest_of(secret: &Secret) -> Digest {
    Digest::of(&[b"client secret", secret.expose().as_bytes()])
}

fn fresh(random: &dyn Random) -> Result<Secret, RandomError> {
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(random_bytes::<32>(random)?)))
}
