//! huskarl-axum: the validator of RFC 9068 tokens, its default cryptography
//! (there is no other), keys from a server in this process, asked once.

use std::convert::Infallible;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use huskarl_axum::{
    layers::ValidatorLayer,
    resource_server::{
        core::{
            Error,
            http::{HttpClient, HttpResponse, Idempotency},
            platform::MaybeSendBoxFuture,
        },
        validator::rfc9068::Rfc9068Validator,
    },
};
use tower::{Layer, Service};

use crate::{
    contender::Bare,
    fixture::{Fixture, ISSUER, RESOURCE},
};

/// Answers every request with the key set.
struct KeySetServer(Bytes);

impl HttpClient for KeySetServer {
    fn execute(&self, _: Request<Bytes>, _: Idempotency) -> MaybeSendBoxFuture<'_, Result<HttpResponse, Error>> {
        let response = HttpResponse { status: StatusCode::OK, headers: HeaderMap::new(), body: self.0.clone() };
        Box::pin(std::future::ready(Ok(response)))
    }
}

pub async fn service(
    fixture: &Fixture,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + use<> {
    let jwks_uri = format!("{ISSUER}/jwks").parse().expect("a URL");
    let validator = Rfc9068Validator::builder()
        .issuer(ISSUER)
        .audience(RESOURCE)
        .jwks_uri(jwks_uri)
        .jwks_source(KeySetServer(fixture.jwks().into()))
        .build()
        .await
        .expect("a validator");
    ValidatorLayer::builder().validator(validator).build().authenticated().layer(Bare::new())
}
