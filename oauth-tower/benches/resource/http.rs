//! Row 2: a hit from end to end. HTTP/1.1 over loopback, kept alive, with one
//! thread that serves. What counts is requests per second of the processor's
//! time of that thread: what one core would serve that does nothing else.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::mpsc as std_mpsc,
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::Empty;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use oauth_core::jwt::Algorithm;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime,
    sync::{mpsc, oneshot},
};
use tower::{Layer, Service, service_fn as tower_service_fn};

use crate::{
    Scale,
    fixture::Fixture,
    measure::{lower_quartile, thread_time},
};

type Body = Empty<Bytes>;

/// So many connections keep the server busy.
const CONNECTIONS: usize = 32;

pub(crate) fn table(scale: Scale) {
    println!("\n**Row 2, seen before, end to end.** Bar: 0.95 of the unprotected throughput.\n");
    println!(
        "| token | unprotected, requests / s | protected, requests / s | protected / unprotected |\n|---|---|---|---|"
    );
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        row(scale, &Fixture::new(algorithm));
    }
}

fn row(scale: Scale, fixture: &Fixture) {
    let token = fixture.token(0);
    let head = "GET / HTTP/1.1\r\nhost: api.example\r\naccept: */*\r\n";
    let request = format!("{head}authorization: Bearer {token}\r\n\r\n").into_bytes();
    let bare = tower_service_fn(|_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Body::new())) });
    let servers = [Server::start(bare), Server::start(fixture.server(100_000).layer().layer(bare))];
    let mut times = [Vec::new(), Vec::new()];
    let turn = Duration::from_millis(scale.of(200, 5));
    for round in 0..scale.of(20, 1) {
        // Each goes first in every other round.
        for place in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            times[place].push(servers[place].time_of_one(&request, turn));
        }
    }
    let [bare, protected] = times.map(|mut times| 1.0 / lower_quartile(&mut times));
    let (name, bytes) = (fixture.algorithm, token.len());
    println!("| {name}, {bytes} B | {bare:.0} | {protected:.0} | {:.3} |", protected / bare);
}

/// A server on a thread of its own.
struct Server {
    address: SocketAddr,
    clock: mpsc::UnboundedSender<oneshot::Sender<Duration>>,
}

impl Server {
    fn start<S>(service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        let (started, address) = std_mpsc::channel();
        let (clock, mut asked) = mpsc::unbounded_channel::<oneshot::Sender<Duration>>();
        thread::spawn(move || {
            block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                started.send(listener.local_addr().unwrap()).unwrap();
                loop {
                    tokio::select! {
                        accepted = listener.accept() => serve(accepted.unwrap().0, service.clone()),
                        asked = asked.recv() => match asked {
                            Some(answer) => answer.send(thread_time()).unwrap(),
                            None => return,
                        },
                    }
                }
            });
        });
        Self { address: address.recv().unwrap(), clock }
    }

    /// Seconds of the processor for one request, when kept busy for so long.
    fn time_of_one(&self, request: &[u8], turn: Duration) -> f64 {
        block_on(async {
            let connections = join_all((0..CONNECTIONS).map(|_| open(self.address, request))).await;
            let before = self.time().await;
            let end = Instant::now() + turn;
            let requests = join_all(connections.into_iter().map(|connection| ask(connection, request, end))).await;
            (self.time().await - before).as_secs_f64() / requests.into_iter().sum::<usize>() as f64
        })
    }

    async fn time(&self) -> Duration {
        let (ask, answer) = oneshot::channel();
        self.clock.send(ask).unwrap();
        answer.await.unwrap()
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    runtime::Builder::new_current_thread().enable_io().build().unwrap().block_on(future)
}

fn serve<S>(stream: TcpStream, service: S)
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    stream.set_nodelay(true).unwrap();
    // It is always ready.
    let service = service_fn(move |request| service.clone().call(request));
    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
}

/// A connection, and a response: all are of one length.
async fn open(address: SocketAddr, request: &[u8]) -> (TcpStream, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(request).await.unwrap();
    let mut response = Vec::new();
    while !response.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut response).await.unwrap(), 0);
    }
    assert!(response.starts_with(b"HTTP/1.1 200"));
    (stream, response)
}

/// How many requests were answered before `end`.
async fn ask((mut stream, mut response): (TcpStream, Vec<u8>), request: &[u8], end: Instant) -> usize {
    let mut requests = 0;
    while Instant::now() < end {
        stream.write_all(request).await.unwrap();
        stream.read_exact(&mut response).await.unwrap();
        requests += 1;
    }
    assert!(response.starts_with(b"HTTP/1.1 200"));
    requests
}
