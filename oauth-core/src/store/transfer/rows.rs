//! Cursors of the stores that have rows: where the last one was, by its key.

use super::{consent_of, link_of};
use crate::{
    secret::Digest,
    store::{Cursor, StoreError},
};

/// Before every row.
pub(crate) const BEFORE_ALL: i64 = i64::MIN;

/// `limit` as a number of rows, at least one.
pub(crate) fn rows_of(limit: usize) -> i64 {
    i64::try_from(limit.max(1)).unwrap_or(i64::MAX)
}

/// The text of a cursor; without one, the text that comes before all others.
pub(crate) fn text_of(cursor: Option<&Cursor>) -> Result<&str, StoreError> {
    let text = std::str::from_utf8(cursor.map_or(&[], Cursor::as_bytes));
    // PostgreSQL has no text with a NUL in it.
    text.ok().filter(|text| !text.contains('\0')).ok_or_else(wrong)
}

/// Whose consent a cursor of consents is behind, and to what client; without
/// one, names that come before all others.
pub(crate) fn consent_names_of(cursor: Option<&Cursor>) -> Result<(String, String), StoreError> {
    let names = cursor.map(consent_of).transpose()?;
    let (subject, client) = names.map_or_else(Default::default, |(subject, client)| (subject, client.to_string()));
    // PostgreSQL has no text with a NUL in it.
    if subject.contains('\0') { Err(wrong()) } else { Ok((subject, client)) }
}

/// The key of a link; without a cursor, what comes before all keys.
pub(crate) fn link_key_of(cursor: Option<&Cursor>) -> Result<Vec<u8>, StoreError> {
    let key = cursor.map(link_of).transpose()?;
    Ok(key.map_or_else(Vec::new, |key| key.as_bytes().to_vec()))
}

/// Behind the row of this number.
pub(crate) fn after_no(no: i64) -> Cursor {
    Cursor::new(no.to_be_bytes())
}

/// Reads [`after_no`].
pub(crate) fn no_of(cursor: Option<&Cursor>) -> Result<i64, StoreError> {
    cursor.map_or(Ok(BEFORE_ALL), |cursor| number(cursor.as_bytes()))
}

/// Behind the row of this token, under the grant of this number.
pub(crate) fn after_token(no: i64, digest: Digest) -> Cursor {
    Cursor::new([&no.to_be_bytes()[..], digest.as_bytes()].concat())
}

/// Reads [`after_token`].
pub(crate) fn token_of(cursor: Option<&Cursor>) -> Result<(i64, Vec<u8>), StoreError> {
    let Some(cursor) = cursor else { return Ok((BEFORE_ALL, Vec::new())) };
    let (no, digest) = cursor.as_bytes().split_at_checked(size_of::<i64>()).ok_or_else(wrong)?;
    Ok((number(no)?, digest.to_vec()))
}

fn number(bytes: &[u8]) -> Result<i64, StoreError> {
    bytes.try_into().map(i64::from_be_bytes).map_err(|_| wrong())
}

const fn wrong() -> StoreError {
    StoreError::Corrupt("cursor")
}
