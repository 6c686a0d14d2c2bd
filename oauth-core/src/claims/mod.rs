//! The claims of a JWT access token ([RFC 9068]) and the one way to trust them;
//! and the same for a signed introspection response ([RFC 9701]).
//!
//! [`verify_access_token`] and [`verify_introspection`] do all of it in the right
//! order: form, type, algorithm, key, signature, claims, expectations. A claim of
//! the wrong JSON type is an error, never an absent claim.
//!
//! [RFC 9068]: https://www.rfc-editor.org/rfc/rfc9068
//! [RFC 9701]: https://www.rfc-editor.org/rfc/rfc9701

mod actor;
mod confirmation;
mod expectations;
mod introspection;
mod parse;
#[cfg(test)]
mod tests;
mod verify;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

pub(crate) use self::verify::find_key;
pub use self::{
    actor::Actor,
    confirmation::Confirmation,
    expectations::{ClockSkew, Expectations, TooMuchSkew},
    introspection::{
        INTROSPECTION_RESPONSE_TYPE, IntrospectionExpectations, VerifiedIntrospection, parse_introspection,
        verify_introspection,
    },
    verify::{VerifiedAccessToken, verify_access_token, verify_access_token_jws},
};
use crate::{clock::UnixTime, scope::Scope};

/// The `typ` of a JWT access token (RFC 9068 section 2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The claims of a JWT access token (RFC 9068 section 2.2).
///
/// What the RFC requires is not optional here, so a value of this type has it.
/// `Debug` shows no claim.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AccessTokenClaims {
    /// `iss`: the authorization server's issuer identifier.
    pub iss: String,
    /// `exp`: the token is dead from this moment on.
    pub exp: UnixTime,
    /// `aud`: the resource servers meant; one is written as a string.
    #[serde(serialize_with = "one_or_many")]
    pub aud: Vec<String>,
    /// `sub`: the user, or the client itself where no user is involved.
    pub sub: String,
    /// `client_id`: the client the token was issued to.
    pub client_id: String,
    /// `iat`: when the token was issued.
    pub iat: UnixTime,
    /// `jti`: the token's own identifier.
    pub jti: String,
    /// `nbf`: the token is not good before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<UnixTime>,
    /// `scope` (RFC 9068 section 2.2.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// `auth_time`: when the user signed in (RFC 9068 section 2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<UnixTime>,
    /// `acr`: how well (RFC 9068 section 2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// `amr`: by what means (RFC 9068 section 2.2.1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// `cnf`: whoever sends the token must prove possession of this key
    /// (RFC 7800 section 3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// `authorization_details` (RFC 9396 section 9.1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<Value>,
    /// `grant_ref`, private to this family of crates: names the token's grant
    /// to this audience alone, in base64url, so that a revocation of the grant
    /// can reach whoever validates the token. A token for several audiences has
    /// one for each, in the order of `aud`, with a space between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_ref: Option<String>,
    /// All other claims, as they came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Why claims are refused. Claims are named, their values never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// The payload is not a JSON object.
    #[error("the payload is not a JSON object")]
    NotAnObject,
    /// A claim that RFC 9068 section 2.2 requires is absent.
    #[error("the claim `{0}` is missing")]
    Missing(&'static str),
    /// A claim has the wrong JSON type or an absurd value.
    #[error("the claim `{0}` is malformed")]
    Malformed(&'static str),
    /// A claim occurs twice (RFC 7519 section 4).
    #[error("a claim is repeated")]
    Repeated,
    /// `iss` is not, byte for byte, the expected issuer.
    #[error("the token is from another issuer")]
    WrongIssuer,
    /// `aud` does not name this resource server.
    #[error("the token is for another audience")]
    WrongAudience,
    /// `exp` has come.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` lies in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iat` lies before the question that this was to answer.
    #[error("the answer is older than the question")]
    Stale,
}

impl AccessTokenClaims {
    /// The claims RFC 9068 section 2.2 requires; the others are empty.
    pub fn new(
        iss: impl Into<String>,
        aud: impl IntoIterator<Item = String>,
        sub: impl Into<String>,
        client_id: impl Into<String>,
        jti: impl Into<String>,
        iat: UnixTime,
        exp: UnixTime,
    ) -> Self {
        Self {
            iss: iss.into(),
            exp,
            aud: aud.into_iter().collect(),
            sub: sub.into(),
            client_id: client_id.into(),
            iat,
            jti: jti.into(),
            nbf: None,
            scope: None,
            auth_time: None,
            acr: None,
            amr: Vec::new(),
            cnf: None,
            authorization_details: Vec::new(),
            grant_ref: None,
            extra: Map::new(),
        }
    }

    /// Reads the payload of a token whose signature is known to be good.
    ///
    /// # Errors
    /// [`ClaimsError::NotAnObject`], [`ClaimsError::Missing`],
    /// [`ClaimsError::Malformed`] or [`ClaimsError::Repeated`].
    pub fn from_json(payload: &[u8]) -> Result<Self, ClaimsError> {
        parse::claims(payload)
    }
}

impl fmt::Debug for AccessTokenClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessTokenClaims(..)")
    }
}

impl<'de> Deserialize<'de> for AccessTokenClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse::deserialize(deserializer).map_err(de::Error::custom)
    }
}

/// RFC 7519 section 4.1.3: one audience "MAY be a single case-sensitive string".
fn one_or_many<S: Serializer>(aud: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match aud {
        [one] => serializer.serialize_str(one),
        many => many.serialize(serializer),
    }
}
