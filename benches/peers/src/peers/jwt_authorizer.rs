//! jwt-authorizer: keys from the text of a key set; ring is all it has.

use std::convert::Infallible;

use axum::body::Body;
use http::{Request, Response};
use jwt_authorizer::{Authorizer, IntoLayer, JwtAuthorizer, Validation};
use tower::{Layer, Service};

use crate::{
    contender::Bare,
    fixture::{Fixture, ISSUER, RESOURCE},
};

/// Of the version of axum that it is made for.
type TheirBody = axum_07::body::Body;

pub async fn service(
    fixture: &Fixture,
) -> impl Service<Request<Body>, Response = Response<TheirBody>, Error = Infallible, Future: Send> + Clone + Send + use<>
{
    let validation = Validation::new().iss(&[ISSUER]).aud(&[RESOURCE]);
    let authorizer = JwtAuthorizer::from_jwks_text(&fixture.jwks()).validation(validation).build().await;
    let authorizer: Authorizer = authorizer.expect("an authorizer");
    authorizer.into_layer().layer(Bare::new())
}
