//! What the verifier of a token knows beforehand.

use super::{AccessTokenClaims, ClaimsError};
use crate::clock::UnixTime;

/// How far two clocks may be apart: 0 to 60 seconds, 30 by default.
///
/// ```
/// use oauth_core::claims::ClockSkew;
/// assert!(ClockSkew::from_secs(60).is_ok());
/// assert!(ClockSkew::from_secs(61).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSkew(u64);

/// More than [`ClockSkew::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a clock skew is at most 60 seconds")]
pub struct TooMuchSkew;

impl ClockSkew {
    /// No tolerance at all.
    pub const ZERO: Self = Self(0);

    /// The most there is: beyond it, tolerance only prolongs stolen tokens.
    pub const MAX: Self = Self(60);

    /// A tolerance of `seconds`.
    ///
    /// # Errors
    /// [`TooMuchSkew`] if that is more than 60.
    pub const fn from_secs(seconds: u64) -> Result<Self, TooMuchSkew> {
        if seconds > Self::MAX.0 { Err(TooMuchSkew) } else { Ok(Self(seconds)) }
    }

    /// The tolerance in seconds.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }
}

impl Default for ClockSkew {
    fn default() -> Self {
        Self(30)
    }
}

/// What the claims of an access token must fit (RFC 9068 section 4).
///
/// ```
/// use oauth_core::{claims::{AccessTokenClaims, ClaimsError, Expectations}, clock::UnixTime};
/// let claims = AccessTokenClaims::new(
///     "https://as.example", ["https://api.example".to_owned()], "ada", "app", "1",
///     UnixTime(1_000), UnixTime(1_300),
/// );
/// let at = |now| Expectations::new("https://as.example", "https://api.example", UnixTime(now));
/// assert_eq!(at(1_100).check(&claims), Ok(()));
/// assert_eq!(at(1_400).check(&claims), Err(ClaimsError::Expired));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Expectations<'a> {
    issuer: &'a str,
    audience: Option<&'a str>,
    now: UnixTime,
    skew: ClockSkew,
}

impl<'a> Expectations<'a> {
    /// A token of `issuer` for `audience`, good at `now`, with the default
    /// [`ClockSkew`].
    #[must_use]
    pub fn new(issuer: &'a str, audience: &'a str, now: UnixTime) -> Self {
        Self { issuer, audience: Some(audience), now, skew: ClockSkew::default() }
    }

    /// A token of `issuer`, for whomever: only for the issuer itself, which
    /// introspects what it has signed. A resource server that accepts tokens
    /// meant for others can be attacked by any of them (RFC 9068 section 5).
    #[must_use]
    pub fn insecure_any_audience(issuer: &'a str, now: UnixTime) -> Self {
        Self { issuer, audience: None, now, skew: ClockSkew::default() }
    }

    /// With another tolerance.
    #[must_use]
    pub const fn with_skew(mut self, skew: ClockSkew) -> Self {
        self.skew = skew;
        self
    }

    /// Whether `claims` are as expected.
    ///
    /// # Errors
    /// [`ClaimsError::WrongIssuer`], [`ClaimsError::WrongAudience`],
    /// [`ClaimsError::Expired`] or [`ClaimsError::NotYetValid`].
    pub fn check(&self, claims: &AccessTokenClaims) -> Result<(), ClaimsError> {
        if claims.iss != self.issuer {
            return Err(ClaimsError::WrongIssuer);
        }
        if self.audience.is_some_and(|audience| !claims.aud.iter().any(|aud| aud == audience)) {
            return Err(ClaimsError::WrongAudience);
        }
        let skew = self.skew.as_secs();
        // RFC 7519 section 4.1.4: "on or after which the JWT MUST NOT be accepted".
        if self.now >= claims.exp.saturating_add(skew) {
            return Err(ClaimsError::Expired);
        }
        let latest = self.now.saturating_add(skew);
        if claims.iat > latest || claims.nbf.is_some_and(|nbf| nbf > latest) {
            return Err(ClaimsError::NotYetValid);
        }
        Ok(())
    }
}
