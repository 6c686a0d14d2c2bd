//! `GET|PUT|DELETE /register/{client_id}`: a client's own registration
//! ([RFC 7592]).
//!
//! [RFC 7592]: https://www.rfc-editor.org/rfc/rfc7592

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

use super::{
    RemoteAddress, json, method_not_allowed, no_store, not_found,
    register::{Refusal, bearer, read_json},
};
use crate::{
    client::ClientId,
    engine::registration::{Application, Manager, Registered, RegistrationOrigin, RegistrationSettings, Unmanageable},
    server::AuthorizationServer,
};

/// Answers a request about a registration.
pub async fn handle(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    let Some(settings) = server.registration().filter(|settings| settings.is_manageable()) else { return not_found() };
    if ![Method::GET, Method::PUT, Method::DELETE].contains(request.method()) {
        return method_not_allowed("GET, PUT, DELETE");
    }
    answer(server, settings, request).await.unwrap_or_else(|refusal| refusal.answer(server))
}

impl From<Unmanageable> for Refusal {
    fn from(why: Unmanageable) -> Self {
        match why {
            Unmanageable::Unknown => Self::TokenWrong,
            Unmanageable::Limited(failure) => Self::Failure(failure),
            Unmanageable::Forbidden => Self::Forbidden,
            Unmanageable::Failure(failure) => Self::Failure(failure.into()),
        }
    }
}

async fn answer(
    server: &AuthorizationServer,
    settings: &RegistrationSettings,
    request: &Request<Bytes>,
) -> Result<Response<Bytes>, Refusal> {
    let token = bearer(request.headers()).ok_or(Refusal::TokenMissing)?;
    // What cannot be an identifier is one that nobody has.
    let named = request.uri().path().rsplit('/').next().unwrap_or_default();
    let id = ClientId::new(named).map_err(|_| Refusal::TokenWrong)?;
    let manager = Manager { id: &id, token: &token, address: RemoteAddress::of(request.extensions()) };
    if request.method() == Method::DELETE {
        server.delete_registration(settings, manager).await?;
        let mut gone = no_store(Response::new(Bytes::new()));
        *gone.status_mut() = StatusCode::NO_CONTENT;
        return Ok(gone);
    }
    let registered = match *request.method() {
        Method::PUT => replace(server, settings, request, manager).await?,
        _ => server.read_registration(settings, manager).await?,
    };
    Ok(json(StatusCode::OK, registered.to_json()))
}

async fn replace(
    server: &AuthorizationServer,
    settings: &RegistrationSettings,
    request: &Request<Bytes>,
    manager: Manager<'_>,
) -> Result<Registered, Refusal> {
    let application = || {
        let members = read_json(request)?;
        Ok(Application { members, origin: RegistrationOrigin::Management, address: manager.address })
    };
    Ok(server.replace_registration(settings, manager, application).await?)
}
