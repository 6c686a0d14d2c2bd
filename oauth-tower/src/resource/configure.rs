//! From what a program says of an issuer to what judges its tokens.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use oauth_core::{claims::ClockSkew, clock::Clock, jwt::Algorithm};

use super::{
    BuildError,
    breaker::Line,
    budget::Budgets,
    discovery::{self, Metadata},
    fetched::Lifetimes,
    introspection::{EndpointLocation, Introspector},
    invalidate::Ledger,
    issuer::{IntrospectionIssuer, Issuer, JwtIssuer, KeySource, Kind, StatusSettings},
    jwks::{KeyLocation, Keys},
    jwt::JwtVerifier,
    signed::{Signatures, SignedAnswers},
    status::{Source, StatusListPolicy, StatusLists, Trusted},
    validate::{Configured, Mechanism},
};
#[cfg(feature = "server")]
use super::{
    issuer::LocalIssuer,
    local::{Listener, Local},
};
use crate::{
    outgoing::{Endpoint, HttpClient, Transport, well_known},
    seconds,
};

/// What the issuers of one resource server share.
pub(super) struct Context {
    pub(super) resource: Box<str>,
    /// There only if an issuer needs it.
    pub(super) http: Option<HttpClient>,
    pub(super) transport: Transport,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) lifetimes: Lifetimes,
    pub(super) skew: ClockSkew,
}

impl Context {
    /// Makes the issuer at `index`.
    pub(super) fn configure(&self, index: usize, issuer: Issuer) -> Result<Configured, BuildError> {
        match issuer.0 {
            Kind::Jwt(issuer) => self.jwt(index, issuer),
            Kind::Introspection(issuer) => self.introspection(index, issuer),
            #[cfg(feature = "server")]
            Kind::Local(issuer) => Ok(self.local(index, issuer)),
        }
    }

    pub(super) fn http(&self) -> Result<HttpClient, BuildError> {
        self.http.clone().ok_or(BuildError::NoHttpClient)
    }

    fn jwt(&self, index: usize, issuer: JwtIssuer) -> Result<Configured, BuildError> {
        let JwtIssuer { issuer, keys, algorithms, audience, status } = issuer;
        if algorithms.is_empty() {
            return Err(BuildError::NoAlgorithm(issuer));
        }
        let keys = self.keys(&issuer, keys, index, None)?;
        let audience = audience.map(Into::into);
        let statuses = self.statuses(&issuer, status, &keys, &algorithms)?;
        let verifier = JwtVerifier { keys, algorithms: algorithms.into(), audience, statuses };
        Ok(Configured { issuer: issuer.into(), mechanism: Mechanism::Jwt(Box::new(verifier)) })
    }

    fn statuses(
        &self,
        issuer: &str,
        settings: StatusSettings,
        keys: &Keys,
        algorithms: &[Algorithm],
    ) -> Result<StatusLists, BuildError> {
        /// Where nothing is said of how long a list is good.
        const USUAL: u64 = 300;
        const GRACE: Duration = Duration::from_secs(60);
        let StatusSettings { policy, below, grace } = settings;
        if let Some(url) = &below {
            self.endpoint(url)?;
        }
        let stale = seconds::whole(grace.unwrap_or(GRACE));
        let source = self.http.clone().map(|http| Source {
            issuer: issuer.into(),
            http,
            keys: keys.clone(),
            algorithms: algorithms.into(),
            clock: Arc::clone(&self.clock),
            skew: self.skew,
            lifetimes: Lifetimes { usual: USUAL, shortest: 1, stale, ..self.lifetimes },
        });
        let (trusted, transport) = (Trusted::of(issuer, below), self.transport);
        Ok(StatusLists { policy, trusted, transport, source, open: Mutex::default() })
    }

    /// The keys of `issuer`. What is known of its metadata already is used.
    fn keys(
        &self,
        issuer: &str,
        source: KeySource,
        index: usize,
        metadata: Option<&Arc<Metadata>>,
    ) -> Result<Keys, BuildError> {
        let location = match source {
            KeySource::Given(keys) => return Ok(Keys::Fixed(Arc::new(keys))),
            KeySource::At(url) => KeyLocation::At(self.endpoint(&url)?),
            KeySource::Discovered => {
                KeyLocation::Discovered(metadata.map_or_else(|| self.discover(issuer), |known| Ok(Arc::clone(known)))?)
            }
        };
        Keys::fetched(issuer, location, index, self)
    }

    fn introspection(&self, index: usize, mut issuer: IntrospectionIssuer) -> Result<Configured, BuildError> {
        check_limits(&issuer)?;
        issuer.auth.check().map_err(|_| BuildError::UnsendableSecret(issuer.issuer.clone()))?;
        let endpoint = match &issuer.endpoint {
            Some(url) => EndpointLocation::At(self.endpoint(url)?),
            None => EndpointLocation::Discovered(self.discover(&issuer.issuer)?),
        };
        let signed = issuer.signed.take();
        let signatures = signed.map(|how| self.signatures(index, *how, &issuer, &endpoint)).transpose()?;
        let introspector = Introspector {
            endpoint,
            auth: issuer.auth,
            http: self.http()?,
            line: Line::new(&issuer.issuer),
            transport: self.transport,
            cache_for: seconds::whole(issuer.cache_for),
            server_checks_audience: issuer.server_checks_audience,
            client_as_subject: issuer.client_as_subject,
            homeserver: issuer.homeserver,
            audience: issuer.audience,
            most: issuer.most,
            open: 0.into(),
            budgets: issuer.per_address.map(|(questions, period)| Budgets::new(questions, period)),
            signatures,
        };
        let mechanism = Mechanism::Introspection { introspector: Box::new(introspector), prefix: issuer.prefix };
        Ok(Configured { issuer: issuer.issuer.into(), mechanism })
    }

    fn signatures(
        &self,
        index: usize,
        how: SignedAnswers,
        asked: &IntrospectionIssuer,
        endpoint: &EndpointLocation,
    ) -> Result<Signatures, BuildError> {
        let SignedAnswers { keys, algorithms, audience } = how;
        if algorithms.is_empty() {
            return Err(BuildError::NoAlgorithm(asked.issuer.clone()));
        }
        let metadata = match endpoint {
            EndpointLocation::Discovered(metadata) => Some(metadata),
            EndpointLocation::At(_) => None,
        };
        let resource = asked.audience.as_deref().unwrap_or(&self.resource);
        let own = || asked.auth.client_id().into_iter().chain([resource]).map(Into::into).collect();
        Ok(Signatures {
            keys: self.keys(&asked.issuer, keys, index, metadata)?,
            algorithms: algorithms.into(),
            names: audience.map_or_else(own, |audience| [audience.into()].into()),
        })
    }

    #[cfg(feature = "server")]
    fn local(&self, index: usize, issuer: LocalIssuer) -> Configured {
        let name = issuer.server.issuer().into();
        let listener = Listener { ledger: Arc::clone(&self.ledger), index };
        let local = Local::new(issuer.server, seconds::whole(issuer.cache_for), listener);
        Configured { issuer: name, mechanism: Mechanism::Local(local) }
    }

    fn discover(&self, issuer: &str) -> Result<Arc<Metadata>, BuildError> {
        let locations = well_known::locations(issuer, self.transport)
            .map_err(|reason| BuildError::Url { url: issuer.into(), reason })?;
        Ok(discovery::metadata(issuer, locations, self.http()?, Arc::clone(&self.clock), self.lifetimes))
    }

    fn endpoint(&self, url: &str) -> Result<Endpoint, BuildError> {
        Endpoint::parse(url, self.transport).map_err(|reason| BuildError::Url { url: url.into(), reason })
    }
}

/// A limit of nothing would be an outage for ever.
fn check_limits(issuer: &IntrospectionIssuer) -> Result<(), BuildError> {
    if issuer.most == 0 {
        return Err(BuildError::Zero("IntrospectionIssuer::concurrency"));
    }
    if issuer.per_address.is_some_and(|(questions, period)| questions == 0 || period.is_zero()) {
        return Err(BuildError::Zero("IntrospectionIssuer::per_address"));
    }
    Ok(())
}

/// Whether an issuer has to be reached over the network.
pub(super) fn needs_network(issuer: &Issuer) -> bool {
    match &issuer.0 {
        Kind::Jwt(issuer) => {
            let status = issuer.status.policy == StatusListPolicy::Required || issuer.status.below.is_some();
            status || !matches!(issuer.keys, KeySource::Given(_))
        }
        Kind::Introspection(_) => true,
        #[cfg(feature = "server")]
        Kind::Local(_) => false,
    }
}
