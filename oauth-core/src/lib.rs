//! OAuth 2.1 protocol types and the authorization-server engine.
//!
//! Nothing in this crate knows a web framework, and nothing opens a socket but
//! a store to its own server. With no features it is the vocabulary both sides
//! of the protocol share; with `server` it is the engine behind the
//! authorization server; `sqlite` adds the embedded store, `postgres` and
//! `redis` those for many nodes, and `testing` the suite every store passes.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod authorization_details;
pub mod bus;
pub mod challenge;
pub mod claims;
pub mod client;
pub mod clock;
pub mod dpop;
pub mod error;
pub mod jwk;
pub mod jwt;
pub mod keys;
pub mod matrix;
pub mod metadata;
pub mod mtls;
pub mod pkce;
pub mod scope;
pub mod secret;
pub mod status_list;
pub mod token;

mod members;
#[cfg(feature = "server")]
mod random_keys;

#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod cookie;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod endpoint;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod engine;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod event;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod fetch;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod grant;
pub mod params;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod profile;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod server;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod store;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod transfer;
