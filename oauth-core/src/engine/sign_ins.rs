//! Whether a sign-in at a browser is still good: of that, a session knows only when
//! it began.

use super::fault::Fault;
use crate::{clock::UnixTime, secret::Digest, server::AuthorizationServer};

/// For how long it is known that the sign-ins of a user were ended, in seconds: 400
/// days, which is longer than any session.
const KNOWN_FOR: u64 = 400 * 86_400;

impl AuthorizationServer {
    /// How often all sign-ins of `subject` were ended
    /// ([`Selection::Subject`](crate::server::Selection::Subject)). A session at a browser
    /// keeps the number that it began with, for [`Self::sign_in_stands`]. The built-in
    /// pages do so.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// use oauth_core::server::{AuthorizationServer, Selection};
    /// # let server = AuthorizationServer::builder("https://as.example").build().await?;
    /// // When alice signs in:
    /// let (began, ended) = (server.now(), server.sign_ins_ended("alice").await?);
    /// // At each of her requests:
    /// assert!(server.sign_in_stands("alice", began, ended).await?);
    ///
    /// let mut all = server.revoke_all(Selection::Subject("alice".to_owned()))?;
    /// while let Some(step) = all.next().await {
    ///     step?;
    /// }
    /// assert!(!server.sign_in_stands("alice", began, ended).await?);
    /// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn sign_ins_ended(&self, subject: &str) -> Result<u64, Fault> {
        Ok(self.store().uses(mark(subject), self.now()).await?)
    }

    /// Whether a sign-in of `subject` that `began` then, when they had been `ended` so
    /// many times, is still good: neither all of that user's were ended since, nor
    /// [whatever was issued before some time](crate::server::Selection::IssuedBefore).
    ///
    /// # Errors
    /// [`Fault`] if the store fails, which says nothing of the sign-in.
    pub async fn sign_in_stands(&self, subject: &str, began: UnixTime, ended: u64) -> Result<bool, Fault> {
        Ok(began >= self.epoch().await? && self.sign_ins_ended(subject).await? == ended)
    }

    /// Ends all sign-ins of `subject` so far.
    pub(crate) async fn end_sign_ins(&self, subject: &str) -> Result<(), Fault> {
        let now = self.now();
        self.store().count_use(mark(subject), now.saturating_add(KNOWN_FOR), now).await?;
        Ok(())
    }
}

fn mark(subject: &str) -> Digest {
    Digest::of(&[b"sign-ins ended ", subject.as_bytes()])
}
