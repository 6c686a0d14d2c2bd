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

    fn is_gone(&self, subject: &str) -> bool {
        self.accounts.as_ref().is_some_and(|accounts| accounts.is_deactivated(subject))
    }
}

impl Subjects for Members {
    fn is_active<'a>(&'a self, subject: &'a str) -> HostFuture<'a, bool> {
        if self.is_gone(subject) {
            return Box::pin(std::future::ready(Ok(false)));
        }
        self.passwords.is_active(subject)
    }
}

impl pages::Users for Members {
    async fn sign_in(&self, username: &str, password: &Secret) -> Result<Option<pages::User>, Fault> {
        let user = self.passwords.sign_in(username, password).await?;
        Ok(user.filter(|user| !self.is_gone(user.subject())))
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members").finish_non_exhaustive()
    }
}
