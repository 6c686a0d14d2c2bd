//! Why a document cannot be had.

use std::error::Error;

use http::StatusCode;

use super::super::{observe::Outcome, outage};
use crate::outgoing::HttpError;

/// The attempt failed. Why matters to nobody who only wants to know whether a
/// token is good.
#[derive(Clone, Debug)]
pub(in crate::resource) struct Down {
    reason: String,
    outcome: Outcome,
}

impl Down {
    /// What came is of no use.
    pub(in crate::resource) fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), outcome: Outcome::Unusable }
    }

    /// What came is of no use.
    pub(in crate::resource) fn of(error: impl Error) -> Self {
        Self::because(outage::chain(&error))
    }

    /// Where `what` should be, something else is said.
    pub(in crate::resource) fn status(what: &str, status: StatusCode) -> Self {
        Self { reason: format!("{what}: {status}"), outcome: Outcome::Status }
    }

    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    pub(in crate::resource) fn outcome<T>(loaded: &Result<T, Self>) -> Outcome {
        loaded.as_ref().map_or_else(|down| down.outcome, |_| Outcome::Ok)
    }
}

impl From<HttpError> for Down {
    fn from(error: HttpError) -> Self {
        Self { reason: outage::chain(&error), outcome: Outcome::of_error(&error) }
    }
}
