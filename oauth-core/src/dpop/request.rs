//! What the verifier of a proof knows beforehand.

use std::fmt;

use super::{DEFAULT_ALGORITHMS, TargetUri};
use crate::{clock::UnixTime, jwt::Algorithm};

/// How far `iat` may lie in the past and in the future.
///
/// By default 60 seconds back and 10 ahead. Replays are remembered for as long
/// as a proof is good, so a long window also takes more memory.
///
/// ```
/// use oauth_core::dpop::ProofWindow;
/// assert_eq!(ProofWindow::default(), ProofWindow::new(60, 10)?);
/// assert!(ProofWindow::new(60, 61).is_err());
/// # Ok::<_, oauth_core::dpop::InvalidWindow>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofWindow {
    past: u64,
    future: u64,
}

/// More than [`ProofWindow::MAX_PAST`] or [`ProofWindow::MAX_FUTURE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a proof is good for at most 300 seconds, and its clock at most 60 seconds ahead")]
pub struct InvalidWindow;

impl ProofWindow {
    const DEFAULT: Self = Self { past: 60, future: 10 };

    /// RFC 9449 section 11.1: "a relatively brief period (on the order of
    /// seconds or minutes)".
    pub const MAX_PAST: u64 = 300;

    /// FAPI 2.0 Security Profile section 5.3.2.1, item 13: "shall reject JWTs
    /// with an iat or nbf timestamp greater than 60 seconds in the future".
    pub const MAX_FUTURE: u64 = 60;

    /// `past` seconds back, `future` seconds ahead.
    ///
    /// # Errors
    /// [`InvalidWindow`] if either is more than its maximum.
    pub const fn new(past: u64, future: u64) -> Result<Self, InvalidWindow> {
        if past > Self::MAX_PAST || future > Self::MAX_FUTURE { Err(InvalidWindow) } else { Ok(Self { past, future }) }
    }

    /// Seconds back.
    #[must_use]
    pub const fn past(self) -> u64 {
        self.past
    }

    /// Seconds ahead.
    #[must_use]
    pub const fn future(self) -> u64 {
        self.future
    }
}

impl Default for ProofWindow {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The request that a proof came with.
///
/// Whether there is an access token is said by the constructor, so that it
/// cannot be forgotten. `Debug` shows no token.
#[derive(Clone, Copy)]
pub struct ProofRequest<'a> {
    pub(super) method: &'a str,
    pub(super) targets: &'a [TargetUri],
    pub(super) access_token: Option<&'a str>,
    pub(super) now: UnixTime,
    pub(super) window: ProofWindow,
    pub(super) algorithms: &'a [Algorithm],
}

impl<'a> ProofRequest<'a> {
    /// A request with an access token, at a resource server (RFC 9449 section 7).
    ///
    /// `targets` are the URIs under which the request may have been sent: one,
    /// unless the server has several names. Take their origin from the
    /// configuration or from a trusted proxy, never from the request alone.
    #[must_use]
    pub const fn with_token(method: &'a str, targets: &'a [TargetUri], access_token: &'a str, now: UnixTime) -> Self {
        Self { access_token: Some(access_token), ..Self::without_token(method, targets, now) }
    }

    /// A request without one, at the token endpoint and its kin (RFC 9449
    /// sections 5 and 10).
    #[must_use]
    pub const fn without_token(method: &'a str, targets: &'a [TargetUri], now: UnixTime) -> Self {
        let window = ProofWindow::DEFAULT;
        Self { method, targets, access_token: None, now, window, algorithms: DEFAULT_ALGORITHMS }
    }

    /// With another window.
    #[must_use]
    pub const fn with_window(mut self, window: ProofWindow) -> Self {
        self.window = window;
        self
    }

    /// With other algorithms than [`DEFAULT_ALGORITHMS`].
    #[must_use]
    pub const fn with_algorithms(mut self, algorithms: &'a [Algorithm]) -> Self {
        self.algorithms = algorithms;
        self
    }
}

impl fmt::Debug for ProofRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofRequest")
            .field("method", &self.method)
            .field("targets", &self.targets)
            .field("now", &self.now)
            .field("window", &self.window)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}
