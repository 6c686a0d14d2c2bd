//! From the text of a token to claims that can be trusted.

use super::{ACCESS_TOKEN_TYPE, AccessTokenClaims, Expectations};
use crate::{
    jwk::{JwkSet, PublicKey},
    jwt::{Algorithm, Jws, JwtError},
};

/// An access token that passed every check, and the key it rests on: when the
/// key goes, so must every verdict that rests on it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifiedAccessToken<'k> {
    /// The claims.
    pub claims: AccessTokenClaims,
    /// The key that signed them.
    pub key: &'k PublicKey,
}

/// Verifies a JWT access token (RFC 9068 section 4): form, `typ`, algorithm,
/// key, signature, claims and `expectations`, in this order.
///
/// `keys` and `algorithms` are those of the one issuer that `expectations`
/// name. A binding (`cnf`) is left to the caller, who alone knows how the
/// token was sent; see [`Confirmation::is_understood`].
///
/// ```
/// use oauth_core::{
///     claims::{AccessTokenClaims, Expectations, verify_access_token},
///     clock::UnixTime, jwk::JwkSet, jwt::{self, Algorithm}, keys::SigningKey,
/// };
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let claims = AccessTokenClaims::new(
///     "https://as.example", ["https://api.example".to_owned()], "ada", "app", "1",
///     UnixTime(1_000), UnixTime(1_300),
/// );
/// let token = jwt::sign(&key, "at+jwt", &claims)?;
///
/// let keys: JwkSet = [&key].into_iter().collect();
/// let expected = Expectations::new("https://as.example", "https://api.example", UnixTime(1_100));
/// let verified = verify_access_token(&token, &keys, &[Algorithm::ES256], &expected)?;
/// assert_eq!(verified.claims.sub, "ada");
/// assert_eq!(verified.key.thumbprint(), key.kid());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Any [`JwtError`]. [`JwtError::UnknownKey`] alone may be cured by fetching
/// the issuer's keys again.
///
/// [`Confirmation::is_understood`]: super::Confirmation::is_understood
pub fn verify_access_token<'k>(
    token: &str,
    keys: &'k JwkSet,
    algorithms: &[Algorithm],
    expectations: &Expectations<'_>,
) -> Result<VerifiedAccessToken<'k>, JwtError> {
    verify_access_token_jws(&Jws::parse(token)?, keys, algorithms, expectations)
}

/// [`verify_access_token`] for a token that was parsed already, to choose the
/// issuer by [`Jws::unverified_issuer`].
///
/// # Errors
/// As [`verify_access_token`].
pub fn verify_access_token_jws<'k>(
    jws: &Jws<'_>,
    keys: &'k JwkSet,
    algorithms: &[Algorithm],
    expectations: &Expectations<'_>,
) -> Result<VerifiedAccessToken<'k>, JwtError> {
    // RFC 9068 section 4: "MUST verify that the 'typ' header value is 'at+jwt'
    // or 'application/at+jwt' and reject tokens carrying any other".
    if !jws.typ_is(ACCESS_TOKEN_TYPE) {
        return Err(JwtError::WrongType);
    }
    if !algorithms.contains(&jws.alg()) {
        return Err(JwtError::AlgorithmNotAllowed);
    }
    let (verified, key) = find_key(jws, keys)?;
    let claims = AccessTokenClaims::from_json(verified.payload())?;
    expectations.check(&claims)?;
    Ok(VerifiedAccessToken { claims, key })
}

/// The first candidate that made the signature.
pub(crate) fn find_key<'j, 'k>(
    jws: &'j Jws<'_>,
    keys: &'k JwkSet,
) -> Result<(crate::jwt::VerifiedJws<'j>, &'k PublicKey), JwtError> {
    // Without a `kid`, a wrong signature and a key not yet known look the same,
    // and an issuer that names no key must be able to rotate all the same.
    let mut failure = JwtError::UnknownKey;
    for key in keys.candidates(jws.kid(), jws.alg()) {
        match jws.verify(key) {
            Ok(verified) => return Ok((verified, key)),
            Err(error) if jws.kid().is_some() => failure = error,
            Err(_) => {}
        }
    }
    Err(failure)
}
