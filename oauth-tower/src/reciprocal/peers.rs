//! Party B as a client of its peers: where each one is, and what B is there.

use std::{collections::HashMap, fmt, hash::RandomState, sync::Arc, time::Duration};

use oauth_core::{
    client::ClientId,
    clock::{Clock, SystemClock},
    engine::reciprocal::Reciprocal,
};
use tokio::sync::Mutex;

use crate::client::TokenClient;

/// Redeems the codes that other parties have sent, and has their tokens.
///
/// ```no_run
/// use oauth_core::{client::ClientId, server::AuthorizationServer};
/// use oauth_tower::{client::TokenClient, outgoing::{ClientAuth, HttpClient}, reciprocal::ReciprocalClient};
/// # async fn run(server: AuthorizationServer, stop: impl std::future::Future<Output = ()>)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// // Where the party is that is the client `voice-assistant` here, and what this one is there.
/// let auth = ClientAuth::Basic { id: "music-service".into(), secret: "our secret there".into() };
/// let assistant = TokenClient::builder("https://assistant.example/token", auth)
///     .revocation_endpoint("https://assistant.example/revoke")
///     .build(HttpClient::builder().build()?)?;
/// let Some(reciprocal) = server.reciprocal() else { return Ok(()) };
/// let peers = ReciprocalClient::builder(reciprocal)
///     .peer(ClientId::new("voice-assistant")?, assistant)
///     .build();
/// // Beside the server; on each node, if there are several.
/// peers.run(stop).await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ReciprocalClient {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) reciprocal: Reciprocal,
    pub(super) peers: HashMap<ClientId, TokenClient>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pause: Duration,
    /// For how many seconds a code is nobody else's.
    pub(super) at_most: u64,
    /// One refresh of a link at a time; by hash, so that they need no clearing.
    pub(super) refreshing: [Mutex<()>; 64],
    pub(super) hasher: RandomState,
}

/// Collects what a [`ReciprocalClient`] needs.
#[must_use]
pub struct ReciprocalClientBuilder {
    reciprocal: Reciprocal,
    peers: HashMap<ClientId, TokenClient>,
    clock: Arc<dyn Clock>,
    pause: Duration,
}

/// Seconds for all that an attempt does besides asking: above all to store what
/// came, several times if need be.
const BESIDES: u64 = 45;

impl ReciprocalClient {
    /// A client that redeems what is queued here.
    pub fn builder(reciprocal: Reciprocal) -> ReciprocalClientBuilder {
        ReciprocalClientBuilder {
            reciprocal,
            peers: HashMap::new(),
            clock: Arc::new(SystemClock),
            pause: Duration::from_secs(1),
        }
    }
}

impl ReciprocalClientBuilder {
    /// The party that is `client` here, which one of the
    /// [peers](oauth_core::engine::reciprocal::ReciprocalSettings::peer) is: its
    /// token endpoint, and the credentials of this server there. With a
    /// revocation endpoint, tokens that were replaced are revoked; else they are
    /// dropped.
    ///
    /// If it proves a key, that must be one that outlives this process.
    pub fn peer(mut self, client: ClientId, at: TokenClient) -> Self {
        self.peers.insert(client, at);
        self
    }

    /// How long [`run`](ReciprocalClient::run) waits when nothing is due: 1
    /// second.
    pub const fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Reads the time here: the one that the server goes by.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The client.
    #[must_use]
    pub fn build(self) -> ReciprocalClient {
        let slowest = self.peers.values().map(TokenClient::longest).max().unwrap_or_default();
        let inner = Inner {
            at_most: crate::seconds::whole(slowest).saturating_add(BESIDES),
            reciprocal: self.reciprocal,
            peers: self.peers,
            clock: self.clock,
            pause: self.pause,
            refreshing: [const { Mutex::const_new(()) }; 64],
            hasher: RandomState::new(),
        };
        ReciprocalClient { inner: Arc::new(inner) }
    }
}

impl fmt::Debug for ReciprocalClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReciprocalClient").field("peers", &self.inner.peers).finish_non_exhaustive()
    }
}

impl fmt::Debug for ReciprocalClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReciprocalClientBuilder").field("peers", &self.peers).finish_non_exhaustive()
    }
}
