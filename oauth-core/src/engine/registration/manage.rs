//! What becomes of a registration ([RFC 7592]).
//!
//! [RFC 7592]: https://www.rfc-editor.org/rfc/rfc7592

use std::{net::IpAddr, sync::Arc};

use serde_json::{Map, Value};

use super::{
    create::{Application, Registered, RegistrationFailure},
    policy::Management,
    settings::RegistrationSettings,
    terms::Terms,
};
use crate::{
    client::{AuthMethod, Client, ClientId, ClientSecret, metadata::RegistrationError},
    engine::{
        client_auth::Whose,
        fault::{Failure, Fault},
        revocations::Revoked,
    },
    event::Event,
    secret::Secret,
    server::AuthorizationServer,
};

/// Who says that a registration is theirs.
#[derive(Clone, Copy)]
pub(crate) struct Manager<'a> {
    pub(crate) id: &'a ClientId,
    /// Its registration access token, they say.
    pub(crate) token: &'a Secret,
    pub(crate) address: Option<IpAddr>,
}

/// Why a registration is not managed.
#[derive(Debug)]
pub(crate) enum Unmanageable {
    /// The token is not that of this client, or there is no such client.
    Unknown,
    /// Too many tokens were wrong, and this one was not looked at.
    Limited(Failure),
    /// It is, and it may not do this.
    Forbidden,
    /// What it asks for cannot be had, or the server failed.
    Failure(RegistrationFailure),
}

impl<F: Into<RegistrationFailure>> From<F> for Unmanageable {
    fn from(failure: F) -> Self {
        Self::Failure(failure.into())
    }
}

/// How often a replacement begins again because another one came first.
const ATTEMPTS: usize = 8;

/// RFC 7592 section 2.2: the request "MUST NOT include" these.
const NEVER_SENT: [&str; 4] =
    ["registration_access_token", "registration_client_uri", "client_id_issued_at", "client_secret_expires_at"];

impl AuthorizationServer {
    /// The registration of a client (RFC 7592 section 2.1).
    pub(crate) async fn read_registration(
        &self,
        settings: &RegistrationSettings,
        manager: Manager<'_>,
    ) -> Result<Registered, Unmanageable> {
        let client = self.managed(settings, manager, Management::Read).await?;
        let uri = Some(self.client_configuration_uri(manager.id));
        // Only its digest is known, but here it is.
        Ok(Registered { client: Client::clone(&client), secret: None, token: Some(manager.token.clone()), uri })
    }

    /// Replaces the registration of a client (RFC 7592 section 2.2).
    pub(crate) async fn replace_registration(
        &self,
        settings: &RegistrationSettings,
        manager: Manager<'_>,
        application: impl Fn() -> Result<Application, RegistrationError>,
    ) -> Result<Registered, Unmanageable> {
        for _ in 0..ATTEMPTS {
            let current = self.managed(settings, manager, Management::Replace).await?;
            // Whoever has no right to ask does not learn what is wrong with the question.
            let application = application()?;
            self.check_replacement(&current, &application.members)?;
            let (terms, statement) = settings.examine(self, application, Some(&current)).await?;
            let next = self.successor(settings, &current, terms, statement, manager.token)?;
            if self.store().replace_client(next.client.clone(), current.revision).await.map_err(Fault::from)? {
                self.tell(&Event::ClientUpdated { client: manager.id });
                return Ok(next);
            }
        }
        Err(Fault::Internal("a registration is being replaced by many at once").into())
    }

    /// Deletes the registration of a client, and with it everything that the client
    /// was given (RFC 7592 section 2.3).
    pub(crate) async fn delete_registration(
        &self,
        settings: &RegistrationSettings,
        manager: Manager<'_>,
    ) -> Result<(), Unmanageable> {
        let id = manager.id;
        let _client = self.managed(settings, manager, Management::Delete).await?;
        // Nobody has a list of what it was given.
        let announcement = self.announce(Revoked::Anything).intended();
        let removed = self.store().delete_client(id.clone()).await.map_err(Fault::from)?;
        drop(announcement);
        if !removed {
            return Err(Unmanageable::Unknown);
        }
        self.tell(&Event::ClientDeleted { client: id });
        Ok(())
    }

    /// The client of `manager`, if the token is its own and it may do this.
    async fn managed(
        &self,
        settings: &RegistrationSettings,
        manager: Manager<'_>,
        action: Management,
    ) -> Result<Arc<Client>, Unmanageable> {
        let client = self.proven(manager).await?.ok_or(Unmanageable::Unknown)?;
        let may = match &settings.policy {
            Some(policy) => policy.may_manage(&client, action).await?,
            None => true,
        };
        if may { Ok(client) } else { Err(Unmanageable::Forbidden) }
    }

    /// The client of `manager`, if the token is its own. Guessing one is limited as
    /// guessing a client's secret is, whether there is such a client or not.
    async fn proven(&self, manager: Manager<'_>) -> Result<Option<Arc<Client>>, Unmanageable> {
        let attempt = self.begin_attempt(Whose::Client(manager.id), manager.address).map_err(Unmanageable::Limited)?;
        let found = self.client(manager.id).await;
        let own = |client: &Arc<Client>| client.registration.as_deref().is_some_and(|it| it.has_token(manager.token));
        let found = found.map(|client| client.filter(own));
        if matches!(found, Ok(None)) {
            self.auth_limit().failed(&attempt, self.store(), self.now()).await;
        } else {
            self.auth_limit().take_back(&attempt);
        }
        Ok(found?)
    }

    /// What a replacement says beside metadata.
    fn check_replacement(&self, current: &Client, members: &Map<String, Value>) -> Result<(), RegistrationError> {
        if let Some(name) = NEVER_SENT.into_iter().find(|name| members.contains_key(*name)) {
            return Err(RegistrationError::member(name, "must not be sent"));
        }
        if members.get("client_id").and_then(Value::as_str) != Some(current.id.as_str()) {
            return Err(RegistrationError::member("client_id", "must be the one of the client"));
        }
        // "If the client includes the 'client_secret' field in the request, the
        // value of this field MUST match".
        let own = match members.get("client_secret") {
            None | Some(Value::Null) => true,
            Some(Value::String(secret)) => self.is_secret_of(current, &Secret::from(secret.as_str())),
            Some(_) => false,
        };
        if own { Ok(()) } else { Err(RegistrationError::member("client_secret", "must be the one of the client")) }
    }

    fn is_secret_of(&self, client: &Client, secret: &Secret) -> bool {
        let now = self.now();
        let live = client.secrets.iter().filter(|kept| kept.lives(now));
        let mut opened = live.filter_map(|kept| kept.open(self.client_secrets(), &client.id));
        client.has_secret(secret, now) || opened.any(|own| own == *secret)
    }

    /// `current` under new terms.
    fn successor(
        &self,
        settings: &RegistrationSettings,
        current: &Client,
        terms: Terms,
        statement: Option<String>,
        token: &Secret,
    ) -> Result<Registered, RegistrationFailure> {
        let (secret, kept) = self.secrets_under(settings, current, terms.metadata.auth_method)?;
        let token = if settings.rotates_tokens { self.fresh_token()? } else { token.clone() };
        let scope = terms.metadata.scope.clone().unwrap_or_else(|| terms.scope.clone());
        let mut registration = current.registration.as_deref().cloned().ok_or(Fault::Internal("no registration"))?;
        registration.scope = scope;
        registration.software_statement = statement;
        let mut client = terms.client(current.id.clone(), kept, registration.token(&token))?;
        client.revision = current.revision.saturating_add(1);
        client.grants_since = current.grants_since;
        let uri = Some(self.client_configuration_uri(&client.id));
        Ok(Registered { client, secret, token: Some(token), uri })
    }

    /// The secrets that `current` has already, if they are of use for `method`,
    /// or else a new one.
    fn secrets_under(
        &self,
        settings: &RegistrationSettings,
        current: &Client,
        method: AuthMethod,
    ) -> Result<(Option<Secret>, Vec<ClientSecret>), Fault> {
        let sealed = |method| method == AuthMethod::ClientSecretJwt;
        let same_form = current.auth_method.uses_secret() && sealed(current.auth_method) == sealed(method);
        let lives = current.secrets.iter().any(|kept| kept.lives(self.now()));
        if method.uses_secret() && same_form && lives {
            return Ok((None, current.secrets.clone()));
        }
        let (secret, kept) = self.fresh_secret(settings, &current.id, method)?.unzip();
        Ok((secret, kept.into_iter().collect()))
    }
}
