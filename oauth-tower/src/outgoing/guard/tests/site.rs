//! A site that answers as badly as a test wants, and counts what it gets rid of.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket},
    sync::Notify,
    time::sleep,
};
use tokio_rustls::TlsAcceptor;

use super::*;

/// What the site does with a request.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    first: Vec<u8>,
    then: Then,
}

#[derive(Clone, Debug)]
enum Then {
    /// Closes the connection.
    Close,
    /// Sends this, again and again.
    Forever(Vec<u8>),
    /// Sends nothing more, and waits.
    Hang,
    /// Sends a byte each second.
    Trickle(u8),
}

impl Reply {
    pub(super) fn raw(text: impl Into<Vec<u8>>) -> Self {
        Self { first: text.into(), then: Then::Close }
    }

    /// A response with these headers, a line each.
    pub(super) fn of(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let lines: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let head = format!("HTTP/1.1 {status}\r\n{lines}content-length: {}\r\n\r\n", body.len());
        Self::raw([head.as_bytes(), body].concat())
    }

    /// Status 200, and JSON.
    pub(super) fn json(body: impl AsRef<[u8]>) -> Self {
        Self::of("200 OK", &["content-type: application/json"], body)
    }

    pub(super) fn forever(mut self, chunk: impl Into<Vec<u8>>) -> Self {
        self.then = Then::Forever(chunk.into());
        self
    }

    pub(super) fn hang(mut self) -> Self {
        self.then = Then::Hang;
        self
    }

    pub(super) fn trickle(mut self, byte: u8) -> Self {
        self.then = Then::Trickle(byte);
        self
    }
}

/// The site.
pub(super) struct Site {
    pub(super) address: SocketAddr,
    /// The one to trust, in PEM.
    pub(super) certificate: String,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    requests: Mutex<Vec<String>>,
    /// Bytes that have left, before encryption.
    sent: AtomicU64,
    connections: AtomicUsize,
    closed: AtomicUsize,
    /// Something came, and the first part of the reply has been sent.
    replied: Notify,
    /// A connection has come to its end.
    left: Notify,
}

type Replies = dyn Fn(usize) -> Reply + Send + Sync;

impl Site {
    /// With a certificate of [`HOST`]. `reply` is given the number of the request,
    /// from 0 on.
    pub(super) async fn start(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::of(&[HOST, "other.example", "localhost"], true, reply).await
    }

    pub(super) async fn of(
        names: &[&str],
        is_secure: bool,
        reply: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let acceptor = is_secure.then(|| acceptor(made.cert.der().clone(), key));
        let listener = listener();
        let address = listener.local_addr().unwrap();
        let (log, reply): (Arc<Log>, Arc<Replies>) = (Arc::default(), Arc::new(reply));
        tokio::spawn(serve(listener, acceptor, Arc::clone(&log), reply));
        Self { address, certificate: made.cert.pem(), log }
    }

    /// The heads of all requests.
    pub(super) fn requests(&self) -> Vec<String> {
        self.log.requests.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }

    pub(super) fn sent(&self) -> u64 {
        self.log.sent.load(Ordering::SeqCst)
    }

    /// The first part of a reply has been sent.
    pub(super) async fn replied(&self) {
        self.log.replied.notified().await;
    }

    /// Every connection has been closed by the other side.
    pub(super) async fn is_left(&self) {
        while self.log.closed.load(Ordering::SeqCst) < self.connections() {
            self.log.left.notified().await;
        }
    }
}

/// With small buffers: what was sent was read, or nearly.
fn listener() -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(16 * 1024).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.listen(1024).unwrap()
}

fn acceptor(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    // Whoever offers nothing else is not led to HTTP/2.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(listener: TcpListener, acceptor: Option<TlsAcceptor>, log: Arc<Log>, reply: Arc<Replies>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        log.connections.fetch_add(1, Ordering::SeqCst);
        let (acceptor, log, reply) = (acceptor.clone(), Arc::clone(&log), Arc::clone(&reply));
        tokio::spawn(async move {
            let ended = match acceptor {
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => answer(stream, &log, &*reply).await,
                    Err(error) => Err(error),
                },
                None => answer(stream, &log, &*reply).await,
            };
            // That the other side breaks off is what most of this is about.
            drop(ended);
            log.closed.fetch_add(1, Ordering::SeqCst);
            log.left.notify_one();
        });
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, log: &Log, reply: &Replies) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let number = {
        let mut requests = log.requests.lock().unwrap();
        requests.push(String::from_utf8(head).unwrap());
        requests.len() - 1
    };
    let Reply { first, then } = reply(number);
    write(&mut stream, &first, log).await?;
    log.replied.notify_one();
    match then {
        Then::Close => stream.shutdown().await,
        Then::Hang => stream.read_u8().await.map(drop),
        Then::Forever(chunk) => loop {
            write(&mut stream, &chunk, log).await?;
        },
        Then::Trickle(byte) => loop {
            write(&mut stream, &[byte], log).await?;
            sleep(Duration::from_secs(1)).await;
        },
    }
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8], log: &Log) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await?;
    log.sent.fetch_add(u64::try_from(bytes.len()).unwrap(), Ordering::SeqCst);
    Ok(())
}
