//! This project's layer, with its defaults.

use std::convert::Infallible;

use axum::body::Body;
use http::{Request, Response};
use oauth_core::jwk::JwkSet;
use oauth_tower::resource::{Issuer, ResourceServer};
use tower::{Layer, Service};

use crate::{
    contender::Bare,
    fixture::{Fixture, ISSUER, RESOURCE},
};

/// The layer, keeping this many verdicts at most.
pub fn service(
    fixture: &Fixture,
    entries: u64,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + use<> {
    let keys: JwkSet = [&fixture.key].into_iter().collect();
    let server = ResourceServer::builder(RESOURCE).issuer(Issuer::jwt(ISSUER).keys(keys)).cache_entries(entries);
    server.build().expect("a resource server").layer().layer(Bare::new())
}
