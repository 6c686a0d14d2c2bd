//! Building a client record.

use super::{
    AssertionAlgorithm, AuthMethod, Client, ClientId, ClientJwks, ClientKeys, ClientProfile, ClientRequests,
    ClientSecret, ClientTokens, GrantType, InvalidClient, RedirectUri, TlsSubject, invalid::only,
};
use crate::clock::UnixTime;

/// Builds a [`Client`]; made by [`Client::builder`].
#[derive(Clone, Debug, Default)]
pub struct ClientBuilder {
    id: String,
    auth_method: Option<AuthMethod>,
    secrets: Vec<ClientSecret>,
    jwks: Option<ClientJwks>,
    jwks_uri: Option<String>,
    signing_algorithm: Option<AssertionAlgorithm>,
    tls_subjects: Vec<TlsSubject>,
    redirect_uris: Vec<String>,
    grant_types: Vec<GrantType>,
    localhost: bool,
    scope: String,
    name: Option<String>,
    requests: ClientRequests,
    tokens: ClientTokens,
    profile: ClientProfile,
    grants_since: UnixTime,
}

impl ClientBuilder {
    pub(super) fn new(id: String) -> Self {
        Self { id, ..Self::default() }
    }

    /// Sets how the client proves itself. The default is
    /// `client_secret_basic` for a client with a secret, else `none`.
    #[must_use]
    pub const fn auth_method(mut self, method: AuthMethod) -> Self {
        self.auth_method = Some(method);
        self
    }

    /// Says that it has been given nothing before `time`: every grant to a client
    /// of this identifier that is older is dead, and so is every token under it.
    ///
    /// Say the present where an identifier is used again, or the new client has
    /// what its predecessor was given;
    /// [`create_client`](crate::server::AuthorizationServer::create_client) does.
    ///
    /// ```
    /// use oauth_core::{client::Client, clock::{Clock, SystemClock}};
    /// let app = Client::builder("app").redirect_uri("https://app.example/cb").grants_since(SystemClock.now());
    /// assert!(app.build()?.grants_since > Default::default());
    /// # Ok::<_, oauth_core::client::InvalidClient>(())
    /// ```
    #[must_use]
    pub const fn grants_since(mut self, time: UnixTime) -> Self {
        self.grants_since = time;
        self
    }

    /// Adds a secret: at most two.
    #[must_use]
    pub fn secret(mut self, secret: ClientSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Sets the client's public keys and certificates (`jwks`): those of
    /// `private_key_jwt` and `self_signed_tls_client_auth`.
    #[must_use]
    pub fn jwks(mut self, jwks: ClientJwks) -> Self {
        self.jwks = Some(jwks);
        self
    }

    /// Sets the https URL at which the client keeps them (`jwks_uri`), instead.
    #[must_use]
    pub fn jwks_uri(mut self, uri: impl Into<String>) -> Self {
        self.jwks_uri = Some(uri.into());
        self
    }

    /// Sets the one algorithm of the client's assertions
    /// (`token_endpoint_auth_signing_alg`). Without it, every one that its
    /// method and its keys allow.
    #[must_use]
    pub const fn signing_algorithm(mut self, algorithm: AssertionAlgorithm) -> Self {
        self.signing_algorithm = Some(algorithm);
        self
    }

    /// Sets what the client's certificate must say, for `tls_client_auth`:
    /// once, or the client is refused (RFC 8705 section 2.1.2).
    #[must_use]
    pub fn tls_subject(mut self, subject: TlsSubject) -> Self {
        self.tls_subjects.push(subject);
        self
    }

    /// Adds a redirect URI, kept and compared as it stands.
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
        self
    }

    /// Lets redirect URIs begin with `http://localhost`: see
    /// [`RedirectUri::parse_or_localhost`].
    #[must_use]
    pub const fn allow_localhost(mut self) -> Self {
        self.localhost = true;
        self
    }

    /// Adds a grant type. Without any, a client with redirect URIs may use
    /// `authorization_code`.
    #[must_use]
    pub fn grant_type(mut self, grant_type: GrantType) -> Self {
        self.grant_types.push(grant_type);
        self
    }

    /// Sets the scope the client may ask for: tokens separated by spaces.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    /// Sets the name that people see on the consent page.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets how the client sends its authorization requests: see [`ClientRequests`].
    #[must_use]
    pub fn requests(mut self, set: impl FnOnce(&mut ClientRequests)) -> Self {
        set(&mut self.requests);
        self
    }

    /// Sets what kind of tokens the client is given: see [`ClientTokens`].
    #[must_use]
    pub fn tokens(mut self, set: impl FnOnce(&mut ClientTokens)) -> Self {
        set(&mut self.tokens);
        self
    }

    /// Sets what else the client says about itself.
    #[must_use]
    pub fn profile(mut self, profile: ClientProfile) -> Self {
        self.profile = profile;
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`InvalidClient`] names the member at fault.
    pub fn build(self) -> Result<Client, InvalidClient> {
        let default = if self.secrets.is_empty() { AuthMethod::None } else { AuthMethod::ClientSecretBasic };
        let mut grant_types = self.grant_types;
        let code = GrantType::AUTHORIZATION_CODE;
        let refresh_only = grant_types.iter().all(|grant| *grant == GrantType::REFRESH_TOKEN);
        if refresh_only && !self.redirect_uris.is_empty() {
            grant_types.insert(0, code);
        }
        let keys = match (self.jwks, self.jwks_uri) {
            (Some(_), Some(_)) => return Err(InvalidClient::TwoKeySources),
            (jwks, uri) => jwks.map(ClientKeys::Inline).or(uri.map(ClientKeys::Uri)),
        };
        let parse = if self.localhost { RedirectUri::parse_or_localhost } else { RedirectUri::parse };
        let redirect_uris = self.redirect_uris.iter().map(|uri| parse(uri));
        Client {
            id: ClientId::new(&self.id)?,
            auth_method: self.auth_method.unwrap_or(default),
            secrets: self.secrets,
            keys,
            signing_algorithm: self.signing_algorithm,
            tls_subject: only(self.tls_subjects)?,
            redirect_uris: redirect_uris.collect::<Result<_, _>>()?,
            grant_types,
            scope: self.scope.parse()?,
            name: self.name,
            requests: self.requests,
            tokens: self.tokens,
            profile: self.profile,
            registration: None,
            grants_since: self.grants_since,
            revision: 0,
        }
        .check()
    }
}
