//! Logs: to stderr, as text or as JSON, filtered by `RUST_LOG`.

use std::io;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging; a second call changes nothing.
pub fn start(format: Format) {
    start_at("info", format);
}

/// Starts logging what somebody has to know, and no more.
pub fn start_quietly() {
    start_at("warn", Format::Text);
}

fn start_at(level: &str, format: Format) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match format {
        Format::Text => builder.with_ansi(false).try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    };
    // Whoever was there before us has the say.
    drop(started);
}
