//! A wire to a server that can be cut, at the worst moments too.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// How a wire treats what comes along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mood {
    /// It passes everything.
    Well,
    /// It swallows everything, and says nothing of it.
    Hangs,
    /// It passes what is asked, breaks when the answer comes, and is well again.
    LosesAnAnswer,
}

/// A port of this machine behind which is another, until the wire goes.
pub(crate) struct Wire {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    listener: tokio::task::JoinHandle<()>,
}

struct Shared {
    mood: AtomicU8,
    asked: AtomicUsize,
    connections: AtomicUsize,
}

impl Shared {
    fn set(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    fn is(&self, mood: Mood) -> bool {
        self.mood.load(Ordering::SeqCst) == mood as u8
    }
}

impl Wire {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let shared = Shared {
            mood: AtomicU8::new(Mood::Well as u8),
            asked: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
        };
        let shared = Arc::new(shared);
        let state = Arc::clone(&shared);
        let listener = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                state.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(pass(client, port, Arc::clone(&state)));
            }
        });
        Self { port: own, shared, listener }
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.shared.set(mood);
    }

    /// How often a client has begun to speak since a server last spoke: round trips.
    pub(crate) fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// Passes what comes, either way, until either side is done.
async fn pass(mut client: TcpStream, port: u16, shared: Arc<Shared>) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let (mut question, mut answer) = ([0; 4096], [0; 4096]);
    let mut asking = false;
    loop {
        tokio::select! {
            Ok(length) = client.read(&mut question) => {
                if length == 0 || (!shared.is(Mood::Hangs) && server.write_all(&question[..length]).await.is_err()) {
                    return;
                }
                shared.asked.fetch_add(usize::from(!asking), Ordering::SeqCst);
                asking = true;
            }
            Ok(length) = server.read(&mut answer) => {
                if length == 0 {
                    return;
                }
                if shared.is(Mood::LosesAnAnswer) {
                    return shared.set(Mood::Well);
                }
                if !shared.is(Mood::Hangs) && client.write_all(&answer[..length]).await.is_err() {
                    return;
                }
                asking = false;
            }
            else => return,
        }
    }
}
