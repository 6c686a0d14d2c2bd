//! Settings of a mock issuer.

use std::{fmt, sync::Arc};

use http::HeaderValue;
use oauth_core::{
    clock::{ManualClock, UnixTime},
    jwt::Algorithm,
    keys::SigningKey,
    secret::Secret,
};
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::{
    Inner, Locations, MockIssuer, State,
    keys::{KeyRing, Slot},
    must,
    outage::Outages,
};

/// Makes a [`MockIssuer`] that differs from the usual one. Made by
/// [`MockIssuer::builder`].
#[must_use]
pub struct MockIssuerBuilder {
    url: String,
    clock: ManualClock,
    keys: Vec<Slot>,
    resource_servers: Vec<(String, Secret)>,
    token_prefix: String,
    cache_control: String,
    metadata: Map<String, Value>,
}

impl MockIssuerBuilder {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            clock: ManualClock::new(UnixTime(1_700_000_000)),
            keys: Vec::new(),
            resource_servers: Vec::new(),
            token_prefix: "mock_".into(),
            cache_control: "max-age=600".into(),
            metadata: Map::new(),
        }
    }

    /// Has a key for each of these. Tokens are signed with the first, unless
    /// [`MockToken::algorithm`](super::MockToken::algorithm) says otherwise.
    ///
    /// Keys are made when first needed. RSA takes up to some seconds: give a
    /// [`key`](Self::key) instead.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.keys.extend(algorithms.into_iter().map(Slot::wanted));
        self
    }

    /// Has this key too, until the first rotation.
    pub fn key(mut self, key: SigningKey) -> Self {
        self.keys.push(Slot::made(key));
        self
    }

    /// Goes by this clock. To be in step with a program that goes by the time
    /// of day, begin with that:
    ///
    /// ```
    /// use oauth_core::clock::{Clock, ManualClock, SystemClock};
    /// use oauth_tower::testing::MockIssuer;
    /// let now = ManualClock::new(SystemClock.now());
    /// let issuer = MockIssuer::builder("http://127.0.0.1:9400").clock(now).build();
    /// # drop(issuer);
    /// ```
    pub fn clock(mut self, clock: ManualClock) -> Self {
        self.clock = clock;
        self
    }

    /// Answers the introspection requests of this resource server, which
    /// authenticates with `client_secret_basic` or `client_secret_post` (OAuth
    /// 2.1 section 2.4.1). Called again, of that one too. By default there is
    /// one, known to [`MockIssuer::client_auth`] alone.
    pub fn resource_server(mut self, id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        self.resource_servers.push((id.into(), secret.into()));
        self
    }

    /// What opaque tokens begin with: `mock_` by default. For
    /// [`IntrospectionIssuer::token_prefix`](crate::resource::IntrospectionIssuer::token_prefix)
    /// where several issuers have opaque tokens.
    pub fn token_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.token_prefix = prefix.into();
        self
    }

    /// `Cache-Control` of keys and metadata (RFC 9111 section 5.2):
    /// `max-age=600` by default.
    ///
    /// # Panics
    /// [`build`](Self::build) does, if no header can carry it.
    pub fn cache_control(mut self, value: impl Into<String>) -> Self {
        self.cache_control = value.into();
        self
    }

    /// A member of the metadata (RFC 8414 section 2), in addition to or in the
    /// place of the usual one; `null` leaves it out.
    ///
    /// ```
    /// use oauth_tower::testing::MockIssuer;
    /// // A document that belongs to another issuer.
    /// let issuer = MockIssuer::builder("https://as.example").metadata("issuer", "https://evil.example").build();
    /// # drop(issuer);
    /// ```
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// The issuer.
    ///
    /// # Panics
    /// If the URL is not an http or https URL without query and fragment, or
    /// if no header can carry the value of `Cache-Control`.
    #[track_caller]
    #[must_use]
    pub fn build(mut self) -> MockIssuer {
        if self.keys.is_empty() {
            self.keys.push(Slot::wanted(Algorithm::ES256));
        }
        if self.resource_servers.is_empty() {
            self.resource_servers.push(("mock-resource-server".into(), "mock-resource-server's secret".into()));
        }
        let state = State { keys: KeyRing::new(self.keys), ..State::default() };
        let inner = Inner {
            locations: must(Locations::new(&self.url), "the URL of the issuer"),
            cache_control: must(HeaderValue::from_str(&self.cache_control), "Cache-Control"),
            url: self.url,
            clock: self.clock,
            resource_servers: self.resource_servers,
            token_prefix: self.token_prefix,
            metadata: self.metadata,
            outages: watch::Sender::new(Outages::default()),
            state: state.into(),
        };
        MockIssuer { inner: Arc::new(inner) }
    }
}

impl fmt::Debug for MockIssuerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockIssuerBuilder").field("url", &self.url).finish_non_exhaustive()
    }
}
