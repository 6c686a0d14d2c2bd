//! `POST /device_authorization`: a device asks for a code to show its person
//! ([RFC 8628 section 3.1]).
//!
//! [RFC 8628 section 3.1]: https://www.rfc-editor.org/rfc/rfc8628#section-3.1

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Map, Value};

use super::{failure, is_post, json, method_not_allowed, not_found, read_form};
use crate::{
    engine::{
        device::{Devices, Started, start},
        fault::Failure,
    },
    server::AuthorizationServer,
};

/// Answers a device authorization request: 200 and its codes, or an error as of
/// the token endpoint; 404 where no device may ask.
pub async fn handle(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    let Some(devices) = server.devices() else { return not_found() };
    if !is_post(request) {
        return method_not_allowed("POST");
    }
    match take(server, devices, request).await {
        Ok(started) => json(StatusCode::OK, shown(server, devices, &started)),
        Err(error) => failure(server, &error),
    }
}

async fn take(server: &AuthorizationServer, devices: &Devices, request: &Request<Bytes>) -> Result<Started, Failure> {
    let params = read_form(request)?;
    start(server, devices, request, &params).await
}

/// Section 3.2.
fn shown(server: &AuthorizationServer, devices: &Devices, started: &Started) -> Map<String, Value> {
    let user_code = started.user_code.text();
    let mut body = Map::new();
    body.insert("device_code".into(), started.device_code.expose().into());
    body.insert("verification_uri".into(), server.device_url(None).into());
    body.insert("verification_uri_complete".into(), server.device_url(Some(&user_code)).into());
    body.insert("user_code".into(), user_code.into());
    body.insert("expires_in".into(), devices.settings.lifetime.into());
    body.insert("interval".into(), devices.settings.interval.into());
    body
}
