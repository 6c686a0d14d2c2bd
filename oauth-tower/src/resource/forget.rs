//! Verdicts that fall before their time, because somebody says so.

use std::sync::Arc;

use oauth_core::clock::UnixTime;

use super::{
    ResourceServer,
    cache::Lookup,
    invalidate::{Ground, Slot},
    token::ValidatedToken,
    validate::{Judge, Mechanism},
};

/// Each of these costs the same however many tokens are in the cache, and also
/// reaches a verdict that is just being found. The next use of the token is
/// judged anew: a JWT that its issuer still vouches for passes again. An issuer
/// that is not configured here, byte for byte, has no verdicts to forget.
///
/// ```
/// # #[cfg(feature = "client")]
/// # fn main() -> Result<(), oauth_tower::resource::BuildError> {
/// use oauth_tower::resource::{Issuer, ResourceServer};
///
/// let api = ResourceServer::builder("https://api.example")
///     .issuer(Issuer::introspection("https://as.example", "https://as.example/introspect").client_basic("api", "secret"))
///     .build()?;
/// // A webhook of the authorization server has said that this one is revoked.
/// api.forget_token("2YotnFZFEjr1zCsicMWpAA");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "client"))]
/// # fn main() {}
/// ```
impl ResourceServer {
    /// Forgets the verdict on one token.
    pub fn forget_token(&self, token: &str) {
        let lookup = self.judge.cache.lookup(token.as_bytes());
        // First, so that a verdict that is kept in between notices.
        self.judge.ledger.strike(self.judge.slot_of(&lookup));
        self.judge.cache.forget(&lookup);
    }

    /// Forgets the verdicts on all tokens of one grant: those of `issuer` with
    /// the claim `grant_ref` of this value, as the authorization server of this
    /// family of crates gives it.
    pub fn forget_grant(&self, issuer: &str, grant_ref: &str) {
        self.strike(issuer, |index| self.judge.ledger.shared(index, Ground::GrantRef(grant_ref)));
    }

    /// Forgets the verdicts that rest on one key of `issuer`, which is named by
    /// its thumbprint (RFC 7638, SHA-256, base64url), and trusts none of its keys
    /// until they have been fetched again; until then, 503. If the issuer still
    /// publishes the key, it is good again. Keys that were given stay.
    pub fn forget_key(&self, issuer: &str, thumbprint: &str) {
        for configured in self.judge.issuers.iter().filter(|configured| *configured.issuer == *issuer) {
            if let Mechanism::Jwt(verifier) = &configured.mechanism {
                // First: a verdict that is found from here on rests on new keys.
                verifier.keys.distrust();
            }
        }
        self.strike(issuer, |index| self.judge.ledger.shared(index, Ground::Key(thumbprint)));
        self.strike(issuer, Slot::denials);
    }

    /// Forgets the verdicts on all tokens of `issuer`. Its keys stay: see
    /// [`ResourceServer::forget_key`].
    pub fn forget_issuer(&self, issuer: &str) {
        self.strike(issuer, Slot::issuer);
    }

    /// Forgets every verdict, for whoever may have missed a revocation. Keys stay:
    /// see [`ResourceServer::forget_key`].
    pub fn forget_all(&self) {
        self.judge.ledger.strike(Slot::EVERYTHING);
    }

    /// An issuer may be configured more than once, in different ways.
    fn strike(&self, issuer: &str, slot: impl Fn(usize) -> Slot) {
        let named = self.judge.issuers.iter().enumerate().filter(|(_, configured)| *configured.issuer == *issuer);
        named.for_each(|(index, _)| self.judge.ledger.strike(slot(index)));
    }
}

impl Judge {
    /// Keeps a verdict, unless it was overtaken by [`ResourceServer::forget_token`].
    pub(super) fn keep(&self, lookup: &Lookup<'_>, token: &Arc<ValidatedToken>, now: UnixTime) {
        self.cache.keep(lookup, token, now);
        if self.is_overtaken(lookup, token) {
            self.cache.forget(lookup);
        }
    }

    /// Whether a verdict may no longer be given to whoever asks from now on.
    pub(super) fn is_overtaken(&self, lookup: &Lookup<'_>, token: &ValidatedToken) -> bool {
        !self.ledger.holds(&token.standing) || self.ledger.was_struck(self.slot_of(lookup), &token.standing)
    }

    /// What verdicts on tokens of this grant rest on beside their issuer.
    pub(super) fn grant_slot(&self, index: usize, grant_ref: Option<&str>) -> Slot {
        grant_ref.map_or_else(|| Slot::issuer(index), |grant| self.ledger.shared(index, Ground::GrantRef(grant)))
    }

    /// No verdict rests on this, so that a hit need not look at it: it counts
    /// only while one is found.
    fn slot_of(&self, lookup: &Lookup<'_>) -> Slot {
        self.ledger.shared(0, Ground::Text(lookup.hash()))
    }
}
