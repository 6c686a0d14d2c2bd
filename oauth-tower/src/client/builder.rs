//! Settings of a [`TokenClient`].

use std::sync::Arc;

use oauth_core::{
    clock::{Clock, SystemClock},
    metadata::AuthorizationServerMetadata,
};

use super::{dpop::DpopProver, exchange::Exchange, token::TokenClient};
use crate::outgoing::{ClientAuth, Endpoint, HttpClient, Transport, UrlError};

/// Collects what a [`TokenClient`] needs.
#[derive(Debug)]
#[must_use]
pub struct TokenClientBuilder {
    auth: ClientAuth,
    issuer: Option<String>,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
    pushed_authorization_request_endpoint: Option<String>,
    resource: Option<String>,
    dpop: Option<DpopProver>,
    transport: Transport,
    clock: Arc<dyn Clock>,
}

impl TokenClientBuilder {
    pub(super) fn new(token_endpoint: String, auth: ClientAuth) -> Self {
        Self {
            auth,
            issuer: None,
            token_endpoint,
            revocation_endpoint: None,
            pushed_authorization_request_endpoint: None,
            resource: None,
            dpop: None,
            transport: Transport::Https,
            clock: Arc::new(SystemClock),
        }
    }

    pub(super) fn discovered(metadata: &AuthorizationServerMetadata, auth: ClientAuth) -> Self {
        Self {
            issuer: Some(metadata.issuer.clone()),
            revocation_endpoint: metadata.revocation_endpoint.clone(),
            pushed_authorization_request_endpoint: metadata.pushed_authorization_request_endpoint.clone(),
            ..Self::new(metadata.token_endpoint.clone().unwrap_or_default(), auth)
        }
    }

    /// Where tokens are revoked.
    pub fn revocation_endpoint(mut self, url: impl Into<String>) -> Self {
        self.revocation_endpoint = Some(url.into());
        self
    }

    /// Where authorization requests are pushed (RFC 9126).
    pub fn pushed_authorization_request_endpoint(mut self, url: impl Into<String>) -> Self {
        self.pushed_authorization_request_endpoint = Some(url.into());
        self
    }

    /// Sends `resource` with every request for a token that has none of its own
    /// (RFC 8707 section 2): the identifier of the one API that the tokens are
    /// for.
    pub fn resource(mut self, uri: impl Into<String>) -> Self {
        self.resource = Some(uri.into());
        self
    }

    /// Proves a key with every request for a token, which binds the tokens to it
    /// (RFC 9449 section 5). A token that is not bound is refused then.
    pub fn dpop(mut self, prover: DpopProver) -> Self {
        self.dpop = Some(prover);
        self
    }

    /// Reads the time of assertions ([`ClientAuth::PrivateKeyJwt`]) and proofs
    /// here.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Permits plain http to loopback addresses, for development.
    pub const fn insecure_http(mut self) -> Self {
        self.transport = Transport::HttpsOrLoopback;
        self
    }

    /// The client, which sends through `http`.
    ///
    /// # Errors
    /// [`UrlError`] if an endpoint is not a URL that credentials may go to, or if
    /// the metadata have no token endpoint.
    pub fn build(self, http: HttpClient) -> Result<TokenClient, UrlError> {
        let parse = |url: &str| Endpoint::parse(url, self.transport);
        let push = self.pushed_authorization_request_endpoint.as_deref();
        Ok(TokenClient {
            token_endpoint: parse(&self.token_endpoint)?,
            revocation_endpoint: self.revocation_endpoint.as_deref().map(parse).transpose()?,
            pushed_authorization_request_endpoint: push.map(parse).transpose()?,
            issuer: self.issuer,
            resource: self.resource,
            exchange: Exchange { http, auth: self.auth, dpop: self.dpop, clock: self.clock },
        })
    }
}
