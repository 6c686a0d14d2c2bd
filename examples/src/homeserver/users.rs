//! Who has an account, and in what state it is.

use std::{
    collections::{HashMap, HashSet},
    future::ready,
    sync::{Arc, PoisonError, RwLock},
};

use oauth_axum_rs::matrix::{Account, AccountFuture, AccountState, Accounts, DeviceId, UserId};

/// The users of one homeserver, by localpart, in memory. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Users(Arc<RwLock<HashMap<String, User>>>);

/// A user. By default, one who may do everything but moderate.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// May lock and suspend others.
    pub admin: bool,
    /// May only sign out.
    pub locked: bool,
    /// May only read and leave.
    pub suspended: bool,
    /// Is gone.
    pub deactivated: bool,
    /// Has no account of their own.
    pub guest: bool,
    /// Devices that were deleted.
    pub deleted_devices: HashSet<DeviceId>,
}

impl Users {
    /// Adds a user, or takes another's place.
    pub fn insert(&self, localpart: impl Into<String>, user: User) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(localpart.into(), user);
    }

    /// Changes a user; `None` if there is none.
    pub fn change<T>(&self, user: &UserId, change: impl FnOnce(&mut User) -> T) -> Option<T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).get_mut(user.localpart()).map(change)
    }

    /// The same, of the user with this localpart.
    pub fn change_named<T>(&self, localpart: &str, change: impl FnOnce(&mut User) -> T) -> Option<T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).get_mut(localpart).map(change)
    }

    /// Whether the user with this localpart is gone.
    #[must_use]
    pub fn is_deactivated(&self, localpart: &str) -> bool {
        let users = self.0.read().unwrap_or_else(PoisonError::into_inner);
        users.get(localpart).is_some_and(|user| user.deactivated)
    }

    /// Whether the user may moderate.
    #[must_use]
    pub fn is_admin(&self, user: &UserId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(user.localpart()).is_some_and(|user| user.admin)
    }

    fn look_up(&self, user: &UserId, device: Option<&DeviceId>) -> Option<Account> {
        let users = self.0.read().unwrap_or_else(PoisonError::into_inner);
        users.get(user.localpart()).map(|user| user.account(device))
    }
}

impl User {
    fn account(&self, device: Option<&DeviceId>) -> Account {
        let account = Account::new(match self {
            Self { deactivated: true, .. } => AccountState::Deactivated,
            Self { locked: true, .. } => AccountState::Locked,
            Self { suspended: true, .. } => AccountState::Suspended,
            _ => AccountState::Active,
        });
        let account = if self.guest { account.guest() } else { account };
        if device.is_some_and(|device| self.deleted_devices.contains(device)) {
            account.without_device()
        } else {
            account
        }
    }
}

impl Accounts for Users {
    fn account<'a>(&'a self, user: &'a UserId, device: Option<&'a DeviceId>) -> AccountFuture<'a> {
        Box::pin(ready(Ok(self.look_up(user, device))))
    }
}
