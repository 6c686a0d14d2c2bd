//! Whether a grant still gives anything: the one place where that is judged,
//! whatever is about to be done under it.
//!
//! A grant can end by itself, or with all that was granted before some time: that
//! is one number in the store, or in the record of its client, and holds as soon
//! as it is written. Its row may say so later, or never.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    fault::Fault,
    revocations::{RevocationListener, Revoked},
    validate::Located,
};
use crate::{clock::UnixTime, server::AuthorizationServer, store::Grant};

impl AuthorizationServer {
    /// Whether a grant and its client live.
    pub(crate) async fn lives(&self, grant: &Grant) -> Result<bool, Fault> {
        Ok(grant.is_live(self.now()) && self.stands(grant).await?)
    }

    /// Whether nothing has ended all grants of the age of this one. It may have
    /// ended by itself.
    pub(crate) async fn stands(&self, grant: &Grant) -> Result<bool, Fault> {
        if grant.created_at < self.epoch().await? {
            return Ok(false);
        }
        // With its client, everything the client was given ends.
        let client = &grant.facts.client;
        Ok(match self.client(client).await? {
            Some(client) => client.grants_since <= grant.created_at,
            None => self.knows_client(client).await?,
        })
    }

    /// The epoch of the store, as it was at some moment of this second.
    pub(super) async fn epoch(&self) -> Result<UnixTime, Fault> {
        let now = self.now();
        match self.epoch_cache().at(now) {
            Ok(epoch) => Ok(epoch),
            Err(changes) => {
                let found = self.store().epoch().await?;
                Ok(self.epoch_cache().keep(found, now, changes))
            }
        }
    }

    /// Raises the epoch of the store, and no other judgment of this process rests
    /// on the one before.
    pub(crate) async fn raise_epoch(&self, to: UnixTime) -> Result<UnixTime, Fault> {
        let raised = self.store().raise_epoch(to).await?;
        self.epoch_cache().raise(raised);
        Ok(raised)
    }

    /// A token of what a refresh has brought is used: so it was received, and
    /// nobody needs the way back to it ([`Rotation::UntilFirstUse`]).
    ///
    /// [`Rotation::UntilFirstUse`]: super::policy::Rotation::UntilFirstUse
    pub(super) async fn confirm(&self, grant: &Grant, located: &Located) -> Result<(), Fault> {
        let Some(refresh) = &grant.refresh else { return Ok(()) };
        let Some(awaited) = refresh.retry.as_ref().and_then(|retry| retry.access) else { return Ok(()) };
        // A retry may have brought another one, of the same generation.
        if awaited == located.digest || located.generation == Some(refresh.generation) {
            let _was_there = self.store().confirm_refresh(grant.id, awaited, self.now()).await?;
        }
        Ok(())
    }
}

/// The epoch as this node has read it: for less than a second, by its own clock.
#[derive(Default)]
pub(crate) struct EpochCache(Mutex<Known>);

#[derive(Default)]
struct Known {
    epoch: UnixTime,
    /// In which second; `None` if it must be read again.
    at: Option<UnixTime>,
    /// How often something was heard that what is being read may not know.
    changes: u64,
}

impl EpochCache {
    /// The epoch, if it has been read in this second; else what
    /// [`EpochCache::keep`] needs to know.
    fn at(&self, now: UnixTime) -> Result<UnixTime, u64> {
        let known = self.lock();
        if known.at == Some(now) { Ok(known.epoch) } else { Err(known.changes) }
    }

    /// Keeps what was read since, and says what the epoch is.
    fn keep(&self, found: UnixTime, now: UnixTime, changes: u64) -> UnixTime {
        let mut known = self.lock();
        // Never lowered: not by a store that has lost the last moments, either.
        known.epoch = known.epoch.max(found);
        if known.changes == changes {
            known.at = Some(now);
        }
        known.epoch
    }

    fn raise(&self, to: UnixTime) {
        let mut known = self.lock();
        known.epoch = known.epoch.max(to);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RevocationListener for EpochCache {
    fn revoked(&self, what: &Revoked) {
        // It may have been another node that has raised it.
        if *what == Revoked::Anything {
            let mut known = self.lock();
            known.at = None;
            known.changes += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_000);

    #[test]
    fn an_epoch_is_believed_for_the_second_in_which_it_was_read() {
        let cache = EpochCache::default();
        let Err(changes) = cache.at(NOW) else { panic!("nothing was read yet") };
        assert_eq!(cache.keep(UnixTime(5), NOW, changes), UnixTime(5));
        assert_eq!(cache.at(NOW), Ok(UnixTime(5)));
        assert!(cache.at(UnixTime(1_001)).is_err() && cache.at(UnixTime(999)).is_err());
    }

    #[test]
    fn what_is_heard_while_it_is_read_makes_it_doubtful() {
        let cache = EpochCache::default();
        let Err(changes) = cache.at(NOW) else { panic!("nothing was read yet") };
        cache.revoked(&Revoked::Anything);
        assert_eq!(cache.keep(UnixTime(5), NOW, changes), UnixTime(5));
        assert!(cache.at(NOW).is_err(), "an older epoch was kept");
    }

    #[test]
    fn it_is_never_lowered() {
        let cache = EpochCache::default();
        cache.raise(UnixTime(7));
        let Err(changes) = cache.at(NOW) else { panic!("nothing was read yet") };
        assert_eq!(cache.keep(UnixTime(5), NOW, changes), UnixTime(7));
        cache.raise(UnixTime(6));
        assert_eq!(cache.at(NOW), Ok(UnixTime(7)));
        cache.raise(UnixTime(8));
        assert_eq!(cache.at(NOW), Ok(UnixTime(8)));
    }
}
