//! The registration page for developers.
//!
//! Somebody who signs in says what their application is and where it is sent
//! back to, and gets its client identifier and secret, once. It registers what
//! the registration endpoint would register (RFC 7591): by the same rules, the
//! same settings and the same policy, and counted by the same limit.

mod application;
mod desk;
mod terms;
mod views;

#[cfg(test)]
mod tests;

use std::{fmt, future::ready, sync::Arc};

use oauth_core::engine::policy::HostFuture;

pub(super) use self::desk::Desk;
pub use self::terms::{DeveloperTerms, InvalidTermsUri};
use super::{Pages, users::Users};

/// Sets up the registration page for developers.
///
/// Whoever can sign in may register applications, as long as nothing else is
/// said; the page is at `/developers/register` below the issuer, and is there
/// only where [`Pages::developers`](super::Pages::developers) was called.
///
/// The client's name, website, description, logo and links are kept with it.
/// The logo is the address of a picture, which this server neither fetches nor
/// shows. The developer, the version of the terms and the description are in
/// the [`Developer`](oauth_core::client::Developer) of its registration.
///
/// ```
/// use oauth_axum_rs::{
///     AuthorizationServer,
///     pages::{DeveloperTerms, Developers, Pages, PasswordUsers},
/// };
/// # async fn pages(users: PasswordUsers) -> Result<(), Box<dyn std::error::Error>> {
/// let server = AuthorizationServer::builder("https://auth.example").registration(|it| it).build().await?;
/// let developers = Developers::new()
///     .terms(DeveloperTerms::at("https://example.com/developer-terms", "2026-11")?)
///     .who(|subject: &str| subject.ends_with("@staff.example"));
/// let pages = Pages::new(&server, users).developers(developers)?;
/// # drop(pages);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Developers {
    terms: Option<DeveloperTerms>,
    who: Option<Arc<dyn MayRegister>>,
}

impl Developers {
    /// Every user who can sign in, and no terms to accept.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what a developer has to accept.
    pub fn terms(mut self, terms: DeveloperTerms) -> Self {
        self.terms = Some(terms);
        self
    }

    /// Sets who may register applications: a function of the subject, or a
    /// [`MayRegister`] that looks it up.
    pub fn who(mut self, who: impl MayRegister) -> Self {
        self.who = Some(Arc::new(who));
        self
    }
}

impl<U: Users> Pages<U> {
    /// Serves a page at `/developers/register` below the issuer, on which
    /// developers register applications: see [`Developers`]. There is none if
    /// this is not called.
    ///
    /// # Errors
    /// [`NoRegistration`] if the server takes no registrations.
    pub fn developers(mut self, developers: Developers) -> Result<Self, NoRegistration> {
        if !self.inner.server.takes_registrations() {
            return Err(NoRegistration);
        }
        self.developers = Some(developers);
        Ok(self)
    }
}

impl fmt::Debug for Developers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Developers").field("terms", &self.terms).finish_non_exhaustive()
    }
}

/// Knows which users may register applications. Any `Fn(&str) -> bool` does.
///
/// ```
/// use oauth_axum_rs::{
///     oauth_core::engine::{fault::Fault, policy::HostFuture},
///     pages::MayRegister,
/// };
/// # struct Database;
/// # impl Database { async fn is_member(&self, _: &str, _: &str) -> Result<bool, std::io::Error> { Ok(true) } }
/// struct Members(Database);
/// impl MayRegister for Members {
///     fn may_register<'a>(&'a self, subject: &'a str) -> HostFuture<'a, bool> {
///         Box::pin(async move {
///             self.0.is_member("developers", subject).await.map_err(|error| Fault::Host(error.into()))
///         })
///     }
/// }
/// ```
pub trait MayRegister: Send + Sync + 'static {
    /// Whether the user `subject`, who is signed in, may register applications
    /// now. A failure is 503, and registers nothing.
    fn may_register<'a>(&'a self, subject: &'a str) -> HostFuture<'a, bool>;
}

impl<F: Fn(&str) -> bool + Send + Sync + 'static> MayRegister for F {
    fn may_register<'a>(&'a self, subject: &'a str) -> HostFuture<'a, bool> {
        Box::pin(ready(Ok(self(subject))))
    }
}

/// A page on which clients are registered needs a server that takes
/// registrations, by
/// [`AuthorizationServerBuilder::registration`](oauth_core::server::AuthorizationServerBuilder::registration).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the registration page for developers needs a server that takes registrations")]
pub struct NoRegistration;
