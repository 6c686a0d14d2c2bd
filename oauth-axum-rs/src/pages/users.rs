//! Who can sign in.

use oauth_core::{
    engine::{fault::Fault, policy::Subjects},
    secret::Secret,
};

/// A person who has proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    subject: String,
    name: Option<String>,
    acr: Option<String>,
}

impl User {
    /// The user known as `subject`: the stable identifier that becomes the
    /// `sub` of tokens, so never one that is given to somebody else later.
    pub fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), name: None, acr: None }
    }

    /// Sets what the consent page calls them; their subject if not called.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets how well they proved it: an authentication context class reference,
    /// one of those in [`AuthorizationSettings::acr_values`].
    ///
    /// [`AuthorizationSettings::acr_values`]: oauth_core::engine::authorization::AuthorizationSettings::acr_values
    #[must_use]
    pub fn acr(mut self, acr: impl Into<String>) -> Self {
        self.acr = Some(acr.into());
        self
    }

    /// The stable identifier.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// How well they proved it.
    #[must_use]
    pub fn proven_by(&self) -> Option<&str> {
        self.acr.as_deref()
    }

    /// What to call them on a page.
    #[must_use]
    pub fn shown_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.subject)
    }
}

/// The host's users, for the built-in sign-in page.
///
/// Hand the same users to [`AuthorizationServerBuilder::subjects`], so that
/// the refresh tokens of a disabled user end too.
///
/// ```
/// use oauth_axum_rs::{
///     Secret,
///     oauth_core::engine::{fault::Fault, policy::{HostFuture, Subjects}},
///     pages::{User, Users},
/// };
/// # #[derive(Debug)] struct Row { id: String, name: String, disabled: bool }
/// # #[derive(Debug)] struct Database;
/// # impl Database {
/// #     async fn check(&self, _: &str, _: &Secret) -> Result<Option<Row>, std::io::Error> { Ok(None) }
/// #     async fn find(&self, _: &str) -> Result<Option<Row>, std::io::Error> { Ok(None) }
/// # }
/// #[derive(Debug)]
/// struct Accounts(Database);
///
/// impl Users for Accounts {
///     async fn sign_in(&self, username: &str, password: &Secret) -> Result<Option<User>, Fault> {
///         let row = self.0.check(username, password).await.map_err(|error| Fault::Host(error.into()))?;
///         Ok(row.filter(|row| !row.disabled).map(|row| User::new(row.id).name(row.name)))
///     }
/// }
///
/// impl Subjects for Accounts {
///     fn is_active<'a>(&'a self, subject: &'a str) -> HostFuture<'a, bool> {
///         Box::pin(async move {
///             let row = self.0.find(subject).await.map_err(|error| Fault::Host(error.into()))?;
///             Ok(row.is_some_and(|row| !row.disabled))
///         })
///     }
/// }
/// ```
///
/// [`AuthorizationServerBuilder::subjects`]: oauth_core::server::AuthorizationServerBuilder::subjects
pub trait Users: Subjects {
    /// The user with this name and password; `None` if there is none.
    ///
    /// Take as long for a name nobody has as for a wrong password, or the
    /// page tells which names exist. Neither may reach a log.
    ///
    /// # Errors
    /// [`Fault::Host`] if it cannot be told now: the page says 503.
    fn sign_in(&self, username: &str, password: &Secret) -> impl Future<Output = Result<Option<User>, Fault>> + Send;
}

/// So that one set of users can serve pages and server.
impl<U: Users> Users for std::sync::Arc<U> {
    async fn sign_in(&self, username: &str, password: &Secret) -> Result<Option<User>, Fault> {
        U::sign_in(self, username, password).await
    }
}
