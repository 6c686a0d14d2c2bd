//! Secrets: held zeroized, shown to nobody, derived from one root.

use std::fmt;

use aws_lc_rs::{aead, digest, hmac};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::clock::{Random, RandomError, random_bytes};

/// A secret text: a token, a code, a client secret, a password.
///
/// It has no `Display`, its `Debug` is redacted, its memory is wiped on drop
/// and it is compared in constant time. [`Secret::expose`] is the one way to
/// its content, and easy to find in review.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes `text` as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself. Never log it, never format it into an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// The SHA-256 of something with at least 128 bits of entropy: all that a
/// store ever sees of a token, a code or a generated secret.
#[derive(Clone, Copy, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `parts`, one after the other.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let digest = Self::of_few(parts).unwrap_or_else(|| {
            let mut context = digest::Context::new(&digest::SHA256);
            parts.iter().for_each(|part| context.update(part));
            context.finish()
        });
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }

    /// The same for few bytes, without memory of the library's: what has to be hashed on the
    /// path of a request is short.
    fn of_few(parts: &[&[u8]]) -> Option<digest::Digest> {
        let mut all = Zeroizing::new([0; 128]);
        let mut length = 0;
        for part in parts {
            all.get_mut(length..)?.get_mut(..part.len())?.copy_from_slice(part);
            length += part.len();
        }
        Some(digest::digest(&digest::SHA256, all.get(..length)?))
    }

    /// The bytes, for a store to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A digest read back from a store.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::hash::Hash for Digest {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

/// The one secret of an authorization server: 32 random bytes, the same on
/// every node, from which every other key is derived by HKDF.
///
/// Keep it apart from the store: neither is worth anything without the other.
/// To rotate it, make the new one current and name the old one as previous for
/// as long as the longest-lived token: what the old one made stays good, and
/// everything new is made with the new one.
#[derive(Clone)]
pub struct RootSecret {
    /// Never empty: the current one first.
    roots: Vec<Zeroizing<[u8; 32]>>,
}

impl RootSecret {
    /// The root secret `bytes`: from a CSPRNG, never from a pass phrase.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self { roots: vec![Zeroizing::new(bytes)] }
    }

    /// A fresh root secret.
    ///
    /// # Errors
    /// [`RandomError`] if the source of randomness fails.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
        Ok(Self::new(random_bytes(random)?))
    }

    /// Adds an earlier root secret, whose tokens and sealed values stay good.
    #[must_use]
    pub fn with_previous(mut self, bytes: [u8; 32]) -> Self {
        self.roots.push(Zeroizing::new(bytes));
        self
    }

    /// The current bytes, for the file that keeps them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.roots.first().map_or(&[], |root| root.as_slice())
    }

    /// One key per root for `purpose`, the current one first.
    pub(crate) fn derive(&self, purpose: &[u8]) -> Vec<Zeroizing<[u8; 32]>> {
        self.roots.iter().map(|root| hkdf_sha256(root.as_slice(), &[b"oauth-core v1 ", purpose])).collect()
    }

    /// HMAC keys for `purpose`, the current one first.
    pub(crate) fn hmac_keys(&self, purpose: &[u8]) -> Vec<hmac::Key> {
        let key = |bytes: &Zeroizing<[u8; 32]>| hmac::Key::new(hmac::HMAC_SHA256, bytes.as_slice());
        self.derive(purpose).iter().map(key).collect()
    }

    /// A sealer for `purpose`.
    #[must_use]
    pub fn sealer(&self, purpose: &[u8]) -> Sealer {
        Sealer { keys: self.derive(purpose) }
    }
}

impl fmt::Debug for RootSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootSecret").field("previous", &self.roots.len().saturating_sub(1)).finish_non_exhaustive()
    }
}

/// HKDF-SHA256 (RFC 5869) of a secret with full entropy, for one block of
/// output: `HMAC(HMAC(salt, secret), info | 0x01)`, which cannot fail.
pub(crate) fn hkdf_sha256(secret: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SALT), secret);
    let mut expand = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref()));
    info.iter().for_each(|part| expand.update(part));
    expand.update(&[1]);
    let mut key = Zeroizing::new([0; 32]);
    key.copy_from_slice(expand.sign().as_ref());
    key
}

const SALT: &[u8] = b"oauth-core";

/// Authenticated encryption for what must travel through, or rest in, places
/// that are not trusted: cookies, retry pairs, signing keys.
///
/// AES-256-GCM-SIV (RFC 8452) with a random nonce, so that even a repeated
/// nonce reveals no more than whether two plaintexts were equal. A context is
/// bound to each seal and must be repeated to open it.
#[derive(Clone)]
pub struct Sealer {
    keys: Vec<Zeroizing<[u8; 32]>>,
}

/// A sealed value could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealing failed")]
pub struct SealError;

impl Sealer {
    /// How much longer what is sealed is than the plaintext, in bytes.
    pub(crate) const OVERHEAD: usize = aead::NONCE_LEN + 16;

    /// A sealer under one key.
    #[must_use]
    pub(crate) fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self { keys: vec![key] }
    }

    /// Encrypts `plaintext` for `context`.
    ///
    /// # Errors
    /// [`SealError`] if the source of randomness fails.
    pub fn seal(&self, context: &[u8], plaintext: &[u8], random: &dyn Random) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; aead::NONCE_LEN] = random_bytes(random).map_err(|_| SealError)?;
        let key = self.keys.first().and_then(cipher).ok_or(SealError)?;
        let mut sealed = Vec::with_capacity(nonce.len() + plaintext.len() + 16);
        sealed.extend_from_slice(&nonce);
        let mut body = plaintext.to_vec();
        let sealing = key.seal_in_place_append_tag(
            aead::Nonce::assume_unique_for_key(nonce),
            aead::Aad::from(context),
            &mut body,
        );
        if sealing.is_err() {
            body.zeroize();
            return Err(SealError);
        }
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Decrypts what [`Sealer::seal`] made for the same `context`, under any
    /// of the root secrets. `None` for anything else.
    #[must_use]
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_first_chunk::<{ aead::NONCE_LEN }>()?;
        self.keys.iter().find_map(|key| {
            let mut plaintext = Zeroizing::new(body.to_vec());
            let nonce = aead::Nonce::assume_unique_for_key(*nonce);
            let length = cipher(key)?.open_in_place(nonce, aead::Aad::from(context), &mut plaintext).ok()?.len();
            plaintext.truncate(length);
            Some(plaintext)
        })
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

fn cipher(key: &Zeroizing<[u8; 32]>) -> Option<aead::LessSafeKey> {
    aead::UnboundKey::new(&aead::AES_256_GCM_SIV, key.as_slice()).ok().map(aead::LessSafeKey::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;

    // spec: SEC-07
    #[test]
    fn no_secret_shows_in_debug_output() {
        let root = RootSecret::new([7; 32]);
        let shown = format!("{:?} {root:?} {:?} {:?}", Secret::new("hunter2"), root.sealer(b"x"), Digest::of(&[b"x"]));
        assert_eq!(shown, "Secret(..) RootSecret { previous: 0, .. } Sealer(..) Digest(..)");
    }

    #[test]
    fn a_digest_is_that_of_the_whole_however_long_it_is_and_in_however_many_parts() {
        let text: Vec<u8> = (0..=u8::MAX).collect();
        for length in [0, 1, 55, 56, 64, 127, 128, 129, 256] {
            let whole = digest::digest(&digest::SHA256, &text[..length]);
            for cut in [0, length / 3, length] {
                let (one, other) = text[..length].split_at(cut);
                assert_eq!(Digest::of(&[one, other]).as_bytes(), whole.as_ref(), "{length} {cut}");
            }
        }
    }

    #[test]
    fn derivation_is_hkdf_as_rfc_5869_has_it() {
        use aws_lc_rs::hkdf;
        let mut expected = [0; 32];
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(b"secret");
        extracted.expand(&[b"a", b"b"], hkdf::HKDF_SHA256).unwrap().fill(&mut expected).unwrap();
        assert_eq!(hkdf_sha256(b"secret", &[b"a", b"b"]).as_slice(), expected);
    }

    #[test]
    fn a_sealed_value_opens_only_whole_under_its_own_key_and_context() {
        let sealer = RootSecret::new([7; 32]).sealer(b"cookie");
        let sealed = sealer.seal(b"context", b"text", &SystemRandom).unwrap();
        assert_eq!(sealer.open(b"context", &sealed).unwrap().as_slice(), b"text");
        assert!(sealer.open(b"other", &sealed).is_none());
        assert!(RootSecret::new([7; 32]).sealer(b"key").open(b"context", &sealed).is_none());
        assert!(RootSecret::new([8; 32]).sealer(b"cookie").open(b"context", &sealed).is_none());
        for cut in 0..sealed.len() {
            assert!(sealer.open(b"context", &sealed[..cut]).is_none());
        }
        for bit in 0..sealed.len() * 8 {
            let mut bent = sealed.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(sealer.open(b"context", &bent).is_none());
        }
    }

    #[test]
    fn a_rotated_root_secret_still_opens_what_the_previous_one_sealed() {
        let sealed = RootSecret::new([1; 32]).sealer(b"p").seal(b"", b"old", &SystemRandom).unwrap();
        let rotated = RootSecret::new([2; 32]).with_previous([1; 32]).sealer(b"p");
        assert_eq!(rotated.open(b"", &sealed).unwrap().as_slice(), b"old");
        let fresh = rotated.seal(b"", b"new", &SystemRandom).unwrap();
        assert!(RootSecret::new([1; 32]).sealer(b"p").open(b"", &fresh).is_none());
    }
}
