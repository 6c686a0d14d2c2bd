//! From the payload of a proof to its claims: one pass, no default, no coercion.

use std::{borrow::Cow, cell::Cell, fmt};

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{DpopError, MAX_CLAIMS, MAX_ID_CHARS};
use crate::{
    clock::UnixTime,
    jwt::{NumericDate, Text},
};

/// The claims of a proof (RFC 9449 section 4.2), and the two times that any
/// JWT may have (RFC 7519 sections 4.1.4 and 4.1.5).
pub(super) struct ProofClaims<'a> {
    pub(super) jti: Cow<'a, str>,
    pub(super) htm: Cow<'a, str>,
    pub(super) htu: Cow<'a, str>,
    pub(super) iat: UnixTime,
    pub(super) ath: Option<Cow<'a, str>>,
    pub(super) nonce: Option<Cow<'a, str>>,
    pub(super) exp: Option<UnixTime>,
    pub(super) nbf: Option<UnixTime>,
}

impl<'a> ProofClaims<'a> {
    pub(super) fn from_json(payload: &'a [u8]) -> Result<Self, DpopError> {
        let payload = std::str::from_utf8(payload).map_err(|_| DpopError::MalformedPayload)?;
        let fault = Cell::new(DpopError::MalformedPayload);
        let mut deserializer = serde_json::Deserializer::from_str(payload);
        let known = Reader { fault: &fault }.deserialize(&mut deserializer).map_err(|_| fault.get())?;
        deserializer.end().map_err(|_| DpopError::MalformedPayload)?;
        known.required()
    }
}

#[derive(Default)]
struct Known<'a> {
    jti: Option<Text<'a>>,
    htm: Option<Text<'a>>,
    htu: Option<Text<'a>>,
    iat: Option<NumericDate>,
    ath: Option<Text<'a>>,
    nonce: Option<Text<'a>>,
    exp: Option<NumericDate>,
    nbf: Option<NumericDate>,
}

impl<'a> Known<'a> {
    /// RFC 9449 section 4.3, item 3: "All required claims … are contained".
    fn required(self) -> Result<ProofClaims<'a>, DpopError> {
        let nonce = self.nonce.map(|text| text.0);
        Ok(ProofClaims {
            jti: identifier("jti", self.jti.ok_or(DpopError::MissingClaim("jti"))?.0)?,
            htm: self.htm.ok_or(DpopError::MissingClaim("htm"))?.0,
            htu: self.htu.ok_or(DpopError::MissingClaim("htu"))?.0,
            iat: self.iat.ok_or(DpopError::MissingClaim("iat"))?.0,
            ath: self.ath.map(|text| text.0),
            nonce: nonce.map(|nonce| identifier("nonce", nonce)).transpose()?,
            exp: self.exp.map(|date| date.0),
            nbf: self.nbf.map(|date| date.0),
        })
    }
}

fn identifier<'a>(name: &'static str, text: Cow<'a, str>) -> Result<Cow<'a, str>, DpopError> {
    let chars = text.chars().take(MAX_ID_CHARS + 1).count();
    if (1..=MAX_ID_CHARS).contains(&chars) { Ok(text) } else { Err(DpopError::MalformedClaim(name)) }
}

/// Reads claims and leaves in `fault` what would be wrong if reading stopped
/// now: the parser's own messages quote values, so they are never passed on.
struct Reader<'f> {
    fault: &'f Cell<DpopError>,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Known<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Known<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl Reader<'_> {
    fn fill<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
        &self,
        name: &'static str,
        slot: &mut Option<T>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.fault.set(DpopError::MalformedClaim(name));
        let repeated = slot.replace(map.next_value()?).is_some();
        self.fault.set(DpopError::MalformedPayload);
        if repeated { Err(self.refuse(DpopError::RepeatedClaim)) } else { Ok(()) }
    }

    fn refuse<E: de::Error>(&self, fault: DpopError) -> E {
        self.fault.set(fault);
        E::custom(fault)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Known<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims of a DPoP proof")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Known<'de>, A::Error> {
        let mut known = Known::default();
        let mut others: Vec<Cow<'de, str>> = Vec::new();
        let mut claims = 0;
        while let Some(Text(name)) = map.next_key()? {
            claims += 1;
            if claims > MAX_CLAIMS {
                return Err(self.refuse(DpopError::MalformedPayload));
            }
            match &*name {
                "jti" => self.fill("jti", &mut known.jti, &mut map)?,
                "htm" => self.fill("htm", &mut known.htm, &mut map)?,
                "htu" => self.fill("htu", &mut known.htu, &mut map)?,
                "iat" => self.fill("iat", &mut known.iat, &mut map)?,
                "ath" => self.fill("ath", &mut known.ath, &mut map)?,
                "nonce" => self.fill("nonce", &mut known.nonce, &mut map)?,
                "exp" => self.fill("exp", &mut known.exp, &mut map)?,
                "nbf" => self.fill("nbf", &mut known.nbf, &mut map)?,
                _ if others.contains(&name) => return Err(self.refuse(DpopError::RepeatedClaim)),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    others.push(name);
                }
            }
        }
        Ok(known)
    }
}
