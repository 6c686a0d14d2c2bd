//! What an assertion may be signed with.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::AuthMethod;
use crate::jwt::{Algorithm, HmacAlgorithm, UnsupportedAlgorithm};

/// `token_endpoint_auth_signing_alg`: the one algorithm that a client's
/// assertions are signed with (RFC 7591 section 2, OpenID Connect Registration
/// section 2). `none` cannot be written down.
///
/// ```
/// use oauth_core::{client::AssertionAlgorithm, jwt::{Algorithm, HmacAlgorithm}};
/// assert_eq!("ES256".parse(), Ok(AssertionAlgorithm::Signature(Algorithm::ES256)));
/// assert_eq!("HS256".parse(), Ok(AssertionAlgorithm::Hmac(HmacAlgorithm::HS256)));
/// assert!("none".parse::<AssertionAlgorithm>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AssertionAlgorithm {
    /// An HMAC under the client secret, for `client_secret_jwt`.
    Hmac(HmacAlgorithm),
    /// A signature with a key of the client, for `private_key_jwt`.
    Signature(Algorithm),
}

impl AssertionAlgorithm {
    /// The `alg` value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hmac(algorithm) => algorithm.as_str(),
            Self::Signature(algorithm) => algorithm.as_str(),
        }
    }

    /// Whether clients that use `method` can use it.
    #[must_use]
    pub const fn is_for(self, method: AuthMethod) -> bool {
        matches!(
            (self, method),
            (Self::Hmac(_), AuthMethod::ClientSecretJwt) | (Self::Signature(_), AuthMethod::PrivateKeyJwt)
        )
    }
}

impl FromStr for AssertionAlgorithm {
    type Err = UnsupportedAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnsupportedAlgorithm> {
        name.parse().map(Self::Hmac).or_else(|_| name.parse().map(Self::Signature))
    }
}

impl fmt::Display for AssertionAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for AssertionAlgorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for AssertionAlgorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
