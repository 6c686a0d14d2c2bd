//! Introspection responses, plain ([RFC 7662]) and signed ([RFC 9701]).
//!
//! [RFC 7662]: https://www.rfc-editor.org/rfc/rfc7662
//! [RFC 9701]: https://www.rfc-editor.org/rfc/rfc9701

use std::fmt;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{ClaimsError, ClockSkew, parse::OneOrMany, verify::find_key};
use crate::{
    clock::UnixTime,
    jwk::{JwkSet, PublicKey},
    jwt::{Algorithm, Jws, JwtError, NumericDate},
    members::Members,
};

/// The `typ` of a signed introspection response (RFC 9701 section 5). As a media
/// type, with `application/` before it.
pub const INTROSPECTION_RESPONSE_TYPE: &str = "token-introspection+jwt";

/// What a signed introspection response must fit (RFC 9701 section 5).
#[derive(Clone, Copy, Debug)]
pub struct IntrospectionExpectations<'a> {
    issuer: &'a str,
    audiences: &'a [&'a str],
    asked: UnixTime,
    now: UnixTime,
    skew: ClockSkew,
}

/// A signed introspection response that passed every check of RFC 9701, and the
/// key it rests on.
#[derive(Clone)]
#[non_exhaustive]
pub struct VerifiedIntrospection<'k> {
    /// The members of the response, as RFC 7662 section 2.2 has them. What they
    /// say of the token is yet to be judged, `active` above all.
    pub response: Map<String, Value>,
    /// The key that signed them.
    pub key: &'k PublicKey,
}

impl<'a> IntrospectionExpectations<'a> {
    /// A response of `issuer` to a question that was put at `asked`, read at
    /// `now`. It must name one of `audiences`: the names that the resource server
    /// goes by there, its `client_id` or its resource identifier.
    #[must_use]
    pub fn new(issuer: &'a str, audiences: &'a [&'a str], asked: UnixTime, now: UnixTime) -> Self {
        Self { issuer, audiences, asked, now, skew: ClockSkew::default() }
    }

    /// With another tolerance than 30 seconds.
    #[must_use]
    pub const fn with_skew(mut self, skew: ClockSkew) -> Self {
        self.skew = skew;
        self
    }

    fn check(&self, envelope: &Envelope) -> Result<(), ClaimsError> {
        if envelope.iss != self.issuer {
            return Err(ClaimsError::WrongIssuer);
        }
        if !envelope.aud.iter().any(|aud| self.audiences.contains(&aud.as_str())) {
            return Err(ClaimsError::WrongAudience);
        }
        let skew = self.skew.as_secs();
        // Older than the question, it is the answer to another one.
        if envelope.iat.saturating_add(skew) < self.asked {
            return Err(ClaimsError::Stale);
        }
        // RFC 9701 section 5 advises against `exp`; where it is, it counts.
        if envelope.exp.is_some_and(|exp| self.now >= exp.saturating_add(skew)) {
            return Err(ClaimsError::Expired);
        }
        let latest = self.now.saturating_add(skew);
        if envelope.iat > latest || envelope.nbf.is_some_and(|nbf| nbf > latest) {
            return Err(ClaimsError::NotYetValid);
        }
        Ok(())
    }
}

/// Reads a plain introspection response (RFC 7662 section 2.2): a JSON object, no
/// member of which is repeated.
///
/// ```
/// use oauth_core::claims::parse_introspection;
/// assert_eq!(parse_introspection(br#"{"active":false}"#)?["active"], false);
/// assert!(parse_introspection(br#"{"active":false,"active":true}"#).is_err());
/// # Ok::<_, oauth_core::claims::ClaimsError>(())
/// ```
///
/// # Errors
/// [`ClaimsError::NotAnObject`].
pub fn parse_introspection(body: &[u8]) -> Result<Map<String, Value>, ClaimsError> {
    serde_json::from_slice(body).map(|Members(members)| members).map_err(|_| ClaimsError::NotAnObject)
}

/// Verifies a signed introspection response (RFC 9701 section 5): form, `typ`,
/// algorithm, key, signature, `iss`, `aud` and `iat`, in this order.
///
/// `keys` and `algorithms` are those of the issuer that `expectations` name.
///
/// ```
/// use oauth_core::{
///     claims::{IntrospectionExpectations, verify_introspection},
///     clock::UnixTime, jwk::JwkSet, jwt::{self, Algorithm}, keys::SigningKey,
/// };
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let claims = serde_json::json!({
///     "iss": "https://as.example", "aud": "api", "iat": 1_000, "token_introspection": { "active": true },
/// });
/// let answer = jwt::sign(&key, "token-introspection+jwt", &claims)?;
///
/// let keys: JwkSet = [&key].into_iter().collect();
/// let expected = IntrospectionExpectations::new("https://as.example", &["api"], UnixTime(999), UnixTime(1_001));
/// let verified = verify_introspection(&answer, &keys, &[Algorithm::ES256], &expected)?;
/// assert_eq!(verified.response["active"], true);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Any [`JwtError`]. [`JwtError::UnknownKey`] alone may be cured by fetching the
/// issuer's keys again.
pub fn verify_introspection<'k>(
    answer: &str,
    keys: &'k JwkSet,
    algorithms: &[Algorithm],
    expectations: &IntrospectionExpectations<'_>,
) -> Result<VerifiedIntrospection<'k>, JwtError> {
    let jws = Jws::parse(answer)?;
    // RFC 9701 section 8.1: the type is what tells it from an access token.
    if !jws.typ_is(INTROSPECTION_RESPONSE_TYPE) {
        return Err(JwtError::WrongType);
    }
    if !algorithms.contains(&jws.alg()) {
        return Err(JwtError::AlgorithmNotAllowed);
    }
    let (verified, key) = find_key(&jws, keys)?;
    let envelope = Envelope::read(verified.payload())?;
    expectations.check(&envelope)?;
    Ok(VerifiedIntrospection { response: envelope.token_introspection, key })
}

impl fmt::Debug for VerifiedIntrospection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedIntrospection(..)")
    }
}

/// The claims of the JWT itself. All others are skipped unread.
struct Envelope {
    iss: String,
    aud: Vec<String>,
    iat: UnixTime,
    exp: Option<UnixTime>,
    nbf: Option<UnixTime>,
    token_introspection: Map<String, Value>,
}

impl Envelope {
    fn read(payload: &[u8]) -> Result<Self, JwtError> {
        // A derived reader would take an array for the object too.
        if payload.trim_ascii_start().first() != Some(&b'{') {
            return Err(ClaimsError::NotAnObject.into());
        }
        let raw: RawEnvelope = serde_json::from_slice(payload).map_err(|_| JwtError::MalformedPayload)?;
        let date = |date: NumericDate| date.0;
        Ok(Self {
            iss: required("iss", raw.iss)?,
            aud: required::<OneOrMany>("aud", raw.aud)?.0,
            iat: required("iat", raw.iat).map(date)?,
            exp: optional("exp", raw.exp)?.map(date),
            nbf: optional("nbf", raw.nbf)?.map(date),
            token_introspection: raw.token_introspection.ok_or(ClaimsError::Missing("token_introspection"))?.0,
        })
    }
}

/// A member that is repeated is an error here, by serde's own rule.
#[derive(Deserialize)]
struct RawEnvelope {
    iss: Option<Value>,
    aud: Option<Value>,
    iat: Option<Value>,
    exp: Option<Value>,
    nbf: Option<Value>,
    token_introspection: Option<Members>,
}

fn required<T: DeserializeOwned>(name: &'static str, value: Option<Value>) -> Result<T, ClaimsError> {
    optional(name, value)?.ok_or(ClaimsError::Missing(name))
}

fn optional<T: DeserializeOwned>(name: &'static str, value: Option<Value>) -> Result<Option<T>, ClaimsError> {
    value.map(|value| serde_json::from_value(value).map_err(|_| ClaimsError::Malformed(name))).transpose()
}
