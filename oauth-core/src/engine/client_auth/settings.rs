//! What an operator decides about client authentication.

use crate::{
    client::{AssertionAlgorithm, AuthMethod},
    jwt::{Algorithm, HmacAlgorithm},
};

/// How clients may authenticate, everywhere they do. Set it with
/// [`AuthorizationServerBuilder::client_authentication`](crate::server::AuthorizationServerBuilder::client_authentication).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientAuthentication {
    /// The methods that are offered. By default all but the two that need client
    /// certificates: add those where a listener asks for them, or a proxy passes
    /// them on.
    pub methods: Vec<AuthMethod>,
    /// What `aud` of an assertion may be.
    pub assertion_audience: AssertionAudience,
    /// The algorithms of assertions; all by default. Each method takes its own
    /// ones, and each client only the one it registered, if it did.
    pub assertion_algorithms: Vec<AssertionAlgorithm>,
    /// How long an assertion may be good, in seconds: 3600.
    pub assertion_lifetime: u64,
    /// Failures of one client from one address in a minute, after which that
    /// address hears 429: 30; 0 for no limit. An address may fail ten times as
    /// often for all clients together. Once a client has failed a hundred times
    /// as often, wherever from, each address that takes part in it may fail once.
    ///
    /// What counts is a wrong secret, assertion or certificate at any endpoint, and a
    /// wrong registration access token (RFC 7592), for the client that it was shown
    /// for; and a wrong initial access token (RFC 7591), as if all of those belonged
    /// to one client more. Past the limit nothing is looked at: a right one hears
    /// 429 too, until the minute is over, and is good from any other address.
    ///
    /// Where requests come without a
    /// [`RemoteAddress`](crate::endpoint::RemoteAddress), all of them count as
    /// coming from one address: then a stranger who fails often enough in a client's
    /// name locks that client out for the rest of the minute, again and again.
    pub failures_per_minute: u32,
}

/// What `aud` of a client's assertion has to be, as its only value
/// (draft-ietf-oauth-rfc7523bis section 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssertionAudience {
    /// The issuer identifier: an assertion that another server was sent is worth
    /// nothing here.
    Issuer,
    /// That, or the URL of the token endpoint, which older clients name (RFC 7523
    /// section 3), or of the endpoint for pushed requests (RFC 9126 section 2).
    #[default]
    IssuerOrTokenEndpoint,
}

impl ClientAuthentication {
    /// Adds `method` to [`ClientAuthentication::methods`].
    pub fn offer(&mut self, method: AuthMethod) {
        if !self.methods.contains(&method) {
            self.methods.push(method);
        }
    }

    /// The algorithms that are allowed for the methods that are offered.
    pub(crate) fn algorithms(&self) -> impl Iterator<Item = AssertionAlgorithm> {
        let offered = |algorithm: &AssertionAlgorithm| self.methods.iter().any(|method| algorithm.is_for(*method));
        self.assertion_algorithms.iter().copied().filter(offered)
    }
}

impl Default for ClientAuthentication {
    fn default() -> Self {
        let without_certificate = AuthMethod::ALL.into_iter().filter(|method| !method.uses_certificate());
        let signatures = Algorithm::ALL.iter().copied().map(AssertionAlgorithm::Signature);
        Self {
            methods: without_certificate.collect(),
            assertion_audience: AssertionAudience::default(),
            assertion_algorithms: signatures.chain(HmacAlgorithm::ALL.map(AssertionAlgorithm::Hmac)).collect(),
            assertion_lifetime: 3600,
            failures_per_minute: 30,
        }
    }
}
