//! How a client came to be registered.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Developer;
use crate::{
    clock::UnixTime,
    scope::Scope,
    secret::{Digest, Secret},
};

/// What is kept of a dynamic registration (RFC 7591).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Registration {
    /// `client_id_issued_at`.
    pub issued_at: UnixTime,
    /// The scope it registered with: what it asks for where it does not say.
    /// What it may ask for is [`Client::scope`](super::Client::scope).
    pub scope: Scope,
    /// `software_statement`, as it came: it is shown again (RFC 7591 section
    /// 3.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_statement: Option<String>,
    /// Who registered it, where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub developer: Option<Developer>,
    /// The digest of the registration access token (RFC 7592 section 3);
    /// without one, the client cannot manage itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<[u8; 32]>,
}

impl Registration {
    /// Registered at `issued_at`, with `scope`.
    #[must_use]
    pub const fn new(issued_at: UnixTime, scope: Scope) -> Self {
        Self { issued_at, scope, software_statement: None, developer: None, token: None }
    }

    /// Sets the registration access token. Only its digest is kept, so it
    /// needs at least 128 bits of entropy.
    #[must_use]
    pub fn token(mut self, token: &Secret) -> Self {
        self.token = Some(*digest_of(token).as_bytes());
        self
    }

    /// Whether the client can be managed by whoever has its token.
    #[must_use]
    pub const fn is_manageable(&self) -> bool {
        self.token.is_some()
    }

    /// Whether `token` is its registration access token, in constant time.
    #[must_use]
    pub fn has_token(&self, token: &Secret) -> bool {
        self.token.is_some_and(|own| Digest::from_bytes(own) == digest_of(token))
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manageable = self.is_manageable();
        f.debug_struct("Registration")
            .field("issued_at", &self.issued_at)
            .field("scope", &self.scope)
            .field("is_manageable", &manageable)
            .finish_non_exhaustive()
    }
}

fn digest_of(token: &Secret) -> Digest {
    Digest::of(&[b"registration token", token.expose().as_bytes()])
}
