//! What one client may exchange.

use super::Party;
use crate::{client::ClientId, error::OAuthError, scope::Scope, server::AuthorizationServer};

/// What one client may exchange, where that is less than every client may. See
/// [`TokenExchange`](super::TokenExchange).
#[derive(Clone, Debug, Default)]
pub struct ExchangeRule {
    resources: Option<Vec<String>>,
    subject_clients: Option<Vec<ClientId>>,
    scope: Option<Scope>,
    delegation_only: bool,
}

impl ExchangeRule {
    /// For these resources only, by their identifiers.
    #[must_use]
    pub fn resources<R: Into<String>>(mut self, resources: impl IntoIterator<Item = R>) -> Self {
        self.resources = Some(resources.into_iter().map(Into::into).collect());
        self
    }

    /// Tokens of these clients only, and none of other issuers.
    #[must_use]
    pub fn subject_clients(mut self, clients: impl IntoIterator<Item = ClientId>) -> Self {
        self.subject_clients = Some(clients.into_iter().collect());
        self
    }

    /// For this scope at most.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Not without an `actor_token`: every token says who acts.
    #[must_use]
    pub const fn delegation_only(mut self) -> Self {
        self.delegation_only = true;
        self
    }

    pub(super) const fn most(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    pub(super) fn allows(&self, resource: &str) -> bool {
        self.resources.as_ref().is_none_or(|known| known.iter().any(|one| one == resource))
    }

    /// The resource where none is asked for: the first that there is.
    pub(super) fn usual(&self, server: &AuthorizationServer) -> Result<Vec<String>, OAuthError> {
        let mut known = server.resources().iter().map(|resource| resource.identifier.as_str());
        let first = known.find(|resource| self.allows(resource));
        let none = || OAuthError::invalid_target("the client may exchange tokens for no resource");
        Ok(vec![first.ok_or_else(none)?.to_owned()])
    }

    pub(super) fn check_subject(&self, subject: &Party<'_>) -> Result<(), OAuthError> {
        let Some(clients) = &self.subject_clients else { return Ok(()) };
        let known = match subject {
            Party::Own(grant, access) => clients.contains(access.client(grant)),
            Party::Foreign(_) => false,
        };
        let refused = || super::refused("subject_token", "the client may not exchange it");
        if known { Ok(()) } else { Err(refused()) }
    }

    pub(super) fn check_impersonation(&self) -> Result<(), OAuthError> {
        let refused = || OAuthError::invalid_request("the client must show an actor_token");
        if self.delegation_only { Err(refused()) } else { Ok(()) }
    }
}
