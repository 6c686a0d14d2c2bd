//! Codes that wait to be redeemed elsewhere, and what they brought: the steps
//! of `LinkState` in `store/reciprocal.rs`, in SQL.
//!
//! All of a link is in one row. Each statement finds or locks that row, and
//! under READ COMMITTED judges it as it is after a wait.

use super::{
    PostgresStore,
    row::{self, link_columns},
    statement::{Param, Sql},
};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{
        Cursor, Finished, Page, PeerTokens, Queued, QueuedCode, ReciprocalLink, Reciprocals, StoreError, StoreFuture,
        reciprocal::TokensRecord,
        transfer::{
            after_link,
            rows::{link_key_of, rows_of},
        },
    },
};

/// What a link has that has no code.
macro_rules! no_code {
    () => {
        "code_id = NULL, code_sealed = NULL, code_attempts = NULL, code_queued_at = NULL, code_due_at = NULL, \
         code_expires_at = NULL"
    };
}
pub(super) use no_code;

static QUEUE: Sql = Sql::writes(
    "INSERT INTO oauth_links AS l (link, record, code_id, code_sealed, code_attempts, code_queued_at, code_due_at,
        code_expires_at)
    VALUES ($1::bytea, $2::text, $3::bytea, $4::bytea, $5::bigint, $6::bigint, $7::bigint, $8::bigint)
    ON CONFLICT (link) DO UPDATE SET code_id = excluded.code_id, code_sealed = excluded.code_sealed,
        code_attempts = excluded.code_attempts, code_queued_at = excluded.code_queued_at,
        code_due_at = excluded.code_due_at, code_expires_at = excluded.code_expires_at
    WHERE l.code_id IS DISTINCT FROM excluded.code_id
        AND (l.tokens_id IS DISTINCT FROM excluded.code_id OR l.tokens_ends_at <= excluded.code_queued_at)
    RETURNING 1",
);

/// Whoever looks at the same moment passes over the row that another takes.
static TAKE: Sql = Sql::writes(concat!(
    "WITH due AS MATERIALIZED (
        SELECT link FROM oauth_links WHERE code_due_at <= $1::bigint
        ORDER BY code_due_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE oauth_links l SET code_attempts = least(l.code_attempts + 1, 4294967295), code_due_at = $2::bigint
    FROM due WHERE l.link = due.link RETURNING ",
    link_columns!()
));

static DEFER: Sql = Sql::writes(
    "UPDATE oauth_links SET code_due_at = $3::bigint WHERE link = $1::bytea AND code_id = $2::bytea RETURNING 1",
);

/// A link without tokens goes with its code. What is answered is the row as it
/// was.
static GIVE_UP: Sql = Sql::writes(concat!(
    "WITH l AS MATERIALIZED (
        SELECT link AS no, code_id IS NOT DISTINCT FROM $2::bytea AS waits, tokens_id AS other FROM oauth_links
        WHERE link = $1::bytea AND (code_id = $2::bytea OR tokens_id = $2::bytea) FOR UPDATE
    ), cleared AS (
        UPDATE oauth_links o SET ",
    no_code!(),
    " FROM l WHERE o.link = l.no AND l.waits AND l.other IS NOT NULL
    ), gone AS (
        DELETE FROM oauth_links o USING l WHERE o.link = l.no AND l.waits AND l.other IS NULL
    )
    SELECT waits FROM l",
));

static FINISH: Sql = Sql::writes(concat!(
    "WITH l AS MATERIALIZED (
        SELECT code_id IS NOT DISTINCT FROM $2::bytea AS waits, ",
    link_columns!(),
    " FROM oauth_links l
        WHERE link = $1::bytea AND (code_id = $2::bytea OR tokens_id = $2::bytea) FOR UPDATE
    ), finished AS (
        UPDATE oauth_links o SET tokens_id = $2::bytea, tokens_sealed = $3::bytea, tokens_record = $4::text,
            tokens_ends_at = $5::bigint, tokens_revision = $6::bigint, ",
    no_code!(),
    " FROM l WHERE o.link = l.link AND l.waits
    )
    SELECT ",
    link_columns!(),
    ", waits FROM l",
));

static TOKENS: Sql = Sql::reads(concat!(
    "SELECT ",
    link_columns!(),
    " FROM oauth_links l WHERE link = $1::bytea AND tokens_ends_at > $2::bigint"
));

/// Those that have ended are none, whatever their revision. Of two that insert
/// at once, the second waits for the row of the first and judges that.
static FIRST: Sql = Sql::writes(
    "INSERT INTO oauth_links AS l (link, tokens_id, tokens_sealed, tokens_record, tokens_ends_at, tokens_revision,
        record)
    VALUES ($1::bytea, $2::bytea, $3::bytea, $4::text, $5::bigint, $6::bigint, $8::text)
    ON CONFLICT (link) DO UPDATE SET tokens_id = excluded.tokens_id, tokens_sealed = excluded.tokens_sealed,
        tokens_record = excluded.tokens_record, tokens_ends_at = excluded.tokens_ends_at,
        tokens_revision = excluded.tokens_revision
    WHERE l.tokens_id IS NULL OR l.tokens_ends_at <= $7::bigint RETURNING 1",
);

/// Of two that replace them at once, the second waits for the row of the first,
/// and then judges anew.
static NEXT: Sql = Sql::writes(
    "UPDATE oauth_links SET tokens_sealed = $3::bytea, tokens_record = $4::text, tokens_ends_at = $5::bigint,
        tokens_revision = $6::bigint
    WHERE link = $1::bytea AND tokens_id = $2::bytea AND tokens_ends_at > $7::bigint AND tokens_revision = $8::bigint
    RETURNING 1",
);

static FORGET: Sql =
    Sql::writes(concat!("DELETE FROM oauth_links l WHERE link = $1::bytea RETURNING ", link_columns!()));

static LIST: Sql = Sql::reads(concat!(
    "SELECT ",
    link_columns!(),
    " FROM oauth_links l WHERE link > $1::bytea AND tokens_ends_at > $3::bigint ORDER BY link LIMIT $2::bigint"
));

static QUEUED: Sql =
    Sql::reads("SELECT count(*) FROM oauth_links WHERE code_due_at IS NOT NULL AND code_expires_at > $1::bigint");

impl Reciprocals for PostgresStore {
    fn queue_code(&self, code: QueuedCode) -> StoreFuture<'_, Queued> {
        Box::pin(async move {
            let (key, record) = (code.link.key(), record_of(&code.link)?);
            let params = [
                Param::bytes(key.as_bytes()),
                Param::text(&record),
                Param::bytes(code.id.as_bytes()),
                Param::bytes(&code.sealed),
                Param::number(code.attempts.into()),
                Param::time(code.queued_at),
                Param::time(code.due_at),
                Param::time(code.expires_at),
            ];
            Ok(self.row(&QUEUE, &params).await?.map_or(Queued::Known, |_| Queued::Added))
        })
    }

    fn take_queued(&self, now: UnixTime, until: UnixTime) -> StoreFuture<'_, Option<QueuedCode>> {
        Box::pin(async move {
            let row = self.row(&TAKE, &[Param::time(now), Param::time(until)]).await?;
            Ok(row.as_ref().map(row::link).transpose()?.and_then(|(_, state)| state.code))
        })
    }

    fn defer_queued(&self, link: ReciprocalLink, id: Digest, due_at: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let key = link.key();
            let params = [Param::bytes(key.as_bytes()), Param::bytes(id.as_bytes()), Param::time(due_at)];
            Ok(self.row(&DEFER, &params).await?.is_some())
        })
    }

    fn finish_queued(&self, link: ReciprocalLink, id: Digest, tokens: Option<PeerTokens>) -> StoreFuture<'_, Finished> {
        Box::pin(async move {
            let Some(tokens) = tokens else { return self.give_up(&link, id).await };
            let (key, record) = (link.key(), tokens_record(&tokens)?);
            let params = tokens_params(&key, &id, &tokens, &record);
            let Some(row) = self.row(&FINISH, &params).await? else { return Ok(Finished::Superseded) };
            let (before, finished) = row::finished_link(&row)?;
            Ok(if finished { Finished::Replaced(before) } else { Finished::Already })
        })
    }

    fn peer_tokens(&self, link: ReciprocalLink, now: UnixTime) -> StoreFuture<'_, Option<PeerTokens>> {
        Box::pin(async move {
            let key = link.key();
            let row = self.row(&TOKENS, &[Param::bytes(key.as_bytes()), Param::time(now)]).await?;
            Ok(row.as_ref().map(row::link).transpose()?.and_then(|(_, state)| state.tokens))
        })
    }

    fn replace_peer_tokens(&self, tokens: PeerTokens, revision: Option<u64>, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let (key, record, link) = (tokens.link.key(), tokens_record(&tokens)?, record_of(&tokens.link)?);
            let params = tokens_params(&key, &tokens.id, &tokens, &record);
            let (sql, last) = match revision {
                None => (&FIRST, Param::text(&link)),
                Some(known) => (&NEXT, Param::Number(Some(known.cast_signed()))),
            };
            let params = [&params[..], &[Param::time(now), last]].concat();
            Ok(self.row(sql, &params).await?.is_some())
        })
    }

    fn forget_link(&self, link: ReciprocalLink) -> StoreFuture<'_, Option<PeerTokens>> {
        Box::pin(async move {
            let row = self.row(&FORGET, &[Param::bytes(link.key().as_bytes())]).await?;
            Ok(row.as_ref().map(row::link).transpose()?.and_then(|(_, state)| state.tokens))
        })
    }

    fn list_peer_tokens(
        &self,
        after: Option<Cursor>,
        limit: usize,
        now: UnixTime,
    ) -> StoreFuture<'_, Page<PeerTokens>> {
        Box::pin(async move {
            let key = link_key_of(after.as_ref())?;
            let params = [Param::bytes(&key), Param::Number(Some(rows_of(limit))), Param::time(now)];
            let rows = self.rows(&LIST, &params).await?;
            let links = rows.iter().map(row::link).collect::<Result<Vec<_>, _>>()?;
            let items: Vec<PeerTokens> = links.into_iter().filter_map(|(_, state)| state.tokens).collect();
            Ok(Page::of_rows(items, limit, |tokens| after_link(&tokens.link)))
        })
    }

    fn queued_codes(&self, now: UnixTime) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            row::uses(&self.row(&QUEUED, &[Param::time(now)]).await?.ok_or(StoreError::Corrupt("answer"))?)
        })
    }
}

impl PostgresStore {
    async fn give_up(&self, link: &ReciprocalLink, id: Digest) -> Result<Finished, StoreError> {
        let key = link.key();
        let row = self.row(&GIVE_UP, &[Param::bytes(key.as_bytes()), Param::bytes(id.as_bytes())]).await?;
        Ok(match row.as_ref().map(row::flag).transpose()? {
            Some(true) => Finished::Replaced(None),
            Some(false) => Finished::Already,
            None => Finished::Superseded,
        })
    }
}

/// The first values of [`FINISH`], [`FIRST`] and [`NEXT`].
fn tokens_params<'a>(key: &'a Digest, id: &'a Digest, tokens: &'a PeerTokens, record: &'a str) -> [Param<'a>; 6] {
    [
        Param::bytes(key.as_bytes()),
        Param::bytes(id.as_bytes()),
        Param::bytes(&tokens.sealed),
        Param::text(record),
        Param::time(tokens.ends_at),
        Param::Number(Some(tokens.revision.cast_signed())),
    ]
}

fn record_of(link: &ReciprocalLink) -> Result<String, StoreError> {
    serde_json::to_string(link).map_err(StoreError::unavailable)
}

fn tokens_record(tokens: &PeerTokens) -> Result<String, StoreError> {
    serde_json::to_string(&TokensRecord::of(tokens)).map_err(StoreError::unavailable)
}
