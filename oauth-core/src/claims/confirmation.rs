//! `cnf`: the key a token is bound to.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::jwt::Text;

/// The `cnf` claim (RFC 7800 section 3): the proof-of-possession key.
///
/// A member that is not known here is kept and written again, because a token
/// bound in an unknown way must be refused, not treated as a bearer token: ask
/// [`Confirmation::is_understood`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Confirmation {
    /// `jkt`: the thumbprint of a DPoP key (RFC 9449 section 6.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
    /// `x5t#S256`: the digest of a client certificate (RFC 8705 section 3.1).
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    pub x5t_s256: Option<String>,
    /// The rest, if there is any.
    #[serde(flatten)]
    unknown: Option<Box<Map<String, Value>>>,
}

impl Confirmation {
    /// A binding to the DPoP key with this RFC 7638 thumbprint.
    pub fn dpop(jkt: impl Into<String>) -> Self {
        Self { jkt: Some(jkt.into()), ..Self::default() }
    }

    /// A binding to the certificate with this SHA-256, in base64url.
    pub fn certificate(x5t_s256: impl Into<String>) -> Self {
        Self { x5t_s256: Some(x5t_s256.into()), ..Self::default() }
    }

    /// Whether every member is known here, and there is one at least.
    #[must_use]
    pub const fn is_understood(&self) -> bool {
        self.unknown.is_none() && (self.jkt.is_some() || self.x5t_s256.is_some())
    }
}

impl<'de> Deserialize<'de> for Confirmation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ConfirmationVisitor)
    }
}

struct ConfirmationVisitor;

impl<'de> Visitor<'de> for ConfirmationVisitor {
    type Value = Confirmation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Confirmation, A::Error> {
        let mut cnf = Confirmation::default();
        while let Some(Text(name)) = map.next_key()? {
            let slot = match &*name {
                "jkt" => &mut cnf.jkt,
                "x5t#S256" => &mut cnf.x5t_s256,
                _ => {
                    let value = map.next_value()?;
                    if cnf.unknown.get_or_insert_default().insert(name.into_owned(), value).is_some() {
                        return Err(de::Error::custom("repeated member"));
                    }
                    continue;
                }
            };
            if slot.replace(map.next_value::<Text<'_>>()?.0.into_owned()).is_some() {
                return Err(de::Error::custom("repeated member"));
            }
        }
        Ok(cnf)
    }
}
