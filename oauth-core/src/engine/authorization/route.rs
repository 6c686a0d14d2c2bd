//! Who asks, and where the answer goes: what has to be right before anybody is
//! redirected (OAuth 2.1 section 4.1.2.1).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::response::{AuthorizationResponse, ResponseMode};
use crate::{
    client::{Client, ClientId},
    engine::fault::Failure,
    error::OAuthError,
    params::Params,
    scope::Scope,
    secret::Secret,
    server::AuthorizationServer,
};

/// The client and the redirect URI, which are known to belong together: from
/// here on errors go to the client.
pub(crate) struct Route {
    pub(crate) client: Arc<Client>,
    pub(crate) reply: ReplyTo,
    /// Whether the request named the redirect URI.
    pub(crate) redirect_uri_required: bool,
}

/// Where the answer goes, and how.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ReplyTo {
    pub(crate) redirect_uri: String,
    #[serde(rename = "response_mode", default)]
    pub(crate) mode: ResponseMode,
    pub(crate) state: Option<String>,
}

impl Route {
    /// The client that `params` name, whose route is [`Route::of`].
    pub(crate) async fn client(server: &AuthorizationServer, params: &Params) -> Result<Arc<Client>, Failure> {
        find_client(server, params).await
    }

    /// The route of `client`.
    pub(crate) fn of(server: &AuthorizationServer, client: Arc<Client>, params: &Params) -> Result<Self, OAuthError> {
        if params.is_repeated("redirect_uri") {
            return Err(OAuthError::invalid_request("the parameter redirect_uri occurs more than once"));
        }
        let asked = params.get("redirect_uri");
        let redirect_uri = match (asked, client.redirect_uris.as_slice()) {
            (Some(asked), _) if server.registered(&client, asked).is_some() => asked.to_owned(),
            (Some(_), _) => {
                return Err(OAuthError::invalid_request("the redirect URI is not one the client registered"));
            }
            (None, [only]) => only.as_str().to_owned(),
            (None, _) => return Err(OAuthError::invalid_request("the parameter redirect_uri is missing")),
        };
        let redirect_uri_required = asked.is_some();
        Ok(Self { client, reply: ReplyTo::at(&redirect_uri, params), redirect_uri_required })
    }
}

impl ReplyTo {
    /// An answer to `params` that goes to `redirect_uri`, which is known to be the
    /// client's.
    pub(super) fn at(redirect_uri: &str, params: &Params) -> Self {
        // One that is not known is refused later, in the default mode.
        let mode = params.get("response_mode").and_then(ResponseMode::parse).unwrap_or_default();
        let state = params.get("state").map(str::to_owned);
        Self { redirect_uri: redirect_uri.to_owned(), mode, state }
    }

    /// The answer that carries a code.
    pub(crate) fn grant(&self, server: &AuthorizationServer, client: &Client, code: &Secret) -> AuthorizationResponse {
        // draft-ietf-oauth-reciprocal-04 section 2.1: a query component, and nothing
        // else.
        let wish = server.reciprocal_wish(client).filter(|_| self.mode(server) == ResponseMode::Query);
        match wish.map(Scope::to_string) {
            Some(wish) => self.deliver(server, &[("code", code.expose()), ("reciprocal", &wish)]),
            None => self.deliver(server, &[("code", code.expose())]),
        }
    }

    /// The answer that carries an error.
    pub(crate) fn refuse(&self, server: &AuthorizationServer, error: &OAuthError) -> AuthorizationResponse {
        self.deliver(server, &[("error", error.code().as_str()), ("error_description", error.description())])
    }

    /// With `state`, and with `iss` (RFC 9207).
    fn deliver(&self, server: &AuthorizationServer, pairs: &[(&'static str, &str)]) -> AuthorizationResponse {
        let state = self.state.as_deref().map(|state| ("state", state));
        let pairs: Vec<_> = pairs.iter().copied().chain(state).chain([("iss", server.issuer())]).collect();
        AuthorizationResponse::new(self.mode(server), &self.redirect_uri, &pairs)
    }

    /// How it travels: as was asked, where that is possible.
    fn mode(&self, server: &AuthorizationServer) -> ResponseMode {
        let possible = server.authorization().offers(self.mode) && self.mode.reaches(&self.redirect_uri);
        if possible { self.mode } else { ResponseMode::Query }
    }
}

async fn find_client(server: &AuthorizationServer, params: &Params) -> Result<Arc<Client>, Failure> {
    let unknown = || OAuthError::invalid_request("the client is not known here");
    let id = ClientId::new(params.require("client_id")?).map_err(|_| unknown())?;
    Ok(server.named_client(&id).await?)
}
