//! From a store to a file.

use std::io::{self, Write};

use super::{
    Counts,
    format::{EndLine, Header, Line},
    lines::Writer,
    pause,
};
use crate::{
    clock::UnixTime,
    secret::RootSecret,
    store::{Cursor, Grant, Page, StoreError, StoreFuture, Transfer},
};

/// Writes what a store holds: see the [module](super) for the format, and for
/// what a file of a store in use is worth.
#[derive(Clone, Debug)]
pub struct Export<'a> {
    issuer: &'a str,
    root: &'a RootSecret,
    now: UnixTime,
    page: usize,
}

/// Why an export broke off. What was written is no whole file, and no import
/// takes it for one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be written.
    #[error("cannot be written: {0}")]
    Write(#[from] io::Error),
    /// A record, named here, does not fit into a line of
    /// [`MAX_LINE`](super::MAX_LINE).
    #[error("{0} is too long for a line")]
    TooLong(String),
}

impl<'a> Export<'a> {
    /// An export by the server with this issuer and this root secret, without
    /// what has ended at `now`.
    #[must_use]
    pub const fn new(issuer: &'a str, root: &'a RootSecret, now: UnixTime) -> Self {
        Self { issuer, root, now, page: 500 }
    }

    /// Sets how many records are asked for at a time, at least one: 500 if not
    /// called. It bounds the memory.
    #[must_use]
    pub fn page(mut self, records: usize) -> Self {
        self.page = records.max(1);
        self
    }

    /// Writes everything, and tells `progress` after each page how much has
    /// been written so far. Returns how much there was.
    ///
    /// The writer is called on the task and may block it: within a server, run
    /// this on a thread that may be blocked.
    ///
    /// # Errors
    /// [`ExportError`]: then what was written is not whole.
    pub async fn run(
        &self,
        store: &(impl Transfer + ?Sized),
        to: impl Write,
        progress: impl FnMut(Counts),
    ) -> Result<Counts, ExportError> {
        let (now, page) = (self.now, self.page);
        let mut run = Run { to: Writer::new(to), counts: Counts::default(), progress };
        run.to.write(&Header::new(self.issuer, self.root, now))?;
        let keys = store.signing_keys().await?;
        run.page(keys, |key| Some((format!("the signing key {}", key.kid), key.into())))?;
        run.pages(
            |after| store.list_clients(after, page),
            |client| Some((format!("the client {}", client.id), Line::Client(Box::new((*client).clone())))),
        )
        .await?;
        run.pages(
            |after| store.list_grants(after, page),
            |grant| (!grant.has_ended(now)).then(|| (format!("the grant {}", grant.id), as_of(now, grant).into())),
        )
        .await?;
        run.pages(
            |after| store.list_access(after, page),
            |(id, access)| access.is_live(now).then(|| (format!("a token of the grant {id}"), (id, access).into())),
        )
        .await?;
        run.pages(
            |after| store.list_consents(after, page),
            |consent| {
                let name = format!("a consent to the client {}", consent.client);
                (now < consent.expires_at).then(|| (name, Line::Consent(Box::new(consent))))
            },
        )
        .await?;
        run.to.write(&Line::End(EndLine::new(run.counts, run.to.sum())))?;
        run.to.flush()?;
        Ok(run.counts)
    }
}

struct Run<W, P> {
    to: Writer<W>,
    counts: Counts,
    progress: P,
}

impl<W: Write, P: FnMut(Counts)> Run<W, P> {
    /// Writes what `line` makes of each record, with a name for it.
    async fn pages<'s, T>(
        &mut self,
        list: impl Fn(Option<Cursor>) -> StoreFuture<'s, Page<T>>,
        line: impl Fn(T) -> Option<(String, Line)>,
    ) -> Result<(), ExportError> {
        let mut after = None;
        loop {
            let page = list(after).await?;
            self.page(page.items, &line)?;
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
            pause().await;
        }
    }

    fn page<T>(&mut self, items: Vec<T>, line: impl Fn(T) -> Option<(String, Line)>) -> Result<(), ExportError> {
        for (name, line) in items.into_iter().filter_map(line) {
            if !self.to.write(&line)? {
                return Err(ExportError::TooLong(name));
            }
            self.counts.add(&line);
        }
        (self.progress)(self.counts);
        Ok(())
    }
}

/// The grant without a way back whose window has closed.
fn as_of(now: UnixTime, mut grant: Grant) -> Grant {
    if let Some(refresh) = &mut grant.refresh {
        refresh.retry.take_if(|retry| retry.until <= now);
    }
    grant
}
