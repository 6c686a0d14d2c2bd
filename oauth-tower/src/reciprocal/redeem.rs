//! Party B redeems what party A has sent (draft-ietf-oauth-reciprocal-04 section
//! 2.2.2, step 5).

use std::{
    future::{Future, pending},
    pin::pin,
    time::Duration,
};

use futures_util::{
    StreamExt,
    future::{Either, select},
    stream::FuturesUnordered,
};
use oauth_core::{
    clock::UnixTime,
    engine::{
        fault::Fault,
        reciprocal::{LinkedTokens, ReciprocalOutcome, ReciprocalTask},
    },
    token::TokenResponse,
};

use super::ReciprocalClient;
use crate::{
    client::{TokenClient, TokenError},
    outgoing::HttpError,
};

/// What became of one code.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redemption {
    /// Its tokens are stored.
    Stored,
    /// A later code has come, or the link was forgotten: its tokens were given
    /// back.
    Superseded,
    /// The peer said no, for good. The code was discarded.
    Refused {
        /// The `error` code; `None` if the peer's answer could not be understood.
        error: Option<String>,
    },
    /// The peer cannot say now. It is asked again.
    Deferred {
        /// When.
        due_at: UnixTime,
    },
    /// The peer could not say, too often or for too long. The code was discarded.
    Abandoned,
}

/// How often tokens that came are stored, if the store fails: they come once. The
/// pauses between, in seconds, are 1, 2, 4 and 8.
const STORED_AT_MOST: u32 = 5;

/// How many codes are redeemed at once: a peer that does not answer must not keep the
/// others waiting.
const AT_ONCE: usize = 16;

/// The longest that a peer may have itself be waited for, in seconds.
const LONGEST_WAIT: u64 = 300;

impl ReciprocalClient {
    /// Redeems codes as they come due, sixteen at once, until `stop` is ready.
    /// Those in hand are finished first, since a code is good for one use.
    ///
    /// A store that fails is asked again after the pause, for as long as it takes;
    /// the events of the server say what became of each code.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let (mut stop, mut in_hand, mut pause) = (pin!(stop), FuturesUnordered::new(), Duration::ZERO);
        loop {
            let (is_idle, is_full) = (in_hand.is_empty(), in_hand.len() >= AT_ONCE);
            let finished = pin!(async { if is_idle { pending().await } else { in_hand.next().await } });
            let next_look = tokio::time::sleep(pause);
            let due = pin!(async { if is_full { pending().await } else { next_look.await } });
            match select(&mut stop, select(finished, due)).await {
                Either::Left(_) => break,
                // What became of it, the events of the server have said.
                Either::Right((Either::Left(_), _)) => {}
                Either::Right((Either::Right(_), _)) => {
                    pause = self.inner.pause;
                    if let Ok(Some(task)) = self.inner.reciprocal.next(self.inner.at_most).await {
                        in_hand.push(self.redeem(task));
                        pause = Duration::ZERO;
                    }
                }
            }
        }
        while in_hand.next().await.is_some() {}
    }

    /// Redeems the next code that is due; `None` if none is. For whoever has a
    /// loop of their own.
    ///
    /// Let it come to its end: what is dropped halfway may have been redeemed, and
    /// nobody would know its tokens.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn step(&self) -> Result<Option<Redemption>, Fault> {
        match self.inner.reciprocal.next(self.inner.at_most).await? {
            Some(task) => self.redeem(task).await.map(Some),
            None => Ok(None),
        }
    }

    async fn redeem(&self, task: ReciprocalTask) -> Result<Redemption, Fault> {
        // Where the peer is stands here, not in anything that it has sent.
        let Some(peer) = self.inner.peers.get(&task.link.client) else { return self.later(&task, None).await };
        // OAuth 2.1 section 4.1.3 with neither `redirect_uri` nor verifier: no
        // browser took part (draft section 2.2.2).
        match peer.grant("authorization_code", &[("code", task.code.expose())]).await {
            Ok(tokens) => self.stored(peer, &task, &tokens).await,
            Err(error) if is_final(&error) => {
                self.inner.reciprocal.refused(&task).await?;
                Ok(Redemption::Refused { error: error.code().map(str::to_owned) })
            }
            Err(error) => self.later(&task, error.retry_after()).await,
        }
    }

    async fn later(&self, task: &ReciprocalTask, wait: Option<u64>) -> Result<Redemption, Fault> {
        let wait = wait.unwrap_or_default().min(LONGEST_WAIT);
        let due_at = self.inner.reciprocal.failed_for(task, wait).await?;
        Ok(due_at.map_or(Redemption::Abandoned, |due_at| Redemption::Deferred { due_at }))
    }

    pub(super) async fn stored(
        &self,
        peer: &TokenClient,
        task: &ReciprocalTask,
        tokens: &TokenResponse,
    ) -> Result<Redemption, Fault> {
        match self.store(task, tokens).await {
            // Section 3: the old ones go when the new ones are there.
            Ok(ReciprocalOutcome::Stored { replaced: Some(LinkedTokens { response, .. }) }) => {
                give_back(peer, response).await;
                Ok(Redemption::Stored)
            }
            Ok(ReciprocalOutcome::Superseded) => {
                give_back(peer, tokens.clone()).await;
                Ok(Redemption::Superseded)
            }
            Ok(_) => Ok(Redemption::Stored),
            Err(fault) => {
                // Nobody will ever know them.
                give_back(peer, tokens.clone()).await;
                Err(fault)
            }
        }
    }

    async fn store(&self, task: &ReciprocalTask, tokens: &TokenResponse) -> Result<ReciprocalOutcome, Fault> {
        let mut pause = Duration::from_secs(1);
        for _ in 1..STORED_AT_MOST {
            if let Ok(outcome) = self.inner.reciprocal.redeemed(task, tokens).await {
                return Ok(outcome);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.inner.reciprocal.redeemed(task, tokens).await
    }
}

/// Revokes tokens that nobody needs any more, as far as the peer lets us: RFC 7009
/// section 2.1 has the refresh token take the access token along, but not every
/// server does that.
async fn give_back(peer: &TokenClient, tokens: TokenResponse) {
    for token in tokens.refresh_token.into_iter().chain([tokens.access_token]) {
        // What is not revoked ends by itself.
        drop(peer.revoke(token).await);
    }
}

/// Whether no second try can do better: the peer has said no, or it has answered
/// something that has used the code up.
fn is_final(error: &TokenError) -> bool {
    match error {
        // A page of some proxy's has no code, and is no decision of the peer's; and that
        // it does not believe who we are says nothing of the code: keys are rotated.
        TokenError::Refused { error, .. } => !error.is_empty() && error != "invalid_client",
        TokenError::Invalid(_) | TokenError::NotBound | TokenError::Http(HttpError::TooLarge) => true,
        _ => false,
    }
}
