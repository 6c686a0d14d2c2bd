//! TLS for [`axum::serve()`].

mod client_certificates;
mod config;
mod listener;
mod stream;

pub use self::{
    client_certificates::ClientCertificates,
    config::{TlsConfig, TlsError},
    listener::TlsListener,
    stream::TlsStream,
};
