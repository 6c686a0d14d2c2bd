//! The scope of a request that names none ([OAuth 2.1 section 3.3]).
//!
//! [OAuth 2.1 section 3.3]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-01#section-3.3

use super::settings::AuthorizationSettings;
use crate::{
    client::{Client, ClientId},
    engine::{issue::requested_scope, matrix},
    error::OAuthError,
    params::Params,
    scope::Scope,
    server::AuthorizationServer,
};

/// What a client that names no scope asks for: OAuth 2.1 section 3.3 leaves
/// it to the server, and wants it documented.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DefaultScope {
    /// All that the client is registered for; of a client that has registered
    /// itself, what it registered with.
    #[default]
    Registered,
    /// This, as far as the client may ask for it. Where that is nothing, the
    /// answer is `invalid_scope`.
    Only(Scope),
    /// Nothing: the answer is `invalid_scope`.
    Refused,
}

/// What `client` asks for, if only by silence.
pub(crate) fn asked(server: &AuthorizationServer, params: &Params, client: &Client) -> Result<Scope, OAuthError> {
    if server.is_matrix() {
        return matrix::asked(params, client);
    }
    let settings = server.authorization();
    let none = || OAuthError::invalid_scope("the parameter scope is missing, and this server has no default for it");
    match settings.default_scope_of(&client.id) {
        // Whoever says in other terms what they want (RFC 9396) wants that.
        _ if params.get("scope").is_none() && settings.detail_types.parameter(params).is_some() => Ok(Scope::empty()),
        _ if params.get("scope").is_some() => requested_scope(params, client),
        DefaultScope::Registered => requested_scope(params, client),
        DefaultScope::Only(scope) => {
            let given = scope.intersection(&client.scope);
            if given.is_empty() { Err(none()) } else { Ok(given) }
        }
        DefaultScope::Refused => Err(none()),
    }
}

impl AuthorizationSettings {
    fn default_scope_of(&self, client: &ClientId) -> &DefaultScope {
        self.client_default_scopes.get(client).unwrap_or(&self.default_scope)
    }
}
