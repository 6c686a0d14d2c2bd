//! How often others are asked: a stranger decides whom, and must not decide how
//! often.

use std::{hash::BuildHasher, sync::Arc, time::Duration};

use foldhash::quality::RandomState;
use oauth_core::{clock::UnixTime, fetch::FetchError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    budget::{Budgets, Charge},
    seconds,
};

/// So many in each period.
pub(super) type Rate = (u32, Duration);

/// All the limits.
#[derive(Debug)]
pub(super) struct Limits {
    places: Arc<Semaphore>,
    /// By a seeded hash, so that long names take no room.
    urls: Budgets<u64>,
    hosts: Budgets<u64>,
    all: Budgets<()>,
    interval: u64,
    hasher: RandomState,
}

/// A place for one request. Dropped before it was [used](Leave::used), because all
/// who asked went away, it does not keep them from asking again.
#[must_use]
pub(super) struct Leave<'a> {
    limits: &'a Limits,
    url: Option<Charge<u64>>,
    _place: OwnedSemaphorePermit,
}

impl Limits {
    pub(super) fn new(at_once: usize, interval: Duration, host: Rate, all: Rate) -> Self {
        Self {
            places: Arc::new(Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS))),
            urls: Budgets::new(1, interval),
            hosts: Budgets::new(host.0, host.1),
            all: Budgets::new(all.0, all.1),
            interval: seconds::whole(interval).max(1),
            hasher: RandomState::default(),
        }
    }

    /// Between two requests for one URL, in seconds.
    pub(super) const fn interval(&self) -> u64 {
        self.interval
    }

    /// Lets one request for `url` through.
    ///
    /// # Errors
    /// [`FetchError::Limited`], and nothing is taken.
    pub(super) fn admit(&self, url: &str, host: &str, now: UnixTime) -> Result<Leave<'_>, FetchError> {
        let limited = |retry_after| FetchError::Limited { retry_after };
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| limited(1))?;
        let url = self.urls.take(self.hasher.hash_one(url), now).map_err(limited)?;
        let leave = Leave { limits: self, url: Some(url), _place: place };
        let host = self.hosts.take(self.hasher.hash_one(host), now).map_err(limited)?;
        if let Err(retry_after) = self.all.take((), now) {
            self.hosts.give_back(&host);
            return Err(limited(retry_after));
        }
        Ok(leave)
    }
}

impl Leave<'_> {
    /// There was an answer, or will be none.
    pub(super) fn used(mut self) {
        self.url = None;
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if let Some(url) = &self.url {
            self.limits.urls.give_back(url);
        }
    }
}
