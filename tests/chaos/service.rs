//! An address that always leads to the server of the moment, as the name of a service does.

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use tokio::net::{TcpListener, TcpStream};

pub(super) struct Service {
    pub(super) port: u16,
    server: Arc<AtomicU16>,
}

impl Service {
    pub(super) async fn of(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Arc::new(AtomicU16::new(server));
        let current = Arc::clone(&server);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, current.load(Ordering::SeqCst)));
            }
        });
        Self { port, server }
    }

    /// Leads whoever comes from now on to another server.
    pub(super) fn leads_to(&self, server: u16) {
        self.server.store(server, Ordering::SeqCst);
    }
}

async fn carry(mut client: TcpStream, server: u16) {
    if let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await {
        drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
    }
}
