//! Moving what the store holds: `--export` and `--import`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use oauth_axum_rs::RootSecret;
use oauth_core::{
    clock::{Clock, SystemClock},
    transfer::{Counts, Export, ExportError, Import, Imported},
};

use crate::{
    complain,
    config::{Config, Keys, Mistakes, StoreKind},
    root_secret,
    start::OpenStore,
};

/// Writes what the store of `config` holds to `file`, which must not be there
/// yet, or to stdout, which is called `-`.
///
/// # Errors
/// Mistakes in the configuration, and whatever goes wrong.
pub async fn export(config: &Path, file: &Path) -> Result<(), Mistakes> {
    let config = Config::load(config)?;
    is_there(&config.store)?;
    let store = open(&config).await?;
    let root = root_secret_of(&config.keys, &store).await?;
    let wrong = |error: ExportError| Mistakes::one(format_args!("--export {}", file.display()), error);
    let counts = if is_standard(file) {
        write(&config, &store, &root, io::stdout().lock()).await.map_err(wrong)?
    } else {
        write_new(&config, &store, &root, file).await?
    };
    store.close().await;
    complain(format_args!("exported: {counts}"));
    Ok(())
}

/// Reads what [`export`] wrote from `file`, or from stdin, which is called `-`,
/// and puts it into the store of `config`: all of it, or the clients alone.
///
/// # Errors
/// Mistakes in the configuration, and whatever goes wrong.
pub async fn import(config: &Path, file: &Path, clients_only: bool) -> Result<(), Mistakes> {
    let config = Config::load(config)?;
    let store = open(&config).await?;
    let root = if clients_only { None } else { Some(root_secret_of(&config.keys, &store).await?) };
    let import = root.as_ref().map_or(Import::clients_only(), |root| Import::new(&config.issuer, root));
    let name = || format!("--import {}", file.display());
    let mut progress = Progress::new("imported");
    let said = |done: Imported| progress.tell(done.inserted.total() + done.left.total());
    let done = if is_standard(file) {
        import.run(&*store.shared(), io::stdin().lock(), said).await
    } else {
        let open = || File::open(file).map_err(|error| Mistakes::one(name(), error));
        let kind = open()?.metadata().map_err(|error| Mistakes::one(name(), error))?;
        if kind.is_file() {
            // Before anything of a damaged file is in the store.
            let counts = import.check(BufReader::new(open()?)).map_err(|error| Mistakes::one(name(), error))?;
            complain(format_args!("the file is whole: {counts}"));
        }
        let file = open()?;
        import.run(&*store.shared(), BufReader::new(file), said).await
    };
    store.close().await;
    let Imported { inserted, left, .. } = done.map_err(|error| Mistakes::one(name(), error))?;
    complain(format_args!("imported: {inserted}"));
    complain(format_args!("left as they were: {left}"));
    Ok(())
}

/// A store in a file is not made in order to be read.
fn is_there(store: &StoreKind) -> Result<(), Mistakes> {
    match store {
        StoreKind::Sqlite(file) if !file.exists() => {
            Err(Mistakes::one("store", format_args!("{}: there is no such file", file.display())))
        }
        StoreKind::Composite { durable, .. } => is_there(durable),
        _ => Ok(()),
    }
}

async fn open(config: &Config) -> Result<OpenStore, Mistakes> {
    if config.store == StoreKind::Memory {
        return Err(Mistakes::one("store", "memory: holds nothing that could be moved"));
    }
    OpenStore::open(&config.store).await
}

/// The root secret that fits the store. It is read, never made.
async fn root_secret_of(keys: &Keys, store: &OpenStore) -> Result<RootSecret, Mistakes> {
    let root = root_secret::load(keys, Some(store), false).await?;
    let root = root.ok_or_else(|| {
        Mistakes::one("keys.secret_file", "is missing: put the one here that the tokens were made under")
    })?;
    root_secret::fits(store, &root).await?;
    Ok(root)
}

/// Under its name there is never less than the whole.
async fn write_new(config: &Config, store: &OpenStore, root: &RootSecret, file: &Path) -> Result<Counts, Mistakes> {
    let wrong = |error: ExportError| Mistakes::one(format_args!("--export {}", file.display()), error);
    if file.symlink_metadata().is_ok() {
        return Err(wrong(io::Error::from(io::ErrorKind::AlreadyExists).into()));
    }
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let of_partial = |error| Mistakes::one(format_args!("--export {}", partial.display()), error);
    let new = create(&partial).map_err(of_partial)?;
    let done = write(config, store, root, &new).await;
    let finish = || new.sync_all().and_then(|()| fs::hard_link(&partial, file));
    let done = done.and_then(|counts| Ok(finish().map(|()| counts)?));
    match (done, fs::remove_file(&partial).err().map(of_partial)) {
        (Ok(counts), None) => Ok(counts),
        (done, left) => Err(Mistakes::all([done.err().map(wrong), left])),
    }
}

async fn write(config: &Config, store: &OpenStore, root: &RootSecret, to: impl Write) -> Result<Counts, ExportError> {
    let mut progress = Progress::new("exported");
    let export = Export::new(&config.issuer, root, SystemClock.now());
    export.run(&*store.listed(), BufWriter::new(to), |counts| progress.tell(counts.total())).await
}

fn is_standard(file: &Path) -> bool {
    file == Path::new("-")
}

/// A file for its owner alone, and never over another one.
fn create(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

/// Says on stderr how far it is, each time that so many records more are done.
struct Progress {
    what: &'static str,
    since: Instant,
    next: u64,
}

const EVERY: u64 = 10_000;

impl Progress {
    fn new(what: &'static str) -> Self {
        Self { what, since: Instant::now(), next: EVERY }
    }

    fn tell(&mut self, records: u64) {
        if records < self.next {
            return;
        }
        self.next = records + EVERY - records % EVERY;
        let milliseconds = self.since.elapsed().as_millis().max(1);
        let rate = u128::from(records) * 1000 / milliseconds;
        complain(format_args!("{} {records} records, {rate} a second", self.what));
    }
}
