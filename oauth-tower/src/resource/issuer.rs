//! Authorization servers whose tokens are accepted.

mod introspection;

use std::{fmt, time::Duration};

use oauth_core::{jwk::JwkSet, jwt::Algorithm};

use super::status::StatusListPolicy;

pub use self::introspection::{IntrospectionEndpoint, IntrospectionIssuer};

/// An authorization server whose tokens are accepted, and how they are judged.
///
/// * [`Issuer::jwt`]: RFC 9068 JWTs, verified here with the issuer's keys. A
///   revoked token is accepted until it expires, so keep its lifetime short; or
///   until its [status list](JwtIssuer::status_list) says so, if it names one.
/// * [`Issuer::introspection`]: any tokens; the issuer is asked, and its answer
///   remembered for a moment. A revoked token is accepted for at most that long.
#[cfg_attr(
    feature = "server",
    doc = "* [`Issuer::local`]: tokens of a server in this process. A token that is revoked through that server fails at once."
)]
#[derive(Debug)]
pub struct Issuer(pub(super) Kind);

#[derive(Debug)]
pub(super) enum Kind {
    Jwt(JwtIssuer),
    Introspection(IntrospectionIssuer),
    #[cfg(feature = "server")]
    Local(LocalIssuer),
}

impl Issuer {
    /// Accepts RFC 9068 JWTs of `issuer`, whose keys are found by RFC 8414 or
    /// OpenID Connect metadata when the first token comes.
    ///
    /// `issuer` is compared byte for byte, with the metadata and with `iss`:
    /// a slash at the end makes it another one.
    ///
    /// ```
    /// use oauth_tower::resource::Issuer;
    /// let issuer = Issuer::jwt("https://as.example");
    /// let elsewhere = Issuer::jwt("https://as.example").jwks_uri("https://keys.example/jwks.json");
    /// # drop((issuer, elsewhere));
    /// ```
    #[must_use]
    pub fn jwt(issuer: impl Into<String>) -> JwtIssuer {
        JwtIssuer {
            issuer: issuer.into(),
            keys: KeySource::Discovered,
            algorithms: Algorithm::ALL.to_vec(),
            audience: None,
            status: StatusSettings::default(),
        }
    }

    /// Accepts whatever tokens `issuer` calls active when asked at `endpoint`
    /// (RFC 7662). Say next how this resource server authenticates there. Answers
    /// can be demanded signed ([`IntrospectionIssuer::signed`]); how often anybody
    /// can make us ask is limited ([`IntrospectionIssuer::per_address`]).
    ///
    /// A question whose connection breaks is put once more, at once: one question
    /// is two requests at most. One that takes too long is not.
    ///
    /// A token in the form of a JWT is shown to the issuer that it names, and
    /// to nobody if that is verified here or unknown. One that names none is
    /// like any opaque token if all issuers are asked; else it is refused,
    /// unless it begins as [`IntrospectionIssuer::token_prefix`] says.
    ///
    /// ```
    /// use oauth_tower::resource::Issuer;
    /// use std::time::Duration;
    /// let issuer = Issuer::introspection("https://as.example", "https://as.example/introspect")
    ///     .client_basic("notes-api", "the client secret")
    ///     .cache_for(Duration::from_secs(10));
    /// # drop(issuer);
    /// ```
    pub fn introspection(issuer: impl Into<String>, endpoint: impl Into<String>) -> IntrospectionEndpoint {
        IntrospectionEndpoint { issuer: issuer.into(), endpoint: Some(endpoint.into()) }
    }

    /// As [`Issuer::introspection`], with the endpoint that the issuer's
    /// metadata names when the first token comes.
    pub fn introspection_discovered(issuer: impl Into<String>) -> IntrospectionEndpoint {
        IntrospectionEndpoint { issuer: issuer.into(), endpoint: None }
    }

    /// Accepts the tokens of an authorization server in this process: no
    /// network, and a token that is revoked through `server` (or a clone of it)
    /// fails at once.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// use oauth_core::server::AuthorizationServer;
    /// use oauth_tower::resource::{Issuer, ResourceServer};
    /// let server = AuthorizationServer::builder("https://notes.example").build().await?;
    /// let api = ResourceServer::builder("https://notes.example").issuer(Issuer::local(server)).build()?;
    /// # drop(api);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "server")]
    #[cfg_attr(docsrs, doc(cfg(feature = "server")))]
    #[must_use]
    pub const fn local(server: oauth_core::server::AuthorizationServer) -> LocalIssuer {
        LocalIssuer { server, cache_for: LocalIssuer::DEFAULT_CACHE }
    }
}

/// An issuer of JWTs. Made by [`Issuer::jwt`].
pub struct JwtIssuer {
    pub(super) issuer: String,
    pub(super) keys: KeySource,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) audience: Option<String>,
    pub(super) status: StatusSettings,
}

/// How the status lists of an issuer are taken.
#[derive(Default)]
pub(super) struct StatusSettings {
    pub(super) policy: StatusListPolicy,
    pub(super) below: Option<String>,
    pub(super) grace: Option<Duration>,
}

pub(super) enum KeySource {
    Discovered,
    At(String),
    Given(JwkSet),
}

impl JwtIssuer {
    /// Fetches the keys here; metadata is not asked for. `iss` is checked all
    /// the same.
    #[must_use]
    pub fn jwks_uri(mut self, url: impl Into<String>) -> Self {
        self.keys = KeySource::At(url.into());
        self
    }

    /// Uses these keys, for ever: nothing is fetched.
    #[must_use]
    pub fn keys(mut self, keys: JwkSet) -> Self {
        self.keys = KeySource::Given(keys);
        self
    }

    /// Asks the tokens of this issuer for this audience (`aud`), in place of the
    /// resource identifier: for a server that names APIs in a way of its own.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// What a status list counts for that a token names
    /// (draft-ietf-oauth-status-list-18):
    /// [`IfPresent`](StatusListPolicy::IfPresent) unless said otherwise. It is
    /// fetched, verified with the issuer's keys and used as long as it says
    /// (`ttl`), so that a revoked token falls within that time and nobody is
    /// asked about any one token.
    ///
    /// With keys that were [given](Self::keys) and without a client of the
    /// builder's, nothing can be fetched: tokens that name a list then get 503.
    ///
    /// ```
    /// use oauth_tower::resource::{Issuer, StatusListPolicy};
    /// let issuer = Issuer::jwt("https://as.example").status_list(StatusListPolicy::Required);
    /// # drop(issuer);
    /// ```
    #[must_use]
    pub const fn status_list(mut self, policy: StatusListPolicy) -> Self {
        self.status.policy = policy;
        self
    }

    /// Where the issuer has its status lists: below this URL. If not called,
    /// anywhere on its own origin. A token that names another place is refused:
    /// what is fetched is not for tokens to say.
    #[must_use]
    pub fn status_lists_below(mut self, url: impl Into<String>) -> Self {
        self.status.below = Some(url.into());
        self
    }

    /// How long a status list may serve beyond its time while a new one cannot
    /// be fetched, in whole seconds, rounded up; 1 minute if not called. After
    /// that, or at the end that the list says itself (`exp`), tokens get 503. So
    /// they do where the same list is fetched again and again, counted from the end
    /// of its `ttl`; but there [`skew`](crate::resource::ResourceServerBuilder::skew)
    /// counts if it is longer.
    #[must_use]
    pub const fn status_list_grace(mut self, duration: Duration) -> Self {
        self.status.grace = Some(duration);
        self
    }

    /// Accepts these signature algorithms alone (RFC 8725 section 3.1). By
    /// default, every algorithm of [`Algorithm`] that fits the key.
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }
}

/// A server in this process. Made by [`Issuer::local`].
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
#[derive(Debug)]
pub struct LocalIssuer {
    pub(super) server: oauth_core::server::AuthorizationServer,
    pub(super) cache_for: Duration,
}

#[cfg(feature = "server")]
impl LocalIssuer {
    /// How long a verdict is remembered unless said otherwise: 5 seconds.
    pub const DEFAULT_CACHE: Duration = Duration::from_secs(5);

    /// How long a verdict is remembered, in whole seconds, rounded up. Revocations
    /// in this process end it at once; this is how long one by *another* process
    /// on the same store may go unheard, unless `server` follows a bus. Zero asks
    /// the store for every request.
    #[must_use]
    pub const fn cache_for(mut self, duration: Duration) -> Self {
        self.cache_for = duration;
        self
    }
}

impl From<JwtIssuer> for Issuer {
    fn from(issuer: JwtIssuer) -> Self {
        Self(Kind::Jwt(issuer))
    }
}

impl From<IntrospectionIssuer> for Issuer {
    fn from(issuer: IntrospectionIssuer) -> Self {
        Self(Kind::Introspection(issuer))
    }
}

#[cfg(feature = "server")]
impl From<LocalIssuer> for Issuer {
    fn from(issuer: LocalIssuer) -> Self {
        Self(Kind::Local(issuer))
    }
}

impl fmt::Debug for JwtIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtIssuer")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}
