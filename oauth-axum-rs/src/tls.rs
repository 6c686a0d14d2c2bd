//! TLS for [`axum::serve()`].

mod config;
mod listener;
mod stream;

pub use self::{
    config::{TlsConfig, TlsError},
    listener::TlsListener,
    stream::TlsStream,
};
