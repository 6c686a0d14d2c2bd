//! Built-in sign-in and consent pages.
//!
//! They work without scripts, load nothing, and cannot be framed (OAuth 2.1
//! section 9.16). A person who comes from an application signs in, sees who
//! asks for what and where they will be sent, and allows or denies it.
//!
//! ```no_run
//! use axum::Router;
//! use oauth_axum_rs::{
//!     AuthorizationServer, AuthorizationServerExt, Client, PeerExt,
//!     pages::{Pages, PasswordUsers},
//! };
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let users = PasswordUsers::default().user("alice", "$argon2id$v=19$m=19456,t=2,p=1$...")?;
//! let server = AuthorizationServer::builder("https://auth.example")
//!     .client(Client::builder("app").redirect_uri("https://app.example/cb").scope("notes:read").build()?)
//!     .subjects(users.clone())
//!     .build()
//!     .await?;
//! let pages = Pages::new(&server, users).scope_text("notes:read", "Read your notes");
//! let app: Router = server.router().merge(pages.router());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, app.into_make_service_with_peer()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Pages of your own
//!
//! The pages stand on nothing that your app cannot use. Set
//! [`interaction_path`] to where your page is, and there ask
//! [`AuthorizationServer::interaction`] for the request that waits; show it,
//! put [`Interaction::csrf_token`] into your form, and when the form comes
//! back, check the token and call [`approve`] or [`deny`]:
//!
//! ```
//! use axum::{
//!     Form, Router,
//!     extract::{Query, State},
//!     response::{Html, IntoResponse, Response},
//!     routing::get,
//! };
//! use http::{HeaderMap, StatusCode};
//! use oauth_axum_rs::{AuthorizationServer, oauth_core::engine::interaction::Approval};
//!
//! #[derive(serde::Deserialize)]
//! struct Which { id: String }
//!
//! #[derive(serde::Deserialize)]
//! struct Answer { csrf: String, allowed: Option<String> }
//!
//! async fn ask(State(server): State<AuthorizationServer>, Query(which): Query<Which>, headers: HeaderMap)
//! -> Result<impl IntoResponse, StatusCode> {
//!     let found = server.interaction(&which.id, &headers).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
//!     let request = found.ok_or(StatusCode::GONE)?;
//!     // Render with a template that escapes: names are what clients call themselves.
//!     Ok(Html(format!("<form method=post><input type=hidden name=csrf value={}>…", request.csrf_token())))
//! }
//!
//! async fn answer(
//!     State(server): State<AuthorizationServer>,
//!     Query(which): Query<Which>,
//!     headers: HeaderMap,
//!     Form(answer): Form<Answer>,
//! ) -> Result<Response, StatusCode> {
//!     let found = server.interaction(&which.id, &headers).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
//!     let request = found.filter(|one| one.csrf_matches(&answer.csrf)).ok_or(StatusCode::FORBIDDEN)?;
//!     // Who is signed in is for your own session layer to say.
//!     let done = match answer.allowed {
//!         Some(_) => request.approve(Approval::new("user-1")).await,
//!         None => request.deny().await,
//!     };
//!     let answer = done.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?.ok_or(StatusCode::GONE)?;
//!     Ok(answer.into_http().map(axum::body::Body::from)) // a 303
//! }
//!
//! let app: Router<AuthorizationServer> = Router::new().route("/my/consent", get(ask).post(answer));
//! # drop(app);
//! ```
//!
//! [`page::html`] sends a page with the headers that these pages have.
//!
//! [`interaction_path`]: oauth_core::server::AuthorizationServerBuilder::interaction_path
//! [`Interaction::csrf_token`]: oauth_core::engine::interaction::Interaction::csrf_token
//! [`approve`]: oauth_core::engine::interaction::Interaction::approve
//! [`deny`]: oauth_core::engine::interaction::Interaction::deny
//! [`page::html`]: oauth_core::endpoint::page::html

mod about;
mod developers;
mod device;
mod devices;
mod flow;
mod form;
mod form_token;
mod interaction;
mod limit;
mod outside;
mod password;
mod reciprocal;
mod refusal;
mod registration;
mod session;
mod sign_in;
mod signed_in;
mod texts;
mod users;
mod views;
mod visit;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, fmt, sync::Arc};

use axum::{Router, routing::get};
use oauth_core::server::AuthorizationServer;

use self::{
    developers::Desk,
    device::DevicePage,
    devices::DevicesPage,
    limit::SignInLimit,
    reciprocal::{Asking, ReciprocalPage},
    session::Sessions,
    signed_in::HostSignIn,
    texts::Languages,
    visit::{decide, show, show_sign_out, sign_out},
};
pub use self::{
    developers::{DeveloperTerms, Developers, InvalidTermsUri, MayRegister, NoRegistration},
    password::{InvalidPasswordHash, PasswordUsers},
    reciprocal::{ReciprocalAsk, ReciprocalHost},
    signed_in::{BuiltInSessions, HostSessions, HostUsers, SignedIn},
    texts::{
        ChooseTexts, CommonTexts, ConsentTexts, DeveloperFieldTexts, DeveloperProblemTexts, DeveloperTexts,
        DeviceTexts, DevicesTexts, InvalidText, LeaveTexts, MessageTexts, ReciprocalTexts, SignInTexts, SignOutTexts,
        Texts,
    },
    users::{User, Users},
};

/// The pages of an authorization server. See the [module documentation](self).
pub struct Pages<U> {
    inner: Inner<U>,
    developers: Option<Developers>,
    device_page: bool,
    reciprocal: Option<Asking>,
}

struct Inner<U> {
    server: AuthorizationServer,
    users: U,
    sessions: Sessions,
    host_sign_in: Option<HostSignIn>,
    /// Of the host's page that asks, where that is not one of these.
    consent_path: Option<String>,
    /// Of the host's page where people make accounts.
    registration_path: Option<String>,
    limit: SignInLimit,
    scope_texts: HashMap<String, String>,
    languages: Languages,
    auto_approve: Option<User>,
}

/// Approval without asking is for development alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("approving without asking needs a server in development mode")]
pub struct NotInDevelopment;

impl<U: Users> Pages<U> {
    /// Pages for `server`, on which `users` sign in.
    #[must_use]
    pub fn new(server: &AuthorizationServer, users: U) -> Self {
        let inner = Inner {
            server: server.clone(),
            users,
            sessions: Sessions::new(server, 8 * 3600),
            host_sign_in: None,
            consent_path: None,
            registration_path: None,
            limit: SignInLimit::new(10),
            scope_texts: HashMap::new(),
            languages: Languages::default(),
            auto_approve: None,
        };
        Self { inner, developers: None, device_page: true, reciprocal: None }
    }

    /// Sets after how many seconds a person has to sign in again: 8 hours if
    /// not called. A session ends with the browser at the latest. When somebody
    /// signs out, or in anew, it ends at once: on all nodes that share the store,
    /// and in every copy of its cookie.
    #[must_use]
    pub fn session_lifetime(mut self, seconds: u64) -> Self {
        self.inner.sessions.lifetime = seconds;
        self
    }

    /// Sets after how many seconds without use a person has to sign in again:
    /// 0, for never, if not called. Each page of an interaction is a use. It
    /// makes no session last longer than [`Pages::session_lifetime`].
    #[must_use]
    pub fn session_idle_lifetime(mut self, seconds: u64) -> Self {
        self.inner.sessions.idle = seconds;
        self
    }

    /// Leaves it to the host to ask: whoever is signed in and has something to
    /// decide is sent to `path`, a path of this server, with `?id=`. There,
    /// [`AuthorizationServer::interaction`] finds what to ask, and
    /// [`Pages::sessions`] who it is. What needs no page is answered before.
    #[must_use]
    pub fn consent_at(mut self, path: impl Into<String>) -> Self {
        self.inner.consent_path = Some(path.into());
        self
    }

    /// Reads the sessions of these pages, for other pages of the app.
    #[must_use]
    pub fn sessions(&self) -> BuiltInSessions {
        BuiltInSessions::new(&self.inner.server, &self.inner.sessions)
    }

    /// Sets how often a sign-in may fail in a minute, for one user name from
    /// one address: 10 if not called, 0 for no limit. One address may fail ten
    /// times as often for all names together. Past that, the answer is 429.
    ///
    /// Addresses are known where the app is served with its
    /// [`Peer`](crate::PeerExt), or with `SocketAddr` as connect info, and behind
    /// proxies with a [`ProxyLayer`](oauth_tower::proxy::ProxyLayer). Without, a
    /// name is limited by itself.
    #[must_use]
    pub fn sign_in_failures_per_minute(mut self, most: u32) -> Self {
        self.inner.limit = SignInLimit::new(most);
        self
    }

    /// Says in words what a scope allows, for the consent page.
    #[must_use]
    pub fn scope_text(mut self, scope: impl Into<String>, text: impl Into<String>) -> Self {
        self.inner.scope_texts.insert(scope.into(), text.into());
        self
    }

    /// Shows no page at all: `user` counts as signed in and allows everything.
    ///
    /// # Errors
    /// [`NotInDevelopment`] if the server is meant to be used by others.
    pub fn insecure_auto_approve(mut self, user: User) -> Result<Self, NotInDevelopment> {
        if !self.inner.server.is_development() {
            return Err(NotInDevelopment);
        }
        self.inner.auto_approve = Some(user);
        Ok(self)
    }

    /// Leaves the page where people type the codes of their devices to the host,
    /// which has it at [`DeviceSettings::verification_path`]: see
    /// [`device`](oauth_core::engine::device). Otherwise it is one of these, if the
    /// server takes devices at all.
    ///
    /// [`DeviceSettings::verification_path`]: oauth_core::engine::device::DeviceSettings::verification_path
    #[must_use]
    pub const fn without_device_page(mut self) -> Self {
        self.device_page = false;
        self
    }

    /// The pages at the server's interaction path, to be merged at the root of
    /// the app. A page for signing out is at `/sign-out` below it.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let (path, sign_out_path) = (self.inner.path(), self.inner.sign_out_path());
        let interaction = get(show::<U>).post(decide::<U>);
        let sign_out = get(show_sign_out::<U>).post(sign_out::<U>);
        let router = Router::new().without_v07_checks();
        let inner = Arc::new(self.inner);
        let device = DevicePage::new(&inner).filter(|_| self.device_page);
        let device = device.map_or_else(Router::new, DevicePage::router);
        let devices = DevicesPage::new(&inner).map_or_else(Router::new, DevicesPage::router);
        let developers = self.developers.map_or_else(Router::new, |developers| Desk::new(&inner, developers).router());
        let reciprocal = self.reciprocal.map(|asking| ReciprocalPage::new(&inner, asking).router());
        let router = router.route(&path, interaction);
        // Whoever signs people in signs them out.
        let router = if inner.host_sign_in.is_some() { router } else { router.route(&sign_out_path, sign_out) };
        router.with_state(inner).merge(developers).merge(device).merge(devices).merge(reciprocal.unwrap_or_default())
    }
}

impl<U: fmt::Debug> fmt::Debug for Pages<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("users", &self.inner.users).finish_non_exhaustive()
    }
}
