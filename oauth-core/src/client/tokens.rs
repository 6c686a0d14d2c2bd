//! What kind of tokens a client is given, and how it is told of tokens.

use serde::{Deserialize, Serialize};

use crate::jwt::Algorithm;

/// What kind of tokens a client is given, as it registered: its members are called
/// as they are on the wire.
///
/// ```
/// use oauth_core::client::Client;
/// let app = Client::builder("app")
///     .redirect_uri("https://app.example/callback")
///     .tokens(|tokens| tokens.dpop_bound_access_tokens = true)
///     .build()?;
/// assert!(app.tokens.dpop_bound_access_tokens);
/// # Ok::<_, oauth_core::client::InvalidClient>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ClientTokens {
    /// Whether it is given tokens for a proof of possession only (RFC 9449 section
    /// 5.2).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dpop_bound_access_tokens: bool,
    /// Whether its access tokens are bound to the certificate that it shows (RFC
    /// 8705 section 3.4). Where it shows none, it is given none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// The types of authorization details that it may ask for (RFC 9396 section
    /// 10).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types: Vec<String>,
    /// `introspection_signed_response_alg`: what the introspection responses are
    /// signed with for which it asks (RFC 9701 section 6). Without it, RS256, or the
    /// first algorithm that is offered if that one is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<Algorithm>,
}

impl ClientTokens {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
