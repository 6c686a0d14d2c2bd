//! What other parties gave to party B.

use super::{Reciprocal, ReciprocalTask};
use crate::{
    client::ClientId,
    clock::UnixTime,
    engine::fault::Fault,
    event::Event,
    scope::Scope,
    secret::Digest,
    store::{Cursor, Finished, Page, PeerTokens, ReciprocalLink},
    token::TokenResponse,
};

/// The tokens of a link, to call the other party's API with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LinkedTokens {
    /// Whom they are for.
    pub link: ReciprocalLink,
    /// What the other party answered when it gave them. After a refresh that
    /// brought no refresh token, the one before stands here.
    pub response: TokenResponse,
    /// What they allow: what the other party said, or else what was asked of it.
    pub scope: Scope,
    /// When they were given.
    pub obtained_at: UnixTime,
    /// The end of the access token, if the other party has said it.
    pub expires_at: Option<UnixTime>,
    id: Digest,
    revision: u64,
}

/// What became of tokens that a code has brought.
#[derive(Debug)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "made once for each code, and taken apart at once")]
pub enum ReciprocalOutcome {
    /// They are in place.
    Stored {
        /// Those that were in place before: to be revoked at the other party, or
        /// dropped (draft-ietf-oauth-reciprocal-04 section 3).
        replaced: Option<LinkedTokens>,
    },
    /// Tokens of this very code are in place, so these are left out. Revoke nothing:
    /// what came of one code may well end together.
    Already,
    /// A later code has come, or the link was forgotten: nothing was stored. Revoke
    /// the new tokens; nobody will use them.
    Superseded,
}

/// That there are tokens, and for whom; not the tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReciprocalSummary {
    /// Whom they are for.
    pub link: ReciprocalLink,
    /// What they allow.
    pub scope: Scope,
    /// When they were given.
    pub obtained_at: UnixTime,
    /// The end of the access token, if the other party has said it.
    pub expires_at: Option<UnixTime>,
}

impl Reciprocal {
    /// Says that the code of `task` has brought `tokens`: they are stored, sealed,
    /// in the place of those before, and the entry is gone, in one step. Then the
    /// host hears of them.
    ///
    /// # Errors
    /// [`Fault`] if the store or the source of randomness fails. Call it again with
    /// the same tokens: the code is used up.
    pub async fn redeemed(&self, task: &ReciprocalTask, tokens: &TokenResponse) -> Result<ReciprocalOutcome, Fault> {
        let linked = self.linked(&task.link, task.id, 0, tokens);
        let row = self.row(&linked)?;
        let replaced = match self.store().finish_queued(task.link.clone(), task.id, Some(row)).await? {
            Finished::Replaced(replaced) => replaced,
            Finished::Already => return Ok(ReciprocalOutcome::Already),
            Finished::Superseded => return Ok(ReciprocalOutcome::Superseded),
        };
        let link = &task.link;
        self.server.tell(&match replaced {
            Some(_) => Event::ReciprocalUpdated { link },
            None => Event::ReciprocalRedeemed { link },
        });
        self.hand_over(&linked).await;
        Ok(ReciprocalOutcome::Stored { replaced: replaced.as_ref().and_then(|row| self.open(row)) })
    }

    /// The tokens of `link`, if there are any that count.
    ///
    /// # Errors
    /// [`Fault`] if the store fails, or if they were sealed under a root secret that
    /// is not known here.
    pub async fn tokens(&self, link: &ReciprocalLink) -> Result<Option<LinkedTokens>, Fault> {
        let Some(row) = self.store().peer_tokens(link.clone(), self.server.now()).await? else { return Ok(None) };
        let unreadable = Fault::Internal("tokens of a peer were sealed under another root secret");
        self.open(&row).map(Some).ok_or(unreadable)
    }

    /// Puts what a refresh of `before` has brought in its place. `None`, and nothing
    /// done, if it is not in place any more: somebody else has refreshed it, a new
    /// code came, or the link was forgotten.
    ///
    /// # Errors
    /// [`Fault`] if the store or the source of randomness fails.
    pub async fn refreshed(
        &self,
        before: &LinkedTokens,
        tokens: &TokenResponse,
    ) -> Result<Option<LinkedTokens>, Fault> {
        let mut tokens = tokens.clone();
        // OAuth 2.1 section 6: both may be left out where nothing has changed.
        tokens.refresh_token = tokens.refresh_token.or_else(|| before.response.refresh_token.clone());
        tokens.scope = tokens.scope.or_else(|| Some(before.scope.clone()).filter(|scope| !scope.is_empty()));
        let linked = self.linked(&before.link, before.id, before.revision.saturating_add(1), &tokens);
        let row = self.row(&linked)?;
        if !self.store().replace_peer_tokens(row, Some(before.revision), self.server.now()).await? {
            return Ok(None);
        }
        self.hand_over(&linked).await;
        Ok(Some(linked))
    }

    /// Forgets `link`: the code that waits, and the tokens, which are returned to
    /// be revoked.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn forget(&self, link: &ReciprocalLink) -> Result<Option<LinkedTokens>, Fault> {
        let row = self.store().forget_link(link.clone()).await?;
        Ok(row.as_ref().and_then(|row| self.open(row)))
    }

    /// Which links have tokens, `limit` at a time: from the beginning, or after a
    /// page. No token is shown.
    ///
    /// # Errors
    /// [`Fault`] if the store fails, or if `after` is of no page of this store.
    pub async fn list(&self, after: Option<Cursor>, limit: usize) -> Result<Page<ReciprocalSummary>, Fault> {
        let page = self.store().list_peer_tokens(after, limit, self.server.now()).await?;
        Ok(page.map(|row| ReciprocalSummary {
            link: row.link,
            scope: row.scope,
            obtained_at: row.obtained_at,
            expires_at: row.expires_at,
        }))
    }

    /// A failure of the host's loses nothing.
    async fn hand_over(&self, linked: &LinkedTokens) {
        let Some(host) = self.own.settings.host() else { return };
        if let Err(fault) = host.received(linked).await {
            fault.tell_to(&self.server);
        }
    }

    fn linked(&self, link: &ReciprocalLink, id: Digest, revision: u64, tokens: &TokenResponse) -> LinkedTokens {
        let obtained_at = self.server.now();
        LinkedTokens {
            link: link.clone(),
            response: tokens.clone(),
            scope: tokens.scope.clone().unwrap_or_else(|| self.wish(&link.client)),
            obtained_at,
            expires_at: tokens.expires_in.map(|seconds| obtained_at.saturating_add(seconds)),
            id,
            revision,
        }
    }

    /// OAuth 2.1 section 5.1: without a word about the scope, it is what was asked
    /// for.
    fn wish(&self, client: &ClientId) -> Scope {
        self.own.settings.wish(client).cloned().unwrap_or_default()
    }

    fn row(&self, linked: &LinkedTokens) -> Result<PeerTokens, Fault> {
        let LinkedTokens { link, response, scope, obtained_at, expires_at, id, revision } = linked;
        let kept = obtained_at.saturating_add(self.own.settings.tokens_kept);
        let ends_at = if response.refresh_token.is_some() { kept } else { expires_at.unwrap_or(kept) };
        Ok(PeerTokens {
            link: link.clone(),
            id: *id,
            sealed: self.own.seal_tokens(link, *id, response, self.server.random())?,
            scope: scope.clone(),
            obtained_at: *obtained_at,
            expires_at: *expires_at,
            ends_at,
            revision: *revision,
        })
    }

    fn open(&self, row: &PeerTokens) -> Option<LinkedTokens> {
        Some(LinkedTokens {
            link: row.link.clone(),
            response: self.own.tokens_of(row)?,
            scope: row.scope.clone(),
            obtained_at: row.obtained_at,
            expires_at: row.expires_at,
            id: row.id,
            revision: row.revision,
        })
    }
}
