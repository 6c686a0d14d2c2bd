//! `POST /par`: pushed authorization requests ([RFC 9126]).
//!
//! [RFC 9126]: https://www.rfc-editor.org/rfc/rfc9126

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::Map;

use super::{failure, is_post, json, method_not_allowed, not_found, read_form};
use crate::{
    engine::{authorization::push, fault::Failure, interaction::Pushed},
    server::AuthorizationServer,
};

/// Answers a pushed authorization request: 201 and a `request_uri`, or an error
/// that goes to the client alone (section 2.3).
pub async fn handle(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    if !server.authorization().pushed.offered {
        return not_found();
    }
    if !is_post(request) {
        return method_not_allowed("POST");
    }
    server.with_dpop_nonce(match take(server, request).await {
        Ok(pushed) => created(&pushed),
        Err(error) => failure(server, &error),
    })
}

async fn take(server: &AuthorizationServer, request: &Request<Bytes>) -> Result<Pushed, Failure> {
    let params = read_form(request)?;
    push(server, request, &params).await
}

/// Section 2.2.
fn created(pushed: &Pushed) -> Response<Bytes> {
    let mut body = Map::new();
    body.insert("request_uri".into(), pushed.request_uri.expose().into());
    body.insert("expires_in".into(), pushed.expires_in.into());
    json(StatusCode::CREATED, body)
}
