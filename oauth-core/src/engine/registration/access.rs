//! Who may register: initial access tokens ([RFC 7591 section 3]).
//!
//! [RFC 7591 section 3]: https://www.rfc-editor.org/rfc/rfc7591#section-3

use super::{policy::RegistrationOrigin, settings::RegistrationSettings};
use crate::{
    engine::{fault::Fault, policy::HostFuture},
    secret::{Digest, Secret},
};

/// Knows initial access tokens: from a database, say, or by their signature.
pub trait InitialAccessTokens: std::fmt::Debug + Send + Sync + 'static {
    /// Whose `token` is, in words of your own; `None` if it is not good. A
    /// failure is 503.
    ///
    /// It may be anything at all. Compare it in constant time, or by its hash.
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
    /// Whether whoever presents `token` may register.
    pub(crate) async fn admit(&self, token: Option<&Secret>) -> Result<Access, Fault> {
        let Some(token) = token else {
            return Ok(if self.open { Access::Granted(RegistrationOrigin::Open) } else { Access::Missing });
        };
        if self.is_configured(token) {
            return Ok(Access::Granted(RegistrationOrigin::InitialAccess { holder: None }));
        }
        let holder = match &self.verifier {
            Some(verifier) => verifier.holder(token).await?,
            None => None,
        };
        match holder {
            Some(holder) => Ok(Access::Granted(RegistrationOrigin::InitialAccess { holder: Some(holder) })),
            // Where there are none, it cannot have been meant for here.
            None if self.open && self.takes_none() => Ok(Access::Granted(RegistrationOrigin::Open)),
            None => Ok(Access::Wrong),
        }
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
