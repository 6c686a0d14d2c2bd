//! Making a token.

use serde::Serialize;

use super::{Algorithm, base64url::encode};
use crate::keys::{KeyError, SigningKey};

/// Signs `claims` as a compact JWS with the header `typ`, `alg` and `kid`
/// (RFC 7515 section 7.1).
///
/// ```
/// use oauth_core::{jwt::{self, Algorithm}, keys::SigningKey};
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let token = jwt::sign(&key, "at+jwt", &serde_json::json!({ "sub": "ada" }))?;
/// assert_eq!(token.split('.').count(), 3);
/// # Ok::<_, oauth_core::keys::KeyError>(())
/// ```
///
/// # Errors
/// [`KeyError::Serialization`] if `claims` cannot be written as JSON,
/// [`KeyError::Signing`] if the signing library fails.
pub fn sign(key: &SigningKey, typ: &str, claims: &impl Serialize) -> Result<String, KeyError> {
    let header = Header { typ, alg: key.algorithm(), kid: key.kid() };
    let header = serde_json::to_vec(&header).map_err(|_| KeyError::Serialization)?;
    let payload = serde_json::to_vec(claims).map_err(|_| KeyError::Serialization)?;
    // Base64 of header, payload, an RSA signature of 256 bytes, and two dots.
    let mut token = String::with_capacity((header.len() + payload.len()) * 4 / 3 + 352);
    encode(&header, &mut token);
    token.push('.');
    encode(&payload, &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    encode(&signature, &mut token);
    Ok(token)
}

#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: Algorithm,
    kid: &'a str,
}
