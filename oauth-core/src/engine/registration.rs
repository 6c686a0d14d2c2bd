//! Dynamic registration ([RFC 7591]) and what becomes of it ([RFC 7592]): who
//! may register, and as what.
//!
//! A server takes registrations once it is told to, by
//! [`AuthorizationServerBuilder::registration`](crate::server::AuthorizationServerBuilder::registration),
//! from whoever has an initial access token. What a client asks for is narrowed
//! by [`RegistrationSettings`] to [`Terms`], then judged by a
//! [`RegistrationPolicy`] of the host's, if there is one. Nothing that a client
//! says of itself is believed.
//!
//! [RFC 7591]: https://www.rfc-editor.org/rfc/rfc7591
//! [RFC 7592]: https://www.rfc-editor.org/rfc/rfc7592

mod access;
mod create;
mod developer;
mod document;
mod limit;
mod manage;
mod policy;
mod settings;
mod statement;
mod terms;

pub(crate) use self::{
    access::Access,
    create::Application,
    manage::{Manager, Unmanageable},
};
pub use self::{
    access::InitialAccessTokens,
    create::{Registered, RegistrationFailure},
    policy::{Management, RegistrationOrigin, RegistrationPolicy, RegistrationRequest},
    settings::RegistrationSettings,
    statement::SoftwareStatement,
    terms::Terms,
};
