//! The root secret, and whether the store can do without the one it knew.

use std::path::{Path, PathBuf};

use oauth_axum_rs::{AuthorizationServer, Resource, RootSecret};
use oauth_core::{
    clock::SystemRandom,
    engine::{fault::Fault, policy::TokenFormat},
    jwt::Algorithm,
    server::{AuthorizationServerBuilder, BuildError},
};

use crate::{
    config::{Keys, Mistakes},
    secret_file,
    start::{OpenStore, mistake},
};

const LOST: &str = "is missing, and the store holds what was made under it: put the file back, or name it in \
                    `previous_secret_files`, or start with an empty store";

/// The root secret in the file; made if it is missing and `may_make` says so.
/// `None` without a file, or while it is missing: a server in memory makes one
/// for itself.
///
/// A store that knew another secret needs that one: none is made for it.
/// `store` is `None` if it could not be opened; then none is made either.
///
/// # Errors
/// Every mistake under `keys`.
pub async fn load(keys: &Keys, store: Option<&OpenStore>, may_make: bool) -> Result<Option<RootSecret>, Mistakes> {
    let Some(file) = &keys.secret_file else { return Ok(None) };
    let previous = read_previous(keys);
    let may_make = may_make && store.is_some() && previous.is_ok();
    let known = previous.as_deref().unwrap_or_default();
    let lost = match store {
        Some(store) if secret_file::is_absent(file) => needs_another(store, known).await?,
        _ => false,
    };
    match (current(file, lost, may_make), previous) {
        (Ok(current), Ok(previous)) => Ok(current.map(|current| with_previous(RootSecret::new(current), &previous))),
        (current, previous) => Err(Mistakes::all([current.err(), previous.err()])),
    }
}

/// Leaves a signing key in `store` if there is none, so that by it the store
/// knows `root` again, even if no resource takes JWTs.
///
/// # Errors
/// A mistake under `keys` if the store knew another secret.
pub async fn seal(store: &OpenStore, root: &RootSecret, algorithm: Algorithm) -> Result<(), Mistakes> {
    let jwt = Resource::new(NOBODY).format(TokenFormat::Jwt);
    let builder = opener(store, root.clone()).resource(jwt).signing_algorithm(algorithm);
    builder.build().await.map(drop).map_err(|error| mistake(&error))
}

/// Finds out that `root` opens what is in `store`.
///
/// # Errors
/// A mistake under `keys` if the store knew another secret.
pub async fn fits(store: &OpenStore, root: &RootSecret) -> Result<(), Mistakes> {
    opener(store, root.clone()).build().await.map(drop).map_err(|error| mistake(&error))
}

fn current(file: &Path, lost: bool, may_make: bool) -> Result<Option<[u8; 32]>, Mistakes> {
    let wrong = |error| Mistakes::one("keys.secret_file", error);
    match secret_file::is_absent(file) {
        // If it is there by now, another node made it, and then its keys.
        true if lost => Err(Mistakes::one("keys.secret_file", format_args!("{} {LOST}", file.display()))),
        true if !may_make => secret_file::try_make(file).map(|()| None).map_err(wrong),
        true => secret_file::read_or_make(file).map(Some).map_err(wrong),
        false => secret_file::read(file).map(Some).map_err(wrong),
    }
}

fn read_previous(keys: &Keys) -> Result<Vec<[u8; 32]>, Mistakes> {
    let read = |(at, file): (usize, &_)| {
        let wrong = |error| Mistakes::one(format_args!("keys.previous_secret_files[{at}]"), error);
        secret_file::read(file).map_err(wrong)
    };
    let (read, wrong): (Vec<_>, Vec<_>) =
        keys.previous.iter().map(PathBuf::as_path).enumerate().map(read).partition(Result::is_ok);
    if wrong.is_empty() {
        return Ok(read.into_iter().flatten().collect());
    }
    Err(Mistakes::all(wrong.into_iter().map(Result::err)))
}

fn with_previous(root: RootSecret, previous: &[[u8; 32]]) -> RootSecret {
    previous.iter().copied().fold(root, RootSecret::with_previous)
}

/// Whether `store` holds something that neither a new secret nor those in
/// `previous` can open.
async fn needs_another(store: &OpenStore, previous: &[[u8; 32]]) -> Result<bool, Mistakes> {
    let root = RootSecret::generate(&SystemRandom).map_err(|error| Mistakes::one("keys.secret_file", error))?;
    match opener(store, with_previous(root, previous)).build().await {
        Ok(_) => Ok(false),
        Err(BuildError::Fault(Fault::ForeignKey(_))) => Ok(true),
        Err(error) => Err(mistake(&error)),
    }
}

/// The issuer and the resource of a server that serves nobody.
const NOBODY: &str = "https://localhost";

/// Opens the signing keys in `store`, and makes none.
fn opener(store: &OpenStore, root: RootSecret) -> AuthorizationServerBuilder {
    AuthorizationServer::builder(NOBODY).shared_store(store.shared()).root_secret(root)
}
