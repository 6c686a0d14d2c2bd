//! The authorization server, configured by a file.
//!
//! Besides OAuth's endpoints it serves sign-in and consent pages, and a small
//! API that is protected by the same server's tokens.

mod app;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Parser;
use examples::{
    admin,
    config::{Config, Mistakes},
    events::EventLog,
    logs, say,
    serve::{Stop, serve},
    start::{self, OpenStore},
};
use oauth_axum_rs::{AuthorizationServer, Secret, TlsListener};
use tokio::net::TcpListener;

use crate::app::App;

/// An OAuth 2.1 authorization server, with a small protected API.
///
/// Ready, it prints one line: `listening on <issuer>`. SIGTERM and SIGINT end
/// it once the requests in flight are answered. It exits with 2 if it cannot
/// start, and names every mistake in the file by its key.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The configuration, in TOML.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Check the file, open the store, and exit: 0 if all is well, else 2.
    #[arg(long)]
    check: bool,
    /// Serve metrics on this loopback address, and what administrators do for
    /// whoever has the bearer secret in OAUTH_ADMIN_SECRET.
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// How lines of the log look. They go to stderr; RUST_LOG selects them.
    #[arg(long, value_enum, default_value_t)]
    log: logs::Format,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    logs::start(arguments.log);
    let done = if arguments.check { check(&arguments).await } else { run(&arguments).await };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(mistakes) => {
            examples::complain(mistakes);
            ExitCode::from(2)
        }
    }
}

/// Everything that can be found out without serving anybody. Makes no secret:
/// that is for the first real start.
async fn check(arguments: &Arguments) -> Result<(), Mistakes> {
    let config = Config::load(&arguments.config)?;
    check_admin(arguments.admin)?;
    start::tls(&config.listen)?;
    let users = start::users(&config)?;
    let store = OpenStore::open(&config.store).await?;
    let root = start::root_secret(&config.keys, false)?;
    // A server without a secret is built on a store of its own.
    start::authorization_server(&config, &store, root, users, EventLog::default()).await?;
    store.close().await;
    say(format_args!("{}: no mistakes", arguments.config.display()));
    Ok(())
}

async fn run(arguments: &Arguments) -> Result<(), Mistakes> {
    let config = Config::load(&arguments.config)?;
    check_admin(arguments.admin)?;
    let tls = start::tls(&config.listen)?;
    let users = start::users(&config)?;
    let store = OpenStore::open(&config.store).await?;
    let root = start::root_secret(&config.keys, true)?;
    let events = EventLog::default();
    let server = start::authorization_server(&config, &store, root, users.clone(), events.clone()).await?;
    let stop = Stop::on_signal().map_err(|error| Mistakes::one("signals", error))?;

    let listener = bind("listen", config.listen.address).await?;
    let twin = bind_if("revocation.http_listen", config.revocation.http_listen).await?;
    let admin = bind_if("--admin", arguments.admin).await?;
    let app = App::new(&config, &server, users)?;

    let mut serving = tokio::task::JoinSet::new();
    if let Some(twin) = twin {
        serving.spawn(serve(twin, app.revocation_alone(), stop.clone()));
    }
    if let Some(admin) = admin {
        serving.spawn(serve(admin, admin::router(events, admin_secret()), stop.clone()));
    }
    match tls {
        Some(tls) => serving.spawn(serve(TlsListener::new(listener, &tls), app.router(), stop)),
        None => serving.spawn(serve(listener, app.router(), stop)),
    };
    start::spawn_maintenance(server.clone());
    say(format_args!("listening on {}", server.issuer()));

    while serving.join_next().await.is_some() {}
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}
