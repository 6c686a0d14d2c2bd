//! How well, and how long ago, the user must have signed in ([RFC 9470]).
//!
//! [RFC 9470]: https://www.rfc-editor.org/rfc/rfc9470

use oauth_core::{challenge::Challenge, clock::UnixTime};

use super::super::token::TokenClaims;

/// The authentication that an operation asks for (RFC 9470 section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    acr_values: Option<Box<[Box<str>]>>,
    max_age: Option<u64>,
}

/// How many seconds `auth_time` may lie ahead of our clock.
const SKEW: u64 = 60;

impl Authentication {
    pub(super) fn in_context<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> Self {
        let values: Box<[Box<str>]> = values.into_iter().map(|value| value.as_ref().into()).collect();
        assert!(!values.is_empty(), "there is no authentication context to choose from");
        values.iter().for_each(|value| {
            assert!(
                is_acr(value),
                "`{value}` is no authentication context: it is empty, or not printable, or has a space"
            );
        });
        Self { acr_values: Some(values), max_age: None }
    }

    pub(super) const fn within(seconds: u64) -> Self {
        Self { acr_values: None, max_age: Some(seconds) }
    }

    /// The contexts any of which will do, best liked first. None if any context
    /// at all will do.
    pub fn acr_values(&self) -> Option<impl Iterator<Item = &str>> {
        self.acr_values.as_deref().map(|values| values.iter().map(|value| &**value))
    }

    /// How many seconds ago the user may have signed in.
    #[must_use]
    pub const fn max_age(&self) -> Option<u64> {
        self.max_age
    }

    /// Both: in a context that either names, and within the shorter time.
    pub(super) fn and(&self, other: &Self) -> Self {
        let acr_values = match (&self.acr_values, &other.acr_values) {
            (Some(own), Some(others)) => {
                let common: Box<[_]> = own.iter().filter(|value| others.contains(value)).cloned().collect();
                assert!(!common.is_empty(), "no authentication context meets both of {own:?} and {others:?}");
                Some(common)
            }
            (own, others) => own.as_ref().or(others.as_ref()).cloned(),
        };
        Self { acr_values, max_age: [self.max_age, other.max_age].into_iter().flatten().min() }
    }

    /// What a token does not say, it does not meet.
    pub(super) fn is_met_by(&self, claims: &TokenClaims, now: UnixTime) -> bool {
        let in_context =
            self.acr_values().is_none_or(|mut values| values.any(|value| claims.acr.as_deref() == Some(value)));
        in_context && self.max_age.is_none_or(|age| is_within(claims.auth_time, age, now))
    }

    pub(in crate::resource) fn explain(&self, challenge: Challenge) -> Challenge {
        let challenge = match self.acr_values() {
            Some(values) => challenge.acr_values(values),
            None => challenge,
        };
        match self.max_age {
            Some(seconds) => challenge.max_age(seconds),
            None => challenge,
        }
    }
}

/// A time that is yet to come is no time at which somebody signed in, or it
/// would stay recent for as long as it likes.
fn is_within(auth_time: Option<UnixTime>, age: u64, now: UnixTime) -> bool {
    auth_time.is_some_and(|time| time <= now.saturating_add(SKEW) && now <= time.saturating_add(age))
}

/// RFC 9470 section 3: a list "separated by spaces", within quotes.
fn is_acr(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}
