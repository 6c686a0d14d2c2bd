//! The mock issuer, through the layer it is meant for.

mod dpop;
mod endpoints;
mod forged;
mod issuing;
mod outages;

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header::AUTHORIZATION};
use http_body_util::Full;
use oauth_core::clock::UnixTime;
use serde_json::{Value, json};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::*;
use crate::resource::{HasIssuer, Issuer, ResourceServer, ResourceServerBuilder, ValidatedToken};

const AS: &str = "https://as.example";
const API: &str = "https://api.example";

type Sent = Request<Full<Bytes>>;

/// A resource server for `accepted`, in the world of `issuer`.
fn api_of(issuer: &MockIssuer, accepted: impl Into<Issuer>) -> ResourceServerBuilder<HasIssuer> {
    ResourceServer::builder(API).issuer(accepted).http(issuer.http()).clock(issuer.clock())
}

/// That takes its JWTs.
fn jwt_api(issuer: &MockIssuer) -> ResourceServer {
    api_of(issuer, Issuer::jwt(issuer.url())).build().unwrap()
}

/// That asks about every token.
fn asking_api(issuer: &MockIssuer) -> ResourceServer {
    let asked = Issuer::introspection(issuer.url(), issuer.introspection_endpoint());
    api_of(issuer, asked.authenticated(issuer.client_auth())).build().unwrap()
}

/// Answers with the subject.
fn behind(
    api: &ResourceServer,
) -> impl Service<Sent, Response = Response<String>, Error = Infallible, Future: Send> + Clone + use<> {
    api.layer().layer(service_fn(|request: Sent| async move {
        let token = request.extensions().get::<Arc<ValidatedToken>>();
        Ok(Response::new(token.unwrap().subject().to_owned()))
    }))
}

fn bearer(token: &str) -> Sent {
    Request::get("/albums").header(AUTHORIZATION, format!("Bearer {token}")).body(Full::default()).unwrap()
}

async fn send(api: &ResourceServer, token: &str) -> Response<String> {
    behind(api).oneshot(bearer(token)).await.unwrap()
}

async fn status(api: &ResourceServer, token: &str) -> u16 {
    send(api, token).await.status().as_u16()
}

async fn post(issuer: &MockIssuer, authorization: Option<&str>, form: &str) -> Response<Bytes> {
    let mut request = Request::post(issuer.introspection_endpoint());
    if let Some(value) = authorization {
        request = request.header(AUTHORIZATION, value);
    }
    issuer.http().send(request.body(Bytes::from(form.to_owned())).unwrap()).await.unwrap()
}

async fn get(issuer: &MockIssuer, url: &str) -> Response<Bytes> {
    issuer.http().send(Request::get(url).body(Bytes::new()).unwrap()).await.unwrap()
}

fn body(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}
