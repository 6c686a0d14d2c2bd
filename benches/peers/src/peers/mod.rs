//! How each is set up: as its own documentation says, with the keys at hand,
//! issuer and audience checked, and the fastest cryptography it offers.

pub mod axum_jwt_auth;
pub mod huskarl_axum;
pub mod jwt_authorizer;
pub mod ours;
pub mod tower_oauth2_resource_server;
