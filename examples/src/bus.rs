//! The bus on which programs tell each other of revocations.

use std::{sync::Arc, time::Duration};

use oauth_axum_rs::{AuthorizationServer, ResourceServer, Secret};
use oauth_core::{
    bus::{Bus, BusError},
    store::{postgres::PostgresBus, redis::RedisBus},
};
use tokio::{task::JoinHandle, time::timeout};

use crate::config::{Config, Mistakes, StoreKind};

/// The bus at `url`: `postgres://…`, or `redis://…`, several with commas between
/// them.
///
/// # Errors
/// If the URL is wrong. Nothing has to be up.
pub fn open(url: &Secret) -> Result<Arc<dyn Bus>, BusError> {
    let text = url.expose().trim();
    if text.starts_with("postgres:") || text.starts_with("postgresql:") {
        return Ok(Arc::new(PostgresBus::builder(text).build()?));
    }
    if !text.starts_with("redis") {
        return Err(BusError::new("the URL must begin with postgres://, redis:// or rediss://"));
    }
    Ok(Arc::new(RedisBus::builder(text.split(',')).build()?))
}

/// The bus that comes with the store, unless it is off: `NOTIFY` of a
/// PostgreSQL database, pub/sub of Redis, which goes before where there are
/// both. In one process, and on one file, nobody else has to be told.
///
/// # Errors
/// A mistake under `store`.
pub fn of_store(config: &Config) -> Result<Option<Arc<dyn Bus>>, Mistakes> {
    let bus: Result<Arc<dyn Bus>, BusError> = match &config.store {
        _ if !config.revocation.bus => return Ok(None),
        StoreKind::Postgres(url) => open(url),
        StoreKind::Redis(urls) | StoreKind::Composite { short_lived: urls, .. } => {
            RedisBus::builder(urls.iter().map(Secret::expose)).build().map(|bus| Arc::new(bus) as _)
        }
        StoreKind::Memory | StoreKind::Sqlite(_) => return Ok(None),
    };
    bus.map(Some).map_err(|error| Mistakes::one("store", error))
}

/// Connects `server` to the bus of its store, if there is one.
///
/// # Errors
/// A mistake under `store`.
pub fn spawn_server(config: &Config, server: &AuthorizationServer) -> Result<Following, Mistakes> {
    Ok(Following(of_store(config)?.map(|bus| tokio::spawn(server.follow(bus)))))
}

/// Connects `api` to a bus.
pub fn spawn_api(bus: Arc<dyn Bus>, api: &ResourceServer) -> Following {
    Following(Some(tokio::spawn(api.follow(bus))))
}

/// A server that follows a bus.
#[derive(Debug)]
#[must_use]
pub struct Following(Option<JoinHandle<()>>);

impl Following {
    /// Waits, but not long, until all is told that was revoked. The server must
    /// be dropped before.
    pub async fn end(self) {
        const PATIENCE: Duration = Duration::from_secs(2);
        if let Some(mut task) = self.0
            && timeout(PATIENCE, &mut task).await.is_err()
        {
            tracing::warn!("the last revocations may not have been told on the bus");
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_which_bus_it_is_and_none_shows_its_password() {
        for (url, named) in [
            ("postgres://api:hunter2@db.example/oauth", "PostgresBus"),
            ("redis://:hunter2@one.example,redis://:hunter2@two.example", "RedisBus"),
        ] {
            let shown = format!("{:?}", open(&Secret::new(url)).unwrap());
            assert!(shown.starts_with(named) && !shown.contains("hunter2"), "{shown}");
        }
        for wrong in ["", "nonsense", "http://:hunter2@one.example", "redis://:hunter2@one,redis://two"] {
            let error = open(&Secret::new(wrong)).unwrap_err();
            assert!(!format!("{error:?} {error}").contains("hunter2"));
        }
    }
}
