//! What the Rust SDK for Matrix, unmodified, makes of the authorization server and of the example homeservers: all in
//! this process, over TLS, with a clock that the tests move.
//!
//! The SDK has the device grant only in its logins by QR code, which need its end-to-end encryption; so it is not
//! here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod answers;
mod errors;
mod example;
mod house;
mod login;
mod logout;
mod program;
mod refresh;
mod session;
mod support;
mod synapse;
