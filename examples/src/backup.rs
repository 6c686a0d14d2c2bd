//! A copy of the store's file while a server uses it: `--backup`.

use std::path::Path;

use oauth_core::store::sqlite::{Backup, Copied};

use crate::{
    complain,
    config::{Config, Mistakes, StoreKind},
};

/// Copies the file of the store of `config` to `to`, which must not be there
/// yet. The store is not opened, so that a newer program can make the copy
/// that its upgrade should begin with.
///
/// # Errors
/// Mistakes in the configuration, and whatever goes wrong.
pub async fn backup(config: &Path, to: &Path) -> Result<(), Mistakes> {
    let config = Config::load(config)?;
    let file = match &config.store {
        StoreKind::Sqlite(file) => file,
        StoreKind::Memory => {
            return Err(Mistakes::one("store", "memory: has nothing to back up: it ends with the program"));
        }
        _ => return Err(Mistakes::one("store", "--backup copies a store in a file; a server has a tool of its own")),
    };
    if to == Path::new("-") {
        return Err(Mistakes::one("--backup -", "a copy is a file: it cannot go to stdout"));
    }
    let mut told = 0;
    let tell = move |copied: Copied| {
        let tenths = copied.bytes * 10 / copied.of.max(1);
        if tenths > told {
            told = tenths;
            complain(format_args!("copied {} of {} KiB", copied.bytes >> 10, copied.of >> 10));
        }
    };
    let wrong = |error| Mistakes::one(format_args!("--backup {}", to.display()), error);
    Backup::new(file, to).on_progress(tell).await.map_err(wrong)
}
