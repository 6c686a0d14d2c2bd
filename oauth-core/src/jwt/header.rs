//! The JOSE header: what is read of it, and what is refused.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{Algorithm, JwtError, MAX_HEADER_MEMBERS};

/// The three members that matter. All others are skipped unread, keys above
/// all (RFC 8725 section 3.10).
pub(super) struct Header<A = Algorithm> {
    pub(super) alg: A,
    pub(super) kid: Option<Box<str>>,
    pub(super) typ: Option<Box<str>>,
}

impl<A: FromStr> Header<A> {
    pub(super) fn parse(json: &[u8]) -> Result<Self, JwtError> {
        let json = std::str::from_utf8(json).map_err(|_| JwtError::MalformedHeader)?;
        let raw: RawHeader<'_> = serde_json::from_str(json).map_err(|_| JwtError::MalformedHeader)?;
        // RFC 7515 section 4.1.11: if an extension is not understood, "the JWS
        // is invalid". None is understood here.
        if raw.demands_extension {
            return Err(JwtError::CriticalExtension);
        }
        let alg = raw.alg.and_then(|name| name.parse().ok()).ok_or(JwtError::UnsupportedAlgorithm)?;
        Ok(Self { alg, kid: raw.kid, typ: raw.typ })
    }
}

/// RFC 7515 section 4.1.9: `application/` is implied where there is no slash,
/// and media types do not depend on case (RFC 2045 section 5.1).
pub(crate) fn is_same_media_type(one: &str, other: &str) -> bool {
    without_application(one).eq_ignore_ascii_case(without_application(other))
}

fn without_application(media_type: &str) -> &str {
    match media_type.split_once('/') {
        Some((kind, rest)) if kind.eq_ignore_ascii_case("application") && !rest.contains('/') => rest,
        _ => media_type,
    }
}

#[derive(Default)]
struct RawHeader<'de> {
    alg: Option<Cow<'de, str>>,
    kid: Option<Box<str>>,
    typ: Option<Box<str>>,
    demands_extension: bool,
}

impl<'de> Deserialize<'de> for RawHeader<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = RawHeader<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JOSE header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawHeader<'de>, A::Error> {
        let mut header = RawHeader::default();
        let mut others: Vec<Cow<'_, str>> = Vec::new();
        let mut members = 0;
        while let Some(Text(name)) = map.next_key()? {
            members += 1;
            if members > MAX_HEADER_MEMBERS {
                return Err(de::Error::custom("too many header members"));
            }
            match name.as_bytes() {
                b"alg" => fill(&mut header.alg, map.next_value::<Text<'de>>()?.0)?,
                b"kid" => fill(&mut header.kid, map.next_value::<Text<'_>>()?.0.into())?,
                b"typ" => fill(&mut header.typ, map.next_value::<Text<'_>>()?.0.into())?,
                other => {
                    header.demands_extension |= matches!(other, b"crit" | b"b64");
                    // RFC 7515 section 4: "Header Parameter names within the
                    // JOSE Header MUST be unique".
                    if others.contains(&name) {
                        return Err(de::Error::custom("repeated header member"));
                    }
                    others.push(name);
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(header)
    }
}

fn fill<T, E: de::Error>(slot: &mut Option<T>, value: T) -> Result<(), E> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::custom("repeated header member")),
    }
}

/// A string that stays borrowed where JSON has no escape in it; serde's own
/// `Cow` is always owned.
pub(crate) struct Text<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(text.to_owned().into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Text<'de>, E> {
        Ok(Text(text.into()))
    }
}
