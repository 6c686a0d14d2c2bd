//! Nonces that every node knows and no node keeps (RFC 9449 sections 8 and 9).

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::{Choice, ConstantTimeEq};

use crate::{clock::UnixTime, secret::RootSecret};

/// The nonces of a server: one for each step of time, an HMAC over the step's
/// number under a key that all nodes share.
///
/// Nobody can guess one, none is stored, and any node knows what another one
/// issued. A nonce is good in its own step and in the next, so for one to two
/// steps; and in the step before, for nodes whose clocks run behind.
///
/// ```
/// use oauth_core::{clock::UnixTime, dpop::{DpopNonces, NonceCheck}};
/// let nonces = DpopNonces::from_bytes([7; 32]);
/// let nonce = nonces.issue(UnixTime(1_200));
/// assert_eq!(nonces.check(&nonce, UnixTime(1_319)), NonceCheck::Current);
/// assert_eq!(nonces.check(&nonce, UnixTime(1_320)), NonceCheck::Previous);
/// assert_eq!(nonces.check(&nonce, UnixTime(1_440)), NonceCheck::Unknown);
/// ```
#[derive(Clone)]
pub struct DpopNonces {
    /// The current one first.
    keys: Vec<hmac::Key>,
    step: u64,
}

/// What a nonce turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NonceCheck {
    /// Good, and no older than what [`DpopNonces::issue`] gives now.
    Current,
    /// Good, but it is time to send a fresh one along with the response
    /// (RFC 9449 section 8.2).
    Previous,
    /// Too old, or not from here.
    Unknown,
}

/// Not within [`DpopNonces::MIN_STEP`] and [`DpopNonces::MAX_STEP`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a step is 10 to 3600 seconds")]
pub struct InvalidNonceStep;

/// 192 bits, and no padding in base64url.
const NONCE_BYTES: usize = 24;

impl DpopNonces {
    /// Seconds to a step, unless said otherwise.
    pub const DEFAULT_STEP: u64 = 120;
    /// The shortest step.
    pub const MIN_STEP: u64 = 10;
    /// The longest step.
    pub const MAX_STEP: u64 = 3600;

    /// The nonces of a server with this root secret. Those that an earlier
    /// root secret made stay good too.
    #[must_use]
    pub fn new(root: &RootSecret) -> Self {
        Self { keys: root.hmac_keys(b"dpop nonce"), step: Self::DEFAULT_STEP }
    }

    /// The nonces of a server that has no root secret, from 32 random bytes
    /// that all its nodes share.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self::new(&RootSecret::new(bytes))
    }

    /// With another step: a nonce lives for one to two of it.
    ///
    /// # Errors
    /// [`InvalidNonceStep`] if it is too short or too long.
    pub fn with_step(self, seconds: u64) -> Result<Self, InvalidNonceStep> {
        let allowed = (Self::MIN_STEP..=Self::MAX_STEP).contains(&seconds);
        if allowed { Ok(Self { step: seconds, ..self }) } else { Err(InvalidNonceStep) }
    }

    /// The nonce for a `DPoP-Nonce` header sent now.
    #[must_use]
    pub fn issue(&self, now: UnixTime) -> String {
        // There is always a key: a root secret is never empty.
        self.keys.first().map(|key| nonce_of(key, self.step_at(now))).unwrap_or_default()
    }

    /// Whether `nonce` was issued of late, in constant time.
    #[must_use]
    pub fn check(&self, nonce: &str, now: UnixTime) -> NonceCheck {
        let step = self.step_at(now);
        let ahead = step.saturating_add(1);
        let behind = step.saturating_sub(1);
        let is_nonce = |key: &hmac::Key, step| nonce_of(key, step).as_bytes().ct_eq(nonce.as_bytes());
        let mut fresh = Choice::from(0);
        let mut known = Choice::from(0);
        for (index, key) in self.keys.iter().enumerate() {
            let of_now = is_nonce(key, step) | is_nonce(key, ahead);
            fresh |= of_now & Choice::from(u8::from(index == 0));
            known |= of_now | is_nonce(key, behind);
        }
        match (fresh.into(), known.into()) {
            (true, _) => NonceCheck::Current,
            (false, true) => NonceCheck::Previous,
            (false, false) => NonceCheck::Unknown,
        }
    }

    /// `with_step` lets no zero in.
    const fn step_at(&self, now: UnixTime) -> u64 {
        now.0 / self.step
    }
}

fn nonce_of(key: &hmac::Key, step: u64) -> String {
    let tag = hmac::sign(key, &step.to_be_bytes());
    URL_SAFE_NO_PAD.encode(tag.as_ref().get(..NONCE_BYTES).unwrap_or_default())
}

impl fmt::Debug for DpopNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopNonces").field("step", &self.step).finish_non_exhaustive()
    }
}
