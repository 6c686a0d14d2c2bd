//! Serving HTTP/1.1 until told to stop.
//!
//! `axum::serve` would do for most programs. This one also bounds how long a
//! client may take over its headers and its request, and how long the end may
//! take.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response, StatusCode},
    serve::Listener,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use oauth_axum_rs::Peer;
use tokio::{sync::watch, time::timeout};
use tower::ServiceExt;
use tower_http::timeout::TimeoutLayer;

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
pub async fn serve<L: Listener<Addr = SocketAddr>>(mut listener: L, app: Router, stop: Stop) {
    let app = app.layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST));
    let connections = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.wait() => break,
        };
        let app = app.clone();
        let service = service_fn(move |request| answer(app.clone(), peer, request));
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%peer, %error, "a connection ended early");
            }
        });
    }
    // Nobody connects anymore, while those who did are served.
    drop(listener);
    if timeout(LAST_REQUESTS, connections.shutdown()).await.is_err() {
        tracing::warn!("requests in flight did not end in time");
    }
}

async fn answer(app: Router, peer: SocketAddr, mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    request.extensions_mut().insert(ConnectInfo(Peer::new(peer)));
    app.oneshot(request.map(Body::new)).await
}
