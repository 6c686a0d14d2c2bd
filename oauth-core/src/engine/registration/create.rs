//! Registering a client ([RFC 7591]).
//!
//! [RFC 7591]: https://www.rfc-editor.org/rfc/rfc7591

use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{
    policy::{RegistrationOrigin, RegistrationRequest},
    settings::RegistrationSettings,
    terms::Terms,
};
use crate::{
    client::{
        AuthMethod, Client, ClientId, ClientSecret, Developer, Registration,
        metadata::{ClientMetadata, RegistrationError, describe},
    },
    clock::{UnixTime, random_bytes},
    engine::{fault::Fault, matrix},
    event::Event,
    secret::Secret,
    server::AuthorizationServer,
};

/// A registration that was asked for: what was said, on what authority, from
/// where.
pub(crate) struct Application {
    pub(crate) members: Map<String, Value>,
    pub(crate) origin: RegistrationOrigin,
    pub(crate) address: Option<IpAddr>,
}

/// A client that was registered, and what it is told once.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registered {
    /// The client, as the store keeps it.
    pub client: Client,
    /// Its secret, if it has a new one.
    pub secret: Option<Secret>,
    /// Its registration access token, if it can manage itself.
    pub token: Option<Secret>,
    /// `registration_client_uri`, likewise.
    pub uri: Option<String>,
}

/// Why a client is not registered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationFailure {
    /// What it asks for cannot be had.
    #[error(transparent)]
    Refused(#[from] RegistrationError),
    /// The server failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl AuthorizationServer {
    /// Registers a client in the host's own name: from a page for developers,
    /// say. The settings of the server apply, and its policy has a say; initial
    /// access tokens and limits are the host's affair.
    ///
    /// ```
    /// use oauth_core::{client::metadata::ClientMetadata, server::AuthorizationServer};
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let server = AuthorizationServer::builder("https://auth.example").registration(|it| it).build().await?;
    /// let asked = br#"{"client_name": "Notes", "redirect_uris": ["https://notes.example/cb"]}"#;
    /// let registered = server.register(ClientMetadata::parse(asked)?).await?;
    /// assert!(registered.secret.is_some());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RegistrationFailure`]; one of them where the server takes no
    /// registrations at all.
    pub async fn register(&self, metadata: ClientMetadata) -> Result<Registered, RegistrationFailure> {
        let settings = self.registration().ok_or(Fault::Internal("registration is not set up"))?;
        let request = RegistrationRequest {
            metadata: &metadata,
            origin: &RegistrationOrigin::Host,
            statement: None,
            address: None,
            client: None,
        };
        let terms = settings.judge(self, &request).await?;
        self.create(settings, terms, None, None).await
    }

    /// Registers whoever sent `application`.
    pub(crate) async fn register_application(
        &self,
        settings: &RegistrationSettings,
        application: Application,
    ) -> Result<Registered, RegistrationFailure> {
        let (terms, statement) = settings.examine(self, application, None).await?;
        self.create(settings, terms, statement, None).await
    }

    pub(super) async fn create(
        &self,
        settings: &RegistrationSettings,
        terms: Terms,
        statement: Option<String>,
        developer: Option<Developer>,
    ) -> Result<Registered, RegistrationFailure> {
        let id = self.fresh_client_id()?;
        let (secret, kept) = self.fresh_secret(settings, &id, terms.metadata.auth_method)?.unzip();
        let token = if settings.manageable { Some(self.fresh_token()?) } else { None };
        let scope = terms.metadata.scope.clone().unwrap_or_else(|| terms.scope.clone());
        let mut registration = Registration::new(self.now(), scope);
        registration.software_statement = statement;
        registration.developer = developer;
        if let Some(token) = &token {
            registration = registration.token(token);
        }
        let client = terms.client(id, kept.into_iter().collect(), registration)?;
        if self.is_matrix() && !settings.manageable && client.secrets.is_empty() {
            return self.create_shared(client).await;
        }
        self.store().put_client(client.clone()).await.map_err(Fault::from)?;
        self.tell(&Event::ClientRegistered { client: &client.id });
        let uri = token.is_some().then(|| self.client_configuration_uri(&client.id));
        Ok(Registered { client, secret, token, uri })
    }

    /// A client without secrets, or the one that was registered with the very same metadata.
    async fn create_shared(&self, mut client: Client) -> Result<Registered, RegistrationFailure> {
        client.id = matrix::shared_id(self, &client).ok_or(Fault::Internal("a client cannot be described"))?;
        let id = client.id.clone();
        if self.create_client(client.clone()).await? {
            self.tell(&Event::ClientRegistered { client: &id });
        } else if let Some(known) = self.client(&id).await? {
            client = (*known).clone();
        }
        Ok(Registered { client, secret: None, token: None, uri: None })
    }

    /// 128 random bits behind a prefix: no user's `sub` (OAuth 2.1 section 9.6),
    /// and never a URL, which would name a metadata document.
    fn fresh_client_id(&self) -> Result<ClientId, Fault> {
        let id = format!("dyn-{}", URL_SAFE_NO_PAD.encode(random_bytes::<16>(self.random())?));
        ClientId::new(&id).map_err(|_| Fault::Internal("a client_id is not legal"))
    }

    /// 256 random bits.
    pub(super) fn fresh_token(&self) -> Result<Secret, Fault> {
        Ok(URL_SAFE_NO_PAD.encode(random_bytes::<32>(self.random())?).into())
    }

    /// A secret for `id`, if `method` needs one, and what is kept of it.
    pub(super) fn fresh_secret(
        &self,
        settings: &RegistrationSettings,
        id: &ClientId,
        method: AuthMethod,
    ) -> Result<Option<(Secret, ClientSecret)>, Fault> {
        let (secret, kept) = match method {
            AuthMethod::ClientSecretJwt => {
                // Enough for HS512 (RFC 7518 section 3.2).
                let secret = Secret::new(URL_SAFE_NO_PAD.encode(random_bytes::<48>(self.random())?));
                let kept = ClientSecret::sealed_by(self.client_secrets(), &secret, id, self.random())?;
                (secret, kept)
            }
            method if method.uses_secret() => ClientSecret::generate(self.random())?,
            _ => return Ok(None),
        };
        let end = settings.secret_lifetime.map(|seconds| self.now().saturating_add(seconds));
        Ok(Some((secret, end.into_iter().fold(kept, ClientSecret::expires_at))))
    }

    /// RFC 7592 section 3: `registration_client_uri`.
    pub(crate) fn client_configuration_uri(&self, id: &ClientId) -> String {
        format!("{}/register/{id}", self.issuer())
    }
}

impl RegistrationSettings {
    /// The terms for whoever sent `application`, and its software statement.
    pub(super) async fn examine(
        &self,
        server: &AuthorizationServer,
        application: Application,
        client: Option<&Client>,
    ) -> Result<(Terms, Option<String>), RegistrationFailure> {
        let Application { mut members, origin, address } = application;
        let statement = self.apply_statement(server, &mut members)?;
        let metadata = ClientMetadata::read(&members, self.redirect_rules(server))?;
        let request = RegistrationRequest {
            metadata: &metadata,
            origin: &origin,
            statement: statement.as_ref(),
            address,
            client,
        };
        let terms = self.judge(server, &request).await?;
        Ok((terms, metadata.software_statement))
    }

    pub(super) async fn judge(
        &self,
        server: &AuthorizationServer,
        request: &RegistrationRequest<'_>,
    ) -> Result<Terms, RegistrationFailure> {
        // The host knows what it registers.
        if server.is_matrix() && *request.origin != RegistrationOrigin::Host {
            matrix::check(request.metadata)?;
        }
        let terms = Terms::narrowed(server, self, request.metadata)?;
        match &self.policy {
            Some(policy) => Ok(policy.decide(request, terms).await??),
            None => Ok(terms),
        }
    }
}

impl Registered {
    /// The client information response (RFC 7591 section 3.2.1, RFC 7592 section
    /// 3).
    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let mut members = describe(&self.client);
        let mut put = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
        if let Some(secret) = &self.secret {
            put("client_secret", secret.expose().into());
        }
        // "REQUIRED if 'client_secret' is issued", and "0 if it will not expire".
        if let Some(kept) = self.client.secrets.last() {
            put("client_secret_expires_at", kept.end().unwrap_or(UnixTime(0)).0.into());
        }
        if let (Some(token), Some(uri)) = (&self.token, &self.uri) {
            put("registration_access_token", token.expose().into());
            put("registration_client_uri", uri.as_str().into());
        }
        members
    }
}
