//! A token, parsed and then verified: two types, so that the order is a law.

use std::{borrow::Cow, fmt};

use memchr::{memchr, memrchr};
use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{
    Algorithm, JwtError, MAX_HEADER_BYTES, MAX_TOKEN_BYTES, base64url,
    header::{Header, Text, is_same_media_type},
};
use crate::jwk::PublicKey;

/// A well-formed compact JWS whose signature nobody has checked yet.
///
/// What it says of itself (`alg`, `kid`, `typ`) serves to choose the key and
/// to refuse; nothing else of it can be read before [`Jws::verify`].
pub struct Jws<'a> {
    /// `header "." payload`, which is what the signature covers.
    signing_input: &'a str,
    header: Header,
    /// Payload and signature, decoded, one after the other.
    decoded: Vec<u8>,
    payload_bytes: usize,
}

impl<'a> Jws<'a> {
    /// Reads `token`: three non-empty base64url parts without padding
    /// (RFC 7515 section 7.1), within the limits of [`MAX_TOKEN_BYTES`] and
    /// [`MAX_HEADER_BYTES`].
    ///
    /// # Errors
    /// [`JwtError::TooLarge`], [`JwtError::NotCompact`],
    /// [`JwtError::MalformedHeader`], [`JwtError::CriticalExtension`] or
    /// [`JwtError::UnsupportedAlgorithm`].
    pub fn parse(token: &'a str) -> Result<Self, JwtError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(JwtError::TooLarge);
        }
        let (signing_input, signature) = split(token, memrchr(b'.', token.as_bytes()))?;
        let (header, payload) = split(signing_input, memchr(b'.', signing_input.as_bytes()))?;
        let mut decoded = Vec::with_capacity(token.len());
        decode(header, &mut decoded)?;
        if decoded.len() > MAX_HEADER_BYTES {
            return Err(JwtError::TooLarge);
        }
        let header = Header::parse(&decoded)?;
        decoded.clear();
        decode(payload, &mut decoded)?;
        let payload_bytes = decoded.len();
        decode(signature, &mut decoded)?;
        Ok(Self { signing_input, header, decoded, payload_bytes })
    }

    /// The algorithm the token names. It decides nothing: the key does.
    #[must_use]
    pub const fn alg(&self) -> Algorithm {
        self.header.alg
    }

    /// The key the token names (RFC 7515 section 4.1.4). It may be anything at
    /// all: compare it, never build a URL or a query from it.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// The type the token names (RFC 7515 section 4.1.9).
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }

    /// Whether `typ` is present and names `media_type`, in any case, with or
    /// without `application/` (RFC 7515 section 4.1.9).
    #[must_use]
    pub fn typ_is(&self, media_type: &str) -> bool {
        self.typ().is_some_and(|typ| is_same_media_type(typ, media_type))
    }

    /// The `iss` claim as the token's sender wrote it, **unverified**.
    ///
    /// Its one use is to look up which configured issuer's keys and rules to
    /// apply; the chosen issuer must then be checked as the claim again, after
    /// the signature. `None` if there is no such claim, if it is repeated or
    /// not a string, or if the payload is no JSON object.
    #[must_use]
    pub fn unverified_issuer(&self) -> Option<Cow<'_, str>> {
        serde_json::from_slice::<IssuerOnly<'_>>(self.payload()).ok()?.0
    }

    /// Checks the signature with `key`. Which algorithms are possible is the
    /// key's decision, never the header's (RFC 8725 section 3.1).
    ///
    /// # Errors
    /// [`JwtError::AlgorithmNotAllowed`] if the key does not sign with
    /// [`Jws::alg`], [`JwtError::InvalidSignature`] if the signature is wrong.
    pub fn verify(&self, key: &PublicKey) -> Result<VerifiedJws<'_>, JwtError> {
        key.verify(self.alg(), self.signing_input.as_bytes(), self.signature())?;
        Ok(VerifiedJws { jws: self })
    }

    fn payload(&self) -> &[u8] {
        self.decoded.split_at_checked(self.payload_bytes).map_or(&[], |parts| parts.0)
    }

    fn signature(&self) -> &[u8] {
        self.decoded.split_at_checked(self.payload_bytes).map_or(&[], |parts| parts.1)
    }
}

/// What stands before the dot at `place`, and what behind it.
pub(super) fn split(text: &str, place: Option<usize>) -> Result<(&str, &str), JwtError> {
    let (before, rest) = place.and_then(|place| text.split_at_checked(place)).ok_or(JwtError::NotCompact)?;
    Ok((before, rest.strip_prefix('.').ok_or(JwtError::NotCompact)?))
}

/// Appends one non-empty part to `decoded`.
pub(super) fn decode(part: &str, decoded: &mut Vec<u8>) -> Result<(), JwtError> {
    let before = decoded.len();
    base64url::decode(part, decoded).map_err(|_| JwtError::NotCompact)?;
    if decoded.len() == before { Err(JwtError::NotCompact) } else { Ok(()) }
}

/// The `iss` claim of a token of any kind, **unverified**: as
/// [`Jws::unverified_issuer`] has it, to find out whose key to ask for.
#[cfg(feature = "server")]
pub(crate) fn unverified_issuer(token: &str) -> Option<String> {
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let (signing_input, _) = split(token, memrchr(b'.', token.as_bytes())).ok()?;
    let (_, payload) = split(signing_input, memchr(b'.', signing_input.as_bytes())).ok()?;
    let mut decoded = Vec::new();
    decode(payload, &mut decoded).ok()?;
    serde_json::from_slice::<IssuerOnly<'_>>(&decoded).ok()?.0.map(Cow::into_owned)
}

impl fmt::Debug for Jws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jws").field("alg", &self.alg()).finish_non_exhaustive()
    }
}

/// A [`Jws`] whose signature is good. It is made by [`Jws::verify`] alone.
#[derive(Clone, Copy)]
pub struct VerifiedJws<'a> {
    jws: &'a Jws<'a>,
}

impl<'a> VerifiedJws<'a> {
    /// The payload as `T`. A struct derived with serde refuses repeated
    /// members and wrong types; what claims *mean* is the caller's to check.
    ///
    /// # Errors
    /// [`JwtError::MalformedPayload`] if the payload is not such a `T`.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, JwtError> {
        serde_json::from_slice(self.payload()).map_err(|_| JwtError::MalformedPayload)
    }

    /// The payload itself.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.jws.payload()
    }

    /// The token this is.
    #[must_use]
    pub const fn jws(&self) -> &'a Jws<'a> {
        self.jws
    }
}

impl fmt::Debug for VerifiedJws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifiedJws").field(self.jws).finish()
    }
}

/// Walks over a payload and keeps `iss`; everything else is skipped unread.
struct IssuerOnly<'de>(Option<Cow<'de, str>>);

impl<'de> Deserialize<'de> for IssuerOnly<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(IssuerVisitor)
    }
}

struct IssuerVisitor;

impl<'de> Visitor<'de> for IssuerVisitor {
    type Value = IssuerOnly<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<IssuerOnly<'de>, A::Error> {
        let mut issuer = None;
        while let Some(Text(name)) = map.next_key()? {
            if name != "iss" {
                map.next_value::<IgnoredAny>()?;
            } else if issuer.replace(map.next_value::<Text<'de>>()?.0).is_some() {
                return Err(de::Error::duplicate_field("iss"));
            }
        }
        Ok(IssuerOnly(issuer))
    }
}
