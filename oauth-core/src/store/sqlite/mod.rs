//! The embedded store: one SQLite file, one machine, nothing to administer.
//!
//! * **Durable.** Write-ahead log with `synchronous = FULL`: when a call
//!   returns, its effect has been synced to the disk, and a crash or a power
//!   failure does not undo it.
//! * **Fast all the same.** One thread writes, and commits in groups: calls
//!   that arrive while the disk is busy share the next sync. A few threads
//!   read, on connections of their own; they never wait for the writer, and
//!   see all that has been acknowledged.
//! * **On any runtime.** Calls wait on channels; nothing here needs tokio.
//!
//! Several processes on one machine may share the file. It must be on a local
//! file system: SQLite's locks do not work over most networks.
//!
//! # Backup and restore
//!
//! [`SqliteStore::backup`] copies the file while it is in use, and so does
//! [`Backup::new`] without opening it as a store, for a program of its own
//! beside those that serve. Do not copy the file by other means than SQLite's:
//! a plain copy of a file in use misses what is in its log.
//!
//! To restore: stop every program that uses the file, move it away together
//! with its `-wal` and `-shm`, put the backup in its place, and start again. A
//! log of the old file beside the new one would damage it.
//!
//! **A restored backup has forgotten what happened since.** What was revoked
//! lives again, refresh tokens that were rotated are good again while their
//! successors are unknown, and codes and client assertions can be used again
//! while they last. So wait for a few minutes before you start, for the latter,
//! and revoke again what was revoked since. If you cannot know what that was,
//! revoke [whatever was granted before](crate::server::Selection::IssuedBefore)
//! the present before anything is served: everybody signs in again.
//! The root secret is not in the file; without it, a backup is of no use to
//! anybody, its owner included.

mod backup;
mod clients;
mod connection;
mod consents;
mod epoch;
mod error;
mod grants;
mod interactions;
mod keys;
mod queue;
mod reader;
mod reciprocals;
mod row;
mod schema;
mod statuses;
mod sweep;
#[cfg(test)]
mod tests;
mod transfer;
mod uses;
mod worker;
mod writer;

use std::{
    fmt,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rusqlite::Connection;

pub use self::backup::{Backup, BackupError, Copied};
use self::{
    connection::Settings,
    error::Failure,
    reader::{Answer, Read},
    schema::Migration,
    worker::{Plan, Workers},
    writer::{Counts, Write},
};
use super::{Store, StoreError, StoreFuture};

/// A store in an SQLite file. Clones share it.
///
/// ```
/// use oauth_core::store::{Store, sqlite::SqliteStore};
/// # let directory = std::env::temp_dir().join(format!("oauth-core-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let path = directory.join("oauth.db");
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let store = SqliteStore::open(&path).await?;
/// store.check().await?;
/// store.close().await;
/// # Ok::<_, oauth_core::store::StoreError>(()) })?;
/// # std::fs::remove_dir_all(directory)?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// When the last clone is dropped, the file is closed: the drop waits for what
/// is being written, so prefer [`SqliteStore::close`] in async code.
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

/// Dropped in this order: the writer closes the file last, which folds the log
/// into it.
struct Inner {
    readers: Workers<Read>,
    writer: Workers<Box<dyn Write>>,
    counts: Arc<Counts>,
    path: PathBuf,
}

impl SqliteStore {
    /// Opens the file at `path` with default settings, creates it if it is
    /// not there, and brings its schema up to date.
    ///
    /// # Errors
    /// As [`SqliteStoreBuilder::build`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::builder(path).build().await
    }

    /// Settings for the file at `path`.
    #[must_use]
    pub fn builder(path: impl AsRef<Path>) -> SqliteStoreBuilder {
        let parallelism = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        SqliteStoreBuilder {
            path: path.as_ref().to_owned(),
            readers: parallelism.min(4),
            busy_timeout: Duration::from_secs(5),
            queue: 4096,
            cache_kib: 16 * 1024,
            migrations: schema::MIGRATIONS,
        }
    }

    /// Serves what waits, refuses every later call on any clone, and closes
    /// the file.
    pub async fn close(&self) {
        self.0.readers.close().await;
        self.0.writer.close().await;
    }

    /// A copy of the file at `to`, which must not exist, made while the store
    /// is in use: all that was acknowledged before it is awaited is in it.
    ///
    /// ```
    /// use oauth_core::store::sqlite::SqliteStore;
    /// # let directory = std::env::temp_dir().join(format!("oauth-core-doc-backup-{}", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// # let (path, copy) = (directory.join("oauth.db"), directory.join("copy.db"));
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let store = SqliteStore::open(&path).await?;
    /// store.backup(&copy).on_progress(|copied| println!("{} of {} bytes", copied.bytes, copied.of)).await?;
    /// SqliteStore::open(&copy).await?.close().await;
    /// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
    /// # std::fs::remove_dir_all(directory)?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn backup(&self, to: impl AsRef<Path>) -> Backup {
        Backup::new(&self.0.path, to)
    }

    /// How much has been written through this store, to watch how calls share
    /// commits.
    #[must_use]
    pub fn written(&self) -> Written {
        let counts = &self.0.counts;
        Written { calls: counts.calls.load(Ordering::Relaxed), commits: counts.commits.load(Ordering::Relaxed) }
    }

    /// Runs `step` in a transaction of the writer's.
    fn write<T, F>(&self, step: F) -> StoreFuture<'_, T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        Box::pin(async move {
            let (job, answer) = writer::write(step);
            self.0.writer.push(job)?;
            wait(answer).await
        })
    }

    /// Runs `step` on a connection that only reads.
    fn read<T, F>(&self, step: F) -> StoreFuture<'_, T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        Box::pin(async move {
            let (job, answer) = reader::read(step);
            self.0.readers.push(job)?;
            wait(answer).await
        })
    }
}

/// An answer that never comes is a thread that failed: so does the call.
async fn wait<T>(answer: Answer<T>) -> Result<T, StoreError> {
    answer.await.unwrap_or_else(|dropped| Err(StoreError::unavailable(dropped)))
}

impl Store for SqliteStore {
    fn check(&self) -> StoreFuture<'_, ()> {
        // SQLite does not write what stays the same, so this counts.
        const SQL: &str = "INSERT INTO oauth_probe (no, count) VALUES (1, 1)
            ON CONFLICT DO UPDATE SET count = count + 1";
        self.write(|connection| Ok(connection.prepare_cached(SQL)?.execute([]).map(drop)?))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.0.path).finish_non_exhaustive()
    }
}

/// What a [`SqliteStore`] has written since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Calls that were part of a commit.
    pub calls: u64,
    /// Commits: never more than calls, and far fewer under load.
    pub commits: u64,
}

/// Settings of a [`SqliteStore`]; made by [`SqliteStore::builder`].
#[derive(Clone, Debug)]
pub struct SqliteStoreBuilder {
    path: PathBuf,
    readers: usize,
    busy_timeout: Duration,
    queue: usize,
    cache_kib: u32,
    migrations: &'static [Migration],
}

impl SqliteStoreBuilder {
    /// Sets how many threads read, each on a connection of its own; at least
    /// one. The default is the number of processors, at most 4.
    #[must_use]
    pub fn readers(mut self, threads: usize) -> Self {
        self.readers = threads.max(1);
        self
    }

    /// Sets for how long a call waits for another process that writes to the
    /// same file, before it fails: at most one hour. The default is 5 seconds.
    #[must_use]
    pub fn busy_timeout(mut self, patience: Duration) -> Self {
        self.busy_timeout = patience.min(Duration::from_secs(3600));
        self
    }

    /// Sets how many calls may wait to be written, and how many to read; one
    /// more is refused at once with [`StoreError::Unavailable`]. At least one;
    /// the default is 4096.
    #[must_use]
    pub fn queue(mut self, calls: usize) -> Self {
        self.queue = calls.max(1);
        self
    }

    /// Sets the page cache of each connection, in KiB. The default is 16384:
    /// 16 MiB. What does not fit is read from the operating system's cache.
    #[must_use]
    pub const fn cache_kib(mut self, kib: u32) -> Self {
        self.cache_kib = kib;
        self
    }

    /// Opens the file, creates it if it is not there (readable by its owner
    /// alone), and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if a later version has changed the file beyond
    /// what this one understands; [`StoreError::Corrupt`] if it is no SQLite
    /// database or a damaged one; [`StoreError::Unavailable`] if it cannot be
    /// opened, written to or used in WAL mode.
    pub async fn build(self) -> Result<SqliteStore, StoreError> {
        let path = std::path::absolute(self.path).map_err(StoreError::unavailable)?;
        let patience = self.busy_timeout;
        let Self { cache_kib, migrations, .. } = self;
        let settings = Settings { path: path.clone(), busy_timeout: patience, cache_kib, migrations };
        let counts = Arc::new(Counts::default());

        let plan = Plan { name: "oauth-sqlite-w", threads: 1, capacity: self.queue };
        let (own, counted) = (settings.clone(), Arc::clone(&counts));
        let serve = move |connection: Connection, queue: &_| writer::serve(&connection, queue, patience, &counted);
        let writer = Workers::start(plan, move || connection::open_writer(&own), serve).await?;

        let plan = Plan { name: "oauth-sqlite-r", threads: self.readers, capacity: self.queue };
        let serve = move |connection: Connection, queue: &_| reader::serve(&connection, queue);
        let readers = Workers::start(plan, move || connection::open_reader(&settings), serve).await?;

        Ok(SqliteStore(Arc::new(Inner { readers, writer, counts, path })))
    }
}
