//! tower-oauth2-resource-server: static keys, its own claims type, aws-lc-rs.
//! It is told to check what it checks by itself after discovery: given static
//! keys, it would not look at `iss`.

use std::convert::Infallible;

use axum::body::Body;
use http::{Request, Response};
use tower::{Layer, Service};
use tower_oauth2_resource_server::{
    claims::DefaultClaims, server::OAuth2ResourceServer, tenant::TenantConfiguration, validation::ClaimsValidationSpec,
};

use crate::{
    contender::Bare,
    fixture::{Fixture, ISSUER, RESOURCE},
};

pub async fn service(
    fixture: &Fixture,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + use<> {
    let spec = ClaimsValidationSpec::new().exp(true).iss(ISSUER).aud(&vec![RESOURCE.to_owned()]);
    let tenant = TenantConfiguration::static_builder(fixture.jwks()).claims_validation(spec);
    let tenant = tenant.build().expect("a tenant");
    let server = <OAuth2ResourceServer<DefaultClaims>>::builder().add_tenant(tenant).build().await;
    server.expect("a server").into_layer().layer(Bare::new())
}
