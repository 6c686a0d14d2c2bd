//! The homeserver that is another process (`synapse = true`).

use oauth_axum_rs::oauth_tower::{
    matrix::{RemoteHomeserver, forget_devices},
    outgoing::HttpClient,
};
use oauth_core::server::AuthorizationServer;
use tokio::task::JoinHandle;

use crate::config::{Config, Mistakes};

/// It, if there is one.
///
/// # Errors
/// A mistake under `matrix.homeserver_url`.
pub fn of(config: &Config) -> Result<Option<RemoteHomeserver>, Mistakes> {
    let Some(matrix) = &config.matrix else { return Ok(None) };
    let (Some(url), Some(secret)) = (&matrix.homeserver, &matrix.introspection_secret) else { return Ok(None) };
    let http = HttpClient::builder().build().map_err(|error| Mistakes::one("matrix.homeserver_url", error))?;
    let made = match config.listen.development {
        true => RemoteHomeserver::insecure_loopback(url.as_str(), secret.clone(), http),
        false => RemoteHomeserver::new(url.as_str(), secret.clone(), http),
    };
    made.map(Some).map_err(|error| Mistakes::one("matrix.homeserver_url", error))
}

/// Tells it of devices whose sessions end, for as long as the program runs.
///
/// # Errors
/// As [`of`].
pub fn spawn(config: &Config, server: &AuthorizationServer) -> Result<Option<JoinHandle<()>>, Mistakes> {
    let homeserver = of(config)?;
    Ok(homeserver.map(|homeserver| tokio::spawn(forget_devices(server.clone(), homeserver))))
}
