//! Live tokens for calls to a peer's API.

use std::hash::BuildHasher;

use oauth_core::{
    engine::{fault::Fault, reciprocal::LinkedTokens},
    store::ReciprocalLink,
};

use super::{ReciprocalClient, peers::Inner};
use crate::client::TokenError;

/// Why there is no live token of a link, although it has tokens.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The store of this server fails. Try again later.
    #[error("the store cannot be used now")]
    Store(Fault),
    /// The peer did not refresh the token. If that
    /// [is temporary](TokenError::is_temporary), try again later; else the link
    /// has ended: the user must connect the two anew.
    #[error("the peer did not refresh the token: {0}")]
    Refresh(#[from] TokenError),
    /// The link is to a party that is not configured here.
    #[error("the peer is not configured")]
    UnknownPeer,
}

/// A token that ends within so many seconds counts as ended: a request with it
/// takes some time.
const LEEWAY: u64 = 10;

impl ReciprocalClient {
    /// Tokens of `link` whose access token is good, refreshed if it has expired;
    /// `None` if there are none, or if they have expired and cannot be refreshed.
    ///
    /// What a refresh brings is stored in the place of what it was made with, once:
    /// who comes second takes what the first has stored.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn tokens(&self, link: &ReciprocalLink) -> Result<Option<LinkedTokens>, LinkError> {
        match self.inner.known(link).await? {
            Some(tokens) if !self.inner.is_over(&tokens) => Ok(Some(tokens)),
            Some(_) => self.refreshed(link).await,
            None => Ok(None),
        }
    }

    async fn refreshed(&self, link: &ReciprocalLink) -> Result<Option<LinkedTokens>, LinkError> {
        let inner = &*self.inner;
        // A refresh token that two send at once looks stolen to many servers.
        let _alone = inner.turn(link).lock().await;
        let Some(before) = inner.known(link).await?.filter(|tokens| inner.is_over(tokens)) else {
            return inner.known(link).await;
        };
        let Some(refresh_token) = &before.response.refresh_token else { return Ok(None) };
        let peer = inner.peers.get(&link.client).ok_or(LinkError::UnknownPeer)?;
        let tokens = match peer.refresh(refresh_token, None).await {
            Ok(tokens) => tokens,
            Err(error) => return inner.another(&before, error).await.map(Some),
        };
        match inner.reciprocal.refreshed(&before, &tokens).await.map_err(LinkError::Store)? {
            Some(refreshed) => Ok(Some(refreshed)),
            // Another node was faster, or a new code has come.
            None => Ok(inner.known(link).await?.filter(|tokens| !inner.is_over(tokens))),
        }
    }
}

impl Inner {
    async fn known(&self, link: &ReciprocalLink) -> Result<Option<LinkedTokens>, LinkError> {
        self.reciprocal.tokens(link).await.map_err(LinkError::Store)
    }

    /// After a refusal: what another node has stored meanwhile with that very
    /// refresh token, or else the refusal.
    pub(super) async fn another(&self, before: &LinkedTokens, error: TokenError) -> Result<LinkedTokens, LinkError> {
        let now = self.known(&before.link).await?.filter(|tokens| !self.is_over(tokens));
        now.ok_or(LinkError::Refresh(error))
    }

    fn is_over(&self, tokens: &LinkedTokens) -> bool {
        tokens.expires_at.is_some_and(|end| end <= self.clock.now().saturating_add(LEEWAY))
    }

    /// Where those wait who would refresh this link.
    fn turn(&self, link: &ReciprocalLink) -> &tokio::sync::Mutex<()> {
        let hash = self.hasher.hash_one(link);
        let at = usize::try_from(hash).unwrap_or_default() % self.refreshing.len();
        // `at` is less than the length.
        #[expect(clippy::indexing_slicing, reason = "the index is a remainder by the length")]
        &self.refreshing[at]
    }
}
