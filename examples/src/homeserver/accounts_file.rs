//! The file in which the marks of accounts outlive the process (`matrix.accounts_file`), and by which
//! the nodes that name the same one share them.
//!
//! It is written whole beside its place and put there by one rename, so whoever reads it reads one version
//! of it. Whoever changes it holds the lock of another file meanwhile, which stays where it is: so no
//! change is made to an older version. Readers take no lock. Each look-up asks the system whether it
//! is another file by now, which is a microsecond and reads nothing; a new one is read on a thread
//! that may wait. All of that is for a disk of this machine. Over a network, another
//! node's change is seen when the attributes that are remembered of the file are over.
//!
//! It is never missing once it was there: nobody is active because a file was lost.

#[cfg(test)]
mod tests;

use std::{
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    thread::sleep,
    time::{Duration, Instant},
};

use tokio::{sync::Mutex, task::spawn_blocking};

use super::marks::{AllMarks, Marks};
use crate::secret_file;

/// The longest file, in bytes: some tens of thousands of marked users. All of it is read for each change.
const LONGEST: u64 = 4 << 20;

/// How long to wait for a process that holds the lock and does not go on, and how often to look.
const PATIENCE: Duration = Duration::from_secs(5);
const EVERY: Duration = Duration::from_millis(2);

/// Why it is not known, or not changed, who may act.
#[derive(Debug, thiserror::Error)]
pub enum AccountsFileError {
    /// The file, its lock or their folder cannot be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What it holds is something else, or too long.
    #[error("{}: {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// It is not there, and was.
    #[error(
        "{}: is missing, and its lock, {}, is there: put it back, or remove the lock as well if nobody is to be locked, \
         suspended, deactivated or a guest",
        path.display(), lock.display()
    )]
    Lost {
        /// The file.
        path: PathBuf,
        /// Its lock.
        lock: PathBuf,
    },
    /// Another process holds the lock.
    #[error("{}: another process holds it and does not go on", path.display())]
    Busy {
        /// The lock.
        path: PathBuf,
    },
}

/// The file, and what was read of it last.
#[derive(Debug)]
pub(super) struct AccountsFile {
    path: PathBuf,
    patience: Duration,
    known: RwLock<Option<Version>>,
    /// Whose turn it is to read.
    reading: Mutex<()>,
}

/// One version of the file.
#[derive(Debug)]
struct Version {
    stamp: Stamp,
    marks: Arc<AllMarks>,
    /// It stays open, so that no newer file is given its number.
    _file: File,
}

/// The right to change the file, until it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    target: PathBuf,
    marks: AllMarks,
    _lock: File,
}

impl AccountsFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, patience: PATIENCE, known: RwLock::default(), reading: Mutex::default() }
    }

    /// Reads the file, after making one without marks if there never was one. Blocks.
    pub(super) fn begin(&self) -> Result<(), AccountsFileError> {
        if self.never_was()? {
            match self.draft(|draft| fs::hard_link(draft, &self.path).and_then(|()| sync_folder(&self.path))) {
                // Another node was faster: its file is the one.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => made.map_err(|source| at(&self.path, source))?,
            }
        }
        self.load().map(drop)
    }

    /// Finds out that [`AccountsFile::begin`] would do, and leaves nothing behind. Blocks.
    pub(super) fn check(&self) -> Result<(), AccountsFileError> {
        match self.never_was()? {
            true => self.draft(|_| Ok(())).map_err(|source| at(&self.path, source)),
            false => self.load().map(drop),
        }
    }

    /// The marks as of now.
    pub(super) async fn current(self: &Arc<Self>) -> Result<Arc<AllMarks>, AccountsFileError> {
        if let Some(marks) = self.unchanged()? {
            return Ok(marks);
        }
        let _turn = self.reading.lock().await;
        if let Some(marks) = self.unchanged()? {
            return Ok(marks);
        }
        let file = Arc::clone(self);
        spawn_blocking(move || file.load()).await.map_err(|error| at(&self.path, error.into()))?
    }

    /// Takes the lock, and reads what is there. Blocks.
    pub(super) fn hold(&self) -> Result<Held, AccountsFileError> {
        // A link may lead to the file of all nodes: it is that one that is replaced, and locked.
        let target = fs::canonicalize(&self.path).map_err(|source| at(&self.path, source))?;
        let lock = self.lock(&beside(&target, "lock"))?;
        let marks = AllMarks::clone(&*self.load()?);
        Ok(Held { target, marks, _lock: lock })
    }

    /// What was read last, if the file is still that one.
    fn unchanged(&self) -> Result<Option<Arc<AllMarks>>, AccountsFileError> {
        let metadata = fs::metadata(&self.path).map_err(|source| at(&self.path, source))?;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|known| known.stamp == Stamp::of(&metadata));
        Ok(known.map(|known| Arc::clone(&known.marks)))
    }

    fn load(&self) -> Result<Arc<AllMarks>, AccountsFileError> {
        let wrong = |source| at(&self.path, source);
        let content = |what: String| AccountsFileError::Content { path: self.path.clone(), what };
        // To open something else may block for ever.
        if !fs::metadata(&self.path).map_err(wrong)?.is_file() {
            return Err(content("is no file".to_owned()));
        }
        let mut file = File::open(&self.path).map_err(wrong)?;
        let stamp = Stamp::of(&file.metadata().map_err(wrong)?);
        let mut text = Vec::new();
        (&mut file).take(LONGEST + 1).read_to_end(&mut text).map_err(wrong)?;
        if text.len() as u64 > LONGEST {
            return Err(content(too_long()));
        }
        let marks = Arc::new(AllMarks::parse(&text).map_err(|error| content(error.to_string()))?);
        let version = Version { stamp, marks: Arc::clone(&marks), _file: file };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(version);
        Ok(marks)
    }

    fn lock(&self, path: &Path) -> Result<File, AccountsFileError> {
        let wrong = |source| at(path, source);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(wrong)?;
        let since = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(source)) => return Err(wrong(source)),
                Err(TryLockError::WouldBlock) if since.elapsed() >= self.patience => {
                    return Err(AccountsFileError::Busy { path: path.into() });
                }
                Err(TryLockError::WouldBlock) => sleep(EVERY),
            }
        }
    }

    /// The lock is made after the file: where there is one, there was the other.
    fn never_was(&self) -> Result<bool, AccountsFileError> {
        let lock = beside(&self.path, "lock");
        match secret_file::is_absent(&self.path) {
            true if secret_file::is_absent(&lock) => Ok(true),
            // Another node may have made both since.
            true if secret_file::is_absent(&self.path) => {
                Err(AccountsFileError::Lost { path: self.path.clone(), lock })
            }
            _ => Ok(false),
        }
    }

    /// Writes a file without marks beside the place, and removes it once it was `used`.
    fn draft(&self, used: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        let draft = beside(&self.path, &format!("{}.new", std::process::id()));
        let done = secret_file::write(&draft, &AllMarks::default().to_text()?).and_then(|()| used(&draft));
        let removed = fs::remove_file(&draft);
        done.and(removed)
    }
}

impl Held {
    pub(super) fn marks_of(&self, localpart: &str) -> Marks {
        self.marks.of(localpart)
    }

    /// Puts `marks` in their place, for good: they are on the disk when this returns. After an error
    /// the file is as it was, but where the disk fails at the very end and nobody can tell: then whoever
    /// reads the file finds one of the two.
    pub(super) fn keep(mut self, localpart: &str, marks: Marks) -> Result<(), AccountsFileError> {
        if !self.marks.set(localpart, marks) {
            return Ok(());
        }
        let wrong = |source: io::Error| at(&self.target, source);
        let text = self.marks.to_text().map_err(|error| wrong(error.into()))?;
        if text.len() as u64 > LONGEST {
            return Err(AccountsFileError::Content { path: self.target.clone(), what: too_long() });
        }
        self.replace(&text).map_err(wrong)
    }

    fn replace(&self, text: &[u8]) -> io::Result<()> {
        let draft = beside(&self.target, "new");
        // A process that was killed may have left one; nobody else writes it while the lock is held.
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let placed = secret_file::write(&draft, text).and_then(|()| fs::rename(&draft, &self.target));
        if let Err(error) = placed {
            drop(fs::remove_file(&draft));
            return Err(error);
        }
        sync_folder(&self.target)
    }
}

/// What tells one version of a file from another.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp([i64; 4], [u64; 3]);

#[cfg(unix)]
impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let times = [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()];
        Self(times, [metadata.dev(), metadata.ino(), metadata.len()])
    }
}

#[cfg(not(unix))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp(Option<std::time::SystemTime>, u64);

#[cfg(not(unix))]
impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self(metadata.modified().ok(), metadata.len())
    }
}

fn at(path: &Path, source: io::Error) -> AccountsFileError {
    AccountsFileError::Io { path: path.into(), source }
}

fn too_long() -> String {
    format!("is longer than {LONGEST} bytes")
}

/// `path` with more at its end.
fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{more}"));
    name.into()
}

/// So that the name survives a power failure too.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
