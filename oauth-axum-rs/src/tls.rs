//! TLS for [`axum::serve`].
//!
//! ```no_run
//! use axum::Router;
//! use oauth_axum_rs::{Peer, TlsConfig, TlsListener};
//! use tokio::net::TcpListener;
//! # async fn serve(app: Router) -> Result<(), Box<dyn std::error::Error>> {
//! let config = TlsConfig::from_pem_files("cert.pem", "key.pem")?;
//! let listener = TlsListener::new(TcpListener::bind("0.0.0.0:443").await?, &config);
//! axum::serve(listener, app.into_make_service_with_connect_info::<Peer>()).await?;
//! # Ok(())
//! # }
//! ```

mod config;
mod listener;
mod stream;

pub use self::{
    config::{TlsConfig, TlsError},
    listener::TlsListener,
    stream::TlsStream,
};
