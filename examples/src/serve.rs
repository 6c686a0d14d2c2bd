//! Serving HTTP/1.1 until told to stop.
//!
//! `axum::serve` would do for most programs. This one also bounds how long a
//! client may take over its headers and its request, and how long the end may
//! take.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{
        HeaderValue, Request, Response, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA},
    },
    serve::{Listener, ListenerExt},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use oauth_axum_rs::{Peer, TlsConfig, TlsListener, TlsStream};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};
use tower::ServiceExt;

/// How long requests in flight may take when the program ends.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// How long a client may take to send its headers.
const HEADERS: Duration = Duration::from_secs(10);

/// How long a whole request may take, its body included.
const REQUEST: Duration = Duration::from_secs(30);

/// Told when it is time to stop. Clones hear the same.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Stops on SIGTERM and SIGINT.
    ///
    /// # Errors
    /// If the system does not tell of signals.
    pub fn on_signal() -> io::Result<Self> {
        let (tell, told) = watch::channel(false);
        let mut signals = Signals::new()?;
        tokio::spawn(async move {
            signals.wait().await;
            tell.send_replace(true);
            // Kept, so that nobody takes the end of the channel for a signal.
            tell.closed().await;
        });
        Ok(Self(told))
    }

    /// Returns when it is time.
    pub async fn wait(&self) {
        let mut told = self.0.clone();
        if told.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn wait(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Serves `app` on `listener` until `stop`, then lets requests in flight end.
pub async fn serve(listener: TcpListener, tls: Option<TlsConfig>, app: Router, stop: Stop) {
    match tls {
        Some(tls) => accept(TlsListener::new(listener, &tls), app, stop).await,
        None => {
            let listener = listener.tap_io(|stream| {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "answers to one client may be slower");
                }
            });
            accept(listener, app, stop).await;
        }
    }
}

/// What a listener makes of whoever connects.
trait Connection: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    fn peer(&self, address: SocketAddr) -> Peer;
}

impl Connection for TcpStream {
    fn peer(&self, address: SocketAddr) -> Peer {
        Peer::new(address)
    }
}

impl Connection for TlsStream {
    fn peer(&self, address: SocketAddr) -> Peer {
        Peer::new(address).over_tls(self.client_certificate().cloned())
    }
}

async fn accept<L>(mut listener: L, app: Router, stop: Stop)
where
    L: Listener<Addr = SocketAddr, Io: Connection>,
{
    let connections = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS);
    loop {
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.wait() => break,
        };
        let (app, peer) = (app.clone(), stream.peer(address));
        let service = service_fn(move |mut request: Request<Incoming>| {
            peer.introduce(request.extensions_mut());
            in_time(app.clone(), request.map(Body::new))
        });
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(peer = %address, %error, "a connection ended early");
            }
        });
    }
    // Nobody connects anymore, while those who did are served.
    drop(listener);
    if timeout(LAST_REQUESTS, connections.shutdown()).await.is_err() {
        tracing::warn!("requests in flight did not end in time");
    }
}

async fn in_time(app: Router, request: Request<Body>) -> Result<Response<Body>, Infallible> {
    timeout(REQUEST, app.oneshot(request)).await.unwrap_or_else(|_| Ok(too_late()))
}

/// 408, in the form of OAuth 2.1 section 5.2: what a stalled body was for is
/// not known, and most are for the token endpoint.
fn too_late() -> Response<Body> {
    let body = r#"{"error":"invalid_request","error_description":"the request was not complete in time"}"#;
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        time::sleep,
    };

    use super::*;

    // spec: TOK-07
    #[tokio::test(start_paused = true)]
    async fn a_request_that_stalls_is_answered_as_oauth_says_and_nobody_keeps_that() {
        let app = Router::new().route("/", post(async || std::future::pending::<()>().await));
        let response = in_time(app, Request::post("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[PRAGMA], "no-cache");
        let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
        assert!(body.starts_with(b"{\"error\":\"invalid_request\","), "{body:?}");
    }

    #[tokio::test]
    async fn a_request_in_flight_is_answered_and_idle_connections_hold_nothing_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let slow = get(async || {
            sleep(Duration::from_millis(300)).await;
            "done"
        });
        let (tell, told) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, None, Router::new().route("/", slow), Stop(told)));

        let _idle = TcpStream::connect(address).await.unwrap();
        let mut busy = TcpStream::connect(address).await.unwrap();
        busy.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        sleep(Duration::from_millis(100)).await;
        tell.send_replace(true);

        let mut answer = String::new();
        busy.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
        timeout(Duration::from_secs(2), serving).await.unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
