//! From JSON to claims: one pass, no default, no coercion.

use std::{cell::Cell, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::Map;

use super::{AccessTokenClaims, ClaimsError};
use crate::{
    jwt::{NumericDate, Text},
    scope::Scope,
};

pub(super) fn claims(payload: &[u8]) -> Result<AccessTokenClaims, ClaimsError> {
    let fault = Cell::new(ClaimsError::NotAnObject);
    // Checked as a whole, the text need not be checked string by string.
    let payload = std::str::from_utf8(payload).map_err(|_| ClaimsError::NotAnObject)?;
    let mut deserializer = serde_json::Deserializer::from_str(payload);
    let claims = Claims { fault: &fault }.deserialize(&mut deserializer).map_err(|_| fault.get())?;
    deserializer.end().map_err(|_| ClaimsError::NotAnObject)?;
    Ok(claims)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AccessTokenClaims, D::Error> {
    Claims { fault: &Cell::new(ClaimsError::NotAnObject) }.deserialize(deserializer)
}

/// Reads claims and leaves in `fault` what would be wrong if reading stopped
/// now: the parser's own messages quote values, so they are never passed on.
struct Claims<'a> {
    fault: &'a Cell<ClaimsError>,
}

impl<'de> DeserializeSeed<'de> for Claims<'_> {
    type Value = AccessTokenClaims;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<AccessTokenClaims, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl Claims<'_> {
    /// The value of the claim `name`, into an empty `slot`.
    fn fill<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
        &self,
        name: &'static str,
        slot: &mut Option<T>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.fault.set(ClaimsError::Malformed(name));
        let repeated = slot.replace(map.next_value()?).is_some();
        self.fault.set(ClaimsError::NotAnObject);
        if repeated { Err(self.refuse(ClaimsError::Repeated)) } else { Ok(()) }
    }

    fn require<T, E: de::Error>(&self, name: &'static str, value: Option<T>) -> Result<T, E> {
        value.ok_or_else(|| self.refuse(ClaimsError::Missing(name)))
    }

    fn refuse<E: de::Error>(&self, fault: ClaimsError) -> E {
        self.fault.set(fault);
        E::custom(fault)
    }
}

impl<'de> Visitor<'de> for Claims<'_> {
    type Value = AccessTokenClaims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims of an access token")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AccessTokenClaims, A::Error> {
        let mut known = Known::default();
        let mut extra = Map::new();
        while let Some(Text(name)) = map.next_key()? {
            match name.as_bytes() {
                b"iss" => self.fill("iss", &mut known.iss, &mut map)?,
                b"exp" => self.fill("exp", &mut known.exp, &mut map)?,
                b"aud" => self.fill("aud", &mut known.aud, &mut map)?,
                b"sub" => self.fill("sub", &mut known.sub, &mut map)?,
                b"client_id" => self.fill("client_id", &mut known.client_id, &mut map)?,
                b"iat" => self.fill("iat", &mut known.iat, &mut map)?,
                b"jti" => self.fill("jti", &mut known.jti, &mut map)?,
                b"nbf" => self.fill("nbf", &mut known.nbf, &mut map)?,
                b"scope" => self.fill("scope", &mut known.scope, &mut map)?,
                b"auth_time" => self.fill("auth_time", &mut known.auth_time, &mut map)?,
                b"acr" => self.fill("acr", &mut known.acr, &mut map)?,
                b"amr" => self.fill("amr", &mut known.amr, &mut map)?,
                b"cnf" => self.fill("cnf", &mut known.cnf, &mut map)?,
                b"authorization_details" => {
                    self.fill("authorization_details", &mut known.authorization_details, &mut map)?;
                }
                b"grant_ref" => self.fill("grant_ref", &mut known.grant_ref, &mut map)?,
                _ => {
                    if extra.insert(name.into_owned(), map.next_value()?).is_some() {
                        return Err(self.refuse(ClaimsError::Repeated));
                    }
                }
            }
        }
        Ok(AccessTokenClaims {
            iss: self.require("iss", known.iss)?,
            exp: self.require("exp", known.exp)?.0,
            aud: self.require("aud", known.aud)?.0,
            sub: self.require("sub", known.sub)?,
            client_id: self.require("client_id", known.client_id)?,
            iat: self.require("iat", known.iat)?.0,
            jti: self.require("jti", known.jti)?,
            nbf: known.nbf.map(|date| date.0),
            scope: known.scope.map(|scope| scope.0),
            auth_time: known.auth_time.map(|date| date.0),
            acr: known.acr,
            amr: known.amr.unwrap_or_default(),
            cnf: known.cnf,
            authorization_details: known.authorization_details.unwrap_or_default(),
            grant_ref: known.grant_ref,
            extra,
        })
    }
}

#[derive(Default)]
struct Known {
    iss: Option<String>,
    exp: Option<NumericDate>,
    aud: Option<OneOrMany>,
    sub: Option<String>,
    client_id: Option<String>,
    iat: Option<NumericDate>,
    jti: Option<String>,
    nbf: Option<NumericDate>,
    scope: Option<ScopeText>,
    auth_time: Option<NumericDate>,
    acr: Option<String>,
    amr: Option<Vec<String>>,
    cnf: Option<super::Confirmation>,
    authorization_details: Option<Vec<serde_json::Value>>,
    grant_ref: Option<String>,
}

/// [`Scope`] from a string that is not copied first.
struct ScopeText(Scope);

impl<'de> Deserialize<'de> for ScopeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer)?.0.parse().map(Self).map_err(de::Error::custom)
    }
}

/// RFC 7519 section 4.1.3: `aud` is an array of strings, or one string.
pub(super) struct OneOrMany(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AudienceVisitor)
    }
}

struct AudienceVisitor;

impl<'de> Visitor<'de> for AudienceVisitor {
    type Value = OneOrMany;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E>(self, one: &str) -> Result<OneOrMany, E> {
        Ok(OneOrMany(vec![one.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany, A::Error> {
        let mut many = Vec::new();
        while let Some(one) = seq.next_element()? {
            many.push(one);
        }
        Ok(OneOrMany(many))
    }
}
