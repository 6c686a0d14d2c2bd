//! `POST /revoke`: token revocation ([RFC 7009]), and what it was and has become:
//! see [`RevocationMode`](crate::engine::revocation::RevocationMode).
//!
//! [RFC 7009]: https://www.rfc-editor.org/rfc/rfc7009

mod jsonp;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header::CONTENT_TYPE};

use super::{failure, method_not_allowed, no_store, read_form};
use crate::{
    engine::{
        fault::Failure,
        remote_address::RemoteAddress,
        revocation::{self, identify},
    },
    server::AuthorizationServer,
};

/// Answers a revocation request: 200 once the token is dead, whoever killed it.
pub async fn handle(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    let jsonp = server.revocation_policy().jsonp;
    match *request.method() {
        Method::POST => match revoke(server, request).await {
            Ok(()) => done(server),
            Err(error) => failure(server, &error),
        },
        Method::GET if jsonp => jsonp::handle(server, request).await,
        _ => method_not_allowed(if jsonp { "GET, POST" } else { "POST" }),
    }
}

async fn revoke(server: &AuthorizationServer, request: &Request<Bytes>) -> Result<(), Failure> {
    let params = read_form(request)?;
    let caller = identify(server, request, &params).await?;
    let address = RemoteAddress::of(request.extensions());
    revocation::revoke(server, &caller, address, params.require("token")?).await
}

fn done(server: &AuthorizationServer) -> Response<Bytes> {
    let body = server.revocation_policy().mode().rules().body;
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    if !body.is_empty() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    no_store(response)
}
