//! Who is on the other end of the connection.

use std::net::SocketAddr;

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use tokio::net::TcpListener;

/// The other end of a connection, whether it came in by TCP or by TLS.
///
/// The sign-in pages count failures by it. Behind a proxy it is the proxy:
/// there, a layer of yours that knows which proxies to trust should put a
/// `ConnectInfo(Peer::new(..))` of the real client into the request.
///
/// ```no_run
/// use axum::{Router, extract::ConnectInfo, routing::get};
/// use oauth_axum_rs::Peer;
/// # async fn serve() -> std::io::Result<()> {
/// let app = Router::new().route("/", get(async |ConnectInfo(peer): ConnectInfo<Peer>| peer.address().to_string()));
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// axum::serve(listener, app.into_make_service_with_connect_info::<Peer>()).await
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    address: SocketAddr,
}

impl Peer {
    /// A peer at `address`.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// Its address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self::new(*stream.remote_addr())
    }
}

#[cfg(feature = "tls")]
impl Connected<IncomingStream<'_, crate::TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, crate::TlsListener>) -> Self {
        Self::new(*stream.remote_addr())
    }
}
