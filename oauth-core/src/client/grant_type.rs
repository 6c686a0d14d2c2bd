//! What a client may do at the token endpoint.

use serde::{Deserialize, Serialize};

/// A `grant_type` a client may use.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GrantType(std::borrow::Cow<'static, str>);

impl GrantType {
    /// `authorization_code` (OAuth 2.1 section 4.1).
    pub const AUTHORIZATION_CODE: Self = Self::from_static("authorization_code");
    /// `client_credentials` (OAuth 2.1 section 4.2).
    pub const CLIENT_CREDENTIALS: Self = Self::from_static("client_credentials");
    /// `refresh_token` (OAuth 2.1 section 6).
    pub const REFRESH_TOKEN: Self = Self::from_static("refresh_token");

    /// A grant type of your own, an absolute URI (OAuth 2.1 section 4.3).
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        Self(std::borrow::Cow::Borrowed(name))
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for GrantType {
    fn from(name: &str) -> Self {
        Self(name.to_owned().into())
    }
}
