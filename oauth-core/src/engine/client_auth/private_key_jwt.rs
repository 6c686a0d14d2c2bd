//! `private_key_jwt`: an assertion that the client's own key has signed
//! ([OpenID Connect Core section 9]).
//!
//! [OpenID Connect Core section 9]: https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication

use super::{
    AuthFailure, Proof,
    assertion::{Assertion, accept, check_header},
    keys,
};
use crate::{
    client::{AssertionAlgorithm, Client},
    jwk::JwkSet,
    jwt::{Jws, JwtError, VerifiedJws},
    server::AuthorizationServer,
};

/// That one of the registered keys has signed the assertion. What the header says
/// about keys (`jwk`, `jku`, `x5c`, `x5u`) is not read: RFC 8725 section 3.10.
pub(super) async fn prove(server: &AuthorizationServer, client: &Client, assertion: &Assertion<'_>) -> Proof {
    assertion.within_limits()?;
    let jws = Jws::parse(assertion.text).map_err(AuthFailure::from)?;
    check_header(server, client, AssertionAlgorithm::Signature(jws.alg()), jws.typ())?;
    let keys = keys::to_verify(server, client, &jws).await?;
    let verified = verify(&jws, keys.keys(), server.nobody().keys());
    accept(server, client, verified.map_err(AuthFailure::from)?.payload()).await
}

/// Several keys may have the same `kid`, or none. Where no key fits, one of
/// nobody's takes the time that trying one takes.
fn verify<'j>(jws: &'j Jws<'_>, keys: &JwkSet, nobodys: &JwkSet) -> Result<VerifiedJws<'j>, JwtError> {
    let mut why = JwtError::UnknownKey;
    for key in keys.candidates(jws.kid(), jws.alg()) {
        match jws.verify(key) {
            Ok(verified) => return Ok(verified),
            Err(error) => why = error,
        }
    }
    if why == JwtError::UnknownKey {
        let nobodys = nobodys.candidates(None, jws.alg());
        nobodys.for_each(|key| drop(std::hint::black_box(jws.verify(key))));
    }
    Err(why)
}
