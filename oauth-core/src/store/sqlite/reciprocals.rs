//! Codes that wait to be redeemed elsewhere, and what they brought.

use rusqlite::{Connection, named_params};

use super::{
    SqliteStore,
    error::Failure,
    row::{self, link_columns, time},
};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{
        Cursor, Finished, LinkState, Page, PeerTokens, Queued, QueuedCode, ReciprocalLink, Reciprocals, StoreError,
        StoreFuture,
        reciprocal::TokensRecord,
        transfer::{
            after_link,
            rows::{link_key_of, rows_of},
        },
    },
};

impl Reciprocals for SqliteStore {
    fn queue_code(&self, code: QueuedCode) -> StoreFuture<'_, Queued> {
        self.write(move |connection| {
            let link = code.link.clone();
            step(connection, &link, |state| state.queue(code))
        })
    }

    fn take_queued(&self, now: UnixTime, until: UnixTime) -> StoreFuture<'_, Option<QueuedCode>> {
        const SQL: &str = concat!(
            "SELECT ",
            link_columns!(),
            " FROM oauth_links WHERE code_due_at <= ?1 ORDER BY code_due_at LIMIT 1"
        );
        self.write(move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query([time(now)])?;
            let Some((link, mut state)) = rows.next()?.map(row::link).transpose()? else { return Ok(None) };
            let taken = state.take(now, until);
            save(connection, &link, &state)?;
            Ok(taken)
        })
    }

    fn defer_queued(&self, link: ReciprocalLink, id: Digest, due_at: UnixTime) -> StoreFuture<'_, bool> {
        self.write(move |connection| step(connection, &link, |state| state.defer(id, due_at)))
    }

    fn finish_queued(&self, link: ReciprocalLink, id: Digest, tokens: Option<PeerTokens>) -> StoreFuture<'_, Finished> {
        self.write(move |connection| {
            let tokens = tokens.map(|tokens| PeerTokens { link: link.clone(), id, ..tokens });
            step(connection, &link, |state| state.finish(id, tokens))
        })
    }

    fn peer_tokens(&self, link: ReciprocalLink, now: UnixTime) -> StoreFuture<'_, Option<PeerTokens>> {
        self.read(move |connection| Ok(load(connection, &link)?.live_tokens(now).cloned()))
    }

    fn replace_peer_tokens(&self, tokens: PeerTokens, revision: Option<u64>, now: UnixTime) -> StoreFuture<'_, bool> {
        self.write(move |connection| {
            let link = tokens.link.clone();
            step(connection, &link, |state| state.replace_tokens(tokens, revision, now))
        })
    }

    fn forget_link(&self, link: ReciprocalLink) -> StoreFuture<'_, Option<PeerTokens>> {
        self.write(move |connection| step(connection, &link, |state| std::mem::take(state).tokens))
    }

    fn list_peer_tokens(
        &self,
        after: Option<Cursor>,
        limit: usize,
        now: UnixTime,
    ) -> StoreFuture<'_, Page<PeerTokens>> {
        const SQL: &str = concat!(
            "SELECT ",
            link_columns!(),
            " FROM oauth_links WHERE link > ?1 AND tokens_ends_at > ?3 ORDER BY link LIMIT ?2"
        );
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query((link_key_of(after.as_ref())?, rows_of(limit), time(now)))?;
            let mut items = Vec::new();
            while let Some(row) = rows.next()? {
                items.extend(row::link(row)?.1.tokens);
            }
            Ok(Page::of_rows(items, limit, |tokens: &PeerTokens| after_link(&tokens.link)))
        })
    }

    fn queued_codes(&self, now: UnixTime) -> StoreFuture<'_, u64> {
        const SQL: &str = "SELECT count(*) FROM oauth_links WHERE code_due_at IS NOT NULL AND code_expires_at > ?1";
        self.read(move |connection| {
            Ok(connection.prepare_cached(SQL)?.query_row([time(now)], |row| Ok(row::count(row)))??)
        })
    }
}

/// Lets `change` at what is kept of the link.
fn step<T>(
    connection: &Connection,
    link: &ReciprocalLink,
    change: impl FnOnce(&mut LinkState) -> T,
) -> Result<T, Failure> {
    let before = load(connection, link)?;
    let mut state = before.clone();
    let outcome = change(&mut state);
    if state != before {
        save(connection, link, &state)?;
    }
    Ok(outcome)
}

fn load(connection: &Connection, link: &ReciprocalLink) -> Result<LinkState, Failure> {
    const SQL: &str = concat!("SELECT ", link_columns!(), " FROM oauth_links WHERE link = ?1");
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query([link.key().as_bytes()])?;
    let Some((found, state)) = rows.next()?.map(row::link).transpose()? else { return Ok(LinkState::default()) };
    if found != *link {
        return Err(StoreError::Corrupt("link").into());
    }
    Ok(state)
}

fn save(connection: &Connection, link: &ReciprocalLink, state: &LinkState) -> Result<(), Failure> {
    const DELETE: &str = "DELETE FROM oauth_links WHERE link = ?1";
    const PUT: &str = "INSERT OR REPLACE INTO oauth_links (link, record, code_id, code_sealed, code_attempts,
            code_queued_at, code_due_at, code_expires_at, tokens_id, tokens_sealed, tokens_record, tokens_ends_at,
            tokens_revision)
        VALUES (:link, :record, :code_id, :code_sealed, :code_attempts, :code_queued_at, :code_due_at,
            :code_expires_at, :tokens_id, :tokens_sealed, :tokens_record, :tokens_ends_at, :tokens_revision)";
    let key = link.key();
    if state.is_empty() {
        connection.prepare_cached(DELETE)?.execute([key.as_bytes()])?;
        return Ok(());
    }
    let (code, tokens) = (state.code.as_ref(), state.tokens.as_ref());
    let record = tokens.map(TokensRecord::of).map(|record| serde_json::to_string(&record)).transpose();
    connection.prepare_cached(PUT)?.execute(named_params! {
        ":link": key.as_bytes(),
        ":record": serde_json::to_string(link).map_err(StoreError::unavailable)?,
        ":code_id": code.map(|code| code.id.as_bytes()),
        ":code_sealed": code.map(|code| &code.sealed),
        ":code_attempts": code.map(|code| code.attempts),
        ":code_queued_at": code.map(|code| time(code.queued_at)),
        ":code_due_at": code.map(|code| time(code.due_at)),
        ":code_expires_at": code.map(|code| time(code.expires_at)),
        ":tokens_id": tokens.map(|tokens| tokens.id.as_bytes()),
        ":tokens_sealed": tokens.map(|tokens| &tokens.sealed),
        ":tokens_record": record.map_err(StoreError::unavailable)?,
        ":tokens_ends_at": tokens.map(|tokens| time(tokens.ends_at)),
        ":tokens_revision": tokens.map(|tokens| tokens.revision.cast_signed()),
    })?;
    Ok(())
}
