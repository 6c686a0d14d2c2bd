//! Who may act for whom, as the host says ([RFC 8693 section 4.4]).
//!
//! [RFC 8693 section 4.4]: https://www.rfc-editor.org/rfc/rfc8693#section-4.4

use std::fmt;

use crate::{client::ClientId, engine::policy::HostFuture};

/// Knows who may act for whom: asked at each exchange, after the claim `may_act` of a
/// token that bears one. See [`TokenExchange::may_act`](super::TokenExchange::may_act).
///
/// ```
/// use oauth_core::{engine::policy::HostFuture, grant::{Acting, MayAct, TokenExchange}};
///
/// /// The help desk may act for everyone, and nobody for the director.
/// #[derive(Debug)]
/// struct HelpDesk;
///
/// impl MayAct for HelpDesk {
///     fn may_act<'a>(&'a self, acting: Acting<'a>) -> HostFuture<'a, bool> {
///         let own = acting.subject_issuer.is_none() && acting.actor_issuer.is_none();
///         let may = own && acting.actor == "help-desk" && acting.subject != "director";
///         Box::pin(async move { Ok(may) })
///     }
/// }
/// let exchange = TokenExchange::default().may_act(HelpDesk);
/// # drop(exchange);
/// ```
pub trait MayAct: fmt::Debug + Send + Sync + 'static {
    /// Whether they may. `Ok(false)` refuses the exchange with `invalid_request`; a
    /// failure is 503, and issues nothing.
    fn may_act<'a>(&'a self, acting: Acting<'a>) -> HostFuture<'a, bool>;
}

/// Who is about to act for whom.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Acting<'a> {
    /// The `sub` of the subject token: a user, or a client that acts for itself.
    pub subject: &'a str,
    /// Who says so; `None` for this server.
    pub subject_issuer: Option<&'a str>,
    /// The `sub` of the actor token; without one, the client that asks, which takes the
    /// subject's place.
    pub actor: &'a str,
    /// Who says so; `None` for this server.
    pub actor_issuer: Option<&'a str>,
    /// The client that asks.
    pub client: &'a ClientId,
}
