//! Tokens: what they are called, what they carry, how they look.
//!
//! * [`GrantId`] names the grant that every token belongs to.
//! * [`TokenCodec`] writes and reads opaque tokens.
//! * [`TokenResponse`] is the token endpoint's answer, for both parties.

mod base62;
mod bound;
mod codec;
mod grant_ref;
mod response;

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

#[cfg(feature = "server")]
pub(crate) use self::response::Body;
pub use self::{
    codec::{InvalidPrefix, MintedToken, Prefixes, ReadToken, TokenCodec, TokenKind},
    grant_ref::GrantRefs,
    response::{InvalidTokenResponse, TokenResponse, TokenType},
};
use crate::clock::{Random, RandomError, random_bytes};

/// The name of a grant: 128 random bits. Not a secret: resource servers see it
/// in opaque tokens, so it must be, and is, worth nothing alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantId([u8; 16]);

impl GrantId {
    /// A fresh name.
    ///
    /// # Errors
    /// [`RandomError`] if the source of randomness fails.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
        random_bytes(random).map(Self)
    }

    /// The bytes, for a store to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// A name read back from a store.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GrantId({self})")
    }
}
