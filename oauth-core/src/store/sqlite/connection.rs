//! Opening the file, and the settings that every connection has.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};

use super::{
    error::{Failure, is_busy},
    schema::{self, Migration},
};
use crate::store::StoreError;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) path: PathBuf,
    pub(super) busy_timeout: Duration,
    pub(super) cache_kib: u32,
    /// What this program knows of the schema.
    pub(super) migrations: &'static [Migration],
}

/// A prepared statement for every step, with some to spare.
const STATEMENTS: usize = 64;

#[derive(Debug, thiserror::Error)]
enum Unsuitable {
    #[error("the database file cannot be used in WAL mode, only in mode {0:?}: is it on a network file system?")]
    JournalMode(String),
    #[error("SQLite does not accept synchronous = FULL")]
    NotDurable,
}

/// The connection that writes: creates the file if need be and brings its
/// schema up to date.
pub(super) fn open_writer(settings: &Settings) -> Result<Connection, StoreError> {
    create(&settings.path).map_err(StoreError::unavailable)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(settings, flags)?;
    configure_writer(&connection, settings.busy_timeout)?;
    schema::migrate(&connection, settings.migrations)?;
    // From here on `writer` waits in its own way.
    connection.busy_timeout(Duration::ZERO).map_err(Failure::from)?;
    Ok(connection)
}

/// A connection that reads. It never waits for the writer: in WAL mode it sees
/// the state of the last commit.
pub(super) fn open_reader(settings: &Settings) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open(settings, flags)
}

fn open(settings: &Settings, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(&settings.path, flags).map_err(Failure::from)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let shared = || {
        connection.busy_timeout(settings.busy_timeout)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // A negative cache_size counts KiB. No mmap: through it, a disk that
        // fails to read kills the process instead of one call.
        connection.pragma_update(None, "cache_size", -i64::from(settings.cache_kib))
    };
    shared().map_err(Failure::from)?;
    Ok(connection)
}

fn configure_writer(connection: &Connection, patience: Duration) -> Result<(), Failure> {
    // Only before the first table: lets a sweep give space back.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    let mode = enter_wal(connection, patience)?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(StoreError::unavailable(Unsuitable::JournalMode(mode)).into());
    }
    // One fsync per commit; on macOS one that reaches the disk.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Sealed retries are zeroed when they end, where that costs no extra I/O.
    connection.pragma_update_and_check(None, "secure_delete", "FAST", |_| Ok(()))?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_PAGES, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", JOURNAL_SIZE_LIMIT, |_| Ok(()))?;
    if connection.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0))? < SYNCHRONOUS_FULL {
        return Err(StoreError::unavailable(Unsuitable::NotDurable).into());
    }
    Ok(())
}

const SYNCHRONOUS_FULL: i64 = 2;

/// How long the log may grow before it is folded into the file: 4 times as long
/// as by default, because pages of the random index change many times meanwhile
/// and are then written once.
const CHECKPOINT_PAGES: i64 = 4000;

/// To how many bytes the log shrinks after a burst.
const JOURNAL_SIZE_LIMIT: i64 = 64 << 20;

/// Switching the mode needs the file alone for a moment, and SQLite does not
/// wait for that by itself.
fn enter_wal(connection: &Connection, patience: Duration) -> Result<String, rusqlite::Error> {
    let deadline = Instant::now() + patience;
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)) {
            Err(error) if is_busy(&error) && Instant::now() < deadline => thread::sleep(Duration::from_millis(2)),
            other => return other,
        }
    }
}

/// Creates the file, if it is new, for its owner alone; SQLite gives its log
/// the same permissions.
fn create(path: &Path) -> io::Result<()> {
    // Closing a file drops every POSIX lock the process has on it. So this
    // never opens one that exists, and never while another thread is here.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => file.sync_all()?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error),
    }
    sync_directory(path)
}

/// A new name survives a crash only once its directory is on disk.
#[cfg(unix)]
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |directory| std::fs::File::open(directory)?.sync_all())
}

#[cfg(not(unix))]
pub(super) fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
