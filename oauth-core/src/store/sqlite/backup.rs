//! A copy of the file, made while it is in use.

use std::{
    fmt, fs,
    future::{Future, IntoFuture},
    io,
    path::{Path, PathBuf},
    pin::Pin,
    thread,
    time::Duration,
};

use futures_channel::oneshot;
use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup as Copy, StepResult},
};

use super::{connection::sync_directory, error::Failure};
use crate::{
    clock::{SystemRandom, random_bytes},
    store::StoreError,
};

/// A backup to be made, by awaiting it; made by
/// [`SqliteStore::backup`](super::SqliteStore::backup).
///
/// It reads one state of the file, a little at a time, on a connection and a
/// thread of its own. Readers and writers go on meanwhile; only the log cannot
/// be folded into the file until the copy is done, and grows by what is
/// written. The copy is written beside its place, for its owner alone, synced,
/// and named last: there is a whole backup at the path, or nothing. A future
/// that is dropped takes what it has made so far along, and a crash may leave
/// a file whose name ends in `.partial`.
///
/// The copy is a store like any other, and can be read and checked as any
/// SQLite database. See [how to restore it](super#backup-and-restore).
#[must_use = "nothing is copied before it is awaited"]
pub struct Backup {
    from: PathBuf,
    to: PathBuf,
    progress: Box<dyn FnMut(Copied) + Send>,
}

/// How far a [`Backup`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// How many bytes have been copied.
    pub bytes: u64,
    /// Of how many.
    pub of: u64,
}

/// Why there is no backup. The store is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is a file of that name, the store itself maybe. Nothing is ever
    /// overwritten.
    #[error("{} exists", .0.display())]
    Exists(PathBuf),
    /// SQLite would take the copy for a part of the store.
    #[error("{} is where SQLite keeps a part of the store", .0.display())]
    Reserved(PathBuf),
    /// What is to be copied cannot be read, or is no SQLite database.
    #[error("cannot copy {}: {cause}", .from.display())]
    Copy {
        /// The file to copy.
        from: PathBuf,
        /// What is the matter with it.
        #[source]
        cause: StoreError,
    },
    /// The copy cannot be written, synced or named.
    #[error("cannot write {}: {cause}", .to.display())]
    Write {
        /// The file to make.
        to: PathBuf,
        /// What is the matter with it.
        #[source]
        cause: io::Error,
    },
    /// Whoever asked for it has gone.
    #[error("the backup was given up")]
    GivenUp,
}

impl Backup {
    /// A copy of the store in the file `from`, to be made at `to`. The file is
    /// only read: its schema stays as it is, whatever its version, so this is
    /// also what to do before an upgrade.
    pub fn new(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Self {
        Self { from: from.as_ref().to_owned(), to: to.as_ref().to_owned(), progress: Box::new(|_| ()) }
    }

    /// Calls `report` now and then, on the thread that copies: for each
    /// mebibyte, and at the end.
    pub fn on_progress(self, report: impl FnMut(Copied) + Send + 'static) -> Self {
        Self { progress: Box::new(report), ..self }
    }

    /// Makes it, unless `given_up` comes true.
    fn make(mut self, given_up: &dyn Fn() -> bool) -> Result<(), BackupError> {
        self.to = std::path::absolute(&self.to).map_err(|cause| self.unwritable(cause))?;
        let from = self.from.canonicalize().map_err(|error| self.unreadable(StoreError::unavailable(error)))?;
        self.refuse_what_is_there(&from)?;
        let partial = Partial::create(&self.to).map_err(|cause| self.unwritable(cause))?;
        self.copy(&from, &partial, given_up)?;
        let kept = partial.keep(&self.to);
        kept.map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists(self.to.clone()),
            _ => self.unwritable(cause),
        })
    }

    fn refuse_what_is_there(&self, from: &Path) -> Result<(), BackupError> {
        let (Some(directory), Some(name)) = (self.to.parent(), self.to.file_name()) else {
            return Err(BackupError::Exists(self.to.clone()));
        };
        let to = directory.canonicalize().map_err(|cause| self.unwritable(cause))?.join(name);
        for suffix in ["-wal", "-shm", "-journal"] {
            let mut part = from.as_os_str().to_owned();
            part.push(suffix);
            if to.as_os_str() == part {
                return Err(BackupError::Reserved(self.to.clone()));
            }
        }
        match fs::symlink_metadata(&to) {
            Ok(_) => Err(BackupError::Exists(self.to.clone())),
            Err(_) => Ok(()),
        }
    }

    fn copy(&mut self, from: &Path, partial: &Partial, given_up: &dyn Fn() -> bool) -> Result<(), BackupError> {
        let source = open_source(from).map_err(|error| self.unreadable(error))?;
        let mut target = open_target(&partial.path).map_err(|error| self.unreadable(error))?;
        let page = source.pragma_query_value(None, "page_size", |row| row.get::<_, u32>(0));
        let page = u64::from(page.map_err(|error| self.unreadable(error))?);
        let mut unsynced = 0;
        let copy = Copy::new(&source, &mut target).map_err(|error| self.unreadable(error))?;
        loop {
            if given_up() {
                return Err(BackupError::GivenUp);
            }
            let step = copy.step(STEP).map_err(|error| self.unreadable(error))?;
            let progress = copy.progress();
            let bytes = |pages: i32| u64::try_from(pages).unwrap_or(0) * page;
            let of = bytes(progress.pagecount);
            (self.progress)(Copied { bytes: of - bytes(progress.remaining).min(of), of });
            match step {
                StepResult::Done => return Ok(()),
                StepResult::More => unsynced += bytes(STEP),
                // Nobody else has a lock on either, unless by hand.
                _ => thread::sleep(Duration::from_millis(10)),
            }
            if unsynced >= SYNC_EVERY {
                partial.file.sync_data().map_err(|cause| self.unwritable(cause))?;
                unsynced = 0;
            }
        }
    }

    fn unreadable(&self, cause: impl Into<Failure>) -> BackupError {
        BackupError::Copy { from: self.from.clone(), cause: cause.into().into() }
    }

    fn unwritable(&self, cause: io::Error) -> BackupError {
        BackupError::Write { to: self.to.clone(), cause }
    }
}

/// How many pages are copied before others are looked at: 1 MiB.
const STEP: i32 = 256;

/// Never leaves more to the disk at a time, so that a commit has not long to
/// wait for its turn there.
const SYNC_EVERY: u64 = 16 << 20;

/// A connection that reads, and holds on to the state that it sees now: else
/// each commit of another would have the copy begin anew.
fn open_source(from: &Path) -> Result<Connection, Failure> {
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    source.busy_timeout(Duration::from_secs(5))?;
    source.execute_batch("BEGIN")?;
    source.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(source)
}

/// The partial file needs no journal: if anything fails, it goes. It is synced
/// by us.
fn open_target(path: &Path) -> Result<Connection, Failure> {
    let target =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    target.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    target.pragma_update(None, "synchronous", "OFF")?;
    target.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    Ok(target)
}

/// A backup that is being made: gone when dropped.
struct Partial {
    path: PathBuf,
    file: fs::File,
}

impl Partial {
    fn create(to: &Path) -> io::Result<Self> {
        let random: [u8; 8] = random_bytes(&SystemRandom).map_err(io::Error::other)?;
        let mut name = to.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{:016x}.partial", u64::from_be_bytes(random)));
        let path = to.with_file_name(name);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok(Self { path, file })
    }

    /// Syncs it and gives it its name, unless that is taken by now. The name
    /// of the partial file goes with `self`.
    fn keep(self, to: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        match fs::hard_link(&self.path, to) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !fs::exists(to)? => {
                // A file system without links.
                fs::rename(&self.path, to)?;
            }
            linked => linked?,
        }
        sync_directory(to)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

impl IntoFuture for Backup {
    type Output = Result<(), BackupError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (reply, outcome) = oneshot::channel();
            let to = self.to.clone();
            let make = move || {
                let made = self.make(&|| reply.is_canceled());
                drop(reply.send(made));
            };
            let thread = thread::Builder::new().name("oauth-sqlite-b".to_owned()).spawn(make);
            thread.map_err(|cause| BackupError::Write { to, cause })?;
            // A thread that panicked, in the caller's `on_progress` maybe.
            outcome.await.unwrap_or(Err(BackupError::GivenUp))
        })
    }
}

impl fmt::Debug for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backup").field("from", &self.from).field("to", &self.to).finish_non_exhaustive()
    }
}
