//! Devices without a browser, or without a keyboard ([RFC 8628]).
//!
//! The device asks, and shows its person a code and an address. They go there
//! with a browser of their own, type the code, sign in and decide; meanwhile the
//! device asks the token endpoint again and again.
//!
//! Two rows hold all of it, and both are of kinds that there were before. What
//! waits is an interaction of no browser, found by the code that the person
//! types. The person's yes ends it, and makes the grant whose code is the
//! `device_code`, in the same step as any other. The person's code follows from
//! the id of that grant, so the device's code leads to both.
//!
//! # A page of your own
//!
//! [`DeviceSettings::verification_path`] says where it is. It asks
//! [`AuthorizationServer::device`] for what somebody has typed, shows them what
//! the device wants, and ends it with [`DeviceRequest::approve`] or
//! [`DeviceRequest::deny`]:
//!
//! ```
//! use std::net::IpAddr;
//! use oauth_core::{
//!     clock::UnixTime,
//!     engine::{
//!         device::{DeviceDecision, DeviceLookup, Guesser},
//!         fault::Fault,
//!         interaction::Approval,
//!     },
//!     server::AuthorizationServer,
//! };
//!
//! /// Somebody has typed a code. Returns what to go on with: a name for the
//! /// request that is of use in this browser session alone.
//! async fn typed(server: &AuthorizationServer, code: &str, address: IpAddr, session: &str)
//! -> Result<Option<String>, Fault> {
//!     match server.device(code, Guesser::at(Some(address))).await? {
//!         DeviceLookup::Found(request) => Ok(Some(request.ticket(session)?)),
//!         DeviceLookup::Limited { retry_after: _ } => Ok(None), // 429
//!         _ => Ok(None), // ask again
//!     }
//! }
//!
//! /// They were shown [`DeviceRequest::client`], `scope` and `resources`, and said yes.
//! ///
//! /// [`DeviceRequest::client`]: oauth_core::engine::device::DeviceRequest::client
//! async fn said_yes(server: &AuthorizationServer, ticket: &str, session: &str, user: &str, since: UnixTime)
//! -> Result<bool, Fault> {
//!     let Some(request) = server.device_by_ticket(ticket, session).await? else { return Ok(false) };
//!     Ok(request.approve(Approval::new(user).auth_time(since)).await? == DeviceDecision::Decided)
//! }
//! ```
//!
//! Show the person the code again before they say yes, ask whether it is the one
//! on their device, and never skip the question because they have agreed before:
//! whoever sends somebody a link can choose the code in it (RFC 8628 sections 3.3.1
//! and 5.4).
//!
//! [RFC 8628]: https://www.rfc-editor.org/rfc/rfc8628
//! [`AuthorizationServer::device`]: crate::server::AuthorizationServer::device

mod decide;
mod guesses;
mod lookup;
mod settings;
mod start;
mod user_code;

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};

pub use self::{
    decide::DeviceDecision,
    guesses::Guesser,
    lookup::{DeviceLookup, DeviceRequest},
    settings::DeviceSettings,
};
pub(crate) use self::{
    start::{Started, start},
    user_code::UserCode,
};
use crate::{
    authorization_details::AuthorizationDetails,
    client::ClientId,
    clock::UnixTime,
    engine::fault::Fault,
    scope::Scope,
    secret::{Digest, RootSecret, Sealer},
    server::AuthorizationServer,
    token::GrantId,
};
use guesses::Guesses;

/// What a server needs to know where devices may ask.
#[derive(Debug)]
pub(crate) struct Devices {
    pub(crate) settings: DeviceSettings,
    /// One for each root secret, the current one first.
    keys: Vec<hmac::Key>,
    tickets: Sealer,
    guesses: Guesses,
}

/// What a device has asked, as it is parked: its client and its request are good.
#[derive(Serialize, Deserialize)]
struct Asked {
    device_client: ClientId,
    /// The id of the grant that a yes leads to.
    grant: [u8; 16],
    /// The digest of the `device_code`.
    device_code: [u8; 32],
    asked_at: UnixTime,
    ends_at: UnixTime,
    scope: Scope,
    resources: Vec<String>,
    #[serde(default)]
    authorization_details: AuthorizationDetails,
}

impl Devices {
    pub(crate) fn new(settings: DeviceSettings, root: &RootSecret, issuer: &str) -> Self {
        Self {
            guesses: Guesses::new(settings.user_code_failures_per_minute),
            keys: root.hmac_keys(&[b"user code ".as_slice(), issuer.as_bytes()].concat()),
            tickets: root.sealer(b"device ticket"),
            settings,
        }
    }

    /// The code that a person types for `grant`, and the row it leads to: one of
    /// each for every root secret, the current one first.
    fn codes(&self, grant: GrantId) -> impl Iterator<Item = (UserCode, Digest)> {
        self.keys.iter().map(move |key| {
            let code = UserCode::of(key, grant);
            (code, code.row(key))
        })
    }

    /// The rows that `code` may lead to.
    fn rows(&self, code: UserCode) -> impl Iterator<Item = Digest> {
        self.keys.iter().map(move |key| code.row(key))
    }
}

impl AuthorizationServer {
    /// Whether the person of the device that asked for `grant` has yet to decide.
    pub(crate) async fn device_waits(&self, devices: &Devices, grant: GrantId) -> Result<bool, Fault> {
        for (_, row) in devices.codes(grant) {
            let parked = self.store().interaction(row, no_browser(), self.now()).await?;
            let asked = parked.and_then(|parked| serde_json::from_slice::<Asked>(&parked.request).ok());
            if asked.is_some_and(|asked| asked.grant == *grant.as_bytes()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What stands in the place of a browser. None has this digest: theirs are of
/// something longer.
fn no_browser() -> Digest {
    Digest::of(&[b"a device"])
}
