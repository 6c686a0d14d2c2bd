//! What an operator decides: lifetimes, rotation, resources, who may ask.

use std::{future::Future, pin::Pin};

pub use super::revocation::RevocationPolicy;
use crate::{client::ClientId, engine::fault::Fault, scope::Scope};

/// How long things live, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lifetimes {
    /// An access token: 300.
    pub access: u64,
    /// A grant with a refresh token, from consent: 30 days.
    pub refresh: u64,
    /// A refresh token without use: 7 days.
    pub refresh_idle: u64,
    /// An authorization code: 60; at most 600 (OAuth 2.1 section 4.1.2).
    pub code: u64,
    /// A person's time to sign in and decide: 600.
    pub interaction: u64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self { access: 300, refresh: 2_592_000, refresh_idle: 604_800, code: 60, interaction: 600 }
    }
}

/// What happens to a refresh token that is used (OAuth 2.1 section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// It is replaced; a second use ends the grant.
    Strict,
    /// It is replaced; a second use within the window, while its successor is
    /// unused, gets the same successor again. After that, it ends the grant.
    Grace {
        /// The window, in seconds.
        seconds: u64,
    },
    /// It is replaced; until the new access token or the new refresh token is
    /// first used, a second use gets the same successor again, however much later
    /// that is. After that, it ends the grant. So a client that has lost a response
    /// is never lost itself, as Matrix has it.
    ///
    /// Whoever judges access tokens must tell this server of their use: in this
    /// process, or by introspection. So it is not for JWTs, which are judged
    /// elsewhere: [`BuildError::Rotation`](crate::server::BuildError::Rotation).
    UntilFirstUse,
    /// It stays good. Public clients' tokens are rotated all the same, as
    /// OAuth 2.1 section 6.1 demands: with a window of 20 seconds.
    None,
}

impl Rotation {
    /// The window of [`Rotation::default`].
    pub const DEFAULT_GRACE: u64 = 20;

    /// The rule for a client.
    pub(crate) const fn for_client(self, public: bool) -> Self {
        match self {
            Self::None if public => Self::Grace { seconds: Self::DEFAULT_GRACE },
            other => other,
        }
    }
}

impl Default for Rotation {
    fn default() -> Self {
        Self::Grace { seconds: Self::DEFAULT_GRACE }
    }
}

/// How access tokens for a resource are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenFormat {
    /// A random handle; only this server can say what it means.
    #[default]
    Opaque,
    /// A signed JWT (RFC 9068) that the resource server checks by itself.
    Jwt,
}

/// A resource server that tokens are issued for (RFC 8707).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Resource {
    /// Its identifier: the `resource` parameter and the token's `aud`.
    pub identifier: String,
    /// The scopes it knows; empty means that it takes any.
    pub scopes: Scope,
    /// How its tokens are written.
    pub format: TokenFormat,
    /// The client that may introspect tokens for this resource, and sees only
    /// what concerns it.
    pub introspection_caller: Option<ClientId>,
}

impl Resource {
    /// A resource: an absolute URI without a fragment.
    pub fn new(identifier: impl Into<String>) -> Self {
        Self {
            identifier: identifier.into(),
            scopes: Scope::empty(),
            format: TokenFormat::default(),
            introspection_caller: None,
        }
    }

    /// Sets the scopes it knows.
    #[must_use]
    pub fn scopes(mut self, scopes: Scope) -> Self {
        self.scopes = scopes;
        self
    }

    /// Sets how its tokens are written.
    #[must_use]
    pub const fn format(mut self, format: TokenFormat) -> Self {
        self.format = format;
        self
    }

    /// Names the client that introspects its tokens.
    #[must_use]
    pub fn introspection_caller(mut self, client: ClientId) -> Self {
        self.introspection_caller = Some(client);
        self
    }

    /// RFC 8707 section 2: an absolute URI without a fragment.
    pub(crate) fn is_legal(identifier: &str) -> bool {
        !identifier.contains('#')
            && identifier.bytes().all(|b| b.is_ascii_graphic())
            && url::Url::parse(identifier).is_ok()
    }
}

/// The future of a host's answer.
pub type HostFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// Knows the users: asked before a refresh, so that a disabled user's grants
/// end (draft-16 section 4.3.1).
pub trait Subjects: std::fmt::Debug + Send + Sync + 'static {
    /// Whether `subject` may still act. `Ok(false)` ends the grant; a failure
    /// is 503 and changes nothing.
    fn is_active<'a>(&'a self, subject: &'a str) -> HostFuture<'a, bool>;
}

/// So that pages and server can share one.
impl<S: Subjects + ?Sized> Subjects for std::sync::Arc<S> {
    fn is_active<'a>(&'a self, subject: &'a str) -> HostFuture<'a, bool> {
        (**self).is_active(subject)
    }
}

/// Takes every subject as active: for hosts that revoke a disabled user's
/// grants themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct EverySubject;

impl Subjects for EverySubject {
    fn is_active<'a>(&'a self, _subject: &'a str) -> HostFuture<'a, bool> {
        Box::pin(std::future::ready(Ok(true)))
    }
}
