//! From a configuration to a running authorization server.

use std::{sync::Arc, time::Duration};

use oauth_axum_rs::{AuthorizationServer, MemoryStore, PostgresStore, RedisStore, RootSecret, Secret, SqliteStore};
use oauth_core::{
    engine::fault::Fault,
    server::{AuthorizationServerBuilder, BuildError},
    store::Store,
};

use crate::{
    config::{Config, Mistakes, StoreKind},
    events::EventLog,
};

/// The store that the configuration names.
#[derive(Clone, Debug)]
pub enum OpenStore {
    /// In memory.
    Memory(MemoryStore),
    /// In a file.
    Sqlite(SqliteStore),
    /// On a server.
    Postgres(PostgresStore),
    /// On a server or a cluster.
    Redis(RedisStore),
}

impl OpenStore {
    /// Opens it, and finds out that it works.
    ///
    /// # Errors
    /// A mistake under `store`.
    pub async fn open(kind: &StoreKind) -> Result<Self, Mistakes> {
        let store = match kind {
            StoreKind::Memory => Self::Memory(MemoryStore::default()),
            StoreKind::Sqlite(path) => {
                let wrong = |error| Mistakes::one("store", format_args!("{}: {error}", path.display()));
                Self::Sqlite(SqliteStore::open(path).await.map_err(wrong)?)
            }
            StoreKind::Postgres(url) => {
                let store = PostgresStore::connect(url.expose()).await;
                Self::Postgres(store.map_err(|error| Mistakes::one("store", error))?)
            }
            StoreKind::Redis(urls) => {
                let store = RedisStore::builder(urls.iter().map(Secret::expose)).build().await;
                Self::Redis(store.map_err(|error| Mistakes::one("store", error))?)
            }
        };
        store.shared().check().await.map_err(|error| Mistakes::one("store", error))?;
        Ok(store)
    }

    /// The store, for the server.
    #[must_use]
    pub fn shared(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Redis(store) => Arc::new(store.clone()),
        }
    }

    /// Finishes what is being written, and closes the file or the connections.
    pub async fn close(&self) {
        match self {
            Self::Memory(_) => {}
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close(),
            Self::Redis(store) => store.close(),
        }
    }
}

/// The authorization server.
///
/// # Errors
/// A mistake under the key that the library names.
pub async fn authorization_server(
    config: &Config,
    store: &OpenStore,
    root: Option<RootSecret>,
    events: EventLog,
) -> Result<AuthorizationServer, Mistakes> {
    let tokens = &config.tokens;
    let mut builder = AuthorizationServer::builder(&config.issuer)
        .lifetimes(|lifetimes| {
            lifetimes.access = tokens.access;
            lifetimes.refresh = tokens.refresh;
            lifetimes.refresh_idle = tokens.refresh_idle;
            lifetimes.code = tokens.code;
        })
        .rotation(tokens.rotation)
        .signing_algorithm(tokens.algorithm)
        .prefixes(tokens.prefixes.clone())
        .revocation(|policy| *policy = config.revocation.policy)
        .subjects(config.users.clone())
        .events(events);
    if config.listen.development {
        builder = builder.insecure_development();
    }
    // Without a secret there is nothing to outlive the process either.
    if let Some(root) = root {
        builder = builder.root_secret(root).shared_store(store.shared());
    }
    let clients = config.clients.iter().cloned();
    let resources = config.resources.iter().cloned();
    let callers = config.introspection_callers.iter().cloned();
    builder = clients.fold(builder, AuthorizationServerBuilder::client);
    builder = resources.fold(builder, AuthorizationServerBuilder::resource);
    builder = callers.fold(builder, AuthorizationServerBuilder::introspection_caller);
    builder.build().await.map_err(|error| mistake(&error))
}

/// The key at fault. Where the library names a setting, its message begins
/// with it.
pub(crate) fn mistake(error: &BuildError) -> Mistakes {
    let text = error.to_string();
    match error {
        BuildError::Fault(Fault::ForeignKey(_)) => Mistakes::one("keys.secret_file", text),
        BuildError::Fault(_) => Mistakes::one("store", text),
        _ => match text.split_once(": ") {
            Some((key, what)) => Mistakes::one(key, what),
            None => Mistakes::one("issuer", text),
        },
    }
}

/// Keeps house for as long as the program runs.
pub fn spawn_maintenance(server: AuthorizationServer) {
    const EVERY: Duration = Duration::from_secs(60);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            ticks.tick().await;
            match server.maintain().await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "removed what had ended"),
                Err(error) => tracing::warn!(%error, "housekeeping failed; it goes on in a minute"),
            }
        }
    });
}
