//! What each step of the protocol does to a grant: the one place where it is
//! decided, shared by every store.

use super::record::{AccessToken, Code, Grant, Refresh, Retry};
use crate::{client::ClientId, clock::UnixTime, pkce::CodeChallenge, secret::Digest, token::GrantId};

/// A presented authorization code, what it must be bound to, and the tokens
/// that redeeming it makes live.
#[derive(Clone, Debug)]
pub struct RedeemCode {
    /// The grant the code names.
    pub grant: GrantId,
    /// The digest of the code.
    pub digest: Digest,
    /// The client that presents it.
    pub client: ClientId,
    /// The redirect URI of the token request.
    pub redirect_uri: Option<String>,
    /// The challenge that the presented verifier answers.
    pub challenge: Option<CodeChallenge>,
    /// The time.
    pub now: UnixTime,
    /// The refresh token to keep, if one is issued.
    pub refresh: Option<Digest>,
    /// The access token to keep.
    pub access: AccessToken,
}

/// What came of a presented code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redemption {
    /// The code was good and is now used up; the tokens live.
    Redeemed,
    /// The code was used before, by a request as valid as this one: the grant
    /// has been revoked by this call, or was already.
    Replayed,
    /// Unknown, expired, or not bound to this client, redirect URI or
    /// verifier: nothing changed.
    Refused,
}

/// A presented refresh token, and what is to take its place.
#[derive(Clone, Debug)]
pub struct RotateRefresh {
    /// The grant the token names.
    pub grant: GrantId,
    /// The digest of the token.
    pub digest: Digest,
    /// The generation the token names.
    pub generation: u64,
    /// The client that presents it.
    pub client: ClientId,
    /// The time.
    pub now: UnixTime,
    /// Seconds without use after which the token is void.
    pub idle_lifetime: u64,
    /// The refresh token's successor.
    pub next: NextRefresh,
    /// The access token to keep.
    pub access: AccessToken,
}

/// What takes the place of a presented refresh token.
#[derive(Clone)]
#[non_exhaustive]
pub enum NextRefresh {
    /// The same token: no rotation.
    Same,
    /// A new one.
    Successor {
        /// Its digest; its generation is one more than the presented token's.
        digest: Digest,
        /// The sealed response and the end of its window, where retries are
        /// answered.
        retry: Option<(Vec<u8>, UnixTime)>,
    },
    /// A new one, and a way back to it until it, or the access token of this
    /// step, is first used.
    UntilFirstUse {
        /// Its digest; its generation is one more than the presented token's.
        digest: Digest,
        /// The sealed response.
        sealed: Vec<u8>,
        /// When the new token ends in any case: nobody needs a way to it any
        /// more.
        until: UnixTime,
    },
}

/// What a new way back holds, whichever way it ends.
pub(crate) struct NewRetry<'n> {
    pub(crate) sealed: &'n [u8],
    pub(crate) until: UnixTime,
    /// Whether it ends when the access token of its step is used.
    pub(crate) until_used: bool,
}

impl NextRefresh {
    /// The digest of a new token, and the way back to it.
    pub(crate) fn successor(&self) -> Option<(Digest, Option<NewRetry<'_>>)> {
        match self {
            Self::Same => None,
            Self::Successor { digest, retry } => {
                let retry = retry.as_ref();
                let retry = retry.map(|(sealed, until)| NewRetry { sealed, until: *until, until_used: false });
                Some((*digest, retry))
            }
            Self::UntilFirstUse { digest, sealed, until } => {
                Some((*digest, Some(NewRetry { sealed, until: *until, until_used: true })))
            }
        }
    }
}

impl std::fmt::Debug for NextRefresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Same => "Same",
            Self::Successor { .. } => "Successor { .. }",
            Self::UntilFirstUse { .. } => "UntilFirstUse { .. }",
        })
    }
}

/// What came of a presented refresh token.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshOutcome {
    /// The token was good; the new tokens live.
    Rotated,
    /// The token's successor was issued a moment ago and not used since: here
    /// is that very response, sealed. The new tokens do not live.
    Retry {
        /// To be opened with the presented token.
        sealed: Vec<u8>,
    },
    /// The token was replaced before: the grant has been revoked by this call.
    Reused,
    /// Unknown, expired, another client's, or its grant has ended: nothing
    /// changed.
    Refused,
}

impl std::fmt::Debug for RefreshOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rotated => "Rotated",
            Self::Retry { .. } => "Retry { .. }",
            Self::Reused => "Reused",
            Self::Refused => "Refused",
        })
    }
}

/// What came of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// This call ended the grant.
    Revoked,
    /// It had ended before.
    AlreadyRevoked,
    /// There is no such grant.
    Unknown,
}

impl Grant {
    /// Whether the grant neither expired nor was revoked.
    #[must_use]
    pub fn is_live(&self, now: UnixTime) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }

    /// Applies [`Grants::redeem_code`](super::Grants::redeem_code) to this
    /// grant. The caller saves the grant if the outcome is not
    /// [`Redemption::Refused`], and the access token if it is
    /// [`Redemption::Redeemed`], in the same transaction that loaded it.
    pub fn redeem_code(&mut self, redeem: &RedeemCode) -> Redemption {
        let bound = self.facts.client == redeem.client;
        let answered =
            |code: &Code| code.is_answered_by(redeem.digest, redeem.redirect_uri.as_deref(), redeem.challenge);
        let Some(code) = self.code.as_mut().filter(|code| bound && answered(code)) else {
            return Redemption::Refused;
        };
        if code.redeemed_at.is_some() {
            // Draft-16 section 7.5.3: only a replay that would have been valid
            // counts, or anyone who saw the code could revoke the grant.
            self.revoke(redeem.now);
            return Redemption::Replayed;
        }
        if redeem.now >= code.expires_at || self.revoked_at.is_some() || redeem.now >= self.expires_at {
            return Redemption::Refused;
        }
        code.redeemed_at = Some(redeem.now);
        self.refresh = redeem.refresh.map(|digest| Refresh { digest, generation: 0, used_at: redeem.now, retry: None });
        Redemption::Redeemed
    }

    /// Applies [`Grants::rotate_refresh`](super::Grants::rotate_refresh) to
    /// this grant. The caller saves the grant if the outcome is
    /// [`RefreshOutcome::Rotated`] or [`RefreshOutcome::Reused`], and the
    /// access token in the former case, in the transaction that loaded it.
    pub fn rotate_refresh(&mut self, rotate: &RotateRefresh) -> RefreshOutcome {
        if !self.is_live(rotate.now) || self.facts.client != rotate.client {
            return RefreshOutcome::Refused;
        }
        let Some(refresh) = &mut self.refresh else { return RefreshOutcome::Refused };
        if rotate.generation >= refresh.generation {
            return refresh.advance(rotate);
        }
        if let Some(sealed) = refresh.retry_for(rotate) {
            return RefreshOutcome::Retry { sealed };
        }
        // An older generation with a genuine tag was once live: it is reuse,
        // and who of the two is the thief nobody can tell (RFC 9700 section
        // 4.14.2).
        self.revoke(rotate.now);
        RefreshOutcome::Reused
    }

    /// Applies [`Grants::confirm_refresh`](super::Grants::confirm_refresh) to
    /// this grant. The caller saves the grant if it is `true`.
    pub fn confirm_refresh(&mut self, access: Digest, now: UnixTime) -> bool {
        if !self.is_live(now) {
            return false;
        }
        let waits = |retry: &mut Retry| retry.access == Some(access) && now < retry.until;
        self.refresh.as_mut().is_some_and(|refresh| refresh.retry.take_if(waits).is_some())
    }

    /// Applies [`Grants::revoke_grant`](super::Grants::revoke_grant).
    pub fn revoke(&mut self, now: UnixTime) -> Revocation {
        if self.revoked_at.is_some() {
            return Revocation::AlreadyRevoked;
        }
        self.revoked_at = Some(now);
        if let Some(refresh) = &mut self.refresh {
            refresh.retry = None;
        }
        Revocation::Revoked
    }

    /// When nothing about this grant can matter any more: at its end, or at
    /// the end of a code that was never redeemed.
    #[must_use]
    pub fn ends_at(&self) -> UnixTime {
        let unredeemed = self.code.as_ref().filter(|code| code.redeemed_at.is_none());
        unredeemed.map_or(self.expires_at, |code| code.expires_at.min(self.expires_at))
    }

    /// Whether that moment has come at `now`, so that
    /// [`Grants::sweep`](super::Grants::sweep) may remove the grant.
    #[must_use]
    pub fn has_ended(&self, now: UnixTime) -> bool {
        now >= self.ends_at()
    }
}

impl Code {
    /// Whether this is it, and all that it is bound to is there.
    pub(crate) fn is_answered_by(
        &self,
        digest: Digest,
        redirect_uri: Option<&str>,
        challenge: Option<CodeChallenge>,
    ) -> bool {
        let redirect = match redirect_uri {
            Some(uri) => uri == self.redirect_uri,
            None => !self.redirect_uri_required,
        };
        // The verifier itself was compared in constant time by the engine;
        // these are digests.
        self.digest == digest && redirect && self.challenge == challenge
    }
}

impl Refresh {
    /// The presented token claims the current generation, or a later one that
    /// a restored backup has forgotten: only the digest tells.
    fn advance(&mut self, rotate: &RotateRefresh) -> RefreshOutcome {
        let idle = rotate.now >= self.used_at.saturating_add(rotate.idle_lifetime);
        if self.digest != rotate.digest || idle {
            return RefreshOutcome::Refused;
        }
        self.used_at = rotate.now;
        // Whoever holds the successor needs the way back to it no more.
        self.retry = None;
        if let Some((digest, retry)) = rotate.next.successor() {
            let retry = retry.map(|NewRetry { sealed, until, until_used }| Retry {
                digest: self.digest,
                sealed: sealed.to_vec(),
                until,
                access: until_used.then_some(rotate.access.digest),
            });
            *self = Self { digest, generation: self.generation.saturating_add(1), used_at: rotate.now, retry };
        }
        RefreshOutcome::Rotated
    }

    fn retry_for(&self, rotate: &RotateRefresh) -> Option<Vec<u8>> {
        let retry = self.retry.as_ref()?;
        (retry.digest == rotate.digest && rotate.now < retry.until).then(|| retry.sealed.clone())
    }
}
