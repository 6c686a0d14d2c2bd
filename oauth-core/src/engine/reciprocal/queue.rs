//! Codes that wait at party B: taking them out, trying again, giving up.

use super::{Reciprocal, Reciprocity};
use crate::{
    clock::UnixTime,
    engine::fault::Fault,
    event::Event,
    secret::{Digest, Secret},
    server::AuthorizationServer,
    store::{Queued, QueuedCode, ReciprocalLink},
};

/// A code to redeem now, at the token endpoint that is configured for its link's
/// client. Say afterwards what came of it: [`Reciprocal::redeemed`],
/// [`Reciprocal::refused`] or [`Reciprocal::failed`]. If nothing is said, somebody
/// takes it again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReciprocalTask {
    /// Whom the tokens will be for.
    pub link: ReciprocalLink,
    /// The code of the other party.
    pub code: Secret,
    /// How often it was tried, this time included.
    pub attempts: u32,
    /// When it came.
    pub queued_at: UnixTime,
    /// From then on it is not tried any more.
    pub expires_at: UnixTime,
    pub(super) id: Digest,
}

/// Why a code was discarded that had been taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReciprocalEnd {
    /// The other party refused it.
    Refused,
    /// It was tried as often as [`ReciprocalSettings::retries`] allows.
    ///
    /// [`ReciprocalSettings::retries`]: super::ReciprocalSettings::retries
    Exhausted,
    /// It has expired before it could be redeemed.
    Expired,
    /// It has expired, and its client is none of the peers any more.
    NoPeer,
    /// It has expired, and was sealed under a root secret that is not known here.
    Unreadable,
}

impl Reciprocity {
    /// Takes in `code`: when this returns, it is as durable as the store makes
    /// anything.
    pub(crate) async fn queue(
        &self,
        server: &AuthorizationServer,
        link: ReciprocalLink,
        code: &str,
    ) -> Result<(), Fault> {
        let entry = self.entry(link.clone(), code, server.now(), server.random())?;
        if server.reciprocals().queue_code(entry).await? == Queued::Added {
            server.tell(&Event::ReciprocalQueued { link: &link });
        }
        Ok(())
    }

    /// The code of `entry`, if this node knows its client and its root secret.
    fn known(&self, entry: &QueuedCode) -> Option<Secret> {
        self.code_of(entry).filter(|_| self.settings.wish(&entry.link.client).is_some())
    }

    /// Why `entry` is past redeeming, which it is.
    fn end_of(&self, entry: &QueuedCode, now: UnixTime) -> ReciprocalEnd {
        match () {
            () if self.settings.wish(&entry.link.client).is_none() => ReciprocalEnd::NoPeer,
            () if self.code_of(entry).is_none() => ReciprocalEnd::Unreadable,
            () if now >= entry.expires_at => ReciprocalEnd::Expired,
            () => ReciprocalEnd::Exhausted,
        }
    }
}

impl Reciprocal {
    /// Takes the next code that is due; `None` if none is. For so many seconds as
    /// `at_most` nobody else is given it: let it be more than an attempt can take,
    /// or a code that two nodes redeem looks stolen to the other party.
    ///
    /// What is past redeeming is discarded on the way, and told as
    /// [`Event::ReciprocalAbandoned`].
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn next(&self, at_most: u64) -> Result<Option<ReciprocalTask>, Fault> {
        let now = self.server.now();
        while let Some(entry) = self.store().take_queued(now, now.saturating_add(at_most.max(1))).await? {
            let expired = now >= entry.expires_at;
            // Whoever took it once too often has died of it.
            let exhausted = entry.attempts > self.own.settings.retries.saturating_add(1);
            match self.own.known(&entry) {
                Some(code) if !expired && !exhausted => return Ok(Some(ReciprocalTask::new(entry, code))),
                // Another node may know more, and takes it when it is due again.
                None if !expired => {}
                _ => self.abandon(&entry.link, entry.id, self.own.end_of(&entry, now)).await?,
            }
        }
        Ok(None)
    }

    /// Says that the other party refused the code of `task`: it is discarded, since
    /// no second try can do better. Tokens of an earlier one stay.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn refused(&self, task: &ReciprocalTask) -> Result<(), Fault> {
        self.abandon(&task.link, task.id, ReciprocalEnd::Refused).await
    }

    /// Says that nobody knows what became of `task`: the other party was not
    /// reached, or had a fault of its own. Returns when it will be tried again,
    /// each time twice as late; `None` if it was tried often enough, or would
    /// come too late, and is discarded.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn failed(&self, task: &ReciprocalTask) -> Result<Option<UnixTime>, Fault> {
        self.failed_for(task, 0).await
    }

    /// As [`Reciprocal::failed`], where the other party has asked not to be asked
    /// again for `at_least` so many seconds (RFC 9110 section 10.2.3).
    ///
    /// # Errors
    /// As [`Reciprocal::failed`].
    pub async fn failed_for(&self, task: &ReciprocalTask, at_least: u64) -> Result<Option<UnixTime>, Fault> {
        let settings = &self.own.settings;
        let due_at = self.server.now().saturating_add(settings.pause_after(task.attempts).max(at_least));
        let end = match () {
            () if task.attempts > settings.retries => ReciprocalEnd::Exhausted,
            () if due_at >= task.expires_at => ReciprocalEnd::Expired,
            () => {
                if !self.store().defer_queued(task.link.clone(), task.id, due_at).await? {
                    return Ok(None);
                }
                let (link, attempts) = (&task.link, task.attempts);
                self.server.tell(&Event::ReciprocalDeferred { link, attempts, due_at });
                return Ok(Some(due_at));
            }
        };
        self.abandon(&task.link, task.id, end).await?;
        Ok(None)
    }

    /// How many codes wait, to watch the queue.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn queued(&self) -> Result<u64, Fault> {
        Ok(self.store().queued_codes(self.server.now()).await?)
    }

    async fn abandon(&self, link: &ReciprocalLink, id: Digest, why: ReciprocalEnd) -> Result<(), Fault> {
        let _outcome = self.store().finish_queued(link.clone(), id, None).await?;
        self.server.tell(&Event::ReciprocalAbandoned { link, why });
        Ok(())
    }
}

impl ReciprocalTask {
    fn new(entry: QueuedCode, code: Secret) -> Self {
        let QueuedCode { id, link, attempts, queued_at, expires_at, .. } = entry;
        Self { link, code, attempts, queued_at, expires_at, id }
    }
}
