//! Who may register: initial access tokens ([RFC 7591 section 3]).
//!
//! [RFC 7591 section 3]: https://www.rfc-editor.org/rfc/rfc7591#section-3

use std::net::IpAddr;

use super::{policy::RegistrationOrigin, settings::RegistrationSettings};
use crate::{
    engine::{
        client_auth::Whose,
        fault::{Failure, Fault},
        policy::HostFuture,
    },
    secret::{Digest, Secret},
    server::AuthorizationServer,
};

/// Knows initial access tokens: from a database, say, or by their signature.
pub trait InitialAccessTokens: std::fmt::Debug + Send + Sync + 'static {
    /// Whose `token` is, in words of your own; `None` if it is not good. A
    /// failure is 503.
    ///
    /// It may be anything at all. Compare it in constant time, or by its hash. Past
    /// [`failures_per_minute`](crate::engine::client_auth::ClientAuthentication::failures_per_minute)
    /// wrong ones from an address, what comes from there is not asked about.
    fn holder<'a>(&'a self, token: &'a Secret) -> HostFuture<'a, Option<String>>;
}

impl<T: InitialAccessTokens + ?Sized> InitialAccessTokens for std::sync::Arc<T> {
    fn holder<'a>(&'a self, token: &'a Secret) -> HostFuture<'a, Option<String>> {
        (**self).holder(token)
    }
}

/// What a request's credentials are worth.
pub(crate) enum Access {
    /// It may register.
    Granted(RegistrationOrigin),
    /// It has no credentials, and needs some.
    Missing,
    /// They are not good.
    Wrong,
}

impl RegistrationSettings {
    /// Whether whoever presents `token` from `address` may register. Fails with
    /// [`Failure::TooMany`], whatever the token is, if too many were wrong.
    pub(crate) async fn admit(
        &self,
        server: &AuthorizationServer,
        token: Option<&Secret>,
        address: Option<IpAddr>,
    ) -> Result<Access, Failure> {
        // Where no token is taken, one cannot have been meant for here.
        let token = token.filter(|_| !(self.open && self.takes_none()));
        let Some(token) = token else {
            return Ok(if self.open { Access::Granted(RegistrationOrigin::Open) } else { Access::Missing });
        };
        let attempt = server.begin_attempt(Whose::Registrant, address)?;
        let origin = self.origin_of(token).await;
        if matches!(origin, Ok(None)) {
            server.auth_limit().failed(&attempt, server.store(), server.now()).await;
        } else {
            server.auth_limit().take_back(&attempt);
        }
        Ok(origin?.map_or(Access::Wrong, Access::Granted))
    }

    /// On whose authority `token` is good, if it is.
    async fn origin_of(&self, token: &Secret) -> Result<Option<RegistrationOrigin>, Fault> {
        if self.is_configured(token) {
            return Ok(Some(RegistrationOrigin::InitialAccess { holder: None }));
        }
        let Some(verifier) = &self.verifier else { return Ok(None) };
        let holder = verifier.holder(token).await?;
        Ok(holder.map(|holder| RegistrationOrigin::InitialAccess { holder: Some(holder) }))
    }

    pub(super) const fn takes_none(&self) -> bool {
        self.tokens.is_empty() && self.verifier.is_none()
    }

    /// Each is compared, in constant time.
    fn is_configured(&self, token: &Secret) -> bool {
        let digest = digest_of(token);
        self.tokens.iter().fold(false, |found, own| found | (*own == digest))
    }
}

pub(super) fn digest_of(token: &Secret) -> Digest {
    Digest::of(&[b"initial access token", token.expose().as_bytes()])
}
