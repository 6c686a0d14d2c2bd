//! Authorization servers whose tokens are accepted.

use std::{fmt, time::Duration};

use oauth_core::{jwk::JwkSet, jwt::Algorithm, secret::Secret};

use crate::outgoing::ClientAuth;

/// An authorization server whose tokens are accepted, and how they are judged.
///
/// * [`Issuer::jwt`]: RFC 9068 JWTs, verified here with the issuer's keys. A
///   revoked token is accepted until it expires: keep its lifetime short.
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
        JwtIssuer { issuer: issuer.into(), keys: KeySource::Discovered, algorithms: Algorithm::ALL.to_vec() }
    }

    /// Accepts whatever tokens `issuer` calls active when asked at `endpoint`
    /// (RFC 7662). Say next how this resource server authenticates there.
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

    /// Accepts these signature algorithms alone (RFC 8725 section 3.1). By
    /// default, every algorithm of [`Algorithm`] that fits the key.
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }
}

/// An introspection endpoint that still lacks this party's credentials.
#[derive(Debug)]
#[must_use = "say how to authenticate to the endpoint"]
pub struct IntrospectionEndpoint {
    issuer: String,
    endpoint: Option<String>,
}

impl IntrospectionEndpoint {
    /// Authenticates with `client_secret_basic` (OAuth 2.1 section 2.4.1).
    pub fn client_basic(self, id: impl Into<String>, secret: impl Into<Secret>) -> IntrospectionIssuer {
        self.authenticated(ClientAuth::Basic { id: id.into(), secret: secret.into() })
    }

    /// Authenticates with `client_secret_post` (OAuth 2.1 section 2.4.1).
    pub fn client_post(self, id: impl Into<String>, secret: impl Into<Secret>) -> IntrospectionIssuer {
        self.authenticated(ClientAuth::Post { id: id.into(), secret: secret.into() })
    }

    /// Authenticates with an access token (RFC 7662 section 2.1).
    pub fn bearer(self, token: impl Into<Secret>) -> IntrospectionIssuer {
        self.authenticated(ClientAuth::Bearer(token.into()))
    }

    /// Authenticates with `auth`.
    pub fn authenticated(self, auth: ClientAuth) -> IntrospectionIssuer {
        IntrospectionIssuer {
            issuer: self.issuer,
            endpoint: self.endpoint,
            auth,
            cache_for: IntrospectionIssuer::DEFAULT_CACHE,
            prefix: None,
            server_checks_audience: false,
            client_as_subject: false,
            most: IntrospectionIssuer::DEFAULT_CONCURRENCY,
        }
    }
}

/// An issuer that is asked about each token. Made by [`Issuer::introspection`].
#[derive(Debug)]
pub struct IntrospectionIssuer {
    pub(super) issuer: String,
    pub(super) endpoint: Option<String>,
    pub(super) auth: ClientAuth,
    pub(super) cache_for: Duration,
    pub(super) prefix: Option<Box<str>>,
    pub(super) server_checks_audience: bool,
    pub(super) client_as_subject: bool,
    pub(super) most: usize,
}

impl IntrospectionIssuer {
    /// How long an answer is remembered unless said otherwise.
    pub const DEFAULT_CACHE: Duration = Duration::from_secs(30);

    /// How many questions may be open at once unless said otherwise.
    pub const DEFAULT_CONCURRENCY: usize = 64;

    /// How long an answer is remembered, in whole seconds: the longest that a
    /// revoked token is still accepted. `exp` ends it sooner. Zero asks for
    /// every request (RFC 7662 section 4).
    #[must_use]
    pub const fn cache_for(mut self, duration: Duration) -> Self {
        self.cache_for = duration;
        self
    }

    /// Asks this issuer about opaque tokens that begin like this, and about no
    /// others. Where several issuers have opaque tokens, all but one must have
    /// a prefix: a token must not be shown to an issuer that did not make it.
    #[must_use]
    pub fn token_prefix(mut self, prefix: impl Into<Box<str>>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Accepts answers without `aud`: the server is known to call a token
    /// active only if it is meant for the resource server that asks. Without
    /// this, such answers are refused, since any client's token for any other
    /// service would pass.
    ///
    /// Look at how such a server answers about a *refresh* token. It is refused
    /// here if the answer marks it (`token_type`, `token_use` or `typ` of
    /// `refresh_token` or `refresh`). Some servers call one active and do not
    /// mark it, nor name an audience: with this, it would be accepted for as
    /// long as it lives.
    #[must_use]
    pub const fn server_checks_audience(mut self) -> Self {
        self.server_checks_audience = true;
        self
    }

    /// Where an answer has no `sub`, takes the client for the subject, as
    /// RFC 9068 section 2.2 does for tokens without a user. Only for servers
    /// on which no client can be named like a user (RFC 9700 section 4.15).
    #[must_use]
    pub const fn client_as_subject(mut self) -> Self {
        self.client_as_subject = true;
        self
    }

    /// How many questions may be open at once. Beyond it, tokens that are not
    /// in the cache get 503; those that are do not notice.
    #[must_use]
    pub const fn concurrency(mut self, most: usize) -> Self {
        self.most = most;
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
    /// How long a verdict is remembered unless said otherwise.
    pub const DEFAULT_CACHE: Duration = Duration::from_secs(5);

    /// How long a verdict is remembered, in whole seconds. Revocations in this
    /// process end it at once; this is how long one by *another* process on
    /// the same store may go unheard. Zero asks the store for every request.
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
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}
