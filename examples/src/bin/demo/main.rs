//! The whole of it in one command: an authorization server, an API that it
//! protects, and lines to try them with.

mod app;
mod browser;
mod client;
mod guide;
mod walk;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
};

use clap::Parser;
use examples::{
    complain, db, logs, say,
    serve::{Stop, serve},
};
use tokio::net::TcpListener;

use crate::app::Credentials;

/// An authorization server at `/` and a protected API at `/api`, on this
/// machine, with everything to try them.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Listen on this port; 0 takes any free one. Without it, 8080 or, if that
    /// is taken, any free one.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Keep tokens in this file, or in memory with `memory:`.
    #[arg(long, value_name = "PATH", default_value = "oauth-demo.db")]
    db: String,
    /// Take all the steps, print each of them, and exit: 0 if every step did
    /// what it says, else 1.
    #[arg(long)]
    walk: bool,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    logs::start_quietly();
    match run(&arguments).await {
        Ok(code) => code,
        Err(error) => {
            complain(error);
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let listener = bind(arguments.port).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (store, root) = db::open(&arguments.db).await?;
    let credentials = Credentials::of(&root);
    let app = app::build(&url, &store, root, &credentials).await?;
    let stop = Stop::on_signal()?;
    say(guide::first_lines(&url, &credentials));

    let serving = tokio::spawn(serve(listener, None, app, stop));
    let code = if arguments.walk {
        walk::walk(&url, &credentials).await
    } else {
        say(guide::curl_lines(&url, &credentials));
        serving.await?;
        ExitCode::SUCCESS
    };
    store.close().await;
    Ok(code)
}

/// A port that was asked for is taken or missed; the usual one has stand-ins.
async fn bind(port: Option<u16>) -> Result<TcpListener, Failure> {
    let on = |port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    match port {
        Some(port) => on(port).await.map_err(|error| format!("--port {port}: {error}").into()),
        None => match on(8080).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(on(0).await?),
            bound => bound.map_err(|error| format!("port 8080: {error}").into()),
        },
    }
}
