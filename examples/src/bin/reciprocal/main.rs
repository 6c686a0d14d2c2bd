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
    complain, logs, say,
    serve::{Stop, serve},
};
use tokio::net::TcpListener;

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
    Assistant(Ports),
    /// Serve the music service and nothing else.
    Music(Ports),
}

#[derive(Clone, Copy, Debug, Args)]
struct Ports {
    /// Listen on this port of 127.0.0.1.
    #[arg(long, value_name = "PORT")]
    port: u16,
    /// Where the other one listens.
    #[arg(long, value_name = "PORT")]
    other: u16,
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
    let (Role::Assistant(ports) | Role::Music(ports)) = role;
    let [own, other] = [ports.port, ports.other].map(|port| format!("http://127.0.0.1:{port}"));
    let stop = Stop::on_signal()?;
    let app = match role {
        Role::Assistant(_) => assistant::build(&own, &other).await?,
        Role::Music(_) => music::build(&own, &other, stop.clone()).await?,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.port)).await?;
    say(format_args!("listening on {own}"));
    serve(listener, None, app, stop).await;
    Ok(())
}
