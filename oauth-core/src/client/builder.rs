//! Building a client record.

use super::{AuthMethod, Client, ClientId, ClientSecret, GrantType, InvalidClient, RedirectUri};

/// Builds a [`Client`]; made by [`Client::builder`].
#[derive(Debug, Default)]
pub struct ClientBuilder {
    id: String,
    auth_method: Option<AuthMethod>,
    secrets: Vec<ClientSecret>,
    redirect_uris: Vec<String>,
    grant_types: Vec<GrantType>,
    scope: String,
    name: Option<String>,
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

    /// Adds a secret: at most two.
    #[must_use]
    pub fn secret(mut self, secret: ClientSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Adds a redirect URI, kept and compared as it stands.
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
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
        let redirect_uris = self.redirect_uris.iter().map(|uri| RedirectUri::parse(uri));
        Client {
            id: ClientId::new(&self.id)?,
            auth_method: self.auth_method.unwrap_or(default),
            secrets: self.secrets,
            redirect_uris: redirect_uris.collect::<Result<_, _>>()?,
            grant_types,
            scope: self.scope.parse()?,
            name: self.name,
        }
        .check()
    }
}
