//! Who asks for a revocation, as far as the mode wants to know.

use std::sync::Arc;

use http::Request;

use super::mode::Identification;
use crate::{
    client::{Client, ClientId},
    engine::{
        client_auth::{Shown, authenticate, refuse_secret_in_query, shown},
        fault::Failure,
    },
    error::OAuthError,
    params::Params,
    server::AuthorizationServer,
};

/// Who asks.
#[derive(Debug)]
pub(crate) enum Caller {
    /// A client that has proven itself, as far as it can.
    Client(Arc<Client>),
    /// Somebody who says that this is their name, which nobody here knows: it may be
    /// the URL of a document.
    Named(ClientId),
    /// Nobody says.
    Nobody,
    /// A page, by JSONP, that names no client.
    Page,
}

impl Caller {
    /// The client, if it is certain.
    pub(crate) fn client(&self) -> Option<&Client> {
        match self {
            Self::Client(client) => Some(client),
            _ => None,
        }
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Client(client) => client.id.as_str(),
            Self::Named(id) => id.as_str(),
            Self::Nobody | Self::Page => "",
        }
    }

    pub(super) fn is(&self, owner: &ClientId) -> bool {
        self.name() == owner.as_str()
    }
}

/// Who sent a form. Fails as client authentication does, where the mode asks for
/// that.
pub(crate) async fn identify<B>(
    server: &AuthorizationServer,
    request: &Request<B>,
    params: &Params,
) -> Result<Caller, Failure> {
    use Identification::{IfAny, Never, Required};
    match (server.revocation_policy().mode().rules().identification, shown(request, params)) {
        (IfAny | Never, Shown::Nothing) => Ok(Caller::Nobody),
        (Never, Shown::Name) => by_name(server, request, params).await,
        (Required, _) | (IfAny, Shown::Name) | (_, Shown::Credentials) => {
            authenticate(server, request, params).await.map(Caller::Client)
        }
    }
}

/// Who is meant by a name that proves nothing. One that is not known, or whose
/// client would have to prove itself, is no reason to leave a token alive.
async fn by_name<B>(server: &AuthorizationServer, request: &Request<B>, params: &Params) -> Result<Caller, Failure> {
    let Some(id) = params.get("client_id").and_then(|id| ClientId::new(id).ok()) else { return Ok(Caller::Nobody) };
    let Some(client) = server.client(&id).await? else { return Ok(Caller::Named(id)) };
    if client.is_public() {
        return Ok(Caller::Client(client));
    }
    if !client.auth_method.uses_certificate() {
        return Ok(Caller::Nobody);
    }
    match authenticate(server, request, params).await {
        Ok(client) => Ok(Caller::Client(client)),
        Err(Failure::Unauthenticated(_)) => Ok(Caller::Nobody),
        Err(failure) => Err(failure),
    }
}

/// Who called by JSONP: a public client, which has nothing but its name (RFC 7009
/// section 2.3). A URL is no place for a secret (OAuth 2.1 section 2.3.1).
pub(crate) async fn identify_script<B>(
    server: &AuthorizationServer,
    request: &Request<B>,
    params: &Params,
) -> Result<Caller, Failure> {
    refuse_secret_in_query(request.uri().query())?;
    let rules = server.revocation_policy().mode().rules();
    let only_public = || Failure::Unauthenticated(OAuthError::invalid_client("JSONP is for public clients"));
    match shown(request, params) {
        Shown::Credentials => Err(only_public()),
        Shown::Nothing if rules.identification != Identification::Required => Ok(Caller::Page),
        Shown::Nothing | Shown::Name => {
            let client = authenticate(server, request, params).await?;
            if client.is_public() { Ok(Caller::Client(client)) } else { Err(only_public()) }
        }
    }
}
