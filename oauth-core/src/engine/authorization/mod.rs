//! Authorization requests ([OAuth 2.1 section 4.1.1]): who asks, where the
//! answer goes, and what is asked, whichever way the request arrived.
//!
//! First comes the route, whose errors nobody is redirected with; then everything
//! else, and the client hears what is wrong with it.
//!
//! [OAuth 2.1 section 4.1.1]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-01#section-4.1.1

mod prompt;
mod pushed;
mod request_object;
mod response;
mod route;
mod scope;
mod settings;
mod wanted;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

pub use self::{
    prompt::Prompt,
    pushed::PushedRequests,
    request_object::RequestObjects,
    response::{AuthorizationResponse, ResponseMode},
    scope::DefaultScope,
    settings::AuthorizationSettings,
    wanted::SignInReason,
};
pub(crate) use self::{
    prompt::is_silent,
    pushed::{allow_plain, push, reference, unknown},
    request_object::read as read_object,
    response::{origin, see_other},
    route::{ReplyTo, Route},
    scope::asked as asked_scope,
    wanted::{Wanted, unmet},
};
use super::issue::{narrow, requested_resources};
use crate::{
    authorization_details::AuthorizationDetails,
    client::{Client, ClientId, GrantType},
    error::{ErrorCode, OAuthError},
    params::Params,
    pkce::CodeChallenge,
    scope::Scope,
    server::AuthorizationServer,
};

/// An authorization request after every check, as it is parked.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ValidRequest {
    pub(crate) client: ClientId,
    #[serde(flatten)]
    pub(crate) reply: ReplyTo,
    pub(crate) redirect_uri_required: bool,
    /// Whether it was pushed although it is none that the client registered (RFC
    /// 9126 section 2.4).
    #[serde(default)]
    pub(crate) redirect_uri_unregistered: bool,
    pub(crate) scope: Scope,
    pub(crate) resources: Vec<String>,
    pub(crate) challenge: CodeChallenge,
    /// What is wanted of its person.
    #[serde(default)]
    pub(crate) wanted: Wanted,
    /// What is asked beyond the scope.
    #[serde(default)]
    pub(crate) authorization_details: AuthorizationDetails,
    /// The thumbprint of the only key that may redeem the code.
    #[serde(default)]
    pub(crate) dpop_jkt: Option<String>,
}

impl ValidRequest {
    /// Binds the code to the key that the pushed request has proven (RFC 9449
    /// section 10.1): "MUST reject the request" if it is not the one of `dpop_jkt`.
    pub(crate) fn bind(&mut self, jkt: Option<&str>) -> Result<(), OAuthError> {
        match (&self.dpop_jkt, jkt) {
            (Some(said), Some(proven)) if said != proven => {
                Err(OAuthError::invalid_request("dpop_jkt is not the key of the proof"))
            }
            (None, Some(proven)) => {
                self.dpop_jkt = Some(proven.to_owned());
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl ValidRequest {
    /// Whether `client`, as it is by now, may be sent the answer.
    pub(crate) fn may_be_answered_to(&self, server: &AuthorizationServer, client: &Client) -> bool {
        self.redirect_uri_unregistered || server.registered(client, &self.reply.redirect_uri).is_some()
    }
}

/// Every check that ends in an error redirect.
pub(crate) fn check(server: &AuthorizationServer, params: &Params, route: &Route) -> Result<ValidRequest, OAuthError> {
    params.refuse_repeated()?;
    check_response_type(params)?;
    check_response_mode(server, params, &route.reply)?;
    let client = &*route.client;
    if !client.may_use(&GrantType::AUTHORIZATION_CODE) {
        return Err(OAuthError::unauthorized_client("the client may not use the authorization code grant"));
    }
    let scope = scope::asked(server, params, client)?;
    let resources = requested_resources(server, params)?;
    // What cannot become a token is refused before anyone is asked for it.
    let _meaningful = narrow(server, &resources, &scope)?;
    Ok(ValidRequest {
        client: client.id.clone(),
        reply: route.reply.clone(),
        redirect_uri_required: route.redirect_uri_required,
        redirect_uri_unregistered: server.registered(client, &route.reply.redirect_uri).is_none(),
        challenge: read_challenge(params)?,
        wanted: Wanted::read(server.authorization(), params, server.now())?,
        authorization_details: server.authorization().detail_types.requested(params, client)?,
        dpop_jkt: read_jkt(server, params)?,
        scope,
        resources,
    })
}

fn check_response_type(params: &Params) -> Result<(), OAuthError> {
    match params.require("response_type")? {
        "code" => Ok(()),
        _ => Err(OAuthError::new(ErrorCode::UnsupportedResponseType, "the only response type is code")),
    }
}

/// A mode that is not offered is an error, which is delivered in the default
/// mode (OAuth 2.0 Multiple Response Type Encoding Practices section 2.1).
fn check_response_mode(server: &AuthorizationServer, params: &Params, reply: &ReplyTo) -> Result<(), OAuthError> {
    let Some(asked) = params.get("response_mode") else { return Ok(()) };
    match ResponseMode::parse(asked) {
        Some(mode) if !mode.reaches(&reply.redirect_uri) => {
            Err(OAuthError::invalid_request("form_post needs a redirect URI that is https or http"))
        }
        Some(mode) if server.authorization().offers(mode) => Ok(()),
        _ => Err(OAuthError::invalid_request("the response mode is not one of this server")),
    }
}

/// RFC 9449 section 10: the thumbprint of a key, SHA-256 in base64url.
fn read_jkt(server: &AuthorizationServer, params: &Params) -> Result<Option<String>, OAuthError> {
    let Some(jkt) = params.get("dpop_jkt").filter(|_| server.dpop().is_on()) else { return Ok(None) };
    match URL_SAFE_NO_PAD.decode(jkt) {
        Ok(digest) if digest.len() == 32 => Ok(Some(jkt.to_owned())),
        _ => Err(OAuthError::invalid_request("dpop_jkt must be 43 base64url characters")),
    }
}

/// PKCE is for every client (OAuth 2.1 section 9.8), and only `S256`: a
/// request without a method means `plain` (RFC 7636 section 4.3).
fn read_challenge(params: &Params) -> Result<CodeChallenge, OAuthError> {
    let challenge = params.require("code_challenge")?;
    if params.get("code_challenge_method") != Some("S256") {
        return Err(OAuthError::invalid_request("code_challenge_method must be S256"));
    }
    CodeChallenge::parse(challenge)
        .ok_or_else(|| OAuthError::invalid_request("code_challenge must be 43 base64url characters"))
}
