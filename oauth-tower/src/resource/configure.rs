//! From what a program says of an issuer to what judges its tokens.

use std::sync::Arc;

use oauth_core::{clock::Clock, jwt::Algorithm};

use super::{
    BuildError,
    discovery::{self, Metadata},
    fetched::Lifetimes,
    introspection::{EndpointLocation, Introspector},
    invalidate::Ledger,
    issuer::{IntrospectionIssuer, Issuer, JwtIssuer, KeySource, Kind},
    jwks::{KeyLocation, Keys},
    jwt::JwtVerifier,
    validate::{Configured, Mechanism},
};
#[cfg(feature = "server")]
use super::{
    issuer::LocalIssuer,
    local::{Listener, Local},
};
use crate::outgoing::{Endpoint, HttpClient, Transport};

/// What the issuers of one resource server share.
pub(super) struct Context {
    /// There only if an issuer needs it.
    pub(super) http: Option<HttpClient>,
    pub(super) transport: Transport,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) lifetimes: Lifetimes,
}

impl Context {
    /// Makes the issuer at `index`.
    pub(super) fn configure(&self, index: usize, issuer: Issuer) -> Result<Configured, BuildError> {
        match issuer.0 {
            Kind::Jwt(issuer) => self.jwt(index, issuer),
            Kind::Introspection(issuer) => self.introspection(issuer),
            #[cfg(feature = "server")]
            Kind::Local(issuer) => Ok(self.local(index, issuer)),
        }
    }

    pub(super) fn http(&self) -> Result<HttpClient, BuildError> {
        self.http.clone().ok_or(BuildError::NoHttpClient)
    }

    fn jwt(&self, index: usize, issuer: JwtIssuer) -> Result<Configured, BuildError> {
        let JwtIssuer { issuer, keys, algorithms } = issuer;
        if algorithms.is_empty() {
            return Err(BuildError::NoAlgorithm(issuer));
        }
        let keys = match keys {
            KeySource::Given(keys) => Keys::Fixed(Arc::new(keys)),
            KeySource::At(url) => Keys::fetched(&issuer, KeyLocation::At(self.endpoint(&url)?), index, self)?,
            KeySource::Discovered => {
                Keys::fetched(&issuer, KeyLocation::Discovered(self.discover(&issuer)?), index, self)?
            }
        };
        let algorithms: Box<[Algorithm]> = algorithms.into();
        Ok(Configured { issuer: issuer.into(), mechanism: Mechanism::Jwt(JwtVerifier { keys, algorithms }) })
    }

    fn introspection(&self, issuer: IntrospectionIssuer) -> Result<Configured, BuildError> {
        issuer.auth.check().map_err(|_| BuildError::UnsendableSecret(issuer.issuer.clone()))?;
        let endpoint = match &issuer.endpoint {
            Some(url) => EndpointLocation::At(self.endpoint(url)?),
            None => EndpointLocation::Discovered(self.discover(&issuer.issuer)?),
        };
        let introspector = Introspector {
            endpoint,
            auth: issuer.auth,
            http: self.http()?,
            transport: self.transport,
            cache_for: issuer.cache_for.as_secs(),
            server_checks_audience: issuer.server_checks_audience,
            client_as_subject: issuer.client_as_subject,
            most: issuer.most,
            open: 0.into(),
        };
        let mechanism = Mechanism::Introspection { introspector, prefix: issuer.prefix };
        Ok(Configured { issuer: issuer.issuer.into(), mechanism })
    }

    #[cfg(feature = "server")]
    fn local(&self, index: usize, issuer: LocalIssuer) -> Configured {
        let name = issuer.server.issuer().into();
        let listener = Listener { ledger: Arc::clone(&self.ledger), index };
        let local = Local::new(issuer.server, issuer.cache_for.as_secs(), listener);
        Configured { issuer: name, mechanism: Mechanism::Local(local) }
    }

    fn discover(&self, issuer: &str) -> Result<Arc<Metadata>, BuildError> {
        let locations = discovery::locations(issuer, self.transport)
            .map_err(|reason| BuildError::Url { url: issuer.into(), reason })?;
        Ok(discovery::metadata(issuer, locations, self.http()?, Arc::clone(&self.clock), self.lifetimes))
    }

    fn endpoint(&self, url: &str) -> Result<Endpoint, BuildError> {
        Endpoint::parse(url, self.transport).map_err(|reason| BuildError::Url { url: url.into(), reason })
    }
}

/// Whether an issuer has to be reached over the network.
pub(super) fn needs_network(issuer: &Issuer) -> bool {
    match &issuer.0 {
        Kind::Jwt(issuer) => !matches!(issuer.keys, KeySource::Given(_)),
        Kind::Introspection(_) => true,
        #[cfg(feature = "server")]
        Kind::Local(_) => false,
    }
}
