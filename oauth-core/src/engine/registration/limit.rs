//! How often strangers may register ([RFC 7591 section 5]).
//!
//! Wrong tokens are not counted here, but as all wrong secrets are: see
//! [`ClientAuthentication::failures_per_minute`](crate::engine::client_auth::ClientAuthentication::failures_per_minute).
//!
//! [RFC 7591 section 5]: https://www.rfc-editor.org/rfc/rfc7591#section-5

use std::net::IpAddr;

use super::settings::RegistrationSettings;
use crate::{
    engine::{fault::Fault, minute::Minute},
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
        let (most, minute) = (u64::from(self.per_minute), Minute::of(server));
        if let Some(later) = minute.count_from("registrations", address, "", most).await? {
            return Ok(Some(later));
        }
        minute.count_all("registrations", most.saturating_mul(FROM_EVERYWHERE)).await
    }
}
