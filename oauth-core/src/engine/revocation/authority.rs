//! Who may revoke what is not theirs: a self-care portal, a scanner that finds
//! tokens where they should not be.

use std::future::ready;

use crate::{client::Client, engine::policy::HostFuture, store::GrantFacts};

/// A token that a client wants to revoke which it was not given.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ForeignToken<'a> {
    /// Who asks; it has proven itself by more than its name.
    pub client: &'a Client,
    /// What the token was given for: by whom, to whom.
    pub grant: &'a GrantFacts,
}

/// Says who may revoke the tokens of others. Whoever may, ends what the owner
/// would end; [`Event::ForeignRevocation`](crate::event::Event::ForeignRevocation)
/// tells of it.
///
/// A closure is one, for what needs no waiting:
///
/// ```
/// use oauth_core::{engine::revocation::ForeignToken, server::AuthorizationServer};
/// let builder = AuthorizationServer::builder("https://auth.example")
///     .revocation_authority(|asked: &ForeignToken<'_>| asked.client.id.as_str() == "portal");
/// # drop(builder);
/// ```
pub trait RevocationAuthority: Send + Sync + 'static {
    /// Whether the client may. A failure is 503, and revokes nothing.
    fn may_revoke<'a>(&'a self, token: &'a ForeignToken<'a>) -> HostFuture<'a, bool>;
}

impl<F> RevocationAuthority for F
where
    F: Fn(&ForeignToken<'_>) -> bool + Send + Sync + 'static,
{
    fn may_revoke<'a>(&'a self, token: &'a ForeignToken<'a>) -> HostFuture<'a, bool> {
        Box::pin(ready(Ok(self(token))))
    }
}
