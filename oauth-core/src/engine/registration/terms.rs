//! From what a client asks for to what it can get.

use super::settings::RegistrationSettings;
use crate::{
    client::{
        AuthMethod, Client, ClientId, ClientKeys, ClientSecret, GrantType, Registration,
        metadata::{ClientMetadata, RegistrationError},
    },
    engine::matrix,
    scope::Scope,
    server::AuthorizationServer,
};

/// What a client is to be registered as.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// Its metadata, as they will be shown to it. Their `scope` is what it gets
    /// where it does not say.
    pub metadata: ClientMetadata,
    /// What it may ever ask for.
    pub scope: Scope,
}

impl Terms {
    /// `asked`, narrowed to what the server gives to anybody who may register.
    pub(super) fn narrowed(
        server: &AuthorizationServer,
        settings: &RegistrationSettings,
        asked: &ClientMetadata,
    ) -> Result<Self, RegistrationError> {
        let mut metadata = asked.clone();
        if server.is_matrix() {
            matrix::adjust(&mut metadata);
        }
        settings.narrow_grant_types(server, &mut metadata.grant_types)?;
        if !settings.offers(server, metadata.auth_method) {
            return Err(RegistrationError::member("token_endpoint_auth_method", "is not offered here"));
        }
        check_keys_can_be_had(server, &metadata)?;
        check_tokens_can_be_bound(server, &metadata)?;
        check_answers_can_be_signed(server, &metadata)?;
        let known = &server.authorization().detail_types;
        metadata.tokens.authorization_details_types.retain(|name| known.contains(name));
        check_requests_can_be_had(server, &metadata)?;
        let scope = settings.scope.clone().unwrap_or_else(|| server.declared_scope());
        metadata.scope = Some(asked.scope.as_ref().map_or_else(|| scope.clone(), |asked| asked.intersection(&scope)));
        Ok(Self { metadata, scope })
    }

    /// The client of these terms, if they fit together.
    pub(super) fn client(
        self,
        id: ClientId,
        secrets: Vec<ClientSecret>,
        registration: Registration,
    ) -> Result<Client, RegistrationError> {
        let Self { metadata, scope } = self;
        let scope = metadata.scope.as_ref().map_or_else(|| scope.clone(), |registered| scope.union(registered));
        Ok(metadata.into_client(id, secrets, scope, registration)?)
    }
}

/// A client that could never authenticate is better told at once.
fn check_keys_can_be_had(server: &AuthorizationServer, metadata: &ClientMetadata) -> Result<(), RegistrationError> {
    let needed = matches!(metadata.auth_method, AuthMethod::PrivateKeyJwt | AuthMethod::SelfSignedTlsClientAuth);
    match &metadata.keys {
        Some(ClientKeys::Uri(uri)) if needed && server.fetch().check(uri).is_err() => {
            Err(RegistrationError::member("jwks_uri", "is not one that is fetched here"))
        }
        _ => Ok(()),
    }
}

/// So is one whose requests could never be read.
fn check_requests_can_be_had(server: &AuthorizationServer, metadata: &ClientMetadata) -> Result<(), RegistrationError> {
    let uris = &metadata.requests.request_uris;
    if !server.fetches_requests() || uris.iter().all(|uri| server.fetch().check(uri).is_ok()) {
        return Ok(());
    }
    Err(RegistrationError::member("request_uris", "has one that is not fetched here"))
}

/// Likewise one that could never get a token, or only one that anybody can use.
fn check_tokens_can_be_bound(server: &AuthorizationServer, metadata: &ClientMetadata) -> Result<(), RegistrationError> {
    let refused = |name| Err(RegistrationError::member(name, "is not offered here"));
    if metadata.tokens.dpop_bound_access_tokens && !server.dpop().is_on() {
        return refused("dpop_bound_access_tokens");
    }
    if metadata.tokens.tls_client_certificate_bound_access_tokens && !server.binds_to_certificates() {
        return refused("tls_client_certificate_bound_access_tokens");
    }
    Ok(())
}

/// RFC 9701 section 6.
fn check_answers_can_be_signed(
    server: &AuthorizationServer,
    metadata: &ClientMetadata,
) -> Result<(), RegistrationError> {
    match metadata.tokens.introspection_signed_response_alg {
        Some(algorithm) if !server.introspection().signs_with(algorithm) => {
            Err(RegistrationError::member("introspection_signed_response_alg", "is not offered here"))
        }
        _ => Ok(()),
    }
}

impl RegistrationSettings {
    /// RFC 7591 section 2: what is asked for may be substituted. `implicit` and
    /// `password` are not implemented, so they are never left.
    fn narrow_grant_types(
        &self,
        server: &AuthorizationServer,
        grant_types: &mut Vec<GrantType>,
    ) -> Result<(), RegistrationError> {
        let usual = [GrantType::AUTHORIZATION_CODE, GrantType::REFRESH_TOKEN];
        let allowed = |grant: &GrantType| usual.contains(grant) || self.grant_types.contains(grant);
        grant_types.retain(|grant| server.grants().contains(grant) && allowed(grant));
        if grant_types.iter().all(|grant| *grant == GrantType::REFRESH_TOKEN) {
            return Err(RegistrationError::member("grant_types", "has none that can be given"));
        }
        Ok(())
    }

    fn offers(&self, server: &AuthorizationServer, method: AuthMethod) -> bool {
        let listed = self.auth_methods.as_ref().is_none_or(|methods| methods.contains(&method));
        listed && server.client_authentication().methods.contains(&method)
    }
}
