//! Who may start a reciprocal grant, and how patiently its code is redeemed.

use std::{fmt, ops::RangeInclusive, sync::Arc};

use super::LinkedTokens;
use crate::{client::ClientId, engine::policy::HostFuture, scope::Scope};

/// How Reciprocal OAuth is done here (draft-ietf-oauth-reciprocal-04). Without
/// peers, a server is party A alone: the grant type is not offered.
///
/// ```
/// use oauth_core::{client::ClientId, server::AuthorizationServer};
/// let (assistant, announce) = (ClientId::new("voice-assistant")?, "speaker:announce".parse()?);
/// let builder = AuthorizationServer::builder("https://music.example")
///     .reciprocal(|settings| settings.peer(assistant, announce));
/// # drop(builder);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ReciprocalSettings {
    /// How long a reciprocal code lives, in seconds: 600, which is the most there
    /// may be (OAuth 2.1 section 4.1.2). As party B: how long one is worth
    /// trying, since the other party does not say.
    pub code_lifetime: u64,
    /// How often a redemption that failed is tried again: 5. At most 20. One that
    /// the other party has refused never is.
    pub retries: u32,
    /// When it is tried again for the first time, in seconds: 1; each time after
    /// that, twice as late. From 1 to 3600.
    pub retry_seconds: u64,
    /// How long tokens are kept that nobody refreshes, in seconds: 180 days.
    /// Those without a refresh token go at their end, if the other party has said it.
    pub tokens_kept: u64,
    peers: Vec<(ClientId, Scope)>,
    tokens: Option<Arc<dyn ReciprocalTokens>>,
}

impl ReciprocalSettings {
    pub(crate) const CODE_LIFETIMES: RangeInclusive<u64> = 1..=600;
    pub(crate) const RETRIES: RangeInclusive<u32> = 0..=20;
    pub(crate) const RETRY_SECONDS: RangeInclusive<u64> = 1..=3600;

    /// Lets `client`, which is party A, send codes; it must be confidential, and
    /// registered for [`GrantType::RECIPROCAL`](crate::client::GrantType::RECIPROCAL).
    /// `scope` is what is asked of it in turn, by `reciprocal` in the answers to
    /// it; an empty one is what the two have agreed on otherwise, and is not said.
    pub fn peer(&mut self, client: ClientId, scope: Scope) {
        self.peers.push((client, scope));
    }

    /// Hands what other parties give to `tokens`, too.
    pub fn tokens(&mut self, tokens: impl ReciprocalTokens) {
        self.tokens = Some(Arc::new(tokens));
    }

    /// What is asked of `client`, if it is a peer.
    pub(crate) fn wish(&self, client: &ClientId) -> Option<&Scope> {
        self.peers.iter().find_map(|(id, scope)| (id == client).then_some(scope))
    }

    /// One that is named twice.
    pub(crate) fn named_twice(&self) -> Option<&ClientId> {
        let twice =
            |(at, (id, _)): (usize, &(ClientId, Scope))| self.peers.iter().skip(at + 1).any(|(other, _)| other == id);
        self.peers.iter().enumerate().find(|one| twice(*one)).map(|(_, (id, _))| id)
    }

    /// Whether anybody may start a reciprocal grant.
    pub(crate) const fn has_peers(&self) -> bool {
        !self.peers.is_empty()
    }

    pub(super) fn host(&self) -> Option<&dyn ReciprocalTokens> {
        self.tokens.as_deref()
    }

    /// In how many seconds to try again after so many attempts.
    pub(super) fn pause_after(&self, attempts: u32) -> u64 {
        let doublings = attempts.saturating_sub(1).min(*Self::RETRIES.end());
        self.retry_seconds.saturating_mul(1 << doublings)
    }
}

impl Default for ReciprocalSettings {
    fn default() -> Self {
        Self {
            code_lifetime: 600,
            retries: 5,
            retry_seconds: 1,
            tokens_kept: 180 * 86_400,
            peers: Vec::new(),
            tokens: None,
        }
    }
}

/// Without the host, which may keep the tokens it is given.
impl fmt::Debug for ReciprocalSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReciprocalSettings")
            .field("code_lifetime", &self.code_lifetime)
            .field("retries", &self.retries)
            .field("retry_seconds", &self.retry_seconds)
            .field("tokens_kept", &self.tokens_kept)
            .field("peers", &self.peers)
            .finish_non_exhaustive()
    }
}

/// A host that wants to know of the tokens that other parties give.
///
/// They are in the store when it hears of them, and stay there whatever it
/// answers: a failure is told as [`Event::Fault`](crate::event::Event::Fault).
pub trait ReciprocalTokens: fmt::Debug + Send + Sync + 'static {
    /// There are tokens for a link, in the place of those before: from a code, or
    /// refreshed.
    fn received<'a>(&'a self, tokens: &'a LinkedTokens) -> HostFuture<'a, ()>;
}

/// For one that its owner keeps a handle of.
impl<T: ReciprocalTokens + ?Sized> ReciprocalTokens for Arc<T> {
    fn received<'a>(&'a self, tokens: &'a LinkedTokens) -> HostFuture<'a, ()> {
        (**self).received(tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_twice_the_one_before() {
        let settings = ReciprocalSettings { retry_seconds: 3, ..ReciprocalSettings::default() };
        assert_eq!([1, 2, 3, 4, 5].map(|attempts| settings.pause_after(attempts)), [3, 6, 12, 24, 48]);
        let settings = ReciprocalSettings { retry_seconds: 3600, ..settings };
        assert_eq!(settings.pause_after(u32::MAX), 3600 << 20);
    }

    #[test]
    fn a_peer_that_is_named_twice_is_found() {
        let mut settings = ReciprocalSettings::default();
        for (name, twice) in [("a", None), ("b", None), ("b", Some("b"))] {
            settings.peer(ClientId::new(name).unwrap(), Scope::empty());
            assert_eq!(settings.named_twice().map(ClientId::as_str), twice);
        }
    }
}
