//! Why nothing can be found out about tokens: for whoever runs the program.

use std::{
    error::Error,
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering},
};

use oauth_core::clock::UnixTime;

/// Says that something of `issuer` is down, and why. No token and no secret is
/// in `reason`.
pub(super) fn report(issuer: &str, reason: &str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(issuer, reason, "an authorization server cannot be used");
    #[cfg(not(feature = "tracing"))]
    let _ = (issuer, reason);
}

/// Says that a store of this program's own cannot be used, so that the answer is
/// 503. What is in the store is not in `error`.
pub(super) fn report_store(store: &str, error: &dyn Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(store, reason = chain(error), "a store cannot be used");
    #[cfg(not(feature = "tracing"))]
    let _ = (store, error);
}

/// Something that every request may come upon, and that is said once a second.
#[derive(Debug, Default)]
pub(super) struct Complaint {
    silent_until: AtomicU64,
}

impl Complaint {
    /// Whether it is to be said now. If so, it counts as said.
    pub(super) fn is_due(&self, now: UnixTime) -> bool {
        let next = now.0.saturating_add(1);
        self.silent_until.fetch_max(next, Ordering::Relaxed) < next
    }
}

/// `error` and what it comes from, where it does not say that itself.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            // Writing to a string cannot fail.
            write!(text, ": {said}").unwrap_or_default();
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_due_once_a_second() {
        let complaint = Complaint::default();
        let due = |second| complaint.is_due(UnixTime(second));
        assert_eq!(
            [due(100), due(100), due(101), due(101), due(100), due(200)],
            [true, false, true, false, false, true]
        );
    }
}
