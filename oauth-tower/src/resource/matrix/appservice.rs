//! Application services: who they are, and for whom they may act (application service
//! API, "Identity assertion").

use std::{fmt, sync::Arc};

use oauth_core::{
    matrix::{ServerName, UserId},
    secret::{Digest, Secret},
};

/// An application service and its `as_token`.
///
/// ```
/// use oauth_tower::resource::matrix::Appservice;
/// let bridge = Appservice::new("irc", "the as_token", "ircbot").users(|user| user.localpart().starts_with("irc_"));
/// # drop(bridge);
/// ```
#[derive(Clone)]
#[must_use]
pub struct Appservice {
    id: Arc<str>,
    token: Digest,
    sender_localpart: String,
    users: Arc<dyn Fn(&UserId) -> bool + Send + Sync>,
    pub(super) rate_limited: bool,
}

impl Appservice {
    /// One that acts for `sender_localpart` alone. `id` is for your own use.
    /// Only the digest of the token is kept.
    pub fn new(id: impl Into<Arc<str>>, as_token: impl Into<Secret>, sender_localpart: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            token: digest(as_token.into().expose().as_bytes()),
            sender_localpart: sender_localpart.into(),
            users: Arc::new(|_| false),
            rate_limited: false,
        }
    }

    /// It may act for these users too: the `users` namespaces of its
    /// registration, which are regular expressions over whole user ids as a rule.
    pub fn users(mut self, users: impl Fn(&UserId) -> bool + Send + Sync + 'static) -> Self {
        self.users = Arc::new(users);
        self
    }

    /// The limit on requests is for its users as well (`rate_limited`).
    pub const fn rate_limited(mut self) -> Self {
        self.rate_limited = true;
        self
    }

    pub(super) const fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Compared by digests, in constant time.
    pub(super) fn has(&self, token: &Digest) -> bool {
        self.token == *token
    }

    /// The user it is itself, or `None` if the name is none.
    pub(super) fn sender(&self, server: &ServerName) -> Option<UserId> {
        UserId::new(&self.sender_localpart, server.as_str()).ok()
    }

    /// Whether it may act for `user`, beside its sender.
    pub(super) fn may_be(&self, user: &UserId, server: &ServerName) -> bool {
        user.server() == server.as_str() && (self.users)(user)
    }
}

pub(super) fn digest(token: &[u8]) -> Digest {
    Digest::of(&[b"as_token ", token])
}

impl fmt::Debug for Appservice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appservice").field("id", &self.id).finish_non_exhaustive()
    }
}
