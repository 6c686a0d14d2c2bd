//! What grants and endpoints stand on.

pub mod authorization;
pub mod client_auth;
pub(crate) mod client_documents;
pub(crate) mod client_keys;
pub mod detail_types;
pub mod device;
pub mod dpop;
pub mod fault;
pub(crate) mod guess_limit;
pub mod interaction;
pub mod introspection;
pub mod issue;
pub mod key_ring;
pub mod matrix;
pub(crate) mod minute;
pub(crate) mod outside;
pub mod policy;
pub mod reciprocal;
pub mod registration;
pub(crate) mod remote_address;
pub mod revocation;
pub mod revocations;
pub(crate) mod sender;
mod sign_ins;
pub(crate) mod standing;
pub mod status_list;
pub mod validate;
