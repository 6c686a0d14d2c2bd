//! Building a resource server: no network, and nothing forgotten.

use std::{marker::PhantomData, sync::Arc, time::Duration};

use oauth_core::{
    claims::ClockSkew,
    clock::{Clock, SystemClock},
};

use super::{
    BuildError, ResourceServer,
    cache::{CacheLimits, VerdictCache},
    configure::{Context, needs_network},
    dpop::Dpop,
    fetched::Lifetimes,
    follow::Followers,
    hierarchy::Hierarchy,
    invalidate::Ledger,
    issuer::{IntrospectionIssuer, Issuer, Kind},
    metadata::{Description, Publication},
    observe::{Buses, Refusals, Requests},
    rendered::Rendered,
    revoked::Revoked,
    scheme::{self, TokenScheme},
    terms::Terms,
    validate::{Configured, Judge},
};
use crate::{
    outgoing::{HttpClient, Transport},
    seconds,
};

/// No issuer yet: [`ResourceServerBuilder::build`] does not exist.
#[derive(Debug)]
pub struct NoIssuer(());

/// There is an issuer, so the resource server can be built.
#[derive(Debug)]
pub struct HasIssuer(());

/// Collects what a [`ResourceServer`] needs. Made by [`ResourceServer::builder`].
///
/// Without an issuer there is no resource server:
///
/// ```compile_fail,E0599
/// use oauth_tower::resource::ResourceServer;
/// let api = ResourceServer::builder("https://api.example").build();
/// ```
#[derive(Debug)]
#[must_use]
pub struct ResourceServerBuilder<I = NoIssuer> {
    settings: Settings,
    has_issuer: PhantomData<I>,
}

#[derive(Debug)]
pub(super) struct Settings {
    resource: String,
    issuers: Vec<Issuer>,
    http: Option<HttpClient>,
    clock: Arc<dyn Clock>,
    skew: u64,
    realm: Option<String>,
    cache: CacheLimits,
    revocations: usize,
    lifetimes: Lifetimes,
    transport: Transport,
    ignore_query: bool,
    pub(super) form_tokens: bool,
    pub(super) publication: Publication,
    pub(super) dpop: Option<Dpop>,
    pub(super) schemes: Vec<Arc<dyn TokenScheme>>,
    pub(super) hierarchy: Hierarchy,
    pub(super) mutual_tls: bool,
}

impl ResourceServerBuilder {
    pub(super) fn new(resource: String) -> Self {
        let settings = Settings {
            resource,
            issuers: Vec::new(),
            http: None,
            clock: Arc::new(SystemClock),
            skew: ClockSkew::default().as_secs(),
            realm: None,
            cache: CacheLimits::default(),
            revocations: 100_000,
            lifetimes: Lifetimes { usual: 600, shortest: 60, longest: 3600, stale: 3600, pause: 5, patience: 0 },
            transport: Transport::Https,
            ignore_query: false,
            form_tokens: false,
            publication: Publication::default(),
            dpop: None,
            schemes: Vec::new(),
            hierarchy: Hierarchy::default(),
            mutual_tls: false,
        };
        Self { settings, has_issuer: PhantomData }
    }
}

impl<I> ResourceServerBuilder<I> {
    /// Accepts the tokens of this authorization server too.
    pub fn issuer(self, issuer: impl Into<Issuer>) -> ResourceServerBuilder<HasIssuer> {
        self.issuers([issuer.into()])
    }

    /// Accepts the tokens of these authorization servers too. There must be
    /// one at the end.
    pub fn issuers(mut self, issuers: impl IntoIterator<Item = Issuer>) -> ResourceServerBuilder<HasIssuer> {
        self.settings.issuers.extend(issuers);
        ResourceServerBuilder { settings: self.settings, has_issuer: PhantomData }
    }

    /// Sends requests (for keys, metadata, introspection) through this client.
    pub fn http(self, http: HttpClient) -> Self {
        self.with(|settings| settings.http = Some(http))
    }

    /// Reads the time here.
    pub fn clock(self, clock: impl Clock) -> Self {
        self.with(|settings| settings.clock = Arc::new(clock))
    }

    /// How many seconds the clocks of issuers may be apart from ours: 0 to 60,
    /// 30 by default (RFC 7519 section 4.1.4). A token within this grace after
    /// `exp` is verified for each request: the cache ends at `exp` sharp.
    pub fn skew(self, seconds: u64) -> Self {
        self.with(|settings| settings.skew = seconds)
    }

    /// `realm` in challenges (RFC 9110 section 11.5); the resource identifier
    /// by default.
    pub fn realm(self, realm: impl Into<String>) -> Self {
        self.with(|settings| settings.realm = Some(realm.into()))
    }

    /// How many tokens the verdict cache may hold: 100,000 by default; 0 turns
    /// it off.
    pub fn cache_entries(self, entries: u64) -> Self {
        self.with(|settings| settings.cache.entries = entries)
    }

    /// How many bytes the verdict cache may take, about: 128 MiB by default.
    /// Denials may take a sixteenth of it in addition.
    pub fn cache_bytes(self, bytes: u64) -> Self {
        self.with(|settings| settings.cache.bytes = bytes)
    }

    /// How long a denial is remembered, in whole seconds, rounded up: 5 by
    /// default.
    pub fn cache_denials_for(self, duration: Duration) -> Self {
        self.with(|settings| settings.cache.denials = seconds::whole(duration))
    }

    /// How many revoked grants and JWTs are remembered at most, of those that
    /// [`ResourceServer::follow`] hears of: 100,000 by default, which take some
    /// 20 MiB. Each is remembered until its tokens have expired. Where there is
    /// no room, what expires first is given up, and its JWTs are good again.
    pub fn remembered_revocations(self, most: usize) -> Self {
        self.with(|settings| settings.revocations = most)
    }

    /// How long keys and metadata may serve beyond their lifetime while the
    /// issuer cannot be reached, in whole seconds, rounded up: 1 hour by default.
    /// After that, its tokens get 503.
    pub fn stale_limit(self, duration: Duration) -> Self {
        self.with(|settings| settings.lifetimes.stale = seconds::whole(duration))
    }

    /// How long keys and metadata are used before they are fetched again, in
    /// whole seconds, rounded up: what `Cache-Control` says, but at least
    /// `shortest` (1 minute by default) and at most `longest` (1 hour; at least
    /// one second), which is also the longest that a key withdrawn by its issuer
    /// is still trusted. Where nothing is said, 10 minutes. `longest` holds
    /// whatever `shortest` says.
    pub fn key_lifetime(self, shortest: Duration, longest: Duration) -> Self {
        self.with(|settings| {
            let lifetimes = &mut settings.lifetimes;
            lifetimes.longest = seconds::whole(longest).max(1);
            lifetimes.shortest = seconds::whole(shortest).min(lifetimes.longest);
        })
    }

    /// The shortest time between two fetches of keys, whether they fail or a
    /// token names a key that is not there, in whole seconds, rounded up: 5 by
    /// default, and at least one. Anybody can send tokens that name keys which are
    /// not there, at any rate.
    pub fn key_refetch_interval(self, duration: Duration) -> Self {
        self.with(|settings| settings.lifetimes.pause = seconds::whole(duration).max(1))
    }

    /// Does not look at the query. By default a request with a token in the
    /// header *and* an `access_token` in the query is refused (RFC 6750
    /// section 2); a token in the query is never a credential either way.
    pub fn ignore_query_tokens(self) -> Self {
        self.with(|settings| settings.ignore_query = true)
    }

    /// Permits plain http to loopback addresses, for development. Anywhere
    /// else, https it stays.
    pub fn insecure_http(self) -> Self {
        self.with(|settings| settings.transport = Transport::HttpsOrLoopback)
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }
}

impl ResourceServerBuilder<HasIssuer> {
    /// The resource server. Nothing is asked over the network, nothing has to
    /// be up.
    ///
    /// # Errors
    /// [`BuildError`] if a setting is missing or makes no sense.
    pub fn build(self) -> Result<ResourceServer, BuildError> {
        let mut settings = self.settings;
        check_names(&settings)?;
        scheme::check_names(&settings.schemes)?;
        let skew = ClockSkew::from_secs(settings.skew)?;
        let issuers = std::mem::take(&mut settings.issuers);
        let ledger = Arc::new(Ledger::new(issuers.len()));
        let context = settings.context(&ledger, skew, issuers.iter().any(needs_network))?;
        let issuers = issuers.into_iter().enumerate().map(|(index, issuer)| context.configure(index, issuer));
        let issuers: Box<[Configured]> = issuers.collect::<Result<_, _>>()?;
        let (description, terms) = settings.describe(&issuers)?;
        Ok(ResourceServer {
            judge: Arc::new(Judge {
                requests: Requests::new(&settings.resource),
                revoked: Revoked::new(settings.revocations),
                bus: Buses::new(&settings.resource),
                followers: Followers::default(),
                resource: settings.resource.into(),
                issuers,
                cache: VerdictCache::new(settings.cache),
                ledger,
                flights: Arc::default(),
                clock: settings.clock,
                skew,
                serves_bearer: terms.serves_bearer(),
                terms: Arc::new(terms),
                description,
                ignore_query: settings.ignore_query,
                form_tokens: settings.form_tokens,
                mutual_tls: settings.mutual_tls,
                #[cfg(test)]
                counters: super::tests::Counters::default(),
            }),
        })
    }
}

impl Settings {
    /// What is said to clients, in metadata and in challenges.
    fn describe(&mut self, issuers: &[Configured]) -> Result<(Description, Terms), BuildError> {
        let dpop = self.dpop.take().map(|dpop| dpop.build(&self.resource, self.transport, &self.clock)).transpose()?;
        let description = Description::new(&self.resource, issuers, &self.publication, self.transport)?
            .with_form_tokens(self.form_tokens)
            .with_bindings(dpop.as_ref(), self.mutual_tls)
            .with_schemes(&self.schemes);
        let terms = Terms {
            realm: self.realm.take().unwrap_or_else(|| self.resource.clone()).into(),
            resource_metadata: description.advertised(&self.publication),
            dpop: dpop.map(Arc::new),
            schemes: std::mem::take(&mut self.schemes).into(),
            hierarchy: std::mem::take(&mut self.hierarchy),
            clock: Arc::clone(&self.clock),
            refusals: Refusals::new(&self.resource),
            rendered: Rendered::default(),
        };
        Ok((description, terms))
    }

    fn context(&self, ledger: &Arc<Ledger>, skew: ClockSkew, needs_network: bool) -> Result<Context, BuildError> {
        let http = match &self.http {
            Some(http) => Some(http.clone()),
            None if needs_network => Some(default_client()?),
            None => None,
        };
        let timeout = http.as_ref().map_or(HttpClient::DEFAULT_TIMEOUT, HttpClient::timeout);
        // Metadata may take three requests, then the keys one: all in twice the
        // time of one.
        let patience = seconds::whole(timeout).saturating_mul(2).max(1);
        Ok(Context {
            resource: self.resource.as_str().into(),
            http,
            transport: self.transport,
            clock: Arc::clone(&self.clock),
            ledger: Arc::clone(ledger),
            lifetimes: Lifetimes { patience, ..self.lifetimes },
            skew,
        })
    }
}

#[cfg(feature = "client")]
fn default_client() -> Result<HttpClient, BuildError> {
    Ok(HttpClient::builder().build()?)
}

#[cfg(not(feature = "client"))]
const fn default_client() -> Result<HttpClient, BuildError> {
    Err(BuildError::NoHttpClient)
}

fn check_names(settings: &Settings) -> Result<(), BuildError> {
    if settings.resource.is_empty() {
        return Err(BuildError::NoResource);
    }
    if settings.resource.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(BuildError::MalformedResource(settings.resource.clone()));
    }
    if settings.issuers.is_empty() {
        return Err(BuildError::NoIssuer);
    }
    let mut seen: Vec<(u8, &str)> = Vec::new();
    let mut prefixes: Vec<Option<&str>> = Vec::new();
    for issuer in &settings.issuers {
        let (kind, name) = match &issuer.0 {
            Kind::Jwt(issuer) => (0, &*issuer.issuer),
            Kind::Introspection(issuer) => (1, &*issuer.issuer),
            #[cfg(feature = "server")]
            Kind::Local(issuer) => (2, issuer.server.issuer()),
        };
        if name.is_empty() {
            return Err(BuildError::EmptyIssuer);
        }
        if seen.contains(&(kind, name)) {
            return Err(BuildError::DuplicateIssuer(name.into()));
        }
        seen.push((kind, name));
        if let Kind::Introspection(IntrospectionIssuer { prefix, .. }) = &issuer.0 {
            let prefix = prefix.as_deref();
            if prefixes.contains(&prefix) {
                return Err(BuildError::AmbiguousIntrospection(name.into()));
            }
            prefixes.push(prefix);
        }
    }
    Ok(())
}
