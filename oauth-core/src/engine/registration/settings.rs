//! What an operator decides about registration.

use std::sync::Arc;

use super::{access::InitialAccessTokens, policy::RegistrationPolicy, statement::StatementIssuer};
use crate::{
    client::{AuthMethod, GrantType, RedirectRules},
    jwk::JwkSet,
    scope::Scope,
    secret::{Digest, Secret},
    server::AuthorizationServer,
};

/// Who may register, and as what. Without further calls, whoever has an initial
/// access token may, and there is none.
///
/// ```
/// use oauth_core::server::AuthorizationServer;
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let server = AuthorizationServer::builder("https://auth.example")
///     .registration(|registration| registration.open().manageable().allow_scope("notes:read".parse().unwrap_or_default()))
///     .build()
///     .await?;
/// # drop(server);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RegistrationSettings {
    pub(super) open: bool,
    pub(super) manageable: bool,
    pub(super) rotates_tokens: bool,
    pub(super) localhost: bool,
    pub(super) documents: bool,
    pub(super) scope: Option<Scope>,
    pub(super) grant_types: Vec<GrantType>,
    pub(super) auth_methods: Option<Vec<AuthMethod>>,
    pub(super) secret_lifetime: Option<u64>,
    pub(super) per_minute: u32,
    pub(super) tokens: Vec<Digest>,
    pub(super) verifier: Option<Arc<dyn InitialAccessTokens>>,
    pub(super) statements: Vec<StatementIssuer>,
    pub(super) policy: Option<Arc<dyn RegistrationPolicy>>,
}

impl RegistrationSettings {
    pub(crate) const fn new() -> Self {
        Self {
            open: false,
            manageable: false,
            rotates_tokens: false,
            localhost: false,
            documents: false,
            scope: None,
            grant_types: Vec::new(),
            auth_methods: None,
            secret_lifetime: None,
            per_minute: 30,
            tokens: Vec::new(),
            verifier: None,
            statements: Vec::new(),
            policy: None,
        }
    }

    /// Lets anybody register, without an initial access token. What they get is
    /// limited by [`RegistrationSettings::per_minute`], and by what people
    /// consent to.
    pub const fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// Gives each client a registration access token, with which it can read,
    /// replace and delete its registration (RFC 7592). What it has been given
    /// ends with the deletion. A replacement leaves that alone, whatever it says of
    /// the scope: that is what the client gets from then on where it asks for
    /// none, and people have consented to the rest.
    pub const fn manageable(mut self) -> Self {
        self.manageable = true;
        self
    }

    /// Gives a client a new registration access token whenever it replaces its
    /// registration; the old one is good no longer (RFC 7592 section 2.2).
    pub const fn rotate_tokens(mut self) -> Self {
        self.rotates_tokens = true;
        self
    }

    /// Takes redirect URIs that begin with `http://localhost`: see
    /// [`RedirectUri::parse_or_localhost`](crate::client::RedirectUri::parse_or_localhost).
    pub const fn allow_localhost(mut self) -> Self {
        self.localhost = true;
        self
    }

    /// Takes clients that nobody has registered: whose identifier is the https URL of
    /// a document that describes them ([Client ID Metadata Document]). It is fetched
    /// by what [`AuthorizationServerBuilder::fetch`] has set, without which the
    /// server is not built, when such a client sends something and the document is
    /// not at hand. No record of such a client is kept.
    ///
    /// What the other settings and the policy say holds for these clients as well.
    /// A client whose document names no authentication method is public. Software
    /// statements in a document are not read, and redirect URIs in it that begin
    /// with `http://localhost` are left out unless they are allowed. A host cannot
    /// approve for a user whose identifier begins with `https://` any more: it might
    /// be that of a client. In development plain http to this machine counts too,
    /// if what fetches asks there.
    ///
    /// ```
    /// # use oauth_core::{clock::UnixTime, fetch::{Fetch, FetchFuture, FetchRequest, Fetched}};
    /// # #[derive(Debug)]
    /// # struct GuardedFetch;
    /// # impl Fetch for GuardedFetch {
    /// #     fn fetch(&self, _: FetchRequest) -> FetchFuture<'_> {
    /// #         Box::pin(std::future::ready(Ok(Fetched::new(&b"{}"[..], UnixTime(0)))))
    /// #     }
    /// # }
    /// use oauth_core::{endpoint::metadata, server::AuthorizationServer};
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let server = AuthorizationServer::builder("https://auth.example")
    ///     .fetch(GuardedFetch) // of oauth-tower: `GuardedFetch::builder().build()?`
    ///     .registration(|clients| clients.client_id_metadata_documents())
    ///     .build()
    ///     .await?;
    /// let metadata = metadata::describe(&server);
    /// assert!(metadata.client_id_metadata_document_supported && metadata.registration_endpoint.is_none());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [Client ID Metadata Document]: https://datatracker.ietf.org/doc/draft-ietf-oauth-client-id-metadata-document/
    /// [`AuthorizationServerBuilder::fetch`]: crate::server::AuthorizationServerBuilder::fetch
    pub const fn client_id_metadata_documents(mut self) -> Self {
        self.documents = true;
        self
    }

    /// Sets what a client may ever ask for, whatever it registered with. If this
    /// is not called, that is every scope that the server's resources declare.
    ///
    /// A client that asks for more is granted what is left, if anything is.
    /// Nothing is granted that people do not consent to.
    pub fn allow_scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Lets clients have one more grant type, beside `authorization_code` and
    /// `refresh_token`. With `client_credentials`, whoever registers gets tokens
    /// that no person has consented to.
    pub fn allow_grant_type(mut self, grant_type: GrantType) -> Self {
        self.grant_types.push(grant_type);
        self
    }

    /// Sets how clients may authenticate: with all methods that the server
    /// offers if this is not called.
    pub fn auth_methods(mut self, methods: impl IntoIterator<Item = AuthMethod>) -> Self {
        self.auth_methods = Some(methods.into_iter().collect());
        self
    }

    /// Lets client secrets expire after so many seconds
    /// (`client_secret_expires_at`). A client gets a new one by replacing its
    /// registration. They never expire if this is not called.
    pub const fn secret_lifetime(mut self, seconds: u64) -> Self {
        self.secret_lifetime = Some(seconds);
        self
    }

    /// Sets how many may register in a minute from one address without an
    /// initial access token, and ten times as many from all together: 30; 0 for
    /// no limit. All nodes count together. Beyond it, 429. Wrong tokens are another
    /// limit: [`failures_per_minute`] of one address, initial access tokens and
    /// registration access tokens alike.
    ///
    /// [`failures_per_minute`]: crate::engine::client_auth::ClientAuthentication::failures_per_minute
    pub const fn per_minute(mut self, registrations: u32) -> Self {
        self.per_minute = registrations;
        self
    }

    /// Takes `token` as an initial access token: as often as it comes, from
    /// whomever. It needs at least 128 bits of entropy.
    pub fn initial_access_token(mut self, token: &Secret) -> Self {
        self.tokens.push(super::access::digest_of(token));
        self
    }

    /// Sets who else knows initial access tokens.
    pub fn initial_access_tokens(mut self, verifier: impl InitialAccessTokens) -> Self {
        self.verifier = Some(Arc::new(verifier));
        self
    }

    /// Trusts the software statements that `issuer` (their `iss`) has signed
    /// with one of `keys`: what they claim wins over what the client says
    /// (RFC 7591 section 2.3). Statements of all others are refused.
    pub fn trust_software_statements(mut self, issuer: impl Into<String>, keys: JwkSet) -> Self {
        self.statements.push(StatementIssuer { issuer: issuer.into(), keys });
        self
    }

    /// Sets who has the last word.
    pub fn policy(mut self, policy: impl RegistrationPolicy) -> Self {
        self.policy = Some(Arc::new(policy));
        self
    }

    pub(super) fn redirect_rules(&self, server: &AuthorizationServer) -> RedirectRules {
        if server.is_matrix() { RedirectRules::Native } else { RedirectRules::from(self.localhost) }
    }

    pub(super) const fn allows_localhost(&self) -> bool {
        self.localhost
    }

    pub(crate) const fn is_manageable(&self) -> bool {
        self.manageable
    }

    /// Whether anybody at all can register at the endpoint.
    pub(crate) const fn has_endpoint(&self) -> bool {
        self.open || !self.takes_none()
    }

    pub(crate) const fn takes_documents(&self) -> bool {
        self.documents
    }
}
