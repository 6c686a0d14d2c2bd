//! axum-jwt-auth: an extractor, so a service is put around it; a static key,
//! and aws-lc-rs in the place of its default.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::Body,
    extract::{FromRef, FromRequestParts},
    response::IntoResponse,
};
use axum_jwt_auth::{Claims, Decoder, LocalDecoder};
use http::{Request, Response};
use jsonwebtoken_10::{Algorithm, DecodingKey, Validation, crypto::aws_lc, jwk::JwkSet};
use serde::Deserialize;
use tower::{Service, service_fn};

use crate::{
    contender::Bare,
    fixture::{Fixture, ISSUER, RESOURCE},
};

/// What its documentation's example reads, and the scope.
#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "a handler would read it")]
struct User {
    sub: String,
    scope: String,
}

#[derive(Clone)]
struct State(Decoder<User>);

impl FromRef<State> for Decoder<User> {
    fn from_ref(state: &State) -> Self {
        Arc::clone(&state.0)
    }
}

pub fn service(
    fixture: &Fixture,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + use<> {
    // The second time it is there already.
    let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    let keys: JwkSet = serde_json::from_str(&fixture.jwks()).expect("a key set");
    let keys = keys.keys.iter().map(|key| DecodingKey::from_jwk(key).expect("a key")).collect();
    let algorithm: Algorithm = fixture.algorithm.as_str().parse().expect("an algorithm");
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[RESOURCE]);
    let decoder = LocalDecoder::builder().keys(keys).validation(validation).build().expect("a decoder");
    let state = State(Arc::new(decoder));
    service_fn(move |request: Request<Body>| {
        let state = state.clone();
        async move {
            let (mut head, body) = request.into_parts();
            match <Claims<User>>::from_request_parts(&mut head, &state).await {
                Ok(user) => {
                    head.extensions.insert(Arc::new(user.claims));
                    Bare::new().call(Request::from_parts(head, body)).await
                }
                Err(refusal) => Ok(refusal.into_response()),
            }
        }
    })
}
