//! The forms of a token.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use oauth_core::jwt::Algorithm;

/// The client that asks, and what it is registered for.
pub const CLIENT: &str = "machine";
pub const SECRET: &str = "a8fK2mQ9xT4vB7nZ1cR5sW3yE6uH0jL2p";
pub const SCOPE: &str = "albums:read albums:write";

/// How long a token lives, in seconds.
pub const LIFETIME: u64 = 3600;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Opaque,
    Rs256,
    Es256,
    EdDsa,
}

impl Form {
    pub const ALL: [Self; 4] = [Self::Opaque, Self::Es256, Self::EdDsa, Self::Rs256];
    pub const SIGNED: [Self; 3] = [Self::Es256, Self::EdDsa, Self::Rs256];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Opaque => "opaque",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    pub fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|form| form.name() == name).expect("a form of tokens")
    }

    pub const fn algorithm(self) -> Option<Algorithm> {
        match self {
            Self::Opaque => None,
            Self::Rs256 => Some(Algorithm::RS256),
            Self::Es256 => Some(Algorithm::ES256),
            Self::EdDsa => Some(Algorithm::EdDSA),
        }
    }

    /// The resource whose tokens have this form.
    pub fn resource(self) -> String {
        format!("https://api.example/{}", self.name())
    }

    /// The request that everybody is sent, byte for byte.
    pub fn request(self) -> Vec<u8> {
        let basic = STANDARD.encode(format!("{CLIENT}:{SECRET}"));
        let resource = self.resource().replace(':', "%3A").replace('/', "%2F");
        let scope = SCOPE.replace(':', "%3A").replace(' ', "+");
        let body = format!("grant_type=client_credentials&scope={scope}&resource={resource}");
        let head = format!(
            "POST /token HTTP/1.1\r\nhost: as.example\r\naccept: */*\r\nauthorization: Basic {basic}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        (head + &body).into_bytes()
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
