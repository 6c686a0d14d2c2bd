//! `GET|POST /authorize`: the authorization endpoint ([OAuth 2.1 section 3.1]).
//!
//! A request is either wrong about its client or redirect URI, and then the
//! person sees an error page; or wrong otherwise, and then the client hears of
//! it by redirect; or it is parked, and the browser goes to the page where
//! people sign in and decide.
//!
//! It may come as a signed object (RFC 9101), or have been pushed before (RFC
//! 9126): then it was judged when it was.
//!
//! [OAuth 2.1 section 3.1]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-01#section-3.1

use bytes::Bytes;
use http::{
    Method, Request, Response, StatusCode,
    header::{RETRY_AFTER, SET_COOKIE},
};

use super::{method_not_allowed, outage, page, read_form};
use crate::{
    client::{Client, ClientId},
    engine::{
        authorization::{
            Route, ValidRequest, allow_plain, check, is_silent, read_object, reference, see_other, unknown,
        },
        fault::{Failure, Fault},
        interaction::Parked,
    },
    error::{ErrorCode, OAuthError},
    params::{self, Params},
    server::AuthorizationServer,
    store::StoreError,
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

async fn authorize(
    server: &AuthorizationServer,
    request: &Request<Bytes>,
    params: Result<Params, OAuthError>,
) -> Result<Response<Bytes>, Stop> {
    let params = params?;
    if let Some(reference) = reference(server, &params) {
        return start_pushed(server, request, &params, reference).await.map_err(|failure| stop(server, failure));
    }
    let client = Route::client(server, &params).await.map_err(|failure| stop(server, failure))?;
    let params = match read_signed(server, &client, &params).await {
        Ok(signed) => signed.unwrap_or(params),
        Err(failure) => {
            // Nothing in the object can be trusted; what stands beside it says where to complain.
            let Ok(route) = Route::of(server, client, &params) else { return Err(stop(server, failure)) };
            return refuse(server, request, &params, &route, &error_of(server, failure)).await;
        }
    };
    let route = Route::of(server, client, &params)?;
    match proceed(server, request, &params, &route).await {
        Ok(response) => Ok(response),
        Err(failure) => refuse(server, request, &params, &route, &error_of(server, failure)).await,
    }
}

/// The request in the signed object of `params`, if there is one. A request that
/// must be pushed is not even looked at.
async fn read_signed(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params,
) -> Result<Option<Params>, Failure> {
    allow_plain(server, client)?;
    read_object(server, client, params).await
}

/// Sends the browser to the page of a request that was pushed. It has been judged,
/// and nothing but the client's name is read beside the reference (RFC 9126 section
/// 4). Where it does not lead anywhere, nobody knows where to complain.
async fn start_pushed(
    server: &AuthorizationServer,
    request: &Request<Bytes>,
    params: &Params,
    reference: &str,
) -> Result<Response<Bytes>, Failure> {
    // RFC 9101 section 5: "if the request_uri parameter is used, the request
    // parameter MUST NOT be".
    if params.get("request").is_some() {
        return Err(OAuthError::invalid_request("the parameters request and request_uri exclude each other").into());
    }
    let client = ClientId::new(params.require("client_id")?).map_err(|_| unknown())?;
    let parked = server.start_pushed(reference, &client, request.headers()).await?;
    Ok(to_page(server, parked.ok_or_else(unknown)?))
}

/// Tells the client that its request is refused.
async fn refuse(
    server: &AuthorizationServer,
    request: &Request<Bytes>,
    params: &Params,
    route: &Route,
    error: &OAuthError,
) -> Result<Response<Bytes>, Stop> {
    // OAuth 2.1 section 9.18.2: an error must not make of this server a way to any website. First the person
    // signs in, and sees where it leads; silent authentication is the exception.
    if route.client.is_vouched_for() || is_silent(params) {
        return Ok(route.reply.refuse(server, error).into_http());
    }
    let parked = server.park_refusal(route, error, request.headers()).await;
    Ok(to_page(server, parked.map_err(|fault| unavailable(server, &fault))?))
}

/// What the client hears. An outage passes, whatever is out; a fault of this
/// server's own may not (OAuth 2.1 section 4.1.2.1).
fn error_of(server: &AuthorizationServer, failure: Failure) -> OAuthError {
    match failure {
        Failure::Refused(error) | Failure::Unauthenticated(error) | Failure::Forbidden(error) => error,
        Failure::TooMany { .. } => outage(),
        Failure::Fault(fault) => {
            fault.tell_to(server);
            match fault {
                Fault::Store(StoreError::Unavailable(_)) | Fault::Host(_) | Fault::Fetch(_) => fault.outage(),
                _ => OAuthError::new(ErrorCode::ServerError, "the server cannot answer this"),
            }
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

fn stop(server: &AuthorizationServer, failure: Failure) -> Stop {
    match failure {
        Failure::Refused(error) | Failure::Unauthenticated(error) | Failure::Forbidden(error) => error.into(),
        Failure::TooMany { .. } => outage().into(),
        Failure::Fault(fault) => unavailable(server, &fault),
    }
}

fn unavailable(server: &AuthorizationServer, fault: &Fault) -> Stop {
    fault.tell_to(server);
    let mut response = page::error_page(&fault.outage());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(RETRY_AFTER, fault.retry_after().into());
    Stop(response)
}

async fn proceed(
    server: &AuthorizationServer,
    request: &Request<Bytes>,
    params: &Params,
    route: &Route,
) -> Result<Response<Bytes>, Failure> {
    let valid = check(server, params, route)?;
    if comes_without_cookies(request) && server.authorization().pushed.offered {
        return go_round(server, valid).await;
    }
    Ok(to_page(server, server.park(&valid, request.headers()).await?))
}

/// A form on another website: the browser keeps cookies that are `Lax` to itself,
/// and a new one in the answer would take the place of its own, and with it every
/// other request that waits in it.
fn comes_without_cookies(request: &Request<Bytes>) -> bool {
    let cross_site = request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    request.method() == Method::POST && cross_site
}

/// Sends the browser here again, with a GET, its cookies, and a reference to what
/// it has sent.
async fn go_round(server: &AuthorizationServer, valid: ValidRequest) -> Result<Response<Bytes>, Failure> {
    let client = valid.client.clone();
    let pushed = server.park_pushed(valid).await?;
    let pairs = [("client_id", client.as_str()), ("request_uri", pushed.request_uri.expose())];
    let query = params::encode(pairs.map(|(name, value)| (name, value.into())));
    Ok(see_other(&format!("{}/authorize?{query}", server.issuer_path())))
}

/// Sends the browser to the page of what was parked.
fn to_page(server: &AuthorizationServer, parked: Parked) -> Response<Bytes> {
    let mut response = see_other(&server.interaction_url(&parked.id));
    if let Some(cookie) = parked.cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
