//! End to end: HTTP/1.1 over loopback, kept alive, one thread that serves.
//!
//! What counts is requests per second of the *processor time* of that thread:
//! what one core that does nothing else would serve. Who else uses the machine,
//! and how much of the other core the client takes, hardly matters then.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::mpsc as std_mpsc,
    thread,
    time::{Duration, Instant},
};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header::AUTHORIZATION};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
};
use tower::Service;

use crate::{
    client::{Connection, block_on},
    contender::{lower_quartile, thread_time},
};

/// So many connections keep the server busy.
const CONNECTIONS: usize = 32;

/// A server on a thread of its own.
pub struct Server {
    pub name: &'static str,
    address: SocketAddr,
    clock: mpsc::UnboundedSender<oneshot::Sender<Duration>>,
    /// Seconds of the processor for one request.
    times: Vec<f64>,
    /// Shares of the wall clock that it was not busy.
    idle: Vec<f64>,
}

impl Server {
    pub fn start<S, B>(name: &'static str, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + 'static,
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        let (started, address) = std_mpsc::channel();
        let (clock, mut asked) = mpsc::unbounded_channel::<oneshot::Sender<Duration>>();
        thread::spawn(move || {
            block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                started.send(listener.local_addr().expect("an address")).expect("somebody waits");
                loop {
                    tokio::select! {
                        accepted = listener.accept() => serve(accepted.expect("a connection").0, service.clone()),
                        asked = asked.recv() => match asked {
                            Some(answer) => drop(answer.send(thread_time())),
                            None => return,
                        },
                    }
                }
            });
        });
        let address = address.recv().expect("it starts");
        Self { name, address, clock, times: Vec::new(), idle: Vec::new() }
    }

    /// Keeps it busy with `header` for so long.
    pub fn round(&mut self, header: &HeaderValue, duration: Duration) {
        let request = request(header);
        let (requests, used, wall) = block_on(async {
            let mut connections = Vec::new();
            for _ in 0..CONNECTIONS {
                connections.push(Connection::open(self.address, &request).await);
            }
            let (before, started) = (self.thread_time().await, Instant::now());
            let asking = connections.into_iter().map(|connection| connection.ask(&request, started + duration));
            let requests: usize = futures_util::future::join_all(asking).await.into_iter().sum();
            (requests, self.thread_time().await - before, started.elapsed())
        });
        self.times.push(used.as_secs_f64() / requests as f64);
        self.idle.push(1.0 - used.as_secs_f64() / wall.as_secs_f64());
    }

    /// Requests per second of processor time; and what share of the wall clock
    /// that was: near 1, or the client was the limit.
    pub fn rate(&mut self) -> (f64, f64) {
        (1.0 / lower_quartile(&mut self.times), 1.0 - lower_quartile(&mut self.idle))
    }

    async fn thread_time(&self) -> Duration {
        let (ask, answer) = oneshot::channel();
        self.clock.send(ask).expect("it runs");
        answer.await.expect("it answers")
    }
}

fn serve<S, B>(stream: TcpStream, service: S)
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    stream.set_nodelay(true).expect("an option");
    let service = service_fn(move |request: Request<Incoming>| service.clone().call(request.map(Body::new)));
    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
}

fn request(header: &HeaderValue) -> Vec<u8> {
    let head = "GET / HTTP/1.1\r\nhost: api.example\r\naccept: */*\r\n";
    let token = header.to_str().expect("text");
    format!("{head}{AUTHORIZATION}: {token}\r\n\r\n").into_bytes()
}
