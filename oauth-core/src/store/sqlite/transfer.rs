//! Pages of what is in the file, taken by the readers: nobody waits for them.

use std::sync::Arc;

use super::{
    SqliteStore,
    row::{self, grant_columns, link_columns},
};
use crate::{
    client::Client,
    store::{
        AccessToken, Consent, Cursor, Grant, LinkState, Page, StoreError, StoreFuture, Transfer,
        transfer::{
            after_consent, after_state,
            rows::{after_no, after_token, consent_names_of, link_key_of, no_of, rows_of, text_of, token_of},
        },
    },
    token::GrantId,
};

impl Transfer for SqliteStore {
    fn list_clients(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Arc<Client>>> {
        const SQL: &str = "SELECT record FROM oauth_clients WHERE id > ?1 ORDER BY id LIMIT ?2";
        self.read(move |connection| {
            let after = text_of(after.as_ref())?;
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query((after, rows_of(limit)))?;
            let mut items: Vec<Arc<Client>> = Vec::new();
            while let Some(row) = rows.next()? {
                let client: Client = row::record(row, "client")?;
                // Else the pages would lead in circles.
                if client.id.as_str() <= items.last().map_or(after, |last| last.id.as_str()) {
                    return Err(StoreError::Corrupt("client").into());
                }
                items.push(Arc::new(client));
            }
            Ok(Page::of_rows(items, limit, |client| Cursor::new(client.id.as_str())))
        })
    }

    fn list_grants(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Grant>> {
        const SQL: &str =
            concat!("SELECT ", grant_columns!(), " FROM oauth_grants g WHERE g.no > ?1 ORDER BY g.no LIMIT ?2");
        self.read(move |connection| {
            let after = no_of(after.as_ref())?;
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query((after, rows_of(limit)))?;
            let mut items = Vec::new();
            while let Some(row) = rows.next()? {
                let (no, grant, _) = row::grant(row)?;
                items.push((no, grant));
            }
            let page = Page::of_rows(items, limit, |(no, _)| after_no(*no));
            Ok(page.map(|(_, grant)| grant))
        })
    }

    fn list_access(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<(GrantId, AccessToken)>> {
        const SQL: &str = "SELECT g.no, g.id, a.digest, a.record, a.expires_at
            FROM oauth_access_tokens a JOIN oauth_grants g ON g.no = a.grant_no
            WHERE (a.grant_no, a.digest) > (?1, ?2) ORDER BY a.grant_no, a.digest LIMIT ?3";
        self.read(move |connection| {
            let (no, digest) = token_of(after.as_ref())?;
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query((no, digest, rows_of(limit)))?;
            let mut items = Vec::new();
            while let Some(row) = rows.next()? {
                items.push(row::owned_access(row)?);
            }
            let page = Page::of_rows(items, limit, |(no, _, access)| after_token(*no, access.digest));
            Ok(page.map(|(_, id, access)| (id, access)))
        })
    }

    fn list_consents(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Consent>> {
        const SQL: &str = "SELECT record FROM oauth_consents WHERE (subject, client) > (?1, ?2)
            ORDER BY subject, client LIMIT ?3";
        self.read(move |connection| {
            let (subject, client) = consent_names_of(after.as_ref())?;
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query((&subject, &client, rows_of(limit)))?;
            let mut items: Vec<Consent> = Vec::new();
            while let Some(row) = rows.next()? {
                let consent: Consent = row::record(row, "consent")?;
                let before = items.last().map_or((&*subject, &*client), Consent::names);
                // Else the pages would lead in circles.
                if consent.names() <= before {
                    return Err(StoreError::Corrupt("consent").into());
                }
                items.push(consent);
            }
            Ok(Page::of_rows(items, limit, after_consent))
        })
    }

    fn list_links(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<LinkState>> {
        const SQL: &str =
            concat!("SELECT ", link_columns!(), " FROM oauth_links WHERE link > ?1 ORDER BY link LIMIT ?2");
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let mut rows = statement.query((link_key_of(after.as_ref())?, rows_of(limit)))?;
            let mut items = Vec::new();
            while let Some(row) = rows.next()? {
                items.push(row::link(row)?.1);
            }
            Ok(Page::of_rows(items, limit, after_state))
        })
    }
}
