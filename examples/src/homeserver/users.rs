//! Who has an account, and in what state it is.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use oauth_axum_rs::matrix::{Account, AccountFuture, AccountState, Accounts, DeviceId, UserId};
use tokio::task::spawn_blocking;

pub use super::accounts_file::AccountsFileError;
use super::{accounts_file::AccountsFile, marks::Marks};

/// The users of one homeserver, by localpart. Who may not act is known in memory alone, or by a file,
/// where it outlives the process and is shared with other nodes. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Users {
    known: Arc<RwLock<HashMap<String, User>>>,
    file: Option<Arc<AccountsFile>>,
}

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
    /// Devices that were deleted. They are known in memory alone.
    pub deleted_devices: HashSet<DeviceId>,
}

/// Why a user is as before.
#[derive(Debug, thiserror::Error)]
pub enum NotChanged {
    /// There is none of this name.
    #[error("there is no such user")]
    NoUser,
    /// It could not be written down.
    #[error(transparent)]
    File(#[from] AccountsFileError),
}

impl Users {
    /// Those of whom this file says who is locked, suspended, deactivated or a guest.
    #[must_use]
    pub fn kept_in(file: impl Into<PathBuf>) -> Self {
        Self { file: Some(Arc::new(AccountsFile::new(file.into()))), ..Self::default() }
    }

    /// Reads the file, after making it if there never was one; nothing without a file. Blocks.
    ///
    /// # Errors
    /// [`AccountsFileError`]: nobody knows who may act.
    pub fn begin(&self) -> Result<(), AccountsFileError> {
        self.file.as_ref().map_or(Ok(()), |file| file.begin())
    }

    /// Finds out that [`Users::begin`] would do, and leaves nothing behind. Blocks.
    ///
    /// # Errors
    /// As there.
    pub fn check(&self) -> Result<(), AccountsFileError> {
        self.file.as_ref().map_or(Ok(()), |file| file.check())
    }

    /// Adds a user, or takes another's place. Where there is a file, it says who is locked, suspended,
    /// deactivated or a guest, and not `user`.
    pub fn insert(&self, localpart: impl Into<String>, user: User) {
        self.write().insert(localpart.into(), user);
    }

    /// The user as of now.
    ///
    /// # Errors
    /// [`AccountsFileError`]: it cannot be found out.
    pub async fn find(&self, localpart: &str) -> Result<Option<User>, AccountsFileError> {
        let Some(user) = self.read().get(localpart).cloned() else { return Ok(None) };
        let Some(file) = &self.file else { return Ok(Some(user)) };
        Ok(Some(user.with(file.current().await?.of(localpart))))
    }

    /// Changes a user. Where there is a file, the change is made to what that says by then, and is on the disk
    /// when this returns: who is locked, suspended, deactivated and a guest, and nothing else of the user. It
    /// blocks for as long as that takes; [`Users::apply`] does not.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn change<T>(&self, user: &UserId, change: impl FnOnce(&mut User) -> T) -> Result<T, NotChanged> {
        self.change_named(user.localpart(), change)
    }

    /// The same, where nothing may block.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub async fn apply<T: Send + 'static>(
        &self,
        localpart: &str,
        change: impl FnOnce(&mut User) -> T + Send + 'static,
    ) -> Result<T, NotChanged> {
        if self.file.is_none() {
            return self.change_named(localpart, change);
        }
        let (users, localpart) = (self.clone(), localpart.to_owned());
        let done = spawn_blocking(move || users.change_named(&localpart, change)).await;
        done.map_err(|error| AccountsFileError::Io { path: PathBuf::new(), source: error.into() })?
    }

    /// Remembers in memory that a device is gone.
    pub(super) fn delete_device(&self, user: &UserId, device: DeviceId) {
        if let Some(user) = self.write().get_mut(user.localpart()) {
            user.deleted_devices.insert(device);
        }
    }

    /// Whether the user with this localpart is gone.
    ///
    /// # Errors
    /// [`AccountsFileError`]: it cannot be found out.
    pub async fn is_deactivated(&self, localpart: &str) -> Result<bool, AccountsFileError> {
        Ok(self.find(localpart).await?.is_some_and(|user| user.deactivated))
    }

    /// The localparts of all of them, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.read().keys().cloned().collect();
        names.sort();
        names
    }

    /// Whether the user may moderate.
    #[must_use]
    pub fn is_admin(&self, user: &UserId) -> bool {
        self.read().get(user.localpart()).is_some_and(|user| user.admin)
    }

    fn change_named<T>(&self, localpart: &str, change: impl FnOnce(&mut User) -> T) -> Result<T, NotChanged> {
        let Some(file) = &self.file else {
            return self.write().get_mut(localpart).map(change).ok_or(NotChanged::NoUser);
        };
        if !self.read().contains_key(localpart) {
            return Err(NotChanged::NoUser);
        }
        let held = file.hold()?;
        // Whatever was changed before is seen from here on.
        let user = self.read().get(localpart).cloned().ok_or(NotChanged::NoUser)?;
        let mut user = user.with(held.marks_of(localpart));
        let done = change(&mut user);
        held.keep(localpart, user.marks())?;
        Ok(done)
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<String, User>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<String, User>> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl User {
    fn marks(&self) -> Marks {
        let Self { locked, suspended, deactivated, guest, .. } = *self;
        Marks { locked, suspended, deactivated, guest }
    }

    fn with(self, marks: Marks) -> Self {
        let Marks { locked, suspended, deactivated, guest } = marks;
        Self { locked, suspended, deactivated, guest, ..self }
    }

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
        Box::pin(async move {
            let found = self.find(user.localpart()).await?;
            Ok(found.map(|user| user.account(device)))
        })
    }
}
