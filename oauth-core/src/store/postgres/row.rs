//! Between rows and records. Whatever does not fit is damage, never a panic.

use serde::de::DeserializeOwned;
use tokio_postgres::{Row, types::FromSql};

use crate::{
    clock::UnixTime,
    pkce::CodeChallenge,
    secret::Digest,
    store::{
        AccessToken, Code, Grant, GrantFacts, LinkState, ParkedInteraction, PeerTokens, QueuedCode, ReciprocalLink,
        Redemption, Refresh, RefreshOutcome, Retry, Revocation, SealedKey, StoreError, reciprocal::TokensRecord,
        record::split_digests,
    },
    token::GrantId,
};

/// PostgreSQL counts in `i64`. What lies beyond stands for [`u64::MAX`].
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The columns of a grant, in the order in which [`grant`] reads them.
macro_rules! grant_columns {
    () => {
        "g.id, g.client, g.subject, g.facts, g.created_at, g.expires_at, g.revoked_at, g.code_digest, \
         g.code_redirect_uri, g.code_redirect_uri_required, g.code_challenge, g.code_expires_at, g.code_redeemed_at, \
         g.refresh_digest, g.refresh_generation, g.refresh_used_at, g.retry_digest, g.retry_sealed, g.retry_until"
    };
}
pub(super) use grant_columns;

/// A grant, and where the next column begins.
pub(super) fn grant(row: &Row) -> Result<(Grant, Columns<'_>), StoreError> {
    let mut columns = Columns { row, next: 0, what: "grant" };
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
    Ok((grant, columns))
}

fn code(columns: &mut Columns<'_>) -> Result<Option<Code>, StoreError> {
    const COLUMNS: usize = 6;
    let Some(digest) = columns.optional_bytes()? else { return Ok(columns.skip(COLUMNS - 1)) };
    Ok(Some(Code {
        digest: Digest::from_bytes(digest),
        redirect_uri: columns.text()?.to_owned(),
        redirect_uri_required: columns.value()?,
        challenge: columns.optional_bytes()?.map(CodeChallenge::from_bytes),
        expires_at: columns.time()?,
        redeemed_at: columns.optional_time()?,
    }))
}

fn refresh(columns: &mut Columns<'_>) -> Result<Option<Refresh>, StoreError> {
    const COLUMNS: usize = 6;
    let Some(digest) = columns.optional_bytes()? else { return Ok(columns.skip(COLUMNS - 1)) };
    Ok(Some(Refresh {
        digest: Digest::from_bytes(digest),
        generation: columns.number()?,
        used_at: columns.time()?,
        retry: retry(columns)?,
    }))
}

fn retry(columns: &mut Columns<'_>) -> Result<Option<Retry>, StoreError> {
    const COLUMNS: usize = 3;
    let Some(digests) = columns.value::<Option<&[u8]>>()? else { return Ok(columns.skip(COLUMNS - 1)) };
    let (digest, access) = split_digests(digests).ok_or_else(|| columns.damaged())?;
    Ok(Some(Retry { digest, sealed: columns.blob()?.to_owned(), until: columns.time()?, access }))
}

/// The columns of [`access`]: `digest, record, expires_at`.
pub(super) fn access(columns: &mut Columns<'_>) -> Result<AccessToken, StoreError> {
    columns.what = "access token";
    let digest = Digest::from_bytes(columns.bytes()?);
    let access = AccessToken { digest, ..columns.json()? };
    if columns.value::<i64>()? != number(access.expires_at.0) {
        return Err(columns.damaged());
    }
    Ok(access)
}

/// A grant, and after it the number of its row.
pub(super) fn numbered_grant(row: &Row) -> Result<(i64, Grant), StoreError> {
    let (grant, mut columns) = grant(row)?;
    Ok((columns.value()?, grant))
}

/// The number of a grant's row, its id, and the columns of [`access`].
pub(super) fn owned_access(row: &Row) -> Result<(i64, GrantId, AccessToken), StoreError> {
    let mut columns = Columns { row, next: 0, what: "access token" };
    Ok((columns.value()?, GrantId::from_bytes(columns.bytes()?), access(&mut columns)?))
}

/// The columns `id, browser, request, expires_at`.
pub(super) fn interaction(row: &Row) -> Result<ParkedInteraction, StoreError> {
    let mut columns = Columns { row, next: 0, what: "interaction" };
    Ok(ParkedInteraction {
        id: Digest::from_bytes(columns.bytes()?),
        browser: Digest::from_bytes(columns.bytes()?),
        request: columns.blob()?.to_owned(),
        expires_at: columns.time()?,
    })
}

/// The columns `kid, algorithm, sealed, active_from`.
pub(super) fn signing_key(row: &Row) -> Result<SealedKey, StoreError> {
    let mut columns = Columns { row, next: 0, what: "signing key" };
    Ok(SealedKey {
        kid: columns.text()?.to_owned(),
        algorithm: columns.text()?.to_owned(),
        sealed: columns.blob()?.to_owned(),
        active_from: columns.time()?,
    })
}

/// The columns of a link, in the order in which [`link`] reads them, of a table
/// or table expression `l`.
macro_rules! link_columns {
    () => {
        "l.link, l.record, l.code_id, l.code_sealed, l.code_attempts, l.code_queued_at, l.code_due_at, \
         l.code_expires_at, l.tokens_id, l.tokens_sealed, l.tokens_record, l.tokens_ends_at, l.tokens_revision"
    };
}
pub(super) use link_columns;

/// A link, and all that is kept of it.
pub(super) fn link(row: &Row) -> Result<(ReciprocalLink, LinkState), StoreError> {
    read_link(row).map(|(link, state, _)| (link, state))
}

/// The tokens of a link, and the column after that, which says whether a step was
/// taken.
pub(super) fn finished_link(row: &Row) -> Result<(Option<PeerTokens>, bool), StoreError> {
    let (_, state, mut columns) = read_link(row)?;
    Ok((state.tokens, columns.value()?))
}

fn read_link(row: &Row) -> Result<(ReciprocalLink, LinkState, Columns<'_>), StoreError> {
    let mut columns = Columns { row, next: 0, what: "link" };
    let key = Digest::from_bytes(columns.bytes()?);
    let link: ReciprocalLink = columns.json()?;
    // The column is for looking up, the record for believing.
    if link.key() != key {
        return Err(columns.damaged());
    }
    let code = queued_code(&mut columns, &link)?;
    let tokens = peer_tokens(&mut columns, &link)?;
    Ok((link, LinkState { code, tokens }, columns))
}

fn queued_code(columns: &mut Columns<'_>, link: &ReciprocalLink) -> Result<Option<QueuedCode>, StoreError> {
    const COLUMNS: usize = 6;
    let Some(id) = columns.optional_bytes()? else { return Ok(columns.skip(COLUMNS - 1)) };
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
    let Some(id) = columns.optional_bytes()? else { return Ok(columns.skip(COLUMNS - 1)) };
    let sealed = columns.blob()?.to_owned();
    let record: TokensRecord = columns.json()?;
    let (ends_at, revision) = (columns.time()?, columns.value::<i64>()?.cast_unsigned());
    Ok(Some(record.with(link.clone(), Digest::from_bytes(id), sealed, ends_at, revision)))
}

/// A column `record`, of `what`, as JSON.
pub(super) fn record<T: DeserializeOwned>(row: &Row, what: &'static str) -> Result<T, StoreError> {
    Columns { row, next: 0, what }.json()
}

/// A column `place`, of a status.
pub(super) fn status_place(row: &Row) -> Result<u32, StoreError> {
    let mut columns = Columns { row, next: 0, what: "status" };
    columns.value::<i32>()?.try_into().map_err(|_| columns.damaged())
}

/// A column `outcome` of a redemption that was not refused.
pub(super) fn redemption(row: &Row) -> Result<Redemption, StoreError> {
    let mut columns = answer(row);
    match columns.text()? {
        "redeemed" => Ok(Redemption::Redeemed),
        "replayed" => Ok(Redemption::Replayed),
        _ => Err(columns.damaged()),
    }
}

/// The columns `outcome, sealed` of a rotation that was not refused.
pub(super) fn refresh_outcome(row: &Row) -> Result<RefreshOutcome, StoreError> {
    let mut columns = answer(row);
    match columns.text()? {
        "rotated" => Ok(RefreshOutcome::Rotated),
        "retry" => Ok(RefreshOutcome::Retry { sealed: columns.blob()?.to_owned() }),
        "reused" => Ok(RefreshOutcome::Reused),
        _ => Err(columns.damaged()),
    }
}

/// A column that says whether a grant lived.
pub(super) fn revocation(row: &Row) -> Result<Revocation, StoreError> {
    let lived: bool = answer(row).value()?;
    Ok(if lived { Revocation::Revoked } else { Revocation::AlreadyRevoked })
}

/// A column that is true or false.
pub(super) fn flag(row: &Row) -> Result<bool, StoreError> {
    answer(row).value()
}

/// Two columns that are true or false.
pub(super) fn flags(row: &Row) -> Result<(bool, bool), StoreError> {
    let mut columns = answer(row);
    Ok((columns.value()?, columns.value()?))
}

/// A column with a number of rows.
pub(super) fn count(row: &Row) -> Result<usize, StoreError> {
    let mut columns = answer(row);
    usize::try_from(columns.value::<i64>()?).map_err(|_| columns.damaged())
}

/// A column `at`, of the epoch.
pub(super) fn epoch(row: &Row) -> Result<UnixTime, StoreError> {
    Columns { row, next: 0, what: "epoch" }.time()
}

/// A column `count`, of uses.
pub(super) fn uses(row: &Row) -> Result<u64, StoreError> {
    Columns { row, next: 0, what: "count of uses" }.number()
}

/// Whether there is a schema, and the settings `synchronous_commit` and
/// `server_encoding`.
pub(super) fn settings(row: Option<&Row>) -> Result<(bool, String, String), StoreError> {
    let mut columns = answer(row.ok_or(StoreError::Corrupt("answer"))?);
    Ok((columns.value()?, columns.value()?, columns.value()?))
}

/// Two versions of the schema.
pub(super) fn versions(row: Option<&Row>) -> Result<(i64, i64), StoreError> {
    let mut columns =
        Columns { row: row.ok_or(StoreError::Corrupt("schema version"))?, next: 0, what: "schema version" };
    Ok((columns.value()?, columns.value()?))
}

fn answer(row: &Row) -> Columns<'_> {
    Columns { row, next: 0, what: "answer" }
}

/// The columns of a row, from left to right.
pub(super) struct Columns<'r> {
    row: &'r Row,
    next: usize,
    what: &'static str,
}

impl<'r> Columns<'r> {
    fn damaged(&self) -> StoreError {
        StoreError::Corrupt(self.what)
    }

    fn value<T: FromSql<'r>>(&mut self) -> Result<T, StoreError> {
        let value = self.row.try_get(self.next).map_err(|_| self.damaged())?;
        self.next += 1;
        Ok(value)
    }

    fn optional_number(&mut self) -> Result<Option<u64>, StoreError> {
        match self.value::<Option<i64>>()? {
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
        self.value()
    }

    fn text(&mut self) -> Result<&'r str, StoreError> {
        self.value()
    }

    fn blob(&mut self) -> Result<&'r [u8], StoreError> {
        self.value()
    }

    fn optional_bytes<const N: usize>(&mut self) -> Result<Option<[u8; N]>, StoreError> {
        self.value::<Option<&[u8]>>()?.map(TryInto::try_into).transpose().map_err(|_| self.damaged())
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        self.optional_bytes()?.ok_or_else(|| self.damaged())
    }

    fn json<T: DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        serde_json::from_str(self.text()?).map_err(|_| self.damaged())
    }

    /// What is not there, with `columns` more that say so.
    fn skip<T>(&mut self, columns: usize) -> Option<T> {
        self.next += columns;
        None
    }
}
