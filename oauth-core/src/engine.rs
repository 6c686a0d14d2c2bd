//! What grants and endpoints stand on.

pub mod client_auth;
pub(crate) mod client_keys;
pub mod fault;
pub(crate) mod guess_limit;
pub mod interaction;
pub mod issue;
pub mod key_ring;
pub mod policy;
pub mod registration;
pub(crate) mod remote_address;
pub mod revocations;
pub mod validate;
