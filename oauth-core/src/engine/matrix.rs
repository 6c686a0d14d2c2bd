//! What Matrix asks of an authorization server beyond settings ([client-server API],
//! "OAuth 2.0 API"): see [`profile::Matrix`](crate::profile::Matrix).
//!
//! [client-server API]: https://spec.matrix.org/latest/client-server-api/#oauth-20-api

mod devices;
mod homeserver;
mod redirect;
mod registration;
mod scope;
mod settings;
mod turn;

pub use self::{
    devices::{DeviceSession, SessionState, UserDevice},
    homeserver::{Homeserver, NewDevice},
};
pub(crate) use self::{
    registration::{adjust, check, shared_id},
    scope::{asked, kept, with_device},
    settings::MatrixSettings,
};
