//! `POST /register`: dynamic client registration ([RFC 7591]).
//!
//! [RFC 7591]: https://www.rfc-editor.org/rfc/rfc7591

use std::net::IpAddr;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use serde_json::{Map, Value};

use super::{RemoteAddress, content_type, error_json, failure, is_post, json, method_not_allowed, no_store, not_found};
use crate::{
    challenge::Challenge,
    client::metadata::{RegistrationError, object},
    engine::{
        fault::Failure,
        registration::{Access, Application, RegistrationFailure, RegistrationOrigin, RegistrationSettings},
    },
    error::{ErrorCode, OAuthError},
    event::Event,
    secret::Secret,
    server::AuthorizationServer,
};

/// Answers a registration request.
pub async fn handle(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    let Some(settings) = server.registration() else { return not_found() };
    if !is_post(request) {
        return method_not_allowed("POST");
    }
    match register(server, settings, request).await {
        Ok(body) => json(StatusCode::CREATED, body),
        Err(refusal) => refusal.answer(server),
    }
}

/// Why nothing is registered, or a registration is not managed.
pub(super) enum Refusal {
    Failure(Failure),
    /// There are no credentials.
    TokenMissing,
    /// They are not good.
    TokenWrong,
    /// They are good for something else.
    Forbidden,
}

impl<F: Into<Failure>> From<F> for Refusal {
    fn from(failure: F) -> Self {
        Self::Failure(failure.into())
    }
}

impl From<RegistrationFailure> for Failure {
    fn from(failure: RegistrationFailure) -> Self {
        match failure {
            RegistrationFailure::Refused(error) => Self::Refused(error.into()),
            RegistrationFailure::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl From<RegistrationError> for Failure {
    fn from(error: RegistrationError) -> Self {
        Self::Refused(error.into())
    }
}

impl Refusal {
    pub(super) fn answer(&self, server: &AuthorizationServer) -> Response<Bytes> {
        let challenge = Challenge::bearer().realm(server.issuer());
        match self {
            Self::Failure(reason) => {
                if let Failure::Refused(error) = reason {
                    server.tell(&Event::RegistrationRefused { error: error.code().as_str() });
                }
                failure(server, reason)
            }
            // RFC 6750 section 3.1: whoever has sent no credentials is told of no error.
            Self::TokenMissing => challenged(no_store(Response::new(Bytes::new())), &challenge),
            Self::TokenWrong => {
                server.tell(&Event::RegistrationRefused { error: "invalid_token" });
                let error = OAuthError::new(ErrorCode::InvalidToken, "the access token is not good here");
                let body = error_json(StatusCode::UNAUTHORIZED, &error);
                challenged(body, &challenge.error(&ErrorCode::InvalidToken))
            }
            Self::Forbidden => {
                let error = OAuthError::new(ErrorCode::AccessDenied, "the client may not do this");
                error_json(StatusCode::FORBIDDEN, &error)
            }
        }
    }
}

fn challenged(mut response: Response<Bytes>, challenge: &Challenge) -> Response<Bytes> {
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    if let Ok(value) = HeaderValue::from_str(&challenge.to_header_value()) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    response
}

async fn register(
    server: &AuthorizationServer,
    settings: &RegistrationSettings,
    request: &Request<Bytes>,
) -> Result<Map<String, Value>, Refusal> {
    let address = RemoteAddress::of(request.extensions());
    let origin = match settings.admit(server, bearer(request.headers()).as_ref(), address).await? {
        Access::Granted(origin) => origin,
        Access::Missing => return Err(Refusal::TokenMissing),
        Access::Wrong => return Err(Refusal::TokenWrong),
    };
    let members = read_json(request)?;
    if origin == RegistrationOrigin::Open {
        within_limits(server, settings, address).await?;
    }
    let application = Application { members, origin, address };
    let registered = server.register_application(settings, application).await.map_err(Failure::from)?;
    Ok(registered.to_json())
}

/// RFC 7591 section 5: an open endpoint "SHOULD be rate limited or otherwise
/// limited to prevent a denial-of-service attack".
async fn within_limits(
    server: &AuthorizationServer,
    settings: &RegistrationSettings,
    address: Option<IpAddr>,
) -> Result<(), Refusal> {
    match settings.count(server, address).await? {
        None => Ok(()),
        Some(retry_after) => Err(Failure::TooMany { retry_after }.into()),
    }
}

/// The one token in the `Authorization` header (RFC 6750 section 2.1). Anything
/// else there is as good as nothing.
pub(super) fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (only, None) = (values.next()?, values.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    let legal = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    (legal && scheme.eq_ignore_ascii_case("bearer")).then(|| token.into())
}

/// The members of the body (RFC 7591 section 3.1).
pub(super) fn read_json(request: &Request<Bytes>) -> Result<Map<String, Value>, RegistrationError> {
    content_type::check(request.headers(), "application/json").map_err(RegistrationError::ClientMetadata)?;
    object(request.body())
}
