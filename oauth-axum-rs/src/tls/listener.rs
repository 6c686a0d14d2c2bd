//! The listener: handshakes side by side, so that none holds up another.

use std::{
    fmt,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::serve::Listener;
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Sleep, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::{config::TlsConfig, stream::TlsStream};

/// How long a handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// The most handshakes at a time; further connections wait in the backlog.
/// Fewer than the usual limit of 1024 open files.
const HANDSHAKES: usize = 512;

/// How long to wait when connections cannot be accepted, for want of file
/// descriptors for instance.
const PAUSE: Duration = Duration::from_millis(500);

type Handshake = Pin<Box<dyn Future<Output = Option<(TlsStream, SocketAddr)>> + Send>>;

/// A TCP listener that speaks TLS, for [`axum::serve()`].
///
/// Handshakes run side by side, a few hundred at most and for ten seconds
/// each: one that is slow or fails delays nobody else. They run while the
/// listener is asked for the next connection, which `axum::serve` does all the
/// time; nothing is spawned.
///
/// ```no_run
/// use axum::Router;
/// use oauth_axum_rs::{PeerExt, TlsConfig, TlsListener};
/// use tokio::net::TcpListener;
/// # async fn serve(app: Router) -> Result<(), Box<dyn std::error::Error>> {
/// let config = TlsConfig::from_pem_files("cert.pem", "key.pem")?;
/// let listener = TlsListener::new(TcpListener::bind("0.0.0.0:443").await?, &config);
/// axum::serve(listener, app.into_make_service_with_peer()).await?;
/// # Ok(())
/// # }
/// ```
pub struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    verifies_chains: bool,
    handshakes: FuturesUnordered<Handshake>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl TlsListener {
    /// Speaks TLS with whoever connects to `listener`.
    #[must_use]
    pub fn new(listener: TcpListener, config: &TlsConfig) -> Self {
        let (acceptor, verifies_chains) = (config.acceptor(), config.verifies_chains());
        Self { listener, acceptor, verifies_chains, handshakes: FuturesUnordered::new(), pause: None }
    }

    /// The next connection whose handshake is done.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<(TlsStream, SocketAddr)> {
        loop {
            self.start_handshakes(cx);
            match ready!(self.handshakes.poll_next_unpin(cx)) {
                Some(Some(done)) => return Poll::Ready(done),
                // One that failed made room for another.
                Some(None) => {}
                // No handshake runs: the listener or the pause will wake us.
                None => return Poll::Pending,
            }
        }
    }

    /// Accepts what has connected, as far as there is room.
    fn start_handshakes(&mut self, cx: &mut Context<'_>) {
        while self.handshakes.len() < HANDSHAKES {
            if let Some(pause) = &mut self.pause {
                if pause.as_mut().poll(cx).is_pending() {
                    return;
                }
                self.pause = None;
            }
            match self.listener.poll_accept(cx) {
                Poll::Ready(Ok((stream, peer))) => {
                    let handshake = handshake(self.acceptor.clone(), self.verifies_chains, stream, peer);
                    self.handshakes.push(Box::pin(handshake));
                }
                Poll::Ready(Err(error)) if is_of_one_connection(&error) => {}
                Poll::Ready(Err(_)) => self.pause = Some(Box::pin(sleep(PAUSE))),
                Poll::Pending => return,
            }
        }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TlsStream, SocketAddr) {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl fmt::Debug for TlsListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handshakes = self.handshakes.len();
        f.debug_struct("TlsListener").field("listener", &self.listener).field("handshakes", &handshakes).finish()
    }
}

async fn handshake(
    acceptor: TlsAcceptor,
    verifies_chains: bool,
    stream: TcpStream,
    peer: SocketAddr,
) -> Option<(TlsStream, SocketAddr)> {
    // Only latency is at stake if the system refuses.
    let _refused = stream.set_nodelay(true);
    let stream = timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await.ok()?.ok()?;
    Some((TlsStream::new(stream, verifies_chains)?, peer))
}

/// Whether the error is about a connection that is gone, not the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{Router, extract::ConnectInfo, routing::get};
    use rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    };
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::TlsConnector;

    use super::*;
    use crate::Peer;

    struct Server {
        address: SocketAddr,
        certificate: CertificateDer<'static>,
    }

    /// Serves the address of whoever asks.
    async fn serve() -> Server {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let directory = std::env::temp_dir();
        let file = |name: &str| directory.join(format!("oauth-axum-rs-{:?}-{name}", std::thread::current().id()));
        let (certificate, key) = (file("listener-cert.pem"), file("listener-key.pem"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let config = TlsConfig::from_pem_files(&certificate, &key).unwrap();
        std::fs::remove_file(certificate).unwrap();
        std::fs::remove_file(key).unwrap();

        let listener = TlsListener::new(TcpListener::bind("127.0.0.1:0").await.unwrap(), &config);
        let address = listener.local_addr().unwrap();
        let app = Router::new()
            .route("/", get(async |ConnectInfo(peer): ConnectInfo<Peer>| peer.address().to_string()))
            .into_make_service_with_connect_info::<Peer>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let certificate = CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).unwrap();
        Server { address, certificate }
    }

    impl Server {
        async fn get(
            &self,
            versions: &[&'static rustls::SupportedProtocolVersion],
        ) -> io::Result<(String, SocketAddr)> {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.clone()).unwrap();
            let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
            let builder = builder.with_protocol_versions(versions).unwrap();
            let config = builder.with_root_certificates(roots).with_no_client_auth();
            let stream = TcpStream::connect(self.address).await?;
            let own = stream.local_addr()?;
            let name = ServerName::try_from("localhost").unwrap();
            let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
            stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok((answer, own))
        }
    }

    #[tokio::test]
    async fn both_protocol_versions_are_served_and_the_peer_is_known() {
        let server = serve().await;
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let (answer, own) = server.get(&[version]).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(answer.ends_with(&own.to_string()), "{answer}");
        }
    }

    #[tokio::test]
    async fn slow_and_bad_handshakes_delay_nobody() {
        let server = serve().await;
        let mut idle = Vec::new();
        for _ in 0..20 {
            idle.push(TcpStream::connect(server.address).await.unwrap());
            let mut bad = TcpStream::connect(server.address).await.unwrap();
            bad.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        }
        let answer = timeout(Duration::from_secs(5), server.get(rustls::ALL_VERSIONS)).await;
        assert!(answer.unwrap().unwrap().0.starts_with("HTTP/1.1 200"));
    }
}
