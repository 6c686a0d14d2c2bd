//! How a client proves itself.

use serde::{Deserialize, Serialize};

/// `token_endpoint_auth_method`: how a client proves itself at every
/// back-channel endpoint (RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuthMethod {
    /// A public client: it names itself and proves nothing.
    None,
    /// HTTP Basic (OAuth 2.1 section 2.3.1).
    ClientSecretBasic,
    /// `client_id` and `client_secret` in the body (OAuth 2.1 section 2.3.1).
    ClientSecretPost,
    /// An assertion with an HMAC under the client secret (OpenID Connect Core
    /// section 9, RFC 7523 section 2.2). The server has to know the secret
    /// itself: prefer [`AuthMethod::PrivateKeyJwt`].
    ClientSecretJwt,
    /// An assertion that one of the client's own keys has signed (OpenID
    /// Connect Core section 9, RFC 7523 section 2.2).
    PrivateKeyJwt,
    /// A certificate with a subject that was registered, from an authority
    /// that the server trusts (RFC 8705 section 2.1).
    TlsClientAuth,
    /// A certificate that was registered, whoever has made it (RFC 8705
    /// section 2.2).
    SelfSignedTlsClientAuth,
}

impl AuthMethod {
    /// Every method this version implements.
    pub const ALL: [Self; 7] = [
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::ClientSecretJwt,
        Self::PrivateKeyJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
        Self::None,
    ];

    /// The registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
        }
    }

    /// Reads a registered name; `None` if it is not implemented.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// Whether the client has a `client_secret`.
    #[must_use]
    pub const fn uses_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecretJwt)
    }

    /// Whether the client sends a `client_assertion` (RFC 7523 section 2.2).
    #[must_use]
    pub const fn uses_assertion(self) -> bool {
        matches!(self, Self::ClientSecretJwt | Self::PrivateKeyJwt)
    }

    /// Whether the client shows a certificate (RFC 8705 section 2).
    #[must_use]
    pub const fn uses_certificate(self) -> bool {
        matches!(self, Self::TlsClientAuth | Self::SelfSignedTlsClientAuth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_and_is_the_one_at_rest() {
        for method in AuthMethod::ALL {
            assert_eq!(AuthMethod::parse(method.as_str()), Some(method));
            assert_eq!(serde_json::to_value(method).unwrap(), method.as_str());
        }
        assert_eq!(AuthMethod::parse("client_secret"), None);
    }
}
