//! What the example programs share: the configuration file of the
//! authorization server, a protected API, and the serving of both.
//!
//! The programs are `demo`, `authorization-server` and `resource-server`. The
//! small examples in `examples/` stand alone, save that some take their tokens
//! from [`stand_in`].

pub mod admin;
pub mod api;
pub mod backup;
pub mod bulk;
pub mod bus;
pub mod config;
pub mod db;
pub mod details;
pub mod events;
pub mod health;
pub mod homeserver;
pub mod logs;
pub mod prometheus;
pub mod proxy;
pub mod reciprocal;
pub mod root_secret;
pub mod secret_file;
pub mod serve;
pub mod stand_in;
pub mod start;
pub mod transfer;

use std::{
    fmt::Display,
    io::{self, Write},
};

/// Writes a line to stdout. Whoever closed it does not want to know.
pub fn say(line: impl Display) {
    writeln!(io::stdout(), "{line}").unwrap_or_default();
}

/// Writes a line to stderr.
pub fn complain(line: impl Display) {
    writeln!(io::stderr(), "{line}").unwrap_or_default();
}
