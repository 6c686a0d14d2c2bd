//! A voice assistant and a music service that call each other, as in
//! draft-ietf-oauth-reciprocal-04 section 1.1: their user connects the two once.
//!
//! Each is a process of its own, with an authorization server and a protected
//! API; the assistant is party A, the music service party B. The story is told by
//! a third process, which is the user and their browser.

mod assistant;
mod browser;
mod music;
mod service;
mod story;

use std::{net::Ipv4Addr, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use examples::{
    complain, db, logs, say,
    serve::{Stop, serve},
};
use tokio::{net::TcpListener, task::JoinSet};

use crate::service::Place;

/// Starts a voice assistant and a music service, connects the two, and lets each
/// call the other's API.
///
/// Each step is printed with what came of it. Exits with 0 if every step did
/// what it says, else with 1.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Serve the voice assistant and nothing else.
    ///
    /// What it may do at the music service, it forgets when it ends.
    Assistant(Options),
    /// Serve the music service and nothing else.
    ///
    /// With a file, a code that it has taken is redeemed whatever happens to it,
    /// by the next one that is started.
    Music(Options),
}

#[derive(Debug, Args)]
struct Options {
    /// Listen on this port of 127.0.0.1.
    #[arg(long, value_name = "PORT")]
    port: u16,
    /// Where the other one listens.
    #[arg(long, value_name = "PORT")]
    other: u16,
    /// Keep what its authorization server knows in this file, with the key to it in
    /// another beside it; or in memory, with `memory:`.
    #[arg(long, value_name = "PATH", default_value = "memory:")]
    db: String,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().role {
        None => story::tell().await,
        Some(role) => {
            logs::start(logs::Format::Text);
            run(role).await
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("FAILED: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(role: Role) -> Result<(), Failure> {
    let (Role::Assistant(options) | Role::Music(options)) = &role;
    let [url, other] = [options.port, options.other].map(|port| format!("http://127.0.0.1:{port}"));
    let (store, root) = db::open(&options.db).await?;
    let place = Place { url, other, store: store.shared(), root };
    let (stop, mut work) = (Stop::on_signal()?, JoinSet::new());
    let app = match role {
        Role::Assistant(_) => assistant::build(&place).await?,
        Role::Music(_) => music::build(&place, stop.clone(), &mut work).await?,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    say(format_args!("listening on {}", place.url));
    serve(listener, None, app, stop).await;
    // A code in hand is redeemed to the end: it is good for one use.
    while work.join_next().await.is_some() {}
    store.close().await;
    Ok(())
}
