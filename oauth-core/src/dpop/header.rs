//! `jwk`: the one header in this crate whose key is read, because the key is
//! the point. It lies here, out of reach of every other kind of token.

use std::{borrow::Cow, fmt};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::DpopError;
use crate::{
    jwk::{KeyMaterial, PRIVATE_MEMBERS, PublicKey},
    jwt::{Algorithm, MAX_HEADER_MEMBERS, Text},
};

/// The public key in the header of `proof`, to verify `algorithm` and nothing
/// else. `proof` has passed [`Jws::parse`](crate::jwt::Jws::parse): its header
/// is within bounds and repeats no member.
pub(super) fn public_key(proof: &str, algorithm: Algorithm) -> Result<PublicKey, DpopError> {
    let header = proof.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let header = header.ok_or(DpopError::Malformed)?;
    let header: Header<'_> = serde_json::from_slice(&header).map_err(|_| DpopError::InvalidKey)?;
    header.jwk.ok_or(DpopError::MissingKey)?.public_key(algorithm)
}

#[derive(serde::Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    jwk: Option<EmbeddedKey<'a>>,
}

/// A `jwk` as it came. What it must not have is noted, never kept.
#[derive(Default)]
struct EmbeddedKey<'a> {
    kty: Option<Cow<'a, str>>,
    crv: Option<Cow<'a, str>>,
    x: Option<Cow<'a, str>>,
    y: Option<Cow<'a, str>>,
    n: Option<Cow<'a, str>>,
    e: Option<Cow<'a, str>>,
    alg: Option<Cow<'a, str>>,
    public_key_use: Option<Cow<'a, str>>,
    key_ops: Option<Vec<Text<'a>>>,
    is_private: bool,
    is_symmetric: bool,
}

impl EmbeddedKey<'_> {
    fn public_key(self, algorithm: Algorithm) -> Result<PublicKey, DpopError> {
        if self.is_symmetric || self.kty.as_deref() == Some("oct") {
            return Err(DpopError::SymmetricKey);
        }
        // RFC 9449 section 4.3, item 7: "does not contain a private key".
        if self.is_private {
            return Err(DpopError::PrivateKey);
        }
        if !self.may_verify(algorithm) {
            return Err(DpopError::InvalidKey);
        }
        let material = self.material().ok_or(DpopError::InvalidKey)?;
        PublicKey::new(None, &material, Some(algorithm)).map_err(|_| DpopError::InvalidKey)
    }

    /// RFC 7517 sections 4.2 to 4.4: what the key says of its own use.
    fn may_verify(&self, algorithm: Algorithm) -> bool {
        self.alg.as_deref().is_none_or(|alg| alg.parse() == Ok(algorithm))
            && self.public_key_use.as_deref().is_none_or(|r#use| r#use == "sig")
            && self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op.0 == "verify"))
    }

    fn material(self) -> Option<KeyMaterial> {
        let text = |value: Option<Cow<'_, str>>| value.map(Cow::into_owned);
        Some(match &*self.kty? {
            "RSA" => KeyMaterial::Rsa { n: text(self.n)?, e: text(self.e)? },
            "EC" => KeyMaterial::Ec { crv: text(self.crv)?, x: text(self.x)?, y: text(self.y)? },
            "OKP" => KeyMaterial::Okp { crv: text(self.crv)?, x: text(self.x)? },
            _ => return None,
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for EmbeddedKey<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EmbeddedKeyVisitor)
    }
}

struct EmbeddedKeyVisitor;

impl<'de> Visitor<'de> for EmbeddedKeyVisitor {
    type Value = EmbeddedKey<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON Web Key")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EmbeddedKey<'de>, A::Error> {
        let mut key = EmbeddedKey::default();
        let mut names: Vec<Cow<'de, str>> = Vec::new();
        while let Some(Text(name)) = map.next_key()? {
            // RFC 7517 section 4: member names "MUST be unique".
            if names.len() == MAX_HEADER_MEMBERS || names.contains(&name) {
                return Err(de::Error::custom("too many members, or a repeated one"));
            }
            let slot = match &*name {
                "kty" => &mut key.kty,
                "crv" => &mut key.crv,
                "x" => &mut key.x,
                "y" => &mut key.y,
                "n" => &mut key.n,
                "e" => &mut key.e,
                "alg" => &mut key.alg,
                "use" => &mut key.public_key_use,
                "key_ops" => {
                    key.key_ops = Some(map.next_value()?);
                    names.push(name);
                    continue;
                }
                other => {
                    key.is_symmetric |= other == "k";
                    key.is_private |= PRIVATE_MEMBERS.contains(&other);
                    map.next_value::<IgnoredAny>()?;
                    names.push(name);
                    continue;
                }
            };
            *slot = Some(map.next_value::<Text<'de>>()?.0);
            names.push(name);
        }
        Ok(key)
    }
}
