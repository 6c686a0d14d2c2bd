//! The signed list: the Status List Token (section 5.1).

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::StatusList;
use crate::{
    claims::{ClaimsError, ClockSkew, find_key},
    clock::UnixTime,
    jwk::{JwkSet, PublicKey},
    jwt::{self, Algorithm, Jws, JwtError, NumericDate},
    keys::{KeyError, SigningKey},
};

/// The `typ` of a signed list (section 5.1). As a media type, with
/// `application/` before it.
pub const STATUS_LIST_TYPE: &str = "statuslist+jwt";

/// What a signed list says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct StatusListClaims {
    issuer: String,
    uri: String,
    issued_at: UnixTime,
    expires_at: Option<UnixTime>,
    ttl: Option<u64>,
}

impl StatusListClaims {
    /// The list that `issuer` publishes at `uri`, as of `issued_at`.
    pub fn new(issuer: impl Into<String>, uri: impl Into<String>, issued_at: UnixTime) -> Self {
        Self { issuer: issuer.into(), uri: uri.into(), issued_at, expires_at: None, ttl: None }
    }

    /// It counts for nothing from here on.
    pub const fn expires_at(mut self, end: UnixTime) -> Self {
        self.expires_at = Some(end);
        self
    }

    /// After so many seconds a fresh one should be fetched.
    pub const fn ttl(mut self, seconds: u64) -> Self {
        self.ttl = Some(seconds);
        self
    }
}

/// Signs `list`.
///
/// # Errors
/// As [`jwt::sign`].
pub fn sign_status_list(key: &SigningKey, says: &StatusListClaims, list: &StatusList) -> Result<String, KeyError> {
    let (iss, sub, status_list) = (&*says.issuer, &*says.uri, Lst { bits: 1, lst: list.to_lst() });
    let claims = Claims { iss, sub, iat: says.issued_at, exp: says.expires_at, ttl: says.ttl, status_list };
    jwt::sign(key, STATUS_LIST_TYPE, &claims)
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    iat: UnixTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<UnixTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<u64>,
    status_list: Lst,
}

#[derive(Serialize, Deserialize)]
struct Lst {
    bits: u8,
    lst: String,
}

/// What a signed list must fit (section 8.3).
#[derive(Clone, Copy, Debug)]
pub struct StatusListExpectations<'a> {
    issuer: &'a str,
    uri: &'a str,
    now: UnixTime,
    skew: ClockSkew,
}

impl<'a> StatusListExpectations<'a> {
    /// The list that tokens of `issuer` name as `uri`, read at `now`.
    #[must_use]
    pub fn new(issuer: &'a str, uri: &'a str, now: UnixTime) -> Self {
        Self { issuer, uri, now, skew: ClockSkew::default() }
    }

    /// With another tolerance than 30 seconds.
    #[must_use]
    pub const fn with_skew(mut self, skew: ClockSkew) -> Self {
        self.skew = skew;
        self
    }

    fn check(&self, read: &Envelope) -> Result<(), ClaimsError> {
        // The draft asks for no `iss`; where there is one, it counts.
        if read.iss.as_deref().is_some_and(|iss| iss != self.issuer) {
            return Err(ClaimsError::WrongIssuer);
        }
        // "The subject claim of the Status List Token MUST be equal to the uri
        // claim in the status_list object of the Referenced Token".
        if read.sub != self.uri {
            return Err(ClaimsError::Malformed("sub"));
        }
        let skew = self.skew.as_secs();
        if read.exp.is_some_and(|exp| self.now >= exp.saturating_add(skew)) {
            return Err(ClaimsError::Expired);
        }
        let latest = self.now.saturating_add(skew);
        if read.iat > latest || read.nbf.is_some_and(|nbf| nbf > latest) {
            return Err(ClaimsError::NotYetValid);
        }
        Ok(())
    }
}

/// A list that passed every check, and the key it rests on.
#[derive(Clone)]
#[non_exhaustive]
pub struct VerifiedStatusList<'k> {
    /// The statuses.
    pub list: StatusList,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// From when on it counts for nothing, if it says so.
    pub expires_at: Option<UnixTime>,
    /// For how many seconds it may be kept, if it says so.
    pub ttl: Option<u64>,
    /// The key that signed it.
    pub key: &'k PublicKey,
}

/// Verifies a signed list (section 8.3): form, `typ`, algorithm, key,
/// signature, claims, and then inflates it.
///
/// # Errors
/// Any [`JwtError`]. [`JwtError::UnknownKey`] alone may be cured by fetching the
/// issuer's keys again; a list that cannot be inflated is
/// [`ClaimsError::Malformed`].
pub fn verify_status_list<'k>(
    token: &str,
    keys: &'k JwkSet,
    algorithms: &[Algorithm],
    expectations: &StatusListExpectations<'_>,
) -> Result<VerifiedStatusList<'k>, JwtError> {
    let jws = Jws::parse(token)?;
    // Else an access token could be taken for a list, and the other way round.
    if !jws.typ_is(STATUS_LIST_TYPE) {
        return Err(JwtError::WrongType);
    }
    if !algorithms.contains(&jws.alg()) {
        return Err(JwtError::AlgorithmNotAllowed);
    }
    let (verified, key) = find_key(&jws, keys)?;
    let read = Envelope::read(verified.payload())?;
    expectations.check(&read)?;
    let list = StatusList::from_lst(read.list.bits, &read.list.lst);
    let list = list.map_err(|_| ClaimsError::Malformed("status_list"))?;
    Ok(VerifiedStatusList { list, issued_at: read.iat, expires_at: read.exp, ttl: read.ttl, key })
}

/// The claims. All others are skipped unread.
struct Envelope {
    iss: Option<String>,
    sub: String,
    iat: UnixTime,
    exp: Option<UnixTime>,
    nbf: Option<UnixTime>,
    ttl: Option<u64>,
    list: Lst,
}

/// A member that is repeated is an error here, by serde's own rule.
#[derive(Deserialize)]
struct Raw {
    iss: Option<Value>,
    sub: Option<Value>,
    iat: Option<Value>,
    exp: Option<Value>,
    nbf: Option<Value>,
    ttl: Option<Value>,
    status_list: Option<Lst>,
}

impl Envelope {
    fn read(payload: &[u8]) -> Result<Self, JwtError> {
        // A derived reader would take an array for the object too.
        if payload.trim_ascii_start().first() != Some(&b'{') {
            return Err(ClaimsError::NotAnObject.into());
        }
        let raw: Raw = serde_json::from_slice(payload).map_err(|_| JwtError::MalformedPayload)?;
        let date = |date: NumericDate| date.0;
        // "MUST be a positive number"; a part of a second is as good as none.
        let ttl: Option<NumericDate> = optional("ttl", raw.ttl)?;
        let ttl = ttl.map(|ttl| ttl.0.0).filter(|ttl| *ttl > 0);
        Ok(Self {
            iss: optional("iss", raw.iss)?,
            sub: required("sub", raw.sub)?,
            iat: required("iat", raw.iat).map(date)?,
            exp: optional("exp", raw.exp)?.map(date),
            nbf: optional("nbf", raw.nbf)?.map(date),
            ttl,
            list: raw.status_list.ok_or(ClaimsError::Missing("status_list"))?,
        })
    }
}

fn required<T: DeserializeOwned>(name: &'static str, value: Option<Value>) -> Result<T, ClaimsError> {
    optional(name, value)?.ok_or(ClaimsError::Missing(name))
}

fn optional<T: DeserializeOwned>(name: &'static str, value: Option<Value>) -> Result<Option<T>, ClaimsError> {
    value.map(|value| serde_json::from_value(value).map_err(|_| ClaimsError::Malformed(name))).transpose()
}

impl fmt::Debug for VerifiedStatusList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedStatusList").field("list", &self.list).finish_non_exhaustive()
    }
}
