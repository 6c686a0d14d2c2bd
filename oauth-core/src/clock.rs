//! Time and randomness, injected so that tests can move the one and fix the other.

use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

/// Whole seconds since 1970-01-01T00:00:00Z, the only time on OAuth's wire
/// (RFC 7519 section 2, "NumericDate").
///
/// ```
/// use oauth_core::clock::UnixTime;
/// let issued = UnixTime(1_000);
/// assert_eq!(issued.saturating_add(300), UnixTime(1_300));
/// assert_eq!(issued.until(UnixTime(1_300)), 300);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// The end of time: later than every other value.
    pub const MAX: Self = Self(u64::MAX);

    /// This moment plus `seconds`, or [`UnixTime::MAX`] where that overflows.
    #[must_use]
    pub const fn saturating_add(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// This moment minus `seconds`, or the epoch where that would be negative.
    #[must_use]
    pub const fn saturating_sub(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Seconds from here to `later`; 0 if `later` is in the past.
    #[must_use]
    pub const fn until(self, later: Self) -> u64 {
        later.0.saturating_sub(self.0)
    }
}

/// Where the time comes from.
///
/// Called once or twice per request: keep it cheap. Nodes that share a store
/// should agree on the time to within a few seconds.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> UnixTime;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> UnixTime {
        (**self).now()
    }
}

/// The operating system's clock. A time before 1970 reads as the epoch, at
/// which every token has yet to be issued: it fails closed.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        UnixTime(since.map_or(0, |elapsed| elapsed.as_secs()))
    }
}

/// A clock that stands still until a test moves it. Clones share one time.
#[cfg(any(test, feature = "testing"))]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<std::sync::atomic::AtomicU64>);

#[cfg(any(test, feature = "testing"))]
impl ManualClock {
    /// A clock that reads `start`.
    #[must_use]
    pub fn new(start: UnixTime) -> Self {
        Self(Arc::new(start.0.into()))
    }

    /// Moves the clock `seconds` ahead.
    pub fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, std::sync::atomic::Ordering::SeqCst);
    }
}

#[cfg(any(test, feature = "testing"))]
impl Clock for ManualClock {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}

/// Where unpredictable bytes come from.
///
/// Everything a guess must not find (tokens, codes, identifiers, cookies) is
/// drawn through this trait. Signature nonces are not: the signing library
/// draws those itself.
pub trait Random: fmt::Debug + Send + Sync + 'static {
    /// Fills `bytes`, or fails: a caller that gets an error must not go on.
    ///
    /// # Errors
    /// [`RandomError`] when the source is exhausted or unavailable.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// The source of randomness failed. The request that needed it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the source of randomness failed")]
pub struct RandomError;

/// The CSPRNG of the cryptographic library, seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| RandomError)
    }
}

/// `N` bytes from `random`.
pub(crate) fn random_bytes<const N: usize>(random: &dyn Random) -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    random.fill(&mut bytes)?;
    Ok(bytes)
}
