//! How often strangers may register ([RFC 7591 section 5]).
//!
//! Wrong tokens are not counted here, but as all wrong secrets are: see
//! [`ClientAuthentication::failures_per_minute`](crate::engine::client_auth::ClientAuthentication::failures_per_minute).
//!
//! Counted in the store, so all nodes count together. Windows are whole minutes,
//! so that everybody knows when one ends.
//!
//! [RFC 7591 section 5]: https://www.rfc-editor.org/rfc/rfc7591#section-5

use std::net::IpAddr;

use super::settings::RegistrationSettings;
use crate::{
    clock::UnixTime,
    engine::{fault::Fault, remote_address::RemoteAddress},
    secret::Digest,
    server::AuthorizationServer,
};

/// How many times more may come from all addresses together.
const FROM_EVERYWHERE: u64 = 10;

impl RegistrationSettings {
    /// Counts an attempt from `address`. When to come back, in seconds, if there
    /// were too many.
    pub(crate) async fn count(
        &self,
        server: &AuthorizationServer,
        address: Option<IpAddr>,
    ) -> Result<Option<u64>, Fault> {
        let most = u64::from(self.per_minute);
        if most == 0 {
            return Ok(None);
        }
        let now = server.now();
        let minute = now.0 / 60;
        let end = UnixTime(minute.saturating_add(1).saturating_mul(60));
        let from = address.map(|address| RemoteAddress(address).network().to_vec()).unwrap_or_default();
        let everywhere = Digest::of(&[b"registrations ", &minute.to_be_bytes()]);
        let here = Digest::of(&[b"registrations from ", &minute.to_be_bytes(), &from]);
        for (digest, most) in [(here, most), (everywhere, most.saturating_mul(FROM_EVERYWHERE))] {
            if server.store().count_use(digest, end, now).await? > most {
                return Ok(Some(now.until(end).max(1)));
            }
        }
        Ok(None)
    }
}
