//! From a configuration to a running authorization server.

use std::{sync::Arc, time::Duration};

use oauth_axum_rs::{AuthorizationServer, MemoryStore, PostgresStore, RedisStore, RootSecret, Secret, SqliteStore};
use oauth_core::{
    client::GrantType,
    engine::{fault::Fault, revocation::ForeignToken},
    profile::Matrix,
    server::{AuthorizationServerBuilder, BuildError},
    store::{Store, Transfer, composite::Composite},
};
use oauth_tower::{matrix::RemoteHomeserver, outgoing::GuardedFetch};
use tokio::task::JoinHandle;

use crate::{
    config::{self, Config, Mistakes, StoreKind},
    details,
    events::EventLog,
    homeserver::{Members, remote},
    reciprocal,
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
    /// What must last in the one, what is short-lived in the other.
    Composite {
        /// `store`.
        durable: Box<Self>,
        /// `short_lived_store`.
        short_lived: RedisStore,
    },
}

impl OpenStore {
    /// Opens it, and finds out that it works.
    ///
    /// # Errors
    /// A mistake under `store`, under `short_lived_store` or under both.
    pub async fn open(kind: &StoreKind) -> Result<Self, Mistakes> {
        let StoreKind::Composite { durable, short_lived } = kind else { return Self::open_one(kind).await };
        match (Self::open_one(durable).await, open_redis("short_lived_store", short_lived).await) {
            (Ok(durable), Ok(short_lived)) => Ok(Self::Composite { durable: Box::new(durable), short_lived }),
            (durable, short_lived) => Err(Mistakes::all([durable.err(), short_lived.err()])),
        }
    }

    async fn open_one(kind: &StoreKind) -> Result<Self, Mistakes> {
        let store = match kind {
            StoreKind::Sqlite(path) => {
                let wrong = |error| Mistakes::one("store", format_args!("{}: {error}", path.display()));
                Self::Sqlite(SqliteStore::open(path).await.map_err(wrong)?)
            }
            StoreKind::Postgres(url) => {
                let store = PostgresStore::connect(url.expose()).await;
                Self::Postgres(store.map_err(|error| Mistakes::one("store", error))?)
            }
            StoreKind::Redis(urls) => Self::Redis(open_redis("store", urls).await?),
            StoreKind::Memory => Self::Memory(MemoryStore::default()),
            StoreKind::Composite { .. } => return Err(Mistakes::one("store", "is two stores in one already")),
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
            Self::Composite { durable, short_lived } => {
                Arc::new(Composite::shared(durable.shared(), Arc::new(short_lived.clone())))
            }
        }
    }

    /// The store, for an export.
    #[must_use]
    pub fn listed(&self) -> Arc<dyn Transfer> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::Redis(store) => Arc::new(store.clone()),
            // What is short-lived is not worth it.
            Self::Composite { durable, .. } => durable.listed(),
        }
    }

    /// Finishes what is being written, and closes the file or the connections.
    pub async fn close(&self) {
        let one = match self {
            Self::Composite { durable, short_lived } => {
                short_lived.close();
                durable
            }
            one => one,
        };
        match one {
            Self::Memory(_) | Self::Composite { .. } => {}
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close(),
            Self::Redis(store) => store.close(),
        }
    }
}

/// A server or a cluster that answers; what does not is a mistake under `key`.
async fn open_redis(key: &str, urls: &[Secret]) -> Result<RedisStore, Mistakes> {
    let wrong = |error| Mistakes::one(key, error);
    let store = RedisStore::builder(urls.iter().map(Secret::expose)).build().await.map_err(wrong)?;
    store.check().await.map_err(wrong)?;
    Ok(store)
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
    let builder = AuthorizationServer::builder(&config.issuer);
    let builder = match &config.matrix {
        Some(settings) => builder.profile(matrix(settings, remote::of(config)?)),
        None => builder,
    };
    let mut builder = builder
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
        .introspection(|set| set.clone_from(&config.introspection.settings))
        .authorization(|settings| {
            settings.clone_from(&config.authorization);
            details::of_clients(settings, &config.clients);
        })
        .client_authentication(|how| how.clone_from(&config.client_authentication))
        .dpop(|dpop| dpop.clone_from(&config.dpop))
        .subjects(members(config))
        .events(events);
    let privileged = config.revocation.privileged.clone();
    if !privileged.is_empty() {
        builder = builder.revocation_authority(move |asked: &ForeignToken<'_>| privileged.contains(&asked.client.id));
    }
    if config.listen.mutual_tls {
        builder = builder.certificate_bound_access_tokens();
    }
    if config.listen.development {
        builder = builder.insecure_development();
    }
    // For the keys at a `jwks_uri`, and for metadata documents.
    let mut fetch = GuardedFetch::builder();
    if config.listen.development {
        fetch = fetch.insecure_allow_loopback();
    }
    match fetch.build() {
        Ok(fetch) => builder = builder.fetch(fetch),
        Err(error) => tracing::warn!(%error, "nothing that clients name will be fetched"),
    }
    if let Some(device) = &config.device {
        builder = builder.devices(|settings| settings.clone_from(device));
    }
    if let Some(reciprocal) = &config.reciprocal {
        builder = builder.reciprocal(|settings| reciprocal::settings(reciprocal, settings));
    }
    if let Some(lists) = config.status_lists {
        builder = builder.status_lists(|settings| *settings = lists);
    }
    if config.registration.is_on() {
        let per_minute = config.limits.registrations_per_minute;
        builder = builder.registration(|settings| config.registration.settings(settings, per_minute));
    }
    // Without a secret there is nothing to outlive the process either.
    if let Some(root) = root {
        builder = builder.root_secret(root).shared_store(store.shared());
    }
    builder = config.token_exchange.iter().cloned().fold(builder, AuthorizationServerBuilder::grant);
    builder = config.jwt_bearer.iter().cloned().fold(builder, AuthorizationServerBuilder::grant);
    let clients = config.clients.iter().cloned();
    let resources = config.resources.iter().cloned();
    let callers = config.introspection.callers.iter().cloned();
    builder = clients.fold(builder, AuthorizationServerBuilder::client);
    builder = resources.fold(builder, AuthorizationServerBuilder::resource);
    builder = callers.fold(builder, AuthorizationServerBuilder::introspection_caller);
    builder.build().await.map_err(|error| mistake(&error))
}

/// Those who may sign in.
#[must_use]
pub fn members(config: &Config) -> Members {
    Members::new(config.users.clone(), config.matrix.as_ref().map(|matrix| matrix.users.clone()))
}

/// The profile of Matrix, as the file wants it.
fn matrix(matrix: &config::Matrix, homeserver: Option<RemoteHomeserver>) -> Matrix {
    let profile = Matrix::new(&matrix.server_name).account_page("/account");
    let profile = if matrix.oauth { profile } else { profile.without_api() };
    let profile = homeserver.into_iter().fold(profile, Matrix::homeserver);
    matrix.introspection_secret.iter().cloned().fold(profile, Matrix::introspection_secret)
}

/// The key at fault. Where the library names a setting, its message begins
/// with it.
pub(crate) fn mistake(error: &BuildError) -> Mistakes {
    let text = error.to_string();
    match error {
        BuildError::Fault(Fault::ForeignKey(_)) => Mistakes::one("keys.secret_file", text),
        BuildError::Fault(_) => Mistakes::one("store", text),
        BuildError::Grant { name, what } if *name == GrantType::TOKEN_EXCHANGE => Mistakes::one("token_exchange", what),
        BuildError::Grant { name, what } if *name == GrantType::JWT_BEARER => Mistakes::one("jwt_bearer", what),
        _ => match text.split_once(": ") {
            Some((key, what)) => Mistakes::one(key, what),
            None => Mistakes::one("issuer", text),
        },
    }
}

/// Keeps house for as long as the program runs, or until it is aborted.
pub fn spawn_maintenance(server: AuthorizationServer) -> JoinHandle<()> {
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
    })
}
