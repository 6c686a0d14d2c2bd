//! The only time in a JWT (RFC 7519 section 2).

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};

use crate::clock::UnixTime;

/// RFC 7519 section 2: seconds since the epoch, "non-integer values can be
/// represented". A fraction is dropped.
pub(crate) struct NumericDate(pub(crate) UnixTime);

/// 9999-12-31T23:59:59Z. What lies beyond is a mistake of units or an attack
/// on somebody's arithmetic.
const LATEST: u64 = 253_402_300_799;

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumericDateVisitor)
    }
}

struct NumericDateVisitor;

impl Visitor<'_> for NumericDateVisitor {
    type Value = NumericDate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds since 1970")
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<NumericDate, E> {
        if seconds > LATEST { Err(E::custom("out of range")) } else { Ok(NumericDate(UnixTime(seconds))) }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the range is checked first, and both bounds are exact in an f64"
    )]
    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<NumericDate, E> {
        if (0.0..=LATEST as f64).contains(&seconds) {
            Ok(NumericDate(UnixTime(seconds as u64)))
        } else {
            Err(E::custom("out of range"))
        }
    }
}
