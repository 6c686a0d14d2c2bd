//! From a store to a file.

use std::io::{self, Write};

use super::{
    Counts,
    format::{EndLine, Header, Line},
    lines::Writer,
    link::LinkLine,
    pause,
    statuses::{CHUNK, StatusesLine},
};
use crate::{
    clock::UnixTime,
    engine::status_list::moved,
    secret::RootSecret,
    store::{Cursor, Grant, LinkState, Page, StoreError, StoreFuture, Transfer},
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
        run.to.write(&Header::new(self.issuer, self.root, now, store.epoch().await?))?;
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
        run.pages(|after| store.list_links(after, page), |state| link(now, state)).await?;
        self.statuses(store, &mut run).await?;
        run.to.write(&Line::End(EndLine::new(run.counts, run.to.sum())))?;
        run.to.flush()?;
        Ok(run.counts)
    }

    /// How many places were given, and which are revoked: a list of a million
    /// places with all of them revoked is 128 lines.
    async fn statuses<W: Write, P: FnMut(Counts)>(
        &self,
        store: &(impl Transfer + ?Sized),
        run: &mut Run<W, P>,
    ) -> Result<(), ExportError> {
        let line = |line| Some(("a status list".to_owned(), Line::Statuses(line)));
        for group in moved::groups(self.issuer, self.root, self.now) {
            let blocks = store.claimed_statuses(group.digest, self.now).await?;
            if blocks == 0 {
                continue;
            }
            run.page(vec![StatusesLine::claimed(&group, blocks)], line)?;
            for list in group.lists(blocks) {
                let revoked = store.revoked_statuses(list, self.now).await?;
                let chunks = revoked.chunks(CHUNK).map(|some| StatusesLine::revoked(list, some.to_vec()));
                run.page(chunks.collect(), line)?;
                pause().await;
            }
        }
        Ok(())
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

/// What is left of a link, with a name for it.
fn link(now: UnixTime, mut state: LinkState) -> Option<(String, Line)> {
    state.sweep(now);
    let name = format!("a link to the client {}", state.link()?.client);
    Some((name, Line::Link(Box::new(LinkLine::of(state)?))))
}

/// The grant without a way back whose window has closed.
fn as_of(now: UnixTime, mut grant: Grant) -> Grant {
    if let Some(refresh) = &mut grant.refresh {
        refresh.retry.take_if(|retry| retry.until <= now);
    }
    grant
}
