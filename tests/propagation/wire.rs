//! A wire to a server that is a store and a bus: the bus can be taken away, and the store stays.

use std::{
    io::{Error, Result},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// How it treats connections of a bus. What it has taken, it never loses: no network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// It passes everything.
    Well,
    /// It closes them, and every new one.
    Cut,
    /// It passes nothing, and says nothing.
    Stalled,
}

/// A port of this machine behind which is another, until the wire goes.
pub(super) struct Wire {
    pub(super) port: u16,
    shared: Arc<Shared>,
    listener: tokio::task::JoinHandle<()>,
}

struct Shared {
    mood: watch::Sender<Mood>,
    passed: AtomicUsize,
}

/// What a connection says that is a bus: PostgreSQL, then Redis.
const WORDS: [&[u8]; 4] = [b"LISTEN oauth_", b"NOTIFY oauth_", b"\r\nSUBSCRIBE\r\n", b"\r\nPUBLISH\r\n"];

impl Wire {
    pub(super) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { mood: watch::Sender::new(Mood::Well), passed: AtomicUsize::new(0) });
        let state = Arc::clone(&shared);
        let listener = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, port, Arc::clone(&state)));
            }
        });
        Self { port: own, shared, listener }
    }

    pub(super) fn set(&self, mood: Mood) {
        self.shared.mood.send_replace(mood);
    }

    /// How many times anything of a bus has passed, either way.
    pub(super) fn passed(&self) -> usize {
        self.shared.passed.load(SeqCst)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// Passes what comes, either way, until either side is done or it is cut.
async fn carry(client: TcpStream, port: u16, shared: Arc<Shared>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let is_bus = AtomicBool::new(false);
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let upward = pass(from_client, to_server, &shared, &is_bus, is_of_a_bus);
    let downward = pass(from_server, to_client, &shared, &is_bus, |_| false);
    let mut mood = shared.mood.subscribe();
    tokio::select! {
        _ = upward => {}
        _ = downward => {}
        _ = mood.wait_for(|mood| *mood == Mood::Cut && is_bus.load(SeqCst)) => {}
    }
}

fn is_of_a_bus(bytes: &[u8]) -> bool {
    WORDS.iter().any(|word| bytes.windows(word.len()).any(|window| window == *word))
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    is_bus: &AtomicBool,
    tells: impl Fn(&[u8]) -> bool,
) -> Result<()> {
    let (mut bytes, mut mood) = (vec![0; 64 * 1024], shared.mood.subscribe());
    loop {
        let length = from.read(&mut bytes).await?;
        if length == 0 {
            return Ok(());
        }
        if tells(&bytes[..length]) {
            is_bus.store(true, SeqCst);
        }
        if is_bus.load(SeqCst) {
            let now = *mood.wait_for(|mood| *mood != Mood::Stalled).await.map_err(Error::other)?;
            if now == Mood::Cut {
                return Ok(());
            }
            shared.passed.fetch_add(1, SeqCst);
        }
        to.write_all(&bytes[..length]).await?;
    }
}
