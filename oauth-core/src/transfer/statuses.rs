//! The line of a status list: which places have been given, and which of them
//! are of revoked tokens.

use futures_util::future::try_join_all;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::{base64url::Bytes, pause};
use crate::{
    clock::UnixTime,
    engine::status_list::moved::{self, Group, MAX_BLOCKS, MAX_LIST, PLACES},
    secret::Digest,
    store::{StatusPlace, Store, StoreError},
};

/// How many places a line names at most: it is some 60 KiB then.
pub(super) const CHUNK: usize = 8_192;

/// Since version 3. The first of a group says how much has been claimed of it,
/// so that no place is given again.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusesLine {
    #[serde(deserialize_with = "list")]
    list: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claimed: Option<ClaimedLine>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "places")]
    revoked: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimedLine {
    group: Bytes<32>,
    #[serde(deserialize_with = "blocks")]
    blocks: u64,
}

impl StatusesLine {
    /// That so many blocks of a group have been claimed.
    pub(super) fn claimed(group: &Group, blocks: u64) -> Self {
        let claimed = Some(ClaimedLine { group: group.digest.into(), blocks });
        Self { list: group.first, claimed, revoked: Vec::new() }
    }

    /// That these places of a list are of revoked tokens.
    pub(super) const fn revoked(list: u64, revoked: Vec<u32>) -> Self {
        Self { list, claimed: None, revoked }
    }

    /// Adds to what is there. Whether there was anything to add.
    pub(super) async fn insert(self, store: &(impl Store + ?Sized), exported_at: UnixTime) -> Result<bool, StoreError> {
        let Self { list, claimed, mut revoked } = self;
        let mut inserted = false;
        if let Some(ClaimedLine { group, blocks }) = claimed {
            let until = moved::counted_until(list);
            inserted |= claim(store, group.into(), blocks, until, exported_at).await?;
        }
        if !revoked.is_empty() {
            let known = store.revoked_statuses(list, exported_at).await?;
            revoked.retain(|place| known.binary_search(place).is_err());
        }
        if !revoked.is_empty() {
            store.revoke_statuses(list, revoked, moved::until(list)).await?;
            inserted = true;
        }
        Ok(inserted)
    }
}

/// Claims until so many are claimed, a few at a time, so that a store can
/// commit them together.
async fn claim(
    store: &(impl Store + ?Sized),
    group: Digest,
    blocks: u64,
    until: UnixTime,
    now: UnixTime,
) -> Result<bool, StoreError> {
    const TOGETHER: u64 = 64;
    let mut claimed = store.claimed_statuses(group, now).await?;
    let missing = claimed < blocks;
    while claimed < blocks {
        let some = (blocks - claimed).min(TOGETHER);
        try_join_all((0..some).map(|_| store.claim_statuses(group, until, now))).await?;
        claimed += some;
        pause().await;
    }
    Ok(missing)
}

/// Marks tokens of a grant that is revoked.
pub(super) async fn mark(store: &(impl Store + ?Sized), places: Vec<StatusPlace>) -> Result<(), StoreError> {
    for place in places {
        store.revoke_statuses(place.list, vec![place.index], moved::until(place.list)).await?;
    }
    Ok(())
}

fn list<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    at_most(MAX_LIST, u64::deserialize(from)?)
}

fn blocks<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    at_most(MAX_BLOCKS, u64::deserialize(from)?)
}

fn places<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u32>, D::Error> {
    let places = Vec::<u32>::deserialize(from)?;
    places.into_iter().map(|place| at_most(PLACES - 1, place)).collect()
}

fn at_most<T: PartialOrd + Copy, E: Error>(most: T, found: T) -> Result<T, E> {
    if found <= most { Ok(found) } else { Err(E::custom("there is no such place")) }
}
