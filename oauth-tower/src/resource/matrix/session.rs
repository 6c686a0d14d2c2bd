//! [`Session`]: who sends a request.

use std::{fmt, sync::Arc};

use oauth_core::{
    matrix::{DeviceId, UserId},
    scope::Scope,
};

use super::AccountState;
use crate::resource::ValidatedToken;

/// The user and the device that a request comes from. A
/// [`MatrixLayer`](super::MatrixLayer) puts an `Arc<Session>` into the request's
/// extensions.
///
/// Transaction ids belong to [`Session::user`] and [`Session::device`], and not to a
/// token: a request that is repeated after a refresh is the same one.
pub struct Session {
    pub(super) user: UserId,
    pub(super) device: Option<DeviceId>,
    pub(super) bearer: Bearer,
    pub(super) state: AccountState,
    pub(super) is_guest: bool,
}

/// What speaks for the user.
#[derive(Clone)]
pub(super) enum Bearer {
    Token(Arc<ValidatedToken>),
    Appservice(Arc<str>),
}

impl Session {
    /// The user: `@localpart:server`.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        &self.user
    }

    /// The device that the token is bound to. An application service need not name one.
    #[must_use]
    pub const fn device(&self) -> Option<&DeviceId> {
        self.device.as_ref()
    }

    /// What the token permits; `None` for an application service, which has no scope.
    #[must_use]
    pub fn scope(&self) -> Option<&Scope> {
        self.token().map(|token| token.scope())
    }

    /// The client that the token was issued to, where that is known.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.token()?.client_id()
    }

    /// The token; `None` for an application service.
    #[must_use]
    pub const fn token(&self) -> Option<&Arc<ValidatedToken>> {
        match &self.bearer {
            Bearer::Token(token) => Some(token),
            Bearer::Appservice(_) => None,
        }
    }

    /// The application service that acts for the user, by its id.
    #[must_use]
    pub fn appservice(&self) -> Option<&str> {
        match &self.bearer {
            Bearer::Token(_) => None,
            Bearer::Appservice(id) => Some(id),
        }
    }

    /// Whether the user is a guest.
    #[must_use]
    pub const fn is_guest(&self) -> bool {
        self.is_guest
    }

    /// The state of the account: not always [`AccountState::Active`] where the route is
    /// marked for others. A handler may have to know: who is suspended may redact their own
    /// messages, and no others.
    #[must_use]
    pub const fn account(&self) -> AccountState {
        self.state
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("is_guest", &self.is_guest).finish_non_exhaustive()
    }
}
