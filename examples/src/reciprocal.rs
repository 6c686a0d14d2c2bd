//! Reciprocal OAuth (draft-ietf-oauth-reciprocal-04) in the authorization
//! server: as party A, from the administrator's hand ([`router`]) or in a
//! person's browser ([`Connecting`]); as party B, by a [`worker`].

mod admin;
mod connect;
mod cookies;
mod host;
mod said;

use std::{future::Future, time::Duration};

use oauth_axum_rs::{
    AuthorizationServer,
    oauth_tower::reciprocal::{ReciprocalClient, ReciprocalClientBuilder},
};
use oauth_core::engine::reciprocal::ReciprocalSettings;

pub use self::{admin::router, connect::Connecting};
use crate::{
    config::{Config, Reciprocal},
    serve::Stop,
};

/// How long the attempt in hand may take when the program ends. One that is cut
/// off is made again by whoever runs next.
const LAST_ATTEMPT: Duration = Duration::from_secs(10);

/// What the library is to be told.
pub(crate) fn settings(config: &Reciprocal, settings: &mut ReciprocalSettings) {
    settings.code_lifetime = config.code_lifetime;
    settings.retries = config.retries;
    settings.retry_seconds = config.retry_seconds;
    for peer in &config.peers {
        settings.peer(peer.client.clone(), peer.scope.clone());
    }
}

/// Redeems the codes that peers have sent, until `stop`; `None` where nobody may
/// send any. What waits in the store is found again after a restart.
#[must_use]
pub fn worker(config: &Config, server: &AuthorizationServer, stop: Stop) -> Option<impl Future<Output = ()> + use<>> {
    let peers = config.reciprocal.as_ref().map(|reciprocal| &reciprocal.peers).filter(|peers| !peers.is_empty())?;
    let with =
        |client: ReciprocalClientBuilder, peer: &crate::config::Peer| client.peer(peer.client.clone(), peer.at.clone());
    let client = peers.iter().fold(ReciprocalClient::builder(server.reciprocal()?), with).build();
    Some(async move {
        let late = async {
            stop.wait().await;
            tokio::time::sleep(LAST_ATTEMPT).await;
        };
        tokio::select! {
            () = client.run(stop.wait()) => {}
            () = late => tracing::warn!("a code is left for the next start: its peer is slow"),
        }
    })
}
