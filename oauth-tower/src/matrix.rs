//! A homeserver in another process, told of users and devices as Synapse and others take it:
//! under `/_synapse/mas/`, with the secret that both know.
//!
//! [`RemoteHomeserver`] makes devices known before their tokens are answered; [`forget_devices`]
//! takes away those whose sessions are ended, and [`CatchUp`] those of which nobody was told.
//! Synapse believes for two minutes what it was told of a token, but looks at each request whether the
//! device is there: so a token is refused at once when its session ends, since whoever ends it is answered
//! after the homeserver. What was good for a device that lives on, as the access token before a
//! refresh, may pass there for these two minutes.

mod catch_up;
mod forget;
mod homeserver;
#[cfg(test)]
mod stand_in;

pub use self::{catch_up::CatchUp, forget::forget_devices, homeserver::RemoteHomeserver};
