//! Pushed authorization requests ([RFC 9126]): the client sends the request ahead
//! and the browser with a reference to it.
//!
//! The whole request is judged when it is pushed, as the authorization endpoint
//! would, and parked. The reference starts it in a browser, as often as the
//! browser likes; its end consumes it.
//!
//! [RFC 9126]: https://www.rfc-editor.org/rfc/rfc9126

use std::{net::IpAddr, sync::Arc};

use http::Request;

use super::{
    check, request_object,
    route::{ReplyTo, Route},
};
use crate::{
    client::{Client, RedirectUri},
    engine::{
        client_auth::authenticate,
        fault::Failure,
        interaction::{self, Pushed},
        minute::Minute,
        remote_address::RemoteAddress,
        sender::Shown,
    },
    error::{ErrorCode, OAuthError},
    params::Params,
    server::AuthorizationServer,
};

/// Which pushed authorization requests are taken (RFC 9126).
///
/// ```
/// use oauth_core::server::AuthorizationServer;
/// let builder = AuthorizationServer::builder("https://auth.example").authorization(|settings| {
///     settings.pushed.required = true;
///     settings.pushed.lifetime = 90;
/// });
/// # drop(builder);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PushedRequests {
    /// Whether there is an endpoint for them: yes, unless changed.
    pub offered: bool,
    /// Whether every request must be pushed
    /// (`require_pushed_authorization_requests`, RFC 9126 section 5). A client can
    /// ask for it for itself too.
    pub required: bool,
    /// How long the browser may take to bring a `request_uri`, in seconds: 60. From
    /// 5 to 600 (RFC 9126 section 2.2); FAPI 2.0 has less than 600.
    pub lifetime: u64,
    /// How many requests one client may push in a minute from one address: 600; 0
    /// for no limit. Nodes that share a store count together.
    pub per_minute: u32,
    /// Whether a client that has authenticated may push a redirect URI that it did
    /// not register (RFC 9126 section 2.4): no, unless changed. It must be a legal
    /// one, and public clients never may.
    pub unregistered_redirect_uris: bool,
    /// Whether `redirect_uri` must be there although the client registered only
    /// one, as FAPI 2.0 has it: no, unless changed.
    pub explicit_redirect_uri: bool,
}

impl PushedRequests {
    /// What [`PushedRequests::lifetime`] may be.
    pub(crate) const LIFETIMES: std::ops::RangeInclusive<u64> = 5..=600;
}

impl Default for PushedRequests {
    fn default() -> Self {
        Self {
            offered: true,
            required: false,
            lifetime: 60,
            per_minute: 600,
            unregistered_redirect_uris: false,
            explicit_redirect_uri: false,
        }
    }
}

/// Judges and parks what `request` pushes; `params` is its body.
pub(crate) async fn push<B>(
    server: &AuthorizationServer,
    request: &Request<B>,
    params: &Params,
) -> Result<Pushed, Failure> {
    let shown = Shown::read(server, request, "/par")?;
    let client = authenticate(server, request, params).await?;
    count(server, &client, RemoteAddress::of(request.extensions())).await?;
    // RFC 9126 section 2.1: "MUST NOT be provided".
    if params.get("request_uri").is_some() {
        return Err(OAuthError::invalid_request("a pushed request must not have a request_uri").into());
    }
    let signed = request_object::read(server, &client, params).await?;
    let params = signed.as_ref().unwrap_or(params);
    let route = route(server, &client, params)?;
    let mut valid = check(server, params, &route)?;
    valid.bind(shown.jkt(server).await?)?;
    Ok(server.park_pushed(valid).await?)
}

/// That `client` may send a request without pushing it (RFC 9126 sections 5 and 6).
pub(crate) fn allow_plain(server: &AuthorizationServer, client: &Client) -> Result<(), OAuthError> {
    match server.authorization().pushed.required || client.requests.require_pushed_authorization_requests {
        true => Err(OAuthError::invalid_request("the request must be pushed first")),
        false => Ok(()),
    }
}

/// The reference in `params`, if that is what they have: the random part of a
/// `request_uri` of this server.
pub(crate) fn reference<'p>(server: &AuthorizationServer, params: &'p Params) -> Option<&'p str> {
    let uri = params.get("request_uri").filter(|_| server.authorization().pushed.offered)?;
    uri.strip_prefix(interaction::REQUEST_URI)
}

/// What the browser hears whose reference leads nowhere.
pub(crate) fn unknown() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequestUri, "the request_uri is unknown, used or has expired")
}

fn route(server: &AuthorizationServer, client: &Arc<Client>, params: &Params) -> Result<Route, OAuthError> {
    let settings = &server.authorization().pushed;
    let asked = params.get("redirect_uri");
    if asked.is_none() && settings.explicit_redirect_uri {
        return Err(OAuthError::invalid_request("the parameter redirect_uri is missing"));
    }
    match asked.filter(|_| settings.unregistered_redirect_uris && !client.is_public()) {
        // RFC 9126 section 2.4: the client has authenticated, and is bound to it.
        Some(asked) if client.redirect_uri(asked).is_none() && RedirectUri::parse(asked).is_ok() => {
            Ok(Route { client: Arc::clone(client), reply: ReplyTo::at(asked, params), redirect_uri_required: true })
        }
        _ => Route::of(server, Arc::clone(client), params),
    }
}

/// RFC 9126 section 2.3: "429 Too Many Requests".
async fn count(server: &AuthorizationServer, client: &Client, address: Option<IpAddr>) -> Result<(), Failure> {
    let most = u64::from(server.authorization().pushed.per_minute);
    let late = Minute::of(server).count_from("pushed requests", address, client.id.as_str(), most).await?;
    late.map_or(Ok(()), |retry_after| Err(Failure::TooMany { retry_after }))
}
