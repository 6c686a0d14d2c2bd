//! The keys and certificates of a client: those it registered, and no others
//! (RFC 8725 section 3.10).

use super::{super::fault::Fault, AuthFailure, NotProven};
use crate::{
    client::{Client, ClientJwks},
    jwt::Jws,
    mtls::ClientCertificate,
    server::AuthorizationServer,
};

/// Keys to verify `jws` with. Those at a `jwks_uri` are fetched again if none of
/// them fits, since the client may have changed them.
pub(super) async fn to_verify(
    server: &AuthorizationServer,
    client: &Client,
    jws: &Jws<'_>,
) -> Result<ClientJwks, NotProven> {
    find(server, client, |jwks| jwks.keys().candidates(jws.kid(), jws.alg()).next().is_some()).await
}

/// Certificates among which `shown` should be, likewise.
pub(super) async fn with_certificate(
    server: &AuthorizationServer,
    client: &Client,
    shown: &ClientCertificate,
) -> Result<ClientJwks, NotProven> {
    find(server, client, |jwks| jwks.certificates().contains(shown)).await
}

async fn find(
    server: &AuthorizationServer,
    client: &Client,
    wanted: impl Fn(&ClientJwks) -> bool,
) -> Result<ClientJwks, NotProven> {
    let keys = client.keys.as_ref().ok_or(AuthFailure::NoKeys)?;
    server.client_jwks(keys, wanted).await.map_err(|error| match error.is_outage() {
        // Nobody knows whether the proof is good.
        true => NotProven::Fault(Fault::Fetch(error)),
        false => AuthFailure::NoKeys.into(),
    })
}
