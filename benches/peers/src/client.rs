//! A client that does as little as it can: it sends one request again and again, and
//! all responses are of one length.

use std::{net::SocketAddr, time::Instant};

use memchr::memmem;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime,
};

const OK: &[u8] = b"HTTP/1.1 200";

pub struct Connection {
    stream: TcpStream,
    response: Vec<u8>,
}

impl Connection {
    /// Opens one and asks once, to learn how long a response is.
    pub async fn open(address: SocketAddr, request: &[u8]) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("an option");
        stream.write_all(request).await.expect("to write");
        let mut response = Vec::new();
        while !is_whole(&response) {
            assert_ne!(stream.read_buf(&mut response).await.expect("to read"), 0, "it was closed");
        }
        assert!(response.starts_with(OK), "{}", String::from_utf8_lossy(&response));
        Self { stream, response }
    }

    /// How many requests were answered before `end`.
    pub async fn ask(mut self, request: &[u8], end: Instant) -> usize {
        let mut requests = 0;
        while Instant::now() < end {
            self.stream.write_all(request).await.expect("to write");
            self.stream.read_exact(&mut self.response).await.expect("to read");
            assert!(self.response.starts_with(OK), "{}", String::from_utf8_lossy(&self.response));
            requests += 1;
        }
        requests
    }

    /// The body of the response that came last.
    #[allow(dead_code, reason = "one of the two programs looks at it")]
    pub fn body(&self) -> &[u8] {
        let head = memmem::find(&self.response, b"\r\n\r\n").expect("a head");
        &self.response[head + 4..]
    }
}

/// Whether the head is there, and as much of a body as it says.
fn is_whole(response: &[u8]) -> bool {
    const LENGTH: &[u8] = b"content-length:";
    let Some(head) = memmem::find(response, b"\r\n\r\n") else { return false };
    let lines = response[..head].to_ascii_lowercase();
    let Some(length) = memmem::find(&lines, LENGTH) else { return true };
    let digits = String::from_utf8_lossy(&lines[length + LENGTH.len()..]);
    let length: usize = digits.lines().next().unwrap_or_default().trim().parse().expect("a length");
    response.len() >= head + 4 + length
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    runtime::Builder::new_current_thread().enable_io().build().expect("a runtime").block_on(future)
}
