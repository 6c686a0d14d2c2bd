//! `GET|POST /authorize`: the authorization endpoint ([OAuth 2.1 section 3.1]).
//!
//! A request is either wrong about its client or redirect URI, and then the
//! person sees an error page; or wrong otherwise, and then the client hears of
//! it by redirect; or it is parked, and the browser goes to the page where
//! people sign in and decide.
//!
//! [OAuth 2.1 section 3.1]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-01#section-3.1

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{LOCATION, SET_COOKIE},
};

use super::{method_not_allowed, no_store, outage, page, read_form};
use crate::{
    client::{Client, ClientId, GrantType},
    engine::{
        fault::{Failure, Fault},
        interaction::ValidRequest,
        issue::{narrow, requested_resources, requested_scope},
    },
    error::{ErrorCode, OAuthError},
    event::Event,
    params::{self, Params},
    pkce::CodeChallenge,
    server::AuthorizationServer,
};

/// Answers an authorization request.
pub async fn handle(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    let params = match *request.method() {
        Method::GET => Params::parse(request.uri().query().unwrap_or_default()),
        Method::POST => read_body(request),
        _ => return method_not_allowed("GET, POST"),
    };
    match authorize(server, request, params).await {
        Ok(response) | Err(Stop(response)) => response,
    }
}

/// The answer to a request that does not get as far as a person.
struct Stop(Response<Bytes>);

/// Nothing about the request can be trusted: the person sees a page, and the
/// browser is sent nowhere (OAuth 2.1 section 4.1.2.1).
impl From<OAuthError> for Stop {
    fn from(error: OAuthError) -> Self {
        Self(page::error_page(&error))
    }
}

/// The client and the redirect URI are known to belong together: from here on
/// errors go to the client.
struct Route {
    client: Arc<Client>,
    redirect_uri: String,
    redirect_uri_required: bool,
    state: Option<String>,
}

async fn authorize(
    server: &AuthorizationServer,
    request: &Request<Bytes>,
    params: Result<Params, OAuthError>,
) -> Result<Response<Bytes>, Stop> {
    let params = params?;
    let client = find_client(server, &params).await?;
    let route = find_route(client, &params)?;
    match proceed(server, request, &params, &route).await {
        Ok(response) => Ok(response),
        Err(Failure::Refused(error) | Failure::Unauthenticated(error)) => Err(route.refuse(server, &error)),
        Err(Failure::TooMany { .. }) => Err(route.refuse(server, &outage())),
        Err(Failure::Fault(fault)) => {
            server.tell(&Event::Fault { error: &fault });
            Err(route.refuse(server, &OAuthError::new(ErrorCode::ServerError, "the server cannot answer now")))
        }
    }
}

/// A POST carries the same parameters in its body. Repetition is judged later,
/// as for a query.
fn read_body(request: &Request<Bytes>) -> Result<Params, OAuthError> {
    read_form(request).or_else(|error| match std::str::from_utf8(request.body()).map(Params::parse) {
        Ok(Ok(params)) if params.refuse_repeated().is_err() => Ok(params),
        _ => Err(error),
    })
}

async fn find_client(server: &AuthorizationServer, params: &Params) -> Result<Arc<Client>, Stop> {
    let id = params.require("client_id")?;
    let unknown = || OAuthError::invalid_request("the client is not known here");
    let id = ClientId::new(id).map_err(|_| unknown())?;
    match server.client(&id).await {
        Ok(client) => client.ok_or_else(|| unknown().into()),
        Err(fault) => Err(unavailable(server, &fault)),
    }
}

fn unavailable(server: &AuthorizationServer, fault: &Fault) -> Stop {
    server.tell(&Event::Fault { error: fault });
    let mut response = page::error_page(&outage());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    Stop(response)
}

fn find_route(client: Arc<Client>, params: &Params) -> Result<Route, OAuthError> {
    if params.is_repeated("redirect_uri") {
        return Err(OAuthError::invalid_request("the parameter redirect_uri occurs more than once"));
    }
    let (redirect_uri, redirect_uri_required) = match (params.get("redirect_uri"), client.redirect_uris.as_slice()) {
        (Some(asked), _) if client.redirect_uri(asked).is_some() => (asked.to_owned(), true),
        (Some(_), _) => return Err(OAuthError::invalid_request("the redirect URI is not one the client registered")),
        (None, [only]) => (only.as_str().to_owned(), false),
        (None, _) => return Err(OAuthError::invalid_request("the parameter redirect_uri is missing")),
    };
    let state = params.get("state").map(str::to_owned);
    Ok(Route { client, redirect_uri, redirect_uri_required, state })
}

impl Route {
    fn refuse(&self, server: &AuthorizationServer, error: &OAuthError) -> Stop {
        Stop(see_other(&server.error_redirect(&self.redirect_uri, self.state.as_deref(), error)))
    }
}

async fn proceed(
    server: &AuthorizationServer,
    request: &Request<Bytes>,
    params: &Params,
    route: &Route,
) -> Result<Response<Bytes>, Failure> {
    let parked = server.park(&check(server, params, route)?, request.headers()).await?;
    let id = params::encode([("id", parked.id.into())]);
    // An absolute path: the host that the browser sees is its own affair.
    let location = format!("{}{}?{id}", server.issuer_path(), server.interaction_path());
    let mut response = see_other(&location);
    if let Some(cookie) = parked.cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Every check that ends in an error redirect.
fn check(server: &AuthorizationServer, params: &Params, route: &Route) -> Result<ValidRequest, OAuthError> {
    params.refuse_repeated()?;
    check_response_type(params)?;
    check_extensions(params)?;
    let client = &*route.client;
    if !client.may_use(&GrantType::AUTHORIZATION_CODE) {
        return Err(OAuthError::unauthorized_client("the client may not use the authorization code grant"));
    }
    let (scope, resources) = (requested_scope(params, client)?, requested_resources(server, params)?);
    // What cannot become a token is refused before anyone is asked for it.
    let _meaningful = narrow(server, &resources, &scope)?;
    Ok(ValidRequest {
        client: client.id.clone(),
        redirect_uri: route.redirect_uri.clone(),
        redirect_uri_required: route.redirect_uri_required,
        state: route.state.clone(),
        challenge: read_challenge(params)?,
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

fn check_extensions(params: &Params) -> Result<(), OAuthError> {
    let unsupported = |code: &'static str| OAuthError::new(ErrorCode::Other(code.into()), "not supported here");
    match params.get("response_mode") {
        None | Some("query") => {}
        Some(_) => return Err(OAuthError::invalid_request("the only response mode is query")),
    }
    // OpenID Connect Core section 3.1.2.6, RFC 9101 section 7.
    if params.get("request").is_some() {
        return Err(unsupported("request_not_supported"));
    }
    if params.get("request_uri").is_some() {
        return Err(unsupported("request_uri_not_supported"));
    }
    Ok(())
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

/// 303, so that no browser repeats a POST with credentials (RFC 9700 section
/// 4.12).
fn see_other(location: &str) -> Response<Bytes> {
    let Ok(value) = HeaderValue::from_str(location) else {
        return page::error_page(&OAuthError::invalid_request("the answer cannot be delivered"));
    };
    let mut response = no_store(Response::new(Bytes::new()));
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, value);
    response
}
