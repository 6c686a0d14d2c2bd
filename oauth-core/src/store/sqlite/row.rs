//! Between rows and records. Whatever does not fit is damage, never a panic.

use rusqlite::{Row, types::ValueRef};
use serde::de::DeserializeOwned;

use crate::{
    clock::UnixTime,
    pkce::CodeChallenge,
    secret::Digest,
    store::{
        AccessToken, Code, Grant, GrantFacts, LinkState, ParkedInteraction, PeerTokens, QueuedCode, ReciprocalLink,
        Refresh, Retry, SealedKey, StoreError, reciprocal::TokensRecord, record::split_digests,
    },
    token::GrantId,
};

/// SQLite counts in `i64`. What lies beyond stands for [`u64::MAX`].
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn time(time: UnixTime) -> i64 {
    number(time.0)
}

/// The columns of a grant, in the order in which [`grant`] reads them.
macro_rules! grant_columns {
    () => {
        "g.no, g.id, g.client, g.subject, g.facts, g.created_at, g.expires_at, g.revoked_at, g.code_digest, \
         g.code_redirect_uri, g.code_redirect_uri_required, g.code_challenge, g.code_expires_at, g.code_redeemed_at, \
         g.refresh_digest, g.refresh_generation, g.refresh_used_at, g.retry_digest, g.retry_sealed, g.retry_until"
    };
}
pub(super) use grant_columns;

/// A grant with its row number, and where the next column begins.
pub(super) fn grant<'r>(row: &'r Row<'r>) -> Result<(i64, Grant, Columns<'r>), StoreError> {
    let mut columns = Columns { row, next: 0, what: "grant" };
    let no = columns.integer()?;
    let id = GrantId::from_bytes(columns.bytes()?);
    let client = columns.text()?;
    let subject = columns.optional_text()?;
    let facts: GrantFacts = columns.json()?;
    // The columns are for looking up, the facts for believing.
    if facts.client.as_str() != client || facts.subject.as_deref() != subject {
        return Err(columns.damaged());
    }
    let grant = Grant {
        id,
        facts,
        created_at: columns.time()?,
        expires_at: columns.time()?,
        revoked_at: columns.optional_time()?,
        code: code(&mut columns)?,
        refresh: refresh(&mut columns)?,
    };
    Ok((no, grant, columns))
}

fn code(columns: &mut Columns<'_>) -> Result<Option<Code>, StoreError> {
    const COLUMNS: usize = 6;
    let Some(digest) = columns.optional_bytes()? else { return columns.absent(COLUMNS - 1) };
    Ok(Some(Code {
        digest: Digest::from_bytes(digest),
        redirect_uri: columns.text()?.to_owned(),
        redirect_uri_required: columns.integer()? != 0,
        challenge: columns.optional_bytes()?.map(CodeChallenge::from_bytes),
        expires_at: columns.time()?,
        redeemed_at: columns.optional_time()?,
    }))
}

fn refresh(columns: &mut Columns<'_>) -> Result<Option<Refresh>, StoreError> {
    const COLUMNS: usize = 6;
    let Some(digest) = columns.optional_bytes()? else { return columns.absent(COLUMNS - 1) };
    Ok(Some(Refresh {
        digest: Digest::from_bytes(digest),
        generation: columns.number()?,
        used_at: columns.time()?,
        retry: retry(columns)?,
    }))
}

fn retry(columns: &mut Columns<'_>) -> Result<Option<Retry>, StoreError> {
    const COLUMNS: usize = 3;
    let Some(digests) = columns.optional_blob()? else { return columns.absent(COLUMNS - 1) };
    let (digest, access) = split_digests(digests).ok_or_else(|| columns.damaged())?;
    Ok(Some(Retry { digest, sealed: columns.blob()?.to_owned(), until: columns.time()?, access }))
}

/// The columns of [`access`]: `digest, record, expires_at`.
pub(super) fn access(columns: &mut Columns<'_>) -> Result<AccessToken, StoreError> {
    columns.what = "access token";
    let digest = Digest::from_bytes(columns.bytes()?);
    let access = AccessToken { digest, ..columns.json()? };
    if columns.integer()? != time(access.expires_at) {
        return Err(columns.damaged());
    }
    Ok(access)
}

/// The number of a grant's row, its id, and the columns of [`access`].
pub(super) fn owned_access(row: &Row<'_>) -> Result<(i64, GrantId, AccessToken), StoreError> {
    let mut columns = Columns { row, next: 0, what: "access token" };
    Ok((columns.integer()?, GrantId::from_bytes(columns.bytes()?), access(&mut columns)?))
}

/// The columns `id, browser, request, expires_at`.
pub(super) fn interaction(row: &Row<'_>) -> Result<ParkedInteraction, StoreError> {
    let mut columns = Columns { row, next: 0, what: "interaction" };
    Ok(ParkedInteraction {
        id: Digest::from_bytes(columns.bytes()?),
        browser: Digest::from_bytes(columns.bytes()?),
        request: columns.blob()?.to_owned(),
        expires_at: columns.time()?,
    })
}

/// The columns `kid, algorithm, sealed, active_from`.
pub(super) fn signing_key(row: &Row<'_>) -> Result<SealedKey, StoreError> {
    let mut columns = Columns { row, next: 0, what: "signing key" };
    Ok(SealedKey {
        kid: columns.text()?.to_owned(),
        algorithm: columns.text()?.to_owned(),
        sealed: columns.blob()?.to_owned(),
        active_from: columns.time()?,
    })
}

/// The columns of a link, in the order in which [`link`] reads them.
macro_rules! link_columns {
    () => {
        "link, record, code_id, code_sealed, code_attempts, code_queued_at, code_due_at, code_expires_at, tokens_id, \
         tokens_sealed, tokens_record, tokens_ends_at, tokens_revision"
    };
}
pub(super) use link_columns;

/// A link, and all that is kept of it.
pub(super) fn link(row: &Row<'_>) -> Result<(ReciprocalLink, LinkState), StoreError> {
    let mut columns = Columns { row, next: 0, what: "link" };
    let key = Digest::from_bytes(columns.bytes()?);
    let link: ReciprocalLink = columns.json()?;
    // The column is for looking up, the record for believing.
    if link.key() != key {
        return Err(columns.damaged());
    }
    let code = queued_code(&mut columns, &link)?;
    let tokens = peer_tokens(&mut columns, &link)?;
    Ok((link, LinkState { code, tokens }))
}

fn queued_code(columns: &mut Columns<'_>, link: &ReciprocalLink) -> Result<Option<QueuedCode>, StoreError> {
    const COLUMNS: usize = 6;
    let Some(id) = columns.optional_bytes()? else { return columns.absent(COLUMNS - 1) };
    Ok(Some(QueuedCode {
        id: Digest::from_bytes(id),
        link: link.clone(),
        sealed: columns.blob()?.to_owned(),
        attempts: columns.number()?.try_into().map_err(|_| columns.damaged())?,
        queued_at: columns.time()?,
        due_at: columns.time()?,
        expires_at: columns.time()?,
    }))
}

fn peer_tokens(columns: &mut Columns<'_>, link: &ReciprocalLink) -> Result<Option<PeerTokens>, StoreError> {
    const COLUMNS: usize = 5;
    let Some(id) = columns.optional_bytes()? else { return columns.absent(COLUMNS - 1) };
    let sealed = columns.blob()?.to_owned();
    let record: TokensRecord = columns.json()?;
    let (ends_at, revision) = (columns.time()?, columns.integer()?.cast_unsigned());
    Ok(Some(record.with(link.clone(), Digest::from_bytes(id), sealed, ends_at, revision)))
}

/// A column `at`, of the epoch.
pub(super) fn epoch(row: &Row<'_>) -> Result<UnixTime, StoreError> {
    Columns { row, next: 0, what: "epoch" }.time()
}

/// A column `count`, of uses.
pub(super) fn count(row: &Row<'_>) -> Result<u64, StoreError> {
    Columns { row, next: 0, what: "count of uses" }.number()
}

/// A column `place`, of a status.
pub(super) fn status_place(row: &Row<'_>) -> Result<u32, StoreError> {
    let mut columns = Columns { row, next: 0, what: "status" };
    columns.integer()?.try_into().map_err(|_| columns.damaged())
}

/// A column `record`, of `what`, as JSON.
pub(super) fn record<T: DeserializeOwned>(row: &Row<'_>, what: &'static str) -> Result<T, StoreError> {
    Columns { row, next: 0, what }.json()
}

/// The columns of a row, from left to right.
pub(super) struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
    what: &'static str,
}

impl<'r> Columns<'r> {
    fn damaged(&self) -> StoreError {
        StoreError::Corrupt(self.what)
    }

    fn value(&mut self) -> Result<ValueRef<'r>, StoreError> {
        let value = self.row.get_ref(self.next).map_err(|_| self.damaged())?;
        self.next += 1;
        Ok(value)
    }

    fn optional_integer(&mut self) -> Result<Option<i64>, StoreError> {
        self.value()?.as_i64_or_null().map_err(|_| self.damaged())
    }

    fn integer(&mut self) -> Result<i64, StoreError> {
        self.optional_integer()?.ok_or_else(|| self.damaged())
    }

    fn optional_number(&mut self) -> Result<Option<u64>, StoreError> {
        match self.optional_integer()? {
            None => Ok(None),
            Some(i64::MAX) => Ok(Some(u64::MAX)),
            Some(other) => other.try_into().map(Some).map_err(|_| self.damaged()),
        }
    }

    fn number(&mut self) -> Result<u64, StoreError> {
        self.optional_number()?.ok_or_else(|| self.damaged())
    }

    fn optional_time(&mut self) -> Result<Option<UnixTime>, StoreError> {
        Ok(self.optional_number()?.map(UnixTime))
    }

    fn time(&mut self) -> Result<UnixTime, StoreError> {
        self.number().map(UnixTime)
    }

    fn optional_text(&mut self) -> Result<Option<&'r str>, StoreError> {
        self.value()?.as_str_or_null().map_err(|_| self.damaged())
    }

    fn text(&mut self) -> Result<&'r str, StoreError> {
        self.optional_text()?.ok_or_else(|| self.damaged())
    }

    fn optional_blob(&mut self) -> Result<Option<&'r [u8]>, StoreError> {
        self.value()?.as_blob_or_null().map_err(|_| self.damaged())
    }

    fn blob(&mut self) -> Result<&'r [u8], StoreError> {
        self.optional_blob()?.ok_or_else(|| self.damaged())
    }

    fn optional_bytes<const N: usize>(&mut self) -> Result<Option<[u8; N]>, StoreError> {
        self.optional_blob()?.map(TryInto::try_into).transpose().map_err(|_| self.damaged())
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        self.optional_bytes()?.ok_or_else(|| self.damaged())
    }

    fn json<T: DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        serde_json::from_str(self.text()?).map_err(|_| self.damaged())
    }

    /// What is not there has no other columns either.
    fn absent<T>(&mut self, columns: usize) -> Result<Option<T>, StoreError> {
        for _ in 0..columns {
            if self.value()? != ValueRef::Null {
                return Err(self.damaged());
            }
        }
        Ok(None)
    }
}
