//! Who has an account, and in what state it is: what the layer asks the homeserver about.

use std::{
    collections::HashMap,
    future::ready,
    sync::{Arc, Mutex, PoisonError},
};

use oauth_axum_rs::matrix::{Account, AccountFuture, AccountState, Accounts, DeviceId, UserId};
use ruma::OwnedUserId;

/// Everybody who has an account, by their user id. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct People(Arc<Mutex<HashMap<OwnedUserId, Person>>>);

/// What is remembered of a user.
#[derive(Debug, Default)]
pub(crate) struct Person {
    pub(crate) state: AccountState,
    pub(crate) display_name: Option<String>,
    /// Whether there are cross-signing keys, which are not replaced so easily.
    pub(crate) has_keys: bool,
}

impl People {
    pub(crate) fn new(users: Vec<OwnedUserId>) -> Self {
        Self(Arc::new(Mutex::new(users.into_iter().map(|user| (user, Person::default())).collect())))
    }

    /// Looks at a user or changes one; `None` if there is none of that id.
    pub(crate) fn with<T>(&self, user: &str, act: impl FnOnce(&mut Person) -> T) -> Option<T> {
        let user = ruma::UserId::parse(user).ok()?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&user).map(act)
    }
}

/// A device is there for as long as it has a session, and the layer has seen to that.
impl Accounts for People {
    fn account<'a>(&'a self, user: &'a UserId, _device: Option<&'a DeviceId>) -> AccountFuture<'a> {
        Box::pin(ready(Ok(self.with(user.as_str(), |person| Account::new(person.state)))))
    }
}
