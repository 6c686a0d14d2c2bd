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
    /// `urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693).
    pub const TOKEN_EXCHANGE: Self = Self::from_static("urn:ietf:params:oauth:grant-type:token-exchange");
    /// `urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523).
    pub const JWT_BEARER: Self = Self::from_static("urn:ietf:params:oauth:grant-type:jwt-bearer");

    /// `urn:ietf:params:oauth:grant-type:device_code` (RFC 8628).
    pub const DEVICE_CODE: Self = Self::from_static("urn:ietf:params:oauth:grant-type:device_code");

    /// `urn:ietf:params:oauth:grant-type:reciprocal` (draft-ietf-oauth-reciprocal-04).
    pub const RECIPROCAL: Self = Self::from_static("urn:ietf:params:oauth:grant-type:reciprocal");

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
