//! The endpoints: one file each. Every one takes a request whose body was
//! collected and bounded, and answers it; none of them fails.

pub mod authorize;
pub mod client_configuration;
mod content_type;
pub mod device_authorization;
pub mod introspect;
pub mod jwks;
pub mod matrix;
pub mod metadata;
pub mod page;
pub mod par;
pub mod register;
pub mod revoke;
pub mod status_list;
pub mod token;

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;
use serde_json::{Map, Value};

pub use crate::engine::remote_address::RemoteAddress;
use crate::{
    challenge::Challenge,
    engine::fault::{Failure, Fault},
    error::{ErrorCode, OAuthError},
    params::Params,
    server::AuthorizationServer,
};

/// The parameters of a form POST (OAuth 2.1 section 3.2): from the body alone.
fn read_form(request: &Request<Bytes>) -> Result<Params, OAuthError> {
    content_type::check(request.headers(), "application/x-www-form-urlencoded").map_err(OAuthError::invalid_request)?;
    let body = std::str::from_utf8(request.body()).map_err(|_| OAuthError::invalid_request("the body is not UTF-8"))?;
    let params = Params::parse(body)?;
    params.refuse_repeated()?;
    Ok(params)
}

/// 405, naming the methods that work.
fn method_not_allowed(allow: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    no_store(response)
}

/// An endpoint that is not there.
fn not_found() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NOT_FOUND;
    no_store(response)
}

fn is_post(request: &Request<Bytes>) -> bool {
    request.method() == Method::POST
}

/// The HTTP stack leaves out the body where the method is HEAD.
fn is_read(request: &Request<Bytes>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

/// OAuth 2.1 section 5.1: no response of these endpoints may be kept.
pub(crate) fn no_store(mut response: Response<Bytes>) -> Response<Bytes> {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

#[expect(clippy::needless_pass_by_value, reason = "it is made for this")]
fn json(status: StatusCode, body: Map<String, Value>) -> Response<Bytes> {
    // Room for most: growing leaves copies of what is in it.
    json_of(status, &body, 2048)
}

/// `body`, which takes no more than `room` bytes, or seldom more.
fn json_of(status: StatusCode, body: &impl Serialize, room: usize) -> Response<Bytes> {
    let mut text = Vec::with_capacity(room);
    // Neither what is sent here nor a write to memory fails.
    let _written = serde_json::to_writer(&mut text, body);
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    no_store(response)
}

/// The token error of OAuth 2.1 section 5.2.
fn error_json(status: StatusCode, error: &OAuthError) -> Response<Bytes> {
    let mut body = Map::new();
    body.insert("error".into(), error.code().as_str().into());
    if !error.description().is_empty() {
        body.insert("error_description".into(), error.description().into());
    }
    json(status, body)
}

/// Answers a back-channel request that was not granted.
fn failure(server: &AuthorizationServer, failure: &Failure) -> Response<Bytes> {
    match failure {
        Failure::Refused(error) => error_json(StatusCode::BAD_REQUEST, error),
        Failure::Forbidden(error) => error_json(StatusCode::FORBIDDEN, error),
        Failure::Unauthenticated(error) => {
            let mut response = error_json(StatusCode::UNAUTHORIZED, error);
            let challenge = Challenge::basic(server.issuer()).to_header_value();
            if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            response
        }
        Failure::TooMany { retry_after } => {
            let error = OAuthError::new(ErrorCode::TemporarilyUnavailable, "too many requests");
            let mut response = error_json(StatusCode::TOO_MANY_REQUESTS, &error);
            response.headers_mut().insert(RETRY_AFTER, (*retry_after).into());
            response
        }
        Failure::Fault(fault) => unavailable(server, fault),
    }
}

/// 503: the operator learns why, the client that it may try again.
fn unavailable(server: &AuthorizationServer, fault: &Fault) -> Response<Bytes> {
    fault.tell_to(server);
    let mut response = error_json(StatusCode::SERVICE_UNAVAILABLE, &fault.outage());
    response.headers_mut().insert(RETRY_AFTER, fault.retry_after().into());
    response
}

fn outage() -> OAuthError {
    OAuthError::new(ErrorCode::TemporarilyUnavailable, "the server cannot answer now; try again")
}
