//! What Matrix puts into OAuth: user ids, devices, and the scopes that name
//! them ([Matrix client-server API], "OAuth 2.0 API").
//!
//! ```
//! use oauth_core::matrix::{UserId, device_of, has_api};
//! use oauth_core::scope::Scope;
//!
//! let scope: Scope = "urn:matrix:client:api:* urn:matrix:client:device:JLAFKJWSCS".parse()?;
//! assert!(has_api(&scope));
//! assert_eq!(device_of(&scope)?.unwrap().as_str(), "JLAFKJWSCS");
//!
//! let alice = UserId::new("alice", "example.org")?;
//! assert_eq!(alice.as_str(), "@alice:example.org");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [Matrix client-server API]: https://spec.matrix.org/latest/client-server-api/

mod device;
mod user_id;

pub use self::{
    device::{
        API, DEVICE, DeviceId, InvalidDeviceId, SeveralDevices, UNSTABLE_API, UNSTABLE_DEVICE, device_of, has_api,
    },
    user_id::{InvalidUserId, ServerName, UserId},
};
