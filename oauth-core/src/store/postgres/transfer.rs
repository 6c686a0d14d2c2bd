//! Pages of what is in the database: each is one statement, by an index.

use std::sync::Arc;

use super::{
    PostgresStore,
    row::{self, grant_columns, link_columns},
    statement::{Param, Sql},
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

static CLIENTS: Sql = Sql::reads("SELECT record FROM oauth_clients WHERE id > $1::text ORDER BY id LIMIT $2::bigint");

static GRANTS: Sql = Sql::reads(concat!(
    "SELECT ",
    grant_columns!(),
    ", g.no FROM oauth_grants g WHERE g.no > $1::bigint ORDER BY g.no LIMIT $2::bigint"
));

static ACCESS: Sql = Sql::reads(
    "SELECT g.no, g.id, a.digest, a.record, a.expires_at
    FROM oauth_access_tokens a JOIN oauth_grants g ON g.no = a.grant_no
    WHERE (a.grant_no, a.digest) > ($1::bigint, $2::bytea) ORDER BY a.grant_no, a.digest LIMIT $3::bigint",
);

static CONSENTS: Sql = Sql::reads(
    "SELECT record FROM oauth_consents WHERE (subject, client) > ($1::text, $2::text)
    ORDER BY subject, client LIMIT $3::bigint",
);

static LINKS: Sql = Sql::reads(concat!(
    "SELECT ",
    link_columns!(),
    " FROM oauth_links l WHERE link > $1::bytea ORDER BY link LIMIT $2::bigint"
));

impl Transfer for PostgresStore {
    fn list_clients(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Arc<Client>>> {
        Box::pin(async move {
            let after = text_of(after.as_ref())?;
            let rows = self.rows(&CLIENTS, &[Param::text(after), Param::Number(Some(rows_of(limit)))]).await?;
            let mut items: Vec<Arc<Client>> = Vec::with_capacity(rows.len());
            for row in &rows {
                let client: Client = row::record(row, "client")?;
                // Else the pages would lead in circles.
                if client.id.as_str() <= items.last().map_or(after, |last| last.id.as_str()) {
                    return Err(StoreError::Corrupt("client"));
                }
                items.push(Arc::new(client));
            }
            Ok(Page::of_rows(items, limit, |client| Cursor::new(client.id.as_str())))
        })
    }

    fn list_grants(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Grant>> {
        Box::pin(async move {
            let after = no_of(after.as_ref())?;
            let rows = self.rows(&GRANTS, &[Param::Number(Some(after)), Param::Number(Some(rows_of(limit)))]).await?;
            let items = rows.iter().map(row::numbered_grant).collect::<Result<_, _>>()?;
            let page = Page::of_rows(items, limit, |(no, _)| after_no(*no));
            Ok(page.map(|(_, grant)| grant))
        })
    }

    fn list_access(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<(GrantId, AccessToken)>> {
        Box::pin(async move {
            let (no, digest) = token_of(after.as_ref())?;
            let params = [Param::Number(Some(no)), Param::bytes(&digest), Param::Number(Some(rows_of(limit)))];
            let rows = self.rows(&ACCESS, &params).await?;
            let items = rows.iter().map(row::owned_access).collect::<Result<_, _>>()?;
            let page = Page::of_rows(items, limit, |(no, _, access)| after_token(*no, access.digest));
            Ok(page.map(|(_, id, access)| (id, access)))
        })
    }

    fn list_consents(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Consent>> {
        Box::pin(async move {
            let (subject, client) = consent_names_of(after.as_ref())?;
            let params = [Param::text(&subject), Param::text(&client), Param::Number(Some(rows_of(limit)))];
            let rows = self.rows(&CONSENTS, &params).await?;
            let mut items: Vec<Consent> = Vec::with_capacity(rows.len());
            for row in &rows {
                let consent: Consent = row::record(row, "consent")?;
                let before = items.last().map_or((&*subject, &*client), Consent::names);
                // Else the pages would lead in circles.
                if consent.names() <= before {
                    return Err(StoreError::Corrupt("consent"));
                }
                items.push(consent);
            }
            Ok(Page::of_rows(items, limit, after_consent))
        })
    }

    fn list_links(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<LinkState>> {
        Box::pin(async move {
            let key = link_key_of(after.as_ref())?;
            let rows = self.rows(&LINKS, &[Param::bytes(&key), Param::Number(Some(rows_of(limit)))]).await?;
            let links = rows.iter().map(row::link).collect::<Result<Vec<_>, _>>()?;
            Ok(Page::of_rows(links.into_iter().map(|(_, state)| state).collect(), limit, after_state))
        })
    }
}
