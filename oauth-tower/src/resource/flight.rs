//! One question at a time: concurrent misses for one token share one answer.

use super::{
    cache::{TokenKey, Verbatim},
    validate::Verdict,
};
use crate::flight;

/// The questions under way, by token. It has been hashed already.
pub(super) type Flights = flight::Flights<TokenKey, Verdict, Verbatim>;
