//! The authorization server, configured by a file.
//!
//! Besides OAuth's endpoints it serves sign-in and consent pages, and a small
//! API that is protected by the same server's tokens.

mod app;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Parser;
use examples::{
    admin, backup, bulk, bus, complain,
    config::{self, Config, Mistakes},
    events::EventLog,
    homeserver, logs,
    prometheus::Prometheus,
    reciprocal, root_secret, say,
    serve::{Stop, serve},
    start::{self, OpenStore},
    transfer,
};
use oauth_axum_rs::Secret;
use oauth_core::clock::UnixTime;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

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
    /// Write what the store holds to this new file (`-`: stdout), to be
    /// imported into another store, and exit. Stop the server before.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["check", "admin", "import"])]
    export: Option<PathBuf>,
    /// Put what was exported to this file (`-`: stdin) into the store, and
    /// exit. What is there stays; it can be run again.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["check", "admin"])]
    import: Option<PathBuf>,
    /// Import nothing but clients: the root secret may then be another.
    #[arg(long, requires = "import", conflicts_with_all = ["check", "admin", "export", "backup"])]
    clients_only: bool,
    /// Copy the file of an sqlite: store to this new file, beside a server that
    /// uses it, and exit: 0 if all of it is there, else 2 and there is nothing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["check", "admin", "export", "import"])]
    backup: Option<PathBuf>,
    /// Revoke all that was issued before this time (as in 2026-11-22T21:00:00Z, or
    /// in seconds since 1970), and exit. Part of restoring a backup, in which
    /// everything lives that was revoked since it was made: say the present.
    #[arg(long, value_name = "TIME", value_parser = bulk::time,
        conflicts_with_all = ["check", "admin", "export", "import", "backup"])]
    revoke_issued_before: Option<UnixTime>,
    /// Serve metrics on this loopback address, and what administrators do for
    /// whoever has the bearer secret in `OAUTH_ADMIN_SECRET`: POST /admin/revoke with
    /// {"subject": ".."}, {"subject": "..", "device": ".."}, {"client": ".."} or
    /// {"issued_before": ".."} in JSON revokes all of that, and says line by line how
    /// far it is: all is revoked once the last line has `"done": true`.
    #[arg(long, value_name = "ADDRESS", value_parser = loopback)]
    admin: Option<SocketAddr>,
    /// How lines of the log look. They go to stderr; `RUST_LOG` selects them.
    #[arg(long, value_enum, default_value_t)]
    log: logs::Format,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    logs::start(arguments.log);
    let done = match &arguments {
        Arguments { backup: Some(file), config, .. } => backup::backup(config, file).await,
        Arguments { export: Some(file), config, .. } => transfer::export(config, file).await,
        Arguments { import: Some(file), config, .. } => transfer::import(config, file, arguments.clients_only).await,
        Arguments { revoke_issued_before: Some(time), config, .. } => bulk::revoke_issued_before(config, *time).await,
        Arguments { check: true, .. } => check(&arguments).await,
        _ => run(&arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(mistakes) => {
            complain(mistakes);
            ExitCode::from(2)
        }
    }
}

/// Finds out everything that can be found out without serving anybody. Makes
/// no secret: that is for the first real start.
async fn check(arguments: &Arguments) -> Result<(), Mistakes> {
    let config = Config::load(&arguments.config)?;
    let store = OpenStore::open(&config.store).await;
    let root = root_secret::load(&config.keys, store.as_ref().ok(), false).await;
    let accounts = config.matrix.as_ref().map_or(Ok(()), config::Matrix::check_accounts);
    let (store, root) = match (store, root, accounts) {
        (Ok(store), Ok(root), Ok(())) => (store, root),
        (store, root, accounts) => return Err(Mistakes::all([store.err(), root.err(), accounts.err()])),
    };
    let server = start::authorization_server(&config, &store, root, EventLog::default()).await?;
    drop(App::new(&config, &server)?.router(&config)?);
    store.close().await;
    say(format_args!("{}: no mistakes", arguments.config.display()));
    Ok(())
}

async fn run(arguments: &Arguments) -> Result<(), Mistakes> {
    let config = Config::load(&arguments.config)?;
    let store = OpenStore::open(&config.store).await?;
    let root = root_secret::load(&config.keys, Some(&store), true).await?;
    if let Some(root) = &root {
        root_secret::seal(&store, root, config.tokens.algorithm).await?;
    }
    config.matrix.as_ref().map_or(Ok(()), config::Matrix::begin_accounts)?;
    let events = EventLog::default();
    let server = start::authorization_server(&config, &store, root, events.clone()).await?;
    let prometheus = Prometheus::install();
    let app = App::new(&config, &server)?;
    let stop = Stop::on_signal().map_err(|error| Mistakes::one("signals", error))?;

    let mut serving = JoinSet::new();
    let listener = bind("listen", config.listen.address).await?;
    if let Some(address) = config.revocation.http_listen {
        let listener = bind("revocation.http_listen", address).await?;
        serving.spawn(serve(listener, None, app.revocation_alone(&config), stop.clone()));
    }
    if let Some(address) = arguments.admin {
        let listener = bind("--admin", address).await?;
        let api = app.api().clone();
        let metrics = move || {
            api.update_gauges();
            events.metrics() + &prometheus.text()
        };
        let guarded = bulk::router(server.clone()).merge(reciprocal::router(&config, &server));
        let users =
            config.matrix.as_ref().map(|matrix| homeserver::admin::router(matrix.users.clone(), server.clone()));
        let guarded = guarded.merge(users.unwrap_or_default());
        serving.spawn(serve(listener, None, admin::router_with(metrics, admin_secret(), guarded), stop.clone()));
    }
    if let Some(worker) = reciprocal::worker(&config, &server, stop.clone()) {
        serving.spawn(worker);
    }
    serving.spawn(serve(listener, config.listen.tls.clone(), app.router(&config)?, stop));
    let following = bus::spawn_server(&config, &server)?;
    // Before anything is swept: it looks at what has ended.
    let forgetting = homeserver::remote::spawn(&config, &server).await?;
    let maintenance = start::spawn_maintenance(server.clone());
    say(format_args!("listening on {}", server.issuer()));

    while serving.join_next().await.is_some() {}
    maintenance.abort();
    forgetting.iter().for_each(JoinHandle::abort);
    drop((maintenance.await, app, server));
    following.end().await;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

async fn bind(key: &str, address: SocketAddr) -> Result<TcpListener, Mistakes> {
    let wrong = |error| Mistakes::one(key, format_args!("{address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(wrong)?;
    // With port 0, this is where the port can be read.
    let address = listener.local_addr().map_err(wrong)?;
    tracing::info!(%address, key, "bound");
    Ok(listener)
}

/// What administrators do goes over plain http, so it stays on this machine.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "must be an address and a port, as in 127.0.0.1:9900")?;
    if address.ip().is_loopback() { Ok(address) } else { Err("must be a loopback address".to_owned()) }
}

fn admin_secret() -> Option<Secret> {
    std::env::var(admin::SECRET).ok().filter(|secret| !secret.is_empty()).map(Secret::new)
}
