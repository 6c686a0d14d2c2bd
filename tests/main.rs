//! What the crates promise, shown over real sockets and on real files: one file, one word.
#![cfg(test)]

mod authorization_code;
mod client_authentication;
mod client_credentials;
mod introspect;
mod jwks;
mod licences;
mod metadata;
mod refresh_token;
mod revoke;
mod rotation;
mod support;
mod token;
