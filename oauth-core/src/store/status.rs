//! Which of the tokens that others verify by themselves were revoked
//! (Token Status List, draft-ietf-oauth-status-list-18).

use serde::{Deserialize, Serialize};

use super::{StoreFuture, Uses};
use crate::{clock::UnixTime, secret::Digest, token::GrantId};

/// The place of one token's status. No other token has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StatusPlace {
    /// The number of the list: below 2^53, for stores that count in doubles.
    pub list: u64,
    /// The place in it: below 2^20.
    pub index: u32,
}

impl StatusPlace {
    /// The place `index` of the list `list`.
    #[must_use]
    pub const fn new(list: u64, index: u32) -> Self {
        Self { list, index }
    }
}

/// The statuses of access tokens that others verify by themselves.
///
/// The access token's record says which place it has
/// ([`AccessToken::status`](super::AccessToken::status)). To revoke what is
/// under a grant: end the grant, so that nothing is added to it any more, then
/// ask for its places, then put them into their lists. Each step can be
/// repeated, and whoever breaks off begins again.
///
/// ```
/// use oauth_core::{clock::UnixTime, store::{Statuses, StoreError, memory::MemoryStore}};
/// # futures_util::FutureExt::now_or_never(async {
/// let store = MemoryStore::default();
/// let (now, until) = (UnixTime(1_000), UnixTime(2_000));
/// store.revoke_statuses(1, vec![7, 4_711], until).await?;
/// store.revoke_statuses(1, vec![7], until).await?;
/// assert_eq!(store.revoked_statuses(1, now).await?, [7, 4_711]);
/// assert!(store.revoked_statuses(2, now).await?.is_empty());
/// # Ok::<_, StoreError>(()) }).unwrap()?;
/// # Ok::<_, StoreError>(())
/// ```
pub trait Statuses: Uses {
    /// The places of a grant's access tokens that have one and are not over at
    /// `now`, whether or not the grant is; in no particular order. Those that are over, or
    /// were revoked by themselves, may be among them.
    ///
    /// Once the grant has been revoked, none is added any more: what is said
    /// then is all there is.
    fn grant_statuses(&self, id: GrantId, now: UnixTime) -> StoreFuture<'_, Vec<StatusPlace>>;

    /// Puts the tokens at `indices` of a list among its revoked ones. Those that
    /// are there stay there.
    ///
    /// The list as a whole ends at `until`, which is the same for all of one
    /// list: from then on what it says counts for nothing, and
    /// [`Grants::sweep`](super::Grants::sweep) removes it.
    fn revoke_statuses(&self, list: u64, indices: Vec<u32>, until: UnixTime) -> StoreFuture<'_, ()>;

    /// The revoked ones of a list, each once, in ascending order. Once the list
    /// has ended at `now`, some may be missing.
    fn revoked_statuses(&self, list: u64, now: UnixTime) -> StoreFuture<'_, Vec<u32>>;

    /// Claims the next block of places of a group: 1, then 2, and so on, each
    /// number once, until the group ends at `until`, which the first claim
    /// sets. As [`Uses::count_use`], which is what it is unless a store keeps
    /// uses where they may be lost: a number that is given twice lets two
    /// tokens have one place.
    fn claim_statuses(&self, group: Digest, until: UnixTime, now: UnixTime) -> StoreFuture<'_, u64> {
        self.count_use(group, until, now)
    }

    /// How many blocks of a group have been claimed, as [`Uses::uses`].
    fn claimed_statuses(&self, group: Digest, now: UnixTime) -> StoreFuture<'_, u64> {
        self.uses(group, now)
    }
}
