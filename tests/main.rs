//! What the crates promise, shown over real sockets and on real files: one file, one word.
#![cfg(test)]

mod authorization_code;
mod authorize;
mod client_authentication;
mod client_credentials;
mod crash;
mod demo;
mod durability;
mod first_light;
mod interaction;
mod introspect;
mod jwks;
mod licences;
mod metadata;
mod model;
mod nodes;
mod oidc_provider;
mod oidc_provider_faults;
mod postgres;
mod processes;
mod programs;
mod properties;
mod redirect_uri;
mod refresh_token;
mod revoke;
mod rfc_vectors;
mod rotation;
mod secrets;
mod support;
mod sweep;
mod tls;
mod token;
mod wycheproof;
