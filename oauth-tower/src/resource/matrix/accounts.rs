//! [`Accounts`]: what the homeserver knows of its users.

use std::{error::Error, fmt, future::Future, pin::Pin, sync::Arc};

use oauth_core::matrix::{DeviceId, UserId};

/// The accounts of a homeserver: its own, which this crate only asks about.
///
/// It is asked for every request with a good token, and nothing of the answer is
/// kept: what is locked is locked for the next request. An implementation
/// that has to ask a database may want to remember for a second.
///
/// ```
/// use oauth_core::matrix::{DeviceId, UserId};
/// use oauth_tower::resource::matrix::{Account, Accounts};
/// use std::{collections::HashMap, error::Error, pin::Pin, future::{Future, ready}, sync::RwLock};
///
/// #[derive(Debug)]
/// struct Users(RwLock<HashMap<String, Account>>);
///
/// impl Accounts for Users {
///     fn account<'a>(
///         &'a self,
///         user: &'a UserId,
///         _device: Option<&'a DeviceId>,
///     ) -> Pin<Box<dyn Future<Output = Result<Option<Account>, Box<dyn Error + Send + Sync>>> + Send + 'a>> {
///         let account = self.0.read().map_err(|_| "poisoned".into()).map(|all| all.get(user.localpart()).cloned());
///         Box::pin(ready(account))
///     }
/// }
/// # let _ = Users(RwLock::default());
/// ```
pub trait Accounts: fmt::Debug + Send + Sync + 'static {
    /// The account of `user`, or `None` if there is none. Where a `device` is given, the
    /// answer says whether the user has it ([`Account::without_device`]).
    ///
    /// # Errors
    /// Any: that it cannot be found out now, which is 503 and says nothing of the user.
    fn account<'a>(&'a self, user: &'a UserId, device: Option<&'a DeviceId>) -> AccountFuture<'a>;
}

/// What [`Accounts::account`] returns.
pub type AccountFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Account>, Box<dyn Error + Send + Sync>>> + Send + 'a>>;

impl<A: Accounts + ?Sized> Accounts for Arc<A> {
    fn account<'a>(&'a self, user: &'a UserId, device: Option<&'a DeviceId>) -> AccountFuture<'a> {
        (**self).account(user, device)
    }
}

/// Takes every user for an active one, and every device for theirs: for servers that
/// end the sessions of whoever may no longer act.
#[derive(Clone, Copy, Debug, Default)]
pub struct EveryAccount;

impl Accounts for EveryAccount {
    fn account<'a>(&'a self, _user: &'a UserId, _device: Option<&'a DeviceId>) -> AccountFuture<'a> {
        Box::pin(std::future::ready(Ok(Some(Account::default()))))
    }
}

/// An account as of now: active, not a guest's, and the device is there, unless
/// said otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Account {
    pub(super) state: AccountState,
    pub(super) is_guest: bool,
    pub(super) lacks_device: bool,
}

/// What an account may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountState {
    /// Everything.
    #[default]
    Active,
    /// Nothing but sign out, until it is unlocked; its tokens are kept ("Account
    /// locking").
    Locked,
    /// What routes are marked for ("Account suspension").
    Suspended,
    /// Nothing, ever again.
    Deactivated,
}

impl Account {
    /// An account in this state.
    pub const fn new(state: AccountState) -> Self {
        Self { state, is_guest: false, lacks_device: false }
    }

    /// A guest's ("Guest access").
    pub const fn guest(mut self) -> Self {
        self.is_guest = true;
        self
    }

    /// The device that was asked about is not there: its tokens are dead at once.
    pub const fn without_device(mut self) -> Self {
        self.lacks_device = true;
        self
    }
}
