//! Those who sign in, as far as the homeserver lets them.

use std::fmt;

use oauth_axum_rs::{
    Secret,
    pages::{self, PasswordUsers},
};
use oauth_core::engine::{
    fault::Fault,
    policy::{HostFuture, Subjects},
};

use super::Users;

/// Users with passwords, some of whom the homeserver may have deactivated.
#[derive(Clone)]
pub struct Members {
    passwords: PasswordUsers,
    accounts: Option<Users>,
}

impl Members {
    /// `accounts`: where there is a homeserver.
    #[must_use]
    pub const fn new(passwords: PasswordUsers, accounts: Option<Users>) -> Self {
        Self { passwords, accounts }
    }

    async fn is_gone(&self, subject: &str) -> Result<bool, Fault> {
        let Some(accounts) = &self.accounts else { return Ok(false) };
        accounts.is_deactivated(subject).await.map_err(|error| Fault::Host(error.into()))
    }
}

impl Subjects for Members {
    fn is_active<'a>(&'a self, subject: &'a str) -> HostFuture<'a, bool> {
        Box::pin(async move { Ok(!self.is_gone(subject).await? && self.passwords.is_active(subject).await?) })
    }
}

impl pages::Users for Members {
    async fn sign_in(&self, username: &str, password: &Secret) -> Result<Option<pages::User>, Fault> {
        let Some(user) = self.passwords.sign_in(username, password).await? else { return Ok(None) };
        Ok(if self.is_gone(user.subject()).await? { None } else { Some(user) })
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members").finish_non_exhaustive()
    }
}
