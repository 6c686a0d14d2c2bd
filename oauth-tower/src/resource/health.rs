//! Whether tokens can be judged now, and by keys of what age.

use std::fmt;

use oauth_core::clock::UnixTime;

use super::{
    ResourceServer,
    fetched::{Down, Freshness},
    introspection::{EndpointLocation, Introspector},
    validate::{Configured, Mechanism},
};

impl ResourceServer {
    /// How things stand with each issuer: for `/readyz`, and for alerts. Nobody
    /// is asked, so it costs next to nothing.
    ///
    /// ```
    /// use http::{Response, StatusCode};
    /// use oauth_tower::resource::ResourceServer;
    ///
    /// /// In axum: `.route("/readyz", get(async move || readyz(&api)))`
    /// fn readyz(api: &ResourceServer) -> Response<String> {
    ///     let health = api.health();
    ///     let mut response = Response::new(health.to_string());
    ///     if !health.is_ready() {
    ///         *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    ///         // Without requests nobody would notice that the issuer is back.
    ///         let api = api.clone();
    ///         tokio::spawn(async move { api.warm_up().await });
    ///     }
    ///     response
    /// }
    /// # #[cfg(feature = "client")]
    /// # fn main() -> Result<(), oauth_tower::resource::BuildError> {
    /// # use oauth_tower::resource::Issuer;
    /// let api = ResourceServer::builder("https://api.example").issuer(Issuer::jwt("https://as.example")).build()?;
    /// let response = readyz(&api);
    /// assert_eq!(response.status(), StatusCode::OK);
    /// assert_eq!(response.body(), "https://as.example (jwt): unfetched\n");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "client"))]
    /// # fn main() {}
    /// ```
    ///
    /// Think twice before an outage of an issuer takes the service out of
    /// rotation: what is open to everybody, or cached, or of another issuer,
    /// would go with it. Tokens that cannot be judged get 503 either way.
    #[must_use]
    pub fn health(&self) -> Health {
        let judge = &self.judge;
        let now = judge.clock.now();
        let (verdicts, denials) = judge.cache.entries();
        Health { issuers: judge.issuers.iter().map(|issuer| issuer.health(now)).collect(), verdicts, denials }
    }
}

/// How things stand with a resource server. Made by [`ResourceServer::health`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// One for each issuer, in the order in which they were configured.
    pub issuers: Vec<IssuerHealth>,
    /// How many verdicts are remembered, expired ones that nobody has asked for
    /// included.
    pub verdicts: u64,
    /// How many denials are remembered, about.
    pub denials: u64,
}

/// How things stand with one issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuerHealth {
    /// Which.
    pub issuer: String,
    /// How its tokens are judged.
    pub kind: IssuerKind,
    /// Whether they can be judged now.
    pub state: IssuerState,
    /// How many seconds ago the keys were asked for. None if there are none, or if
    /// they are not fetched.
    pub key_age: Option<u64>,
    /// In how many seconds the keys are too old to serve, should the issuer not be
    /// reached until then
    /// ([`ResourceServerBuilder::stale_limit`](super::ResourceServerBuilder::stale_limit)).
    pub keys_last_for: Option<u64>,
    /// When the issuer could not be reached last, or its answer not be used: an
    /// error of its own, a refusal of our credentials, a body that makes no sense.
    /// All may have been well since.
    pub last_failure: Option<UnixTime>,
}

/// How the tokens of an issuer are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssuerKind {
    /// [`Issuer::jwt`](super::Issuer::jwt).
    Jwt,
    /// [`Issuer::introspection`](super::Issuer::introspection).
    Introspection,
    /// A server in this process.
    Local,
}

/// Whether the tokens of an issuer can be judged now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssuerState {
    /// They can.
    Ready,
    /// They can, by keys or metadata beyond their life; the next token sees to new
    /// ones.
    Stale,
    /// Nothing is there, and nothing has failed: the first token waits for a
    /// fetch. So it is at the start, and after a long time without tokens.
    Unfetched,
    /// They cannot: 503. Nothing is there, or what is there is too old, and the
    /// issuer could not be reached when that was last tried. An introspection
    /// endpoint, which can be tried with a token only, fails for 5 seconds after
    /// five questions in a row that reached nobody. It fails as well after five
    /// answers of no use without one of use, of the kinds that no token should
    /// cause (so no 400 and no 429), until one of use comes, or for 30 seconds
    /// after the last. Then it is `Ready`: else a program that gets no requests
    /// while it is not ready would stay so for ever.
    Failing,
}

impl Health {
    /// Whether no issuer is [`IssuerState::Failing`]. If some of several will do,
    /// ask each.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.issuers.iter().all(IssuerHealth::is_ready)
    }
}

impl IssuerHealth {
    /// Whether tokens can be judged, as far as is known: in every state but
    /// [`IssuerState::Failing`].
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.state != IssuerState::Failing
    }
}

impl IssuerKind {
    /// One word: `jwt`, `introspection`, `local`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Introspection => "introspection",
            Self::Local => "local",
        }
    }
}

impl IssuerState {
    /// One word: `ready`, `stale`, `unfetched`, `failing`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Stale => "stale",
            Self::Unfetched => "unfetched",
            Self::Failing => "failing",
        }
    }
}

/// One line for each issuer.
impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.issuers.iter().try_for_each(|issuer| writeln!(f, "{issuer}"))
    }
}

/// `https://as.example (jwt): ready, keys 12 seconds old`
impl fmt::Display for IssuerHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.issuer, self.kind.as_str(), self.state.as_str())?;
        self.key_age.map_or(Ok(()), |age| write!(f, ", keys {age} seconds old"))
    }
}

impl Configured {
    fn health(&self, now: UnixTime) -> IssuerHealth {
        let (kind, freshness) = match &self.mechanism {
            Mechanism::Jwt(verifier) => (IssuerKind::Jwt, verifier.keys.freshness(now)),
            Mechanism::Introspection { introspector, .. } => (IssuerKind::Introspection, introspector.freshness(now)),
            #[cfg(feature = "server")]
            Mechanism::Local(_) => (IssuerKind::Local, Freshness::ALWAYS),
        };
        let Freshness { state, age, left, last_failure } = freshness;
        IssuerHealth { issuer: self.issuer.to_string(), kind, state, key_age: age, keys_last_for: left, last_failure }
    }

    /// Fetches what is needed to judge, unless it is at hand.
    pub(super) async fn warm_up(&self) -> Result<(), Down> {
        match &self.mechanism {
            Mechanism::Jwt(verifier) => verifier.keys.ready().await,
            Mechanism::Introspection { introspector, .. } => introspector.warm_up().await,
            #[cfg(feature = "server")]
            Mechanism::Local(_) => Ok(()),
        }
    }
}

impl Introspector {
    fn freshness(&self, now: UnixTime) -> Freshness {
        let keys = self.signatures.as_ref().map_or(Freshness::ALWAYS, |signatures| signatures.keys.freshness(now));
        let metadata = match &self.endpoint {
            EndpointLocation::At(_) => Freshness::ALWAYS,
            EndpointLocation::Discovered(metadata) => metadata.freshness(now),
        };
        let line = self.line.state(now);
        let worse = if line.is_dead || line.is_wrong { IssuerState::Failing } else { metadata.state };
        let last_failure = keys.last_failure.max(metadata.last_failure).max(line.last_failure);
        Freshness { state: keys.state.or(worse), last_failure, ..keys }
    }

    async fn warm_up(&self) -> Result<(), Down> {
        if let EndpointLocation::Discovered(metadata) = &self.endpoint {
            metadata.get().await?;
        }
        match &self.signatures {
            Some(signatures) => signatures.keys.ready().await,
            None => Ok(()),
        }
    }
}

impl IssuerState {
    /// The worse of two.
    fn or(self, other: Self) -> Self {
        let order = [Self::Failing, Self::Unfetched, Self::Stale];
        order.into_iter().find(|state| [self, other].contains(state)).unwrap_or(Self::Ready)
    }
}
