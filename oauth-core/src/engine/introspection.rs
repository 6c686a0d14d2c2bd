//! What an operator decides of introspection.

use crate::{client::Client, jwt::Algorithm};

/// How introspection is answered.
///
/// ```
/// use oauth_core::{jwt::Algorithm, server::AuthorizationServer};
/// let builder = AuthorizationServer::builder("https://auth.example")
///     .introspection(|set| set.signing_algorithms = vec![Algorithm::RS256, Algorithm::ES256]);
/// # drop(builder);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntrospectionSettings {
    /// What responses can be signed with, for those who ask by `Accept:
    /// application/token-introspection+jwt` (RFC 9701 section 4): a key of each is
    /// made when the server is built, which for RSA takes a moment. Empty: none is
    /// signed, and those who ask get plain JSON.
    pub signing_algorithms: Vec<Algorithm>,
}

impl IntrospectionSettings {
    pub(crate) fn signs_with(&self, algorithm: Algorithm) -> bool {
        self.signing_algorithms.contains(&algorithm)
    }

    /// RFC 9701 section 6: what `caller` has registered; "The default, if omitted, is
    /// RS256". `None` if nothing is signed here.
    pub(crate) fn algorithm_for(&self, caller: &Client) -> Option<Algorithm> {
        let first = self.signing_algorithms.first().copied()?;
        let usual = if self.signs_with(Algorithm::RS256) { Algorithm::RS256 } else { first };
        Some(caller.tokens.introspection_signed_response_alg.unwrap_or(usual))
    }
}
