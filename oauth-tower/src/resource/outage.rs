//! Why nothing can be found out about tokens: for whoever runs the program.

use std::{error::Error, fmt::Write};

/// Says that something of `issuer` is down, and why. No token and no secret is
/// in `reason`.
pub(super) fn report(issuer: &str, reason: &str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(issuer, reason, "an authorization server cannot be used");
    #[cfg(not(feature = "tracing"))]
    let _ = (issuer, reason);
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
