//! Reverse proxies in front, and TLS: who the client is, and that nobody
//! listened.
//!
//! Anybody can write `X-Forwarded-For` or `Client-Cert` into a request.
//! [`ProxyLayer`] believes these headers of your own proxies, by the address of
//! the connection, and drops them from everybody else (RFC 9700 section 4.13).
//! [`RequireHttps`] refuses what came in the clear all the same.
//!
//! ```
//! # #[cfg(feature = "client")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use http::{Request, Response};
//! use oauth_tower::{
//!     proxy::{CLIENT_CERT, ProxyLayer, RequireHttps, TrustedProxies},
//!     resource::{Issuer, ResourceServer},
//! };
//! use std::convert::Infallible;
//! use tower::ServiceBuilder;
//!
//! let api = ResourceServer::builder("https://api.example")
//!     .issuer(Issuer::jwt("https://as.example"))
//!     .mutual_tls() // tokens may be bound to the client's certificate
//!     .build()?;
//! let proxies: TrustedProxies = ["10.0.0.0/8".parse()?].into_iter().collect();
//! let service = ServiceBuilder::new()
//!     .layer(ProxyLayer::new(proxies).forwarded().certificate_header(CLIENT_CERT))
//!     .layer(RequireHttps::new())
//!     .layer(api.layer())
//!     .service_fn(async |_: Request<String>| Ok::<_, Infallible>(Response::new(String::from("secret"))));
//! # drop(service);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "client"))]
//! # fn main() {}
//! ```
//!
//! What is found out is in the extensions of the request, as types of this
//! module. Who the other end of the connection is must be there from the start,
//! as [`PeerAddress`], and for TLS connections [`ClientScheme`] and the client's
//! [`ClientCertificate`](oauth_core::mtls::ClientCertificate). With axum,
//! `oauth-axum-rs` puts them there; under hyper, insert them where the connection
//! is accepted.
//!
//! None of it changes what a request is for. The issuer, the resource and the URL
//! that a DPoP proof must name are configured, and no header of the request is
//! asked about them.

mod believed;
mod cidr;
mod facts;
mod forwarded;
mod https;
mod layer;
#[cfg(test)]
mod tests;

pub use self::{
    believed::CLIENT_CERT,
    cidr::{Cidr, InvalidCidr, TrustedProxies},
    facts::{ClientAddress, ClientScheme, PeerAddress, RequestedHost},
    https::{RequireHttps, RequireHttpsFuture, RequireHttpsService},
    layer::{ProxyLayer, ProxyService},
};
