//! `--db PATH`: the store of a program without a configuration file, and its root
//! secret.

use std::path::PathBuf;

use oauth_axum_rs::RootSecret;
use oauth_core::{clock::SystemRandom, jwt::Algorithm};

use crate::{
    config::{Keys, Mistakes, StoreKind},
    root_secret,
    start::OpenStore,
};

/// In the file `db`, with the secret in another beside it, so that what is issued
/// outlives a restart; in memory with `memory:`.
///
/// # Errors
/// What is wrong, under `--db`.
pub async fn open(db: &str) -> Result<(OpenStore, RootSecret), Mistakes> {
    // The path is in the message; the configuration key it goes with is not ours.
    try_open(db).await.map_err(|mistakes| {
        let all: Vec<String> = mistakes.0.into_iter().map(|mistake| mistake.what).collect();
        Mistakes::one("--db", all.join("; "))
    })
}

async fn try_open(db: &str) -> Result<(OpenStore, RootSecret), Mistakes> {
    if db == "memory:" {
        let root = RootSecret::generate(&SystemRandom).map_err(|error| Mistakes::one("--db", error))?;
        return Ok((OpenStore::open(&StoreKind::Memory).await?, root));
    }
    let store = OpenStore::open(&StoreKind::Sqlite(db.into())).await?;
    let keys = Keys { secret_file: Some(PathBuf::from(format!("{db}.key"))), previous: Vec::new() };
    let root = root_secret::load(&keys, Some(&store), true).await?;
    let root = root.ok_or_else(|| Mistakes::one("--db", "there is no root secret"))?;
    root_secret::seal(&store, &root, Algorithm::ES256).await?;
    Ok((store, root))
}
