//! `client_secret_jwt`: an assertion with an HMAC under the client secret
//! ([OpenID Connect Core section 9]).
//!
//! [OpenID Connect Core section 9]: https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication

use super::{
    AuthFailure, Proof,
    assertion::{Assertion, accept, check_header},
};
use crate::{
    client::{AssertionAlgorithm, Client},
    jwt::{HmacJws, JwtError},
    server::AuthorizationServer,
};

/// That whoever made the assertion knows one of the client's secrets.
pub(super) async fn prove(server: &AuthorizationServer, client: &Client, assertion: &Assertion<'_>) -> Proof {
    assertion.within_limits()?;
    let jws = HmacJws::parse(assertion.text).map_err(AuthFailure::from)?;
    check_header(server, client, AssertionAlgorithm::Hmac(jws.alg()), jws.typ())?;
    accept(server, client, payload(server, client, &jws)?).await
}

/// The payload, if one of the live secrets made the tag.
fn payload<'j>(server: &AuthorizationServer, client: &Client, jws: &'j HmacJws<'_>) -> Result<&'j [u8], AuthFailure> {
    let mut why = AuthFailure::WrongSecret;
    for kept in client.secrets.iter().filter(|secret| secret.lives(server.now())) {
        let Some(secret) = kept.open(server.client_secrets(), &client.id) else {
            why = AuthFailure::ForeignSecret;
            continue;
        };
        match jws.verify(secret.expose().as_bytes()) {
            Ok(payload) => return Ok(payload),
            Err(JwtError::InvalidSignature) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Err(why)
}
