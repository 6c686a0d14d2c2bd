//! Authorization servers that are asked about each token.

use std::time::Duration;

use oauth_core::{keys::SigningKey, secret::Secret};

use crate::{
    outgoing::{ClientAuth, PrivateKeyJwt},
    resource::signed::SignedAnswers,
};

/// An introspection endpoint that still lacks this party's credentials.
#[derive(Debug)]
#[must_use = "say how to authenticate to the endpoint"]
pub struct IntrospectionEndpoint {
    pub(in crate::resource) issuer: String,
    pub(in crate::resource) endpoint: Option<String>,
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

    /// Authenticates with `private_key_jwt` (RFC 7523 section 2.2): an assertion
    /// for this issuer, signed by `key` for each question. Where the server wants
    /// another audience or type of assertions, say so by a [`PrivateKeyJwt`] and
    /// [`IntrospectionEndpoint::authenticated`].
    ///
    /// ```
    /// use oauth_core::{jwt::Algorithm, keys::SigningKey};
    /// use oauth_tower::{outgoing::PrivateKeyJwt, resource::Issuer};
    ///
    /// let key = SigningKey::generate(Algorithm::ES256)?;
    /// let issuer = Issuer::introspection_discovered("https://as.example").private_key_jwt("api", key.clone());
    /// let older = PrivateKeyJwt::new("api", key, "https://old.example/token").typ("JWT");
    /// let older = Issuer::introspection_discovered("https://old.example").authenticated(older);
    /// # drop((issuer, older));
    /// # Ok::<_, oauth_core::keys::KeyError>(())
    /// ```
    pub fn private_key_jwt(self, id: impl Into<String>, key: SigningKey) -> IntrospectionIssuer {
        let auth = PrivateKeyJwt::new(id, key, &*self.issuer);
        self.authenticated(auth)
    }

    /// Authenticates with `auth`.
    pub fn authenticated(self, auth: impl Into<ClientAuth>) -> IntrospectionIssuer {
        IntrospectionIssuer {
            issuer: self.issuer,
            endpoint: self.endpoint,
            auth: auth.into(),
            cache_for: IntrospectionIssuer::DEFAULT_CACHE,
            prefix: None,
            server_checks_audience: false,
            client_as_subject: false,
            homeserver: false,
            audience: None,
            most: IntrospectionIssuer::DEFAULT_CONCURRENCY,
            per_address: Some(IntrospectionIssuer::DEFAULT_PER_ADDRESS),
            signed: None,
        }
    }
}

/// An issuer that is asked about each token. Made by
/// [`Issuer::introspection`](crate::resource::Issuer::introspection).
///
/// To ask changes nothing, so a question whose connection breaks is put once more:
/// the endpoint may get two requests for one question, and never more.
#[derive(Debug)]
pub struct IntrospectionIssuer {
    pub(in crate::resource) issuer: String,
    pub(in crate::resource) endpoint: Option<String>,
    pub(in crate::resource) auth: ClientAuth,
    pub(in crate::resource) cache_for: Duration,
    pub(in crate::resource) prefix: Option<Box<str>>,
    pub(in crate::resource) server_checks_audience: bool,
    pub(in crate::resource) client_as_subject: bool,
    pub(in crate::resource) homeserver: bool,
    pub(in crate::resource) audience: Option<Box<str>>,
    pub(in crate::resource) most: usize,
    pub(in crate::resource) per_address: Option<(u32, Duration)>,
    pub(in crate::resource) signed: Option<Box<SignedAnswers>>,
}

impl IntrospectionIssuer {
    /// How long an answer is remembered unless said otherwise: 30 seconds.
    pub const DEFAULT_CACHE: Duration = Duration::from_secs(30);

    /// How many questions may be open at once unless said otherwise: 64.
    pub const DEFAULT_CONCURRENCY: usize = 64;

    /// How many questions one client address may cause, and in which time,
    /// unless said otherwise: 300 in 60 seconds.
    pub const DEFAULT_PER_ADDRESS: (u32, Duration) = (300, Duration::from_secs(60));

    /// How long an answer is remembered, in whole seconds, rounded up: the longest
    /// that a revoked token is still accepted. `exp` ends it sooner. Zero, and
    /// nothing else, asks for every request (RFC 7662 section 4).
    #[must_use]
    pub const fn cache_for(mut self, duration: Duration) -> Self {
        self.cache_for = duration;
        self
    }

    /// Asks this issuer about opaque tokens that begin like this, and about no
    /// others. Where several issuers have opaque tokens, all but one must have
    /// a prefix: a token must not be shown to an issuer that did not make it.
    ///
    /// Of several prefixes that fit a token, the longest counts, in whatever order
    /// the issuers are given. Two that are equal cannot be built, and an empty one
    /// is none.
    #[must_use]
    pub fn token_prefix(mut self, prefix: impl Into<Box<str>>) -> Self {
        let prefix = prefix.into();
        self.prefix = (!prefix.is_empty()).then_some(prefix);
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

    /// Asks the tokens of this issuer for this audience (`aud`), in place of the
    /// resource identifier: for a server that names APIs in a way of its own.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<Box<str>>) -> Self {
        self.audience = Some(audience.into());
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

    /// Asks as a Matrix homeserver asks the authentication service beside it: with the
    /// secret that both share ([`IntrospectionEndpoint::bearer`]). Such a service names no audience,
    /// as [`IntrospectionIssuer::server_checks_audience`] has it; `expires_in` says when a token ends;
    /// `sub` may be missing, since `username` names the user
    /// ([`MatrixBuilder::user_from_username`](crate::resource::matrix::MatrixBuilder::user_from_username));
    /// and an answer that makes no sense is an outage (503), which signs nobody out.
    ///
    /// ```
    /// use oauth_tower::resource::Issuer;
    /// let issuer = Issuer::introspection("https://as.example", "https://as.example/oauth2/introspect")
    ///     .bearer("the shared secret")
    ///     .for_homeserver();
    /// # drop(issuer);
    /// ```
    #[must_use]
    pub const fn for_homeserver(mut self) -> Self {
        self.server_checks_audience = true;
        self.homeserver = true;
        self
    }

    /// How many questions may be open at once:
    /// [`IntrospectionIssuer::DEFAULT_CONCURRENCY`] by default, and not zero.
    /// Beyond it, tokens that are not in the cache get 503; those that are do not
    /// notice. For those that were until their verdict expired there are a quarter
    /// as many places again, and one, so that strangers do not keep them out.
    #[must_use]
    pub const fn concurrency(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// How many questions one client address may cause: `questions` at once, and
    /// as many again in each `period` (in whole seconds, rounded up); neither may be
    /// zero. By default [`IntrospectionIssuer::DEFAULT_PER_ADDRESS`]. Beyond it, its
    /// tokens that are not in the cache get 503 with `Retry-After`, while those that
    /// are in the cache, and other addresses, do not notice.
    ///
    /// Only questions that the issuer is really asked count, none about a token that
    /// was in the cache until its verdict expired, and one about a token that turns
    /// out good is given back: it is not for users, however many of
    /// them share an address, but for whoever sends tokens that are none.
    ///
    /// The address is [`ClientAddress`](crate::proxy::ClientAddress), and counts
    /// only where something puts it, or
    /// [`PeerAddress`](crate::proxy::PeerAddress), into the extensions of requests.
    /// Requests without one, and those judged by their headers alone, are bounded
    /// by [`IntrospectionIssuer::concurrency`] and nothing else. A network /64 of
    /// IPv6 is one address. 65,536 addresses are told apart at once; beyond that,
    /// new ones share one budget.
    #[must_use]
    pub const fn per_address(mut self, questions: u32, period: Duration) -> Self {
        self.per_address = Some((questions, period));
        self
    }

    /// Sets no limit on the questions of one address: for services that only one
    /// other calls, a gateway that has limits of its own.
    #[must_use]
    pub const fn unlimited_per_address(mut self) -> Self {
        self.per_address = None;
        self
    }

    /// Asks for signed answers (RFC 9701), and takes no others: an answer that is
    /// not signed by the issuer, or not to this resource server, or not to this
    /// question, is an outage (503) and never a verdict. So whoever stands between
    /// the two, a proxy that terminates TLS, say, cannot make tokens good.
    ///
    /// Answers that are encrypted as well are not understood.
    #[must_use]
    pub fn signed(mut self, how: SignedAnswers) -> Self {
        self.signed = Some(Box::new(how));
        self
    }
}
