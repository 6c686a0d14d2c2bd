//! What party B of Reciprocal OAuth remembers (draft-ietf-oauth-reciprocal-04):
//! codes that wait to be redeemed at the other party, and what they brought.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Cursor, Page, StoreFuture};
use crate::{client::ClientId, clock::UnixTime, scope::Scope, secret::Digest};

/// Between whom: the other party, and the user who connected the two.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReciprocalLink {
    /// The other party (A), as the client that it is here.
    pub client: ClientId,
    /// The user behind the access token that it sent; `None` for a token of
    /// the client-credentials grant, which links the client and nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl ReciprocalLink {
    /// A link to `client`, for `subject` or for the client itself.
    #[must_use]
    pub const fn new(client: ClientId, subject: Option<String>) -> Self {
        Self { client, subject }
    }

    /// What tells this link from every other, at a length that a store can use
    /// as a key, whatever the subject is.
    ///
    /// ```
    /// # use oauth_core::{client::ClientId, store::ReciprocalLink};
    /// let link = |client: &str, subject: Option<&str>| {
    ///     ReciprocalLink::new(ClientId::new(client).unwrap(), subject.map(str::to_owned))
    /// };
    /// assert_ne!(link("a", None).key(), link("a", Some("")).key());
    /// assert_ne!(link("a", Some("bc")).key(), link("ab", Some("c")).key());
    /// ```
    #[must_use]
    pub fn key(&self) -> Digest {
        let client = self.client.as_str().as_bytes();
        // The length keeps the two apart, and the mark `None` from nobody's name.
        let length = client.len().to_be_bytes();
        let (mark, subject) = self.subject.as_ref().map_or((0, &[][..]), |subject| (1, subject.as_bytes()));
        Digest::of(&[b"reciprocal link ", &length, client, &[mark], subject])
    }
}

/// A code that waits to be redeemed at the other party
/// (draft-ietf-oauth-reciprocal-04 section 2.2.2). A link has one at most.
#[derive(Clone, PartialEq, Eq)]
pub struct QueuedCode {
    /// The digest of the code: the name of this entry within its link.
    pub id: Digest,
    /// Whom what it brings will be for.
    pub link: ReciprocalLink,
    /// The code and what else is needed to redeem it, sealed under the root
    /// secret: of no use to the store.
    pub sealed: Vec<u8>,
    /// How often it has been taken: [`Reciprocals::take_queued`] counts.
    pub attempts: u32,
    /// When it came.
    pub queued_at: UnixTime,
    /// From when on it may be taken.
    pub due_at: UnixTime,
    /// When the code ends. Its entry stays until somebody has taken and
    /// finished it, for a day at most: the operator is to hear of it.
    pub expires_at: UnixTime,
}

impl QueuedCode {
    /// For how long an entry is kept after its code has ended, in seconds.
    pub const KEPT: u64 = 86_400;

    /// From when on a sweep may remove it.
    #[must_use]
    pub const fn swept_at(&self) -> UnixTime {
        self.expires_at.saturating_add(Self::KEPT)
    }
}

impl fmt::Debug for QueuedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuedCode")
            .field("link", &self.link)
            .field("attempts", &self.attempts)
            .field("queued_at", &self.queued_at)
            .field("due_at", &self.due_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// What the other party gave for a link. There is one at most.
#[derive(Clone, PartialEq, Eq)]
pub struct PeerTokens {
    /// Whom they are for.
    pub link: ReciprocalLink,
    /// The digest of the code they came of; a refresh leaves it as it is.
    pub id: Digest,
    /// The tokens, sealed under the root secret: of no use to the store.
    pub sealed: Vec<u8>,
    /// What they allow at the other party.
    pub scope: Scope,
    /// When the code was redeemed, or they were refreshed.
    pub obtained_at: UnixTime,
    /// The end of the access token, if the other party has said it.
    pub expires_at: Option<UnixTime>,
    /// From then on they count for nothing, and a sweep removes them.
    pub ends_at: UnixTime,
    /// What tells them from those before and after a refresh: a store compares
    /// it, together with `id`, and knows no more of it. Count from 0.
    pub revision: u64,
}

impl fmt::Debug for PeerTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerTokens")
            .field("link", &self.link)
            .field("scope", &self.scope)
            .field("obtained_at", &self.obtained_at)
            .field("expires_at", &self.expires_at)
            .field("ends_at", &self.ends_at)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

/// What became of a code that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queued {
    /// It waits now, and what waited before it for the same link is gone.
    Added,
    /// This very code waits already, or has led to the tokens that are there:
    /// the answer to the request that brought it was lost, and it came again.
    Known,
}

/// What became of the end of a queue's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finished {
    /// The entry is gone, and where there were new tokens, they are in place.
    /// With what they have replaced, which is yet to be revoked; always `None`
    /// where there were no new ones.
    Replaced(Option<PeerTokens>),
    /// Nothing was done: tokens of this very code are in place. A finish came
    /// twice, since an answer was lost or a second node took the code. Revoke
    /// nothing: what came of one code may well end together.
    Already,
    /// Nothing was done: another code has taken this one's place, or the link
    /// was forgotten, or the code was finished without tokens. Revoke the
    /// tokens that it brought; nobody will use them.
    Superseded,
}

/// All that is kept of one link, and what each step makes of it. A store loads
/// it, applies the step and saves the result, atomically, or says the same in
/// its own language: the conformance suite compares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkState {
    /// The code that waits.
    pub code: Option<QueuedCode>,
    /// The tokens in use.
    pub tokens: Option<PeerTokens>,
}

impl LinkState {
    /// [`Reciprocals::queue_code`].
    pub fn queue(&mut self, code: QueuedCode) -> Queued {
        let waits = self.code.as_ref().is_some_and(|waiting| waiting.id == code.id);
        if waits || self.live_tokens(code.queued_at).is_some_and(|tokens| tokens.id == code.id) {
            return Queued::Known;
        }
        self.code = Some(code);
        Queued::Added
    }

    /// [`Reciprocals::take_queued`], if this is the link whose code is taken.
    pub fn take(&mut self, now: UnixTime, until: UnixTime) -> Option<QueuedCode> {
        let code = self.code.as_mut().filter(|code| code.due_at <= now)?;
        code.attempts = code.attempts.saturating_add(1);
        code.due_at = until;
        Some(code.clone())
    }

    /// [`Reciprocals::defer_queued`].
    pub fn defer(&mut self, id: Digest, due_at: UnixTime) -> bool {
        let waiting = self.code.as_mut().filter(|code| code.id == id);
        waiting.map(|code| code.due_at = due_at).is_some()
    }

    /// [`Reciprocals::finish_queued`].
    pub fn finish(&mut self, id: Digest, tokens: Option<PeerTokens>) -> Finished {
        if self.code.take_if(|code| code.id == id).is_some() {
            return Finished::Replaced(tokens.and_then(|tokens| self.tokens.replace(tokens)));
        }
        match &self.tokens {
            Some(tokens) if tokens.id == id => Finished::Already,
            _ => Finished::Superseded,
        }
    }

    /// [`Reciprocals::replace_peer_tokens`].
    pub fn replace_tokens(&mut self, tokens: PeerTokens, revision: Option<u64>, now: UnixTime) -> bool {
        let expected = revision.map(|revision| (tokens.id, revision));
        let replaces = self.live_tokens(now).map(|found| (found.id, found.revision)) == expected;
        if replaces {
            self.tokens = Some(tokens);
        }
        replaces
    }

    /// The link it is of; `None` if there is nothing.
    #[must_use]
    pub fn link(&self) -> Option<&ReciprocalLink> {
        let tokens = self.tokens.as_ref().map(|tokens| &tokens.link);
        self.code.as_ref().map(|code| &code.link).or(tokens)
    }

    /// The tokens, unless they have ended at `now`.
    #[must_use]
    pub fn live_tokens(&self, now: UnixTime) -> Option<&PeerTokens> {
        self.tokens.as_ref().filter(|tokens| now < tokens.ends_at)
    }

    /// From when on a sweep has something to remove here.
    #[must_use]
    pub fn swept_at(&self) -> UnixTime {
        let code = self.code.as_ref().map_or(UnixTime::MAX, QueuedCode::swept_at);
        code.min(self.tokens.as_ref().map_or(UnixTime::MAX, |tokens| tokens.ends_at))
    }

    /// Removes what a sweep at `now` removes.
    pub fn sweep(&mut self, now: UnixTime) {
        self.code.take_if(|code| code.swept_at() <= now);
        self.tokens.take_if(|tokens| tokens.ends_at <= now);
    }

    /// Whether there is nothing to keep.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.code.is_none() && self.tokens.is_none()
    }
}

/// The state of Reciprocal OAuth at the party that redeems codes (party B of
/// draft-ietf-oauth-reciprocal-04): a durable queue of codes, and the tokens
/// they brought.
///
/// Everything is by [`ReciprocalLink`]: a link has at most one code that waits
/// and at most one set of tokens, and no step touches another link.
///
/// The tokens that are in use stay in place while a new code waits and while
/// it is redeemed: they are replaced in the step that brings the new ones
/// (section 3).
pub trait Reciprocals: Send + Sync {
    /// Queues a code in the place of whatever waits for the same link;
    /// [`Queued::Known`], and nothing done, if this very code waits, or if it
    /// has led to the tokens that are there and have not ended when it is
    /// queued.
    fn queue_code(&self, code: QueuedCode) -> StoreFuture<'_, Queued>;

    /// Takes the entry that has been due for longest at `now`, if one is due:
    /// counts the attempt, and makes it due again at `until`. So of many nodes
    /// one works at it, and if that one dies, another does. What is answered is
    /// the entry after that.
    ///
    /// Let `until` be later than the attempt can last: a code that two nodes
    /// redeem looks stolen to the other party.
    ///
    /// An entry whose code has expired is taken as any other, so that somebody
    /// can say so and finish it. One on which others are at work at this very
    /// moment may be passed over: it is there the next time.
    fn take_queued(&self, now: UnixTime, until: UnixTime) -> StoreFuture<'_, Option<QueuedCode>>;

    /// Makes the entry `id` of a link due at `due_at`; `false` if it does not
    /// wait any more.
    fn defer_queued(&self, link: ReciprocalLink, id: Digest, due_at: UnixTime) -> StoreFuture<'_, bool>;

    /// Ends the entry `id` of a link: it was redeemed, and `tokens` are put in
    /// place in the same step; or it was given up, and the tokens in place
    /// stay. New ones are kept under this link and this `id`, whatever they
    /// say themselves.
    fn finish_queued(&self, link: ReciprocalLink, id: Digest, tokens: Option<PeerTokens>) -> StoreFuture<'_, Finished>;

    /// The tokens of a link, unless they have ended at `now`.
    fn peer_tokens(&self, link: ReciprocalLink, now: UnixTime) -> StoreFuture<'_, Option<PeerTokens>>;

    /// Puts `tokens` in the place of those of the same link, of the same
    /// [`id`](PeerTokens::id) and of this revision (or, where that is `None`,
    /// of none at all); `false`, and nothing done, if others are there at
    /// `now`, or none. So of many that refresh what they have read, one
    /// succeeds, and none overwrites what a new code has brought meanwhile or
    /// brings back what was forgotten.
    fn replace_peer_tokens(&self, tokens: PeerTokens, revision: Option<u64>, now: UnixTime) -> StoreFuture<'_, bool>;

    /// Forgets a link: the code that waits and the tokens, which are answered
    /// if there were any. Those that have ended may still be there, or not.
    fn forget_link(&self, link: ReciprocalLink) -> StoreFuture<'_, Option<PeerTokens>>;

    /// The tokens of every link that have not ended at `now`; from the
    /// beginning, or after a page. [`Transfer`](super::Transfer) says what a
    /// page is.
    ///
    /// Fails with [`StoreError::Corrupt`](super::StoreError::Corrupt) if
    /// `after` is not from a page of tokens of this store.
    fn list_peer_tokens(&self, after: Option<Cursor>, limit: usize, now: UnixTime)
    -> StoreFuture<'_, Page<PeerTokens>>;

    /// How many codes wait that have not expired at `now`, to watch the queue.
    fn queued_codes(&self, now: UnixTime) -> StoreFuture<'_, u64>;
}

/// The part of [`PeerTokens`] that no step compares, as stores with columns keep it.
#[cfg(any(feature = "postgres", feature = "redis", feature = "sqlite"))]
#[derive(Serialize, Deserialize)]
pub(super) struct TokensRecord {
    scope: Scope,
    obtained_at: UnixTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<UnixTime>,
}

#[cfg(any(feature = "postgres", feature = "redis", feature = "sqlite"))]
impl TokensRecord {
    pub(super) fn of(tokens: &PeerTokens) -> Self {
        Self { scope: tokens.scope.clone(), obtained_at: tokens.obtained_at, expires_at: tokens.expires_at }
    }

    /// The tokens, with all that is beside the record.
    pub(super) fn with(
        self,
        link: ReciprocalLink,
        id: Digest,
        sealed: Vec<u8>,
        ends_at: UnixTime,
        revision: u64,
    ) -> PeerTokens {
        let Self { scope, obtained_at, expires_at } = self;
        PeerTokens { link, id, sealed, scope, obtained_at, expires_at, ends_at, revision }
    }
}
