//! The statuses themselves, and their compressed form (section 4 of the draft).

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use miniz_oxide::{
    deflate::compress_to_vec_zlib,
    inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit},
};

/// How many bytes a list may have once it is inflated: 4 MiB, which is 33
/// million tokens. A longer one is refused, whatever it was compressed to.
pub const MAX_STATUS_LIST_BYTES: usize = 4 * 1024 * 1024;

/// For each token, whether it is valid: one bit each, as read from a list of
/// one, two, four or eight. Every status but 0x00 ("VALID") makes a token
/// invalid, those that are application-specific or not registered too.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusList {
    /// A set bit is a token that is not valid; the lowest bit of a byte comes
    /// first.
    bits: Vec<u8>,
    entries: u64,
}

/// Why a list cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatusListError {
    /// `bits` is not 1, 2, 4 or 8.
    #[error("the statuses of the list have a width that there is not")]
    Width,
    /// `lst` is not base64url without padding.
    #[error("the list is not base64url")]
    NotBase64Url,
    /// What is in `lst` is not ZLIB, or was cut off.
    #[error("the list is not compressed as it must be")]
    NotZlib,
    /// It is longer than [`MAX_STATUS_LIST_BYTES`].
    #[error("the list is too long")]
    TooLong,
}

impl StatusList {
    /// A list of so many `entries`, of which those at `revoked` are invalid. An
    /// index that is not below `entries` is passed over.
    #[must_use]
    pub fn with_revoked(entries: u32, revoked: impl IntoIterator<Item = u32>) -> Self {
        let entries = u64::from(entries);
        let mut list = Self { bits: vec![0; usize::try_from(entries.div_ceil(8)).unwrap_or(0)], entries };
        revoked.into_iter().for_each(|index| list.revoke(u64::from(index)));
        list
    }

    fn revoke(&mut self, index: u64) {
        if index < self.entries
            && let Some((byte, mask)) = place(index).and_then(|(at, mask)| Some((self.bits.get_mut(at)?, mask)))
        {
            *byte |= mask;
        }
    }

    /// How many tokens it speaks of, at most.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Whether the token at `index` is valid; `None` if the list does not speak
    /// of it, and then "no statement about the status of the Referenced Token
    /// can be made" (section 8.3).
    #[must_use]
    pub fn is_valid(&self, index: u64) -> Option<bool> {
        let (at, mask) = place(index).filter(|_| index < self.entries)?;
        self.bits.get(at).map(|byte| byte & mask == 0)
    }

    /// How many are not valid.
    #[must_use]
    pub fn revoked(&self) -> u64 {
        self.bits.iter().map(|byte| u64::from(byte.count_ones())).sum()
    }

    /// `lst`: compressed, in base64url.
    #[must_use]
    pub fn to_lst(&self) -> String {
        // Where there is much to compress, a list of a million takes 60 ms at level 6
        // and 4 ms at level 1, and is hardly smaller: whoever calls this is not to
        // be held up for that long.
        let is_sparse = self.revoked() <= self.entries / 512;
        URL_SAFE_NO_PAD.encode(compress_to_vec_zlib(&self.bits, if is_sparse { 6 } else { 1 }))
    }

    /// Reads `lst`, whose statuses have `bits` bits each.
    ///
    /// # Errors
    /// [`StatusListError`].
    pub fn from_lst(bits: u8, lst: &str) -> Result<Self, StatusListError> {
        if !matches!(bits, 1 | 2 | 4 | 8) {
            return Err(StatusListError::Width);
        }
        let compressed = URL_SAFE_NO_PAD.decode(lst).map_err(|_| StatusListError::NotBase64Url)?;
        let inflated = decompress_to_vec_zlib_with_limit(&compressed, MAX_STATUS_LIST_BYTES).map_err(|error| {
            let too_long = error.status == TINFLStatus::HasMoreOutput;
            if too_long { StatusListError::TooLong } else { StatusListError::NotZlib }
        })?;
        let entries = u64::try_from(inflated.len()).unwrap_or(0) * u64::from(8 / bits);
        let bits = if bits == 1 { inflated } else { narrowed(&inflated, bits) };
        Ok(Self { bits, entries })
    }
}

/// The byte and the bit that stand for `index`.
fn place(index: u64) -> Option<(usize, u8)> {
    Some((usize::try_from(index / 8).ok()?, 1 << (index % 8)))
}

/// One bit for each status: whether it is another than 0x00.
fn narrowed(wide: &[u8], bits: u8) -> Vec<u8> {
    let each = 8 / bits;
    let mask = u8::MAX >> (8 - bits);
    let statuses = wide.iter().flat_map(|byte| (0..each).map(move |at| byte >> (at * bits) & mask));
    let flags: Vec<bool> = statuses.map(|status| status != 0).collect();
    flags.chunks(8).map(|eight| eight.iter().rev().fold(0, |byte, flag| byte << 1 | u8::from(*flag))).collect()
}

impl fmt::Debug for StatusList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusList").field("entries", &self.entries).field("revoked", &self.revoked()).finish()
    }
}
