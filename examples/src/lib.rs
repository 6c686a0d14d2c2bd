//! What the example programs share: the configuration file of the
//! authorization server, a protected API, and the serving of both.
//!
//! The programs are `demo`, `authorization-server` and `resource-server`. The
//! small examples in `examples/` stand alone.

pub mod cidr;
pub mod config;
