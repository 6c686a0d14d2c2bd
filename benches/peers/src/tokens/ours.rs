//! This project's server: its store in memory, hyper's HTTP/1.1 in front, one thread.

use std::{
    env,
    io::{BufRead, stdin},
    process::Command,
    thread,
};

use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use oauth_core::{
    client::{Client, ClientSecret, GrantType},
    clock::{Clock, SystemClock},
    engine::policy::{Resource, TokenFormat},
    secret::RootSecret,
    server::AuthorizationServer,
    store::memory::MemoryStore,
};
use oauth_tower::server::AuthorizationServerService;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::{
    SERVE,
    forms::{CLIENT, Form, LIFETIME, SCOPE, SECRET},
    server::Server,
};
use crate::client::block_on;

/// This program once more, as a server.
pub fn start(form: Form) -> Server {
    Server::start(Command::new(env::current_exe().expect("this program")).args([SERVE, form.name()]), form)
}

/// Serves until nobody gives orders any more.
pub fn serve(form: Form) {
    let (orders, mut ordered) = mpsc::unbounded_channel();
    thread::spawn(move || stdin().lock().lines().map_while(Result::ok).try_for_each(|order| orders.send(order)));
    block_on(async {
        let server = server(form).await;
        let service = AuthorizationServerService::new(server.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("listening on {}", listener.local_addr().expect("an address"));
        loop {
            tokio::select! {
                accepted = listener.accept() => answer(accepted.expect("a connection").0, service.clone()),
                ordered = ordered.recv() => match ordered {
                    Some(_) => sweep(&server).await,
                    None => return,
                },
            }
        }
    });
}

fn answer(stream: TcpStream, service: AuthorizationServerService) {
    stream.set_nodelay(true).expect("an option");
    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)));
}

async fn server(form: Form) -> AuthorizationServer {
    let scope = SCOPE.parse().expect("a scope");
    let format = if form.algorithm().is_some() { TokenFormat::Jwt } else { TokenFormat::Opaque };
    let client = Client::builder(CLIENT)
        .secret(ClientSecret::new(&SECRET.into()))
        .grant_type(GrantType::CLIENT_CREDENTIALS)
        .scope(SCOPE);
    let mut builder = AuthorizationServer::builder("https://as.example")
        .store(MemoryStore::default())
        .root_secret(RootSecret::new([7; 32]))
        .resource(Resource::new(form.resource()).scopes(scope).format(format))
        .client(client.build().expect("a client"))
        .lifetimes(|lifetimes| lifetimes.access = LIFETIME);
    if let Some(algorithm) = form.algorithm() {
        builder = builder.signing_algorithm(algorithm);
    }
    builder.build().await.expect("a server")
}

/// Forgets all tokens, as if they had expired.
async fn sweep(server: &AuthorizationServer) {
    let later = SystemClock.now().saturating_add(2 * LIFETIME);
    server.store().sweep(later, usize::MAX).await.expect("it has no reason to fail");
    println!("swept");
}
