//! Who is signed in, and who says so: these pages, or the host's own session
//! layer.

use std::fmt;

use http::{HeaderMap, HeaderValue};
use oauth_core::{
    clock::UnixTime,
    engine::{
        fault::Fault,
        policy::{HostFuture, Subjects},
    },
    secret::Secret,
    server::AuthorizationServer,
};

use super::{
    Pages,
    session::Sessions,
    users::{User, Users},
};

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    pub(super) subject: String,
    pub(super) name: String,
    pub(super) username: String,
    pub(super) auth_time: Option<UnixTime>,
    pub(super) acr: Option<String>,
    /// The id of the request that they signed in for; `None` if nobody knows.
    pub(super) signed_in_for: Option<String>,
}

impl SignedIn {
    /// The user known as `subject`: see [`User::new`].
    pub fn new(subject: impl Into<String>) -> Self {
        let subject = subject.into();
        Self {
            name: subject.clone(),
            subject,
            username: String::new(),
            auth_time: None,
            acr: None,
            signed_in_for: None,
        }
    }

    /// Sets what the pages call them; their subject if not called.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets when they last proved who they are. Without it, no request that wants
    /// a fresh sign-in can be approved.
    #[must_use]
    pub const fn auth_time(mut self, time: UnixTime) -> Self {
        self.auth_time = Some(time);
        self
    }

    /// Sets how well they did: see [`User::acr`].
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

    /// What to call them on a page.
    #[must_use]
    pub fn shown_name(&self) -> &str {
        &self.name
    }

    /// When they last proved who they are.
    #[must_use]
    pub const fn signed_in_at(&self) -> Option<UnixTime> {
        self.auth_time
    }

    /// How well they did.
    #[must_use]
    pub fn proven_by(&self) -> Option<&str> {
        self.acr.as_deref()
    }
}

/// The host's own session layer, which signs people in on a page of its own:
/// see [`Pages::with_sign_in_at`](super::Pages::with_sign_in_at).
pub trait HostSessions: Send + Sync + 'static {
    /// Who is signed in with the browser that sent `headers`, and still may be.
    /// A failure is 503.
    fn signed_in<'a>(&'a self, headers: &'a HeaderMap) -> HostFuture<'a, Option<SignedIn>>;
}

/// Where the host signs people in, and how these pages hear of it.
pub(super) struct HostSignIn {
    /// Of this server: never from a request.
    pub(super) path: String,
    pub(super) sessions: Box<dyn HostSessions>,
}

impl Pages<HostUsers> {
    /// Pages that ask for consent, and leave it to the host to sign people in:
    /// who must sign in is sent to `path`, a path of this server, with `?id=`,
    /// and with `&again=1` where the session there is does not do. Once it does,
    /// send them back to [`AuthorizationServer::interaction_url`] of that `id`.
    /// A person who wants to use another account comes with `&again=1` too.
    ///
    /// Whoever has typed the code of a device is sent there with `?device=` instead
    /// of `?id=`. Send them back to [`AuthorizationServer::device_path`], with
    /// `?request=` and the same value.
    ///
    /// The pages do not sign anybody out then.
    #[must_use]
    pub fn with_sign_in_at(server: &AuthorizationServer, path: impl Into<String>, sessions: impl HostSessions) -> Self {
        let mut pages = Self::new(server, HostUsers);
        pages.inner.host_sign_in = Some(HostSignIn { path: path.into(), sessions: Box::new(sessions) });
        pages
    }
}

/// Who is signed in on the built-in pages, for a page of the host's own; made by
/// [`Pages::sessions`](super::Pages::sessions).
pub struct BuiltInSessions {
    server: AuthorizationServer,
    sessions: Sessions,
}

impl BuiltInSessions {
    pub(super) fn new(server: &AuthorizationServer, sessions: &Sessions) -> Self {
        let mut own = Sessions::new(server, sessions.lifetime);
        own.idle = sessions.idle;
        Self { server: server.clone(), sessions: own }
    }

    /// Who is signed in with the browser that sent `headers`: nobody, once they
    /// have signed out. Whether they still may be is the host's to know: it has
    /// their accounts.
    ///
    /// # Errors
    /// [`Fault`] if the store cannot be asked whether the session was ended. Answer
    /// 503 then: nobody knows.
    pub async fn signed_in(&self, headers: &HeaderMap) -> Result<Option<SignedIn>, Fault> {
        Ok(self.sessions.read(&self.server, headers).await?.map(SignedIn::from))
    }

    /// Signs in `user`, who has just made an account for the request with this id and will sign in
    /// as `username`: the value of a `Set-Cookie`. The session that the browser had ends.
    /// See [`Pages::registration_at`](super::Pages::registration_at).
    ///
    /// Only in answer to a form that was checked, say by [`Interaction::csrf_matches`]: otherwise
    /// other websites sign people in as somebody else.
    ///
    /// # Errors
    /// [`Fault`] if the store cannot be told of the end of the session before, or the cookie
    /// cannot be made.
    ///
    /// [`Interaction::csrf_matches`]: oauth_core::engine::interaction::Interaction::csrf_matches
    pub async fn begin(
        &self,
        headers: &HeaderMap,
        user: &User,
        username: &str,
        id: &str,
    ) -> Result<HeaderValue, Fault> {
        let session = self.sessions.begin(&self.server, user, username, id).await?;
        self.sessions.end(&self.server, headers).await?;
        Ok(session)
    }
}

impl fmt::Debug for BuiltInSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuiltInSessions").finish_non_exhaustive()
    }
}

/// Nobody, as far as these pages know: the host signs people in.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HostUsers;

impl Subjects for HostUsers {
    fn is_active<'a>(&'a self, _subject: &'a str) -> HostFuture<'a, bool> {
        Box::pin(std::future::ready(Ok(true)))
    }
}

impl Users for HostUsers {
    async fn sign_in(&self, _username: &str, _password: &Secret) -> Result<Option<User>, Fault> {
        Ok(None)
    }
}
