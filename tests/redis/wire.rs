//! A wire to a server that can lose an answer, and the connection with it, or keep it back for a while.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use oauth_core::store::redis::RedisStore;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Mutex, MutexGuard},
};

use crate::support::*;

pub(crate) struct Wire {
    pub(crate) port: u16,
    /// How many answers until the one that is lost; 0 for none.
    left: Arc<AtomicUsize>,
    /// Whoever carries an answer needs it.
    free: Arc<Mutex<()>>,
}

impl Wire {
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let left = Arc::new(AtomicUsize::new(0));
        let free = Arc::new(Mutex::new(()));
        let (counter, gate) = (Arc::clone(&left), Arc::clone(&free));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, Arc::clone(&counter), Arc::clone(&gate)));
            }
        });
        Self { port, left, free }
    }

    /// Cuts the connection instead of carrying the `number`th answer from now on.
    pub(crate) fn lose_answer(&self, number: usize) {
        self.left.store(number, Ordering::SeqCst);
    }

    /// Carries no answer while the guard is there.
    pub(crate) async fn hold(&self) -> MutexGuard<'_, ()> {
        self.free.lock().await
    }
}

async fn carry(client: TcpStream, server: u16, left: Arc<AtomicUsize>, free: Arc<Mutex<()>>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let forth = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut answer = vec![0; 1 << 16];
    while let Ok(length) = from_server.read(&mut answer).await
        && length > 0
    {
        drop(free.lock().await);
        let lost = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if lost == Ok(1) || to_client.write_all(&answer[..length]).await.is_err() {
            break;
        }
    }
    forth.abort();
}

/// A server, a wire to it, and a store at the other end that has one connection.
pub(crate) async fn wired() -> (Redis, Wire, RedisStore) {
    let server = Redis::start("");
    let wire = Wire::to(server.port()).await;
    let store = patient_redis([redis_url_at(wire.port)]).connections(1).build().await.unwrap();
    (server, wire, store)
}
