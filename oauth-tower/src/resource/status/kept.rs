//! Lists that have come, and the newest of them.

use std::sync::{Arc, Mutex, PoisonError};

use oauth_core::{
    clock::UnixTime,
    status_list::{StatusList, VerifiedStatusList},
};

/// A list that is good, and what it says of its time.
#[derive(Debug)]
pub(super) struct Kept {
    list: StatusList,
    pub(super) issued_at: UnixTime,
    pub(super) expires_at: Option<UnixTime>,
    pub(super) ttl: Option<u64>,
}

/// What there is to look a token up in.
#[derive(Debug)]
pub(in crate::resource) struct Known {
    newest: Arc<Kept>,
    /// What came after it, if that is older.
    older: Option<Arc<Kept>>,
}

/// The newest list of one URI. One that was made earlier does not make good again
/// what this one marks; nor is it a failure, since an issuer has nodes, and each
/// makes lists of its own.
#[derive(Debug, Default)]
pub(super) struct Newest(Mutex<Option<Arc<Kept>>>);

impl Newest {
    /// Takes in a list that has come. What was the newest is let go if it does not
    /// `live` any more; of two of one second the later to come counts.
    pub(super) fn take_in(&self, fetched: Kept, lives: impl FnOnce(&Kept) -> bool) -> Known {
        let fetched = Arc::new(fetched);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = held.take().filter(|held| held.issued_at > fetched.issued_at && lives(held));
        let known = match newer {
            Some(newest) => Known { newest, older: Some(fetched) },
            None => Known { newest: fetched, older: None },
        };
        *held = Some(Arc::clone(&known.newest));
        known
    }
}

impl Known {
    pub(super) fn newest(&self) -> &Kept {
        &self.newest
    }

    pub(super) fn lists(&self) -> impl Iterator<Item = &Kept> {
        [Some(&self.newest), self.older.as_ref()].into_iter().flatten().map(|kept| &**kept)
    }

    /// What the newest says. Which one that is, the clocks of the issuer's nodes say,
    /// which may differ: what the other marks is not good either.
    pub(super) fn is_valid(&self, index: u64) -> Option<bool> {
        let is_marked = self.older.as_ref().is_some_and(|older| older.list.is_valid(index) == Some(false));
        self.newest.list.is_valid(index).map(|is_valid| is_valid && !is_marked)
    }
}

impl From<VerifiedStatusList<'_>> for Kept {
    fn from(read: VerifiedStatusList<'_>) -> Self {
        let VerifiedStatusList { list, issued_at, expires_at, ttl, .. } = read;
        Self { list, issued_at, expires_at, ttl }
    }
}
