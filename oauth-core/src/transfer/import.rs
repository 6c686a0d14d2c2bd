//! From a file to a store.

use std::{
    io::{self, BufRead},
    mem::{discriminant, take},
};

use futures_util::future::join_all;

use super::{
    Counts, MAX_LINE,
    format::{EndLine, Header, Line, VERSION, fingerprints},
    lines::Reader,
    pause, statuses,
};
use crate::{
    client::Client,
    clock::UnixTime,
    secret::{Digest, RootSecret},
    store::{AccessToken, Consent, Grant, Store, StoreError, disown},
    token::GrantId,
};

/// Reads a file that [`Export`](super::Export) wrote: see the
/// [module](super) for what becomes of what is there already.
#[derive(Clone, Debug)]
pub struct Import<'a> {
    /// Only clients without them.
    of: Option<(&'a str, &'a RootSecret)>,
}

/// What an import has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// How much of the file is in the store because of this import.
    pub inserted: Counts,
    /// How much was left as it is: because it is there already, or was once; or,
    /// of a token, because its grant has been revoked or is no imported one.
    pub left: Counts,
}

/// Why an import broke off: a line, and what is wrong with it. It never shows
/// what the line says.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {fault}{}", after(*line, fault, *stores))]
pub struct ImportError {
    line: u64,
    #[source]
    fault: ImportFault,
    stores: bool,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportFault {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The first line is not that of an export.
    #[error("is not the first line of an export")]
    NotAnExport,
    /// The file has another version.
    #[error("says version {0}; this program knows those up to {VERSION}")]
    Version(u64),
    /// The file is of another issuer, which its tokens are bound to.
    #[error("is of another issuer, to which its tokens are bound")]
    Issuer,
    /// The file's root secret is not known here.
    #[error("was made under a root secret that is neither the current one here nor a previous one")]
    RootSecret,
    /// One of the file's previous root secrets is not known here.
    #[error("needs a previous root secret that is not known here")]
    PreviousRootSecret,
    /// It is longer than [`MAX_LINE`].
    #[error("is longer than {MAX_LINE} bytes")]
    TooLong,
    /// It is not JSON.
    #[error("is not JSON, at column {column}")]
    Syntax {
        /// Where.
        column: usize,
    },
    /// It is no record, or not a legal one.
    #[error("is no record that this version knows, at column {column}")]
    Record {
        /// Where.
        column: usize,
    },
    /// It says something that would be lost.
    #[error("says more than this version understands")]
    Unknown,
    /// It is not there, or not whole.
    #[error("is not whole: the file was cut off")]
    CutOff,
    /// The last line counts other records than there are.
    #[error("counts other records than the file has")]
    Counts,
    /// The digest in the last line is not that of the lines before.
    #[error("has another digest than the file: it was damaged or changed")]
    Damaged,
    /// There is something behind the last line.
    #[error("is behind the end of the export")]
    AfterEnd,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImportError {
    /// The number of the line, from 1 on.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// What is wrong with it.
    #[must_use]
    pub const fn fault(&self) -> &ImportFault {
        &self.fault
    }
}

fn after(line: u64, fault: &ImportFault, stores: bool) -> &'static str {
    match fault {
        _ if !stores || line < 2 => "; nothing was imported",
        ImportFault::Store(_) | ImportFault::Read(_) | ImportFault::CutOff => {
            "; what was read before stays, and the import can be run again"
        }
        // The right file would leave what this one has put there.
        _ => "; what was read before stays: empty the store before another file is imported",
    }
}

impl<'a> Import<'a> {
    /// An import by the server with this issuer and this root secret, which
    /// must know every root secret that the exporting server knew.
    #[must_use]
    pub const fn new(issuer: &'a str, root: &'a RootSecret) -> Self {
        Self { of: Some((issuer, root)) }
    }

    /// An import of the clients alone, from whatever server. A client with a
    /// secret that is sealed, not hashed, needs a new one if the root secret
    /// is another.
    #[must_use]
    pub const fn clients_only() -> Self {
        Self { of: None }
    }

    /// Reads everything, and tells `progress` after each few lines how much
    /// has been done so far.
    ///
    /// Dropped before it is done, it leaves whole records. The reader is called
    /// on the task and may block it: within a server, run this on a thread that
    /// may be blocked.
    ///
    /// # Errors
    /// [`ImportError`]: what was read before that line may be in the store, and
    /// stays there.
    pub async fn run(
        &self,
        store: &(impl Store + ?Sized),
        from: impl BufRead,
        progress: impl FnMut(Imported),
    ) -> Result<Imported, ImportError> {
        let mut lines = Reader::new(from);
        let done = self.lines(store, &mut lines, progress).await;
        done.map_err(|(line, fault)| ImportError { line: line.unwrap_or(lines.number()), fault, stores: true })
    }

    /// Reads everything and stores nothing: whether [`Import::run`] would find a
    /// fault in the file. Do this first where a file can be read twice, since a
    /// damaged line that reads well is only found out at the end.
    ///
    /// # Errors
    /// As [`Import::run`], but for those of a store.
    pub fn check(&self, from: impl BufRead) -> Result<Counts, ImportError> {
        let mut lines = Reader::new(from);
        let read = self.read(&mut lines);
        read.map_err(|fault| ImportError { line: lines.number(), fault, stores: false })
    }

    fn read(&self, lines: &mut Reader<impl BufRead>) -> Result<Counts, ImportFault> {
        let header = Header::read(lines.next()?.ok_or(ImportFault::NotAnExport)?)?;
        self.suits(&header)?;
        let mut found = Counts::default();
        loop {
            let line = Line::read(lines.next()?.ok_or(ImportFault::CutOff)?)?;
            found.add(&line);
            if let Line::End(end) = line {
                is_whole(&end, found, lines)?;
                return Ok(found);
            }
        }
    }

    async fn lines(
        &self,
        store: &(impl Store + ?Sized),
        lines: &mut Reader<impl BufRead>,
        mut progress: impl FnMut(Imported),
    ) -> Result<Imported, At> {
        let header = Header::read(lines.next()?.ok_or(ImportFault::NotAnExport)?)?;
        self.suits(&header)?;
        if self.of.is_some() && header.epoch > UnixTime(0) {
            store.raise_epoch(header.epoch).await.map_err(ImportFault::from)?;
        }
        let from = Source { exported_at: header.exported_at, is_own: self.of.is_some() };
        let (mut batch, mut done, mut found) = (Batch::default(), Imported::default(), Counts::default());
        let end = loop {
            let line = Line::read(lines.next()?.ok_or(ImportFault::CutOff)?)?;
            found.add(&line);
            if !batch.takes(&line) {
                take(&mut batch).store(store, from, &mut done).await?;
                progress(done);
                pause().await;
            }
            match line {
                Line::End(end) => break end,
                Line::Client(_) => batch.add(line, lines),
                _ if self.of.is_some() => batch.add(line, lines),
                _ => {}
            }
        };
        is_whole(&end, found, lines)?;
        Ok(done)
    }

    fn suits(&self, header: &Header) -> Result<(), ImportFault> {
        let Some((issuer, root)) = self.of else { return Ok(()) };
        if header.issuer != issuer {
            return Err(ImportFault::Issuer);
        }
        let known = fingerprints(root);
        let (current, previous) = header.root_secrets.split_first().ok_or(ImportFault::RootSecret)?;
        if !known.contains(current) {
            return Err(ImportFault::RootSecret);
        }
        if previous.iter().any(|one| !known.contains(one)) { Err(ImportFault::PreviousRootSecret) } else { Ok(()) }
    }
}

/// A fault, and its line if that is not the one that was read last.
type At = (Option<u64>, ImportFault);

impl From<ImportFault> for At {
    fn from(fault: ImportFault) -> Self {
        (None, fault)
    }
}

fn is_whole(end: &EndLine, found: Counts, lines: &mut Reader<impl BufRead>) -> Result<(), ImportFault> {
    if end.counts() != found {
        return Err(ImportFault::Counts);
    }
    if end.sha256.0 != lines.sum() {
        return Err(ImportFault::Damaged);
    }
    lines.next()?.map_or(Ok(()), |_| Err(ImportFault::AfterEnd))
}

/// Records of one kind, which do not need each other. They go to the store
/// together, so that it can commit them together.
#[derive(Default)]
struct Batch {
    lines: Vec<(u64, Line)>,
    bytes: usize,
}

impl Batch {
    /// Whether `line` may be one of them. Of another kind it is not: a token
    /// needs its grant.
    fn takes(&self, line: &Line) -> bool {
        const LINES: usize = 64;
        let same = self.lines.last().is_none_or(|(_, last)| discriminant(last) == discriminant(line));
        same && self.lines.len() < LINES && self.bytes < MAX_LINE
    }

    fn add(&mut self, line: Line, lines: &Reader<impl BufRead>) {
        self.bytes += lines.length();
        self.lines.push((lines.number(), line));
    }

    async fn store(self, store: &(impl Store + ?Sized), from: Source, done: &mut Imported) -> Result<(), At> {
        let each = self.lines.into_iter().map(async |(number, line)| {
            let mut one = Counts::default();
            one.add(&line);
            (number, one, insert(store, line, from).await)
        });
        for (number, one, inserted) in join_all(each).await {
            let inserted = inserted.map_err(|error| (Some(number), error.into()))?;
            if inserted { done.inserted += one } else { done.left += one }
        }
        Ok(())
    }
}

/// What a file says of all its lines.
#[derive(Clone, Copy)]
struct Source {
    exported_at: UnixTime,
    /// Whether it is of the very issuer that it goes to.
    is_own: bool,
}

/// Inserts a record, or leaves the one that is there.
async fn insert(store: &(impl Store + ?Sized), line: Line, from: Source) -> Result<bool, StoreError> {
    let exported_at = from.exported_at;
    match line {
        // No key is later than this: only its own name bars it.
        Line::SigningKey(key) => store.insert_signing_key(key.into(), Some(UnixTime::MAX)).await,
        Line::Client(client) => insert_client(store, *client, from.is_own).await,
        Line::Grant(grant) => insert_grant(store, (*grant).into(), exported_at).await,
        Line::Access(line) => {
            let (grant, access) = line.into();
            mark_if_revoked(store, grant, &access).await?;
            // A token that was revoked by itself leaves no trace, and must not come back: it goes into a grant that an
            // import has put there, and once.
            let imported = store.uses(mark_of_grant(grant), exported_at).await? > 0;
            let mark = Digest::of(&[b"import token ", access.digest.as_bytes()]);
            if !imported || !store.first_use(mark, access.expires_at, exported_at).await? {
                return Ok(false);
            }
            store.insert_access(grant, access, exported_at).await
        }
        Line::Consent(consent) => {
            // Nor does one that was forgotten leave a trace.
            let first = store.first_use(mark_of_consent(&consent), consent.expires_at, exported_at).await?;
            Ok(first && store.replace_consent(*consent, None, exported_at).await?)
        }
        Line::Link(link) => link.insert(store, exported_at).await,
        Line::Statuses(statuses) => statuses.insert(store, exported_at).await,
        Line::End(_) => Ok(false),
    }
}

/// A revocation must not be lost, whatever is there: not that of all that the
/// client was given, either.
async fn insert_client(store: &(impl Store + ?Sized), client: Client, is_own: bool) -> Result<bool, StoreError> {
    if store.client(client.id.clone()).await?.is_none() {
        return store.put_client(client).await.map(|()| true);
    }
    if is_own && !disown(store, &client.id, client.grants_since).await? {
        return Err(StoreError::Conflict("a client that is being replaced all the time"));
    }
    Ok(false)
}

/// Nor that of one grant.
async fn insert_grant(store: &(impl Store + ?Sized), grant: Grant, exported_at: UnixTime) -> Result<bool, StoreError> {
    let (id, revoked_at) = (grant.id, grant.revoked_at);
    let known_until = exported_at.saturating_add(MARKED).min(grant.expires_at);
    match (store.insert_grant(grant, None).await, revoked_at) {
        (Err(StoreError::Conflict(_)), Some(at)) => {
            store.revoke_grant(id, at).await?;
            statuses::mark(store, store.grant_statuses(id, exported_at).await?).await.map(|()| false)
        }
        (Err(StoreError::Conflict(_)), None) => Ok(false),
        (inserted, _) => {
            inserted?;
            store.first_use(mark_of_grant(id), known_until, exported_at).await.map(|_| true)
        }
    }
}

/// A token of a revoked grant goes nowhere, and whoever revoked it may have broken off
/// before its place was marked.
async fn mark_if_revoked(store: &(impl Store + ?Sized), id: GrantId, access: &AccessToken) -> Result<(), StoreError> {
    let Some(place) = access.status else { return Ok(()) };
    let revoked = store.grant(id).await?.is_some_and(|grant| grant.revoked_at.is_some());
    if revoked { statuses::mark(store, vec![place]).await } else { Ok(()) }
}

/// For how many seconds a store remembers at least that a grant was imported.
/// Whoever imports the file again after that gets no more tokens from it.
const MARKED: u64 = 24 * 60 * 60;

fn mark_of_grant(id: GrantId) -> Digest {
    Digest::of(&[b"import grant ", id.as_bytes()])
}

fn mark_of_consent(consent: &Consent) -> Digest {
    let names = [consent.subject.as_bytes(), consent.client.as_str().as_bytes()].map(|name| Digest::of(&[name]));
    let [subject, client] = names.each_ref().map(Digest::as_bytes);
    Digest::of(&[b"import consent ", subject, client, &consent.revision.to_be_bytes()])
}
