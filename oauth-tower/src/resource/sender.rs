//! Whether whoever sends a token is the one it was issued to.
//!
//! The one place where a binding (`cnf`, RFC 7800) meets the request. It is
//! asked for every request, whether the verdict on the token came from the
//! cache or not: the token may be known, a proof of possession is new each
//! time.

use super::{refusal::InvalidToken, token::ValidatedToken};

/// Checks the binding of `token`.
///
/// RFC 7800 section 3.1: a member of `cnf` that is not understood must not be
/// ignored. None is served yet, so no bound token passes, and no token that
/// says of itself that it has to be proven.
pub(super) fn check(token: &ValidatedToken) -> Result<(), InvalidToken> {
    if token.confirmation().is_some() { Err(InvalidToken::Bound) } else { Ok(()) }
}
