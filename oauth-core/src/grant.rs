//! The grants: one file each, named by its `grant_type`, over one trait that
//! yours can implement too.

mod answer;
mod authorization_code;
mod client_credentials;
mod device_code;
mod jwt_bearer;
mod new_grant;
mod reciprocal;
mod refresh_token;
mod registry;
mod token_exchange;
mod trusted_issuer;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

pub use self::{
    answer::GrantAnswer,
    jwt_bearer::JwtBearer,
    new_grant::NewGrant,
    token_exchange::{Acting, ExchangeRule, MayAct, TokenExchange},
    trusted_issuer::TrustedIssuer,
};
pub(crate) use self::{device_code::DeviceCode, reciprocal::Reciprocal, registry::Grants};
pub use crate::engine::{fault::Failure, issue::TokenRequest, sender::Sender};
use crate::{
    client::{Client, ClientId, GrantType},
    engine::fault::Fault,
    params::Params,
    scope::Scope,
    server::AuthorizationServer,
    store::Grant,
};

/// The future of a grant's answer.
pub type GrantFuture<'a> = Pin<Box<dyn Future<Output = Result<GrantAnswer, Failure>> + Send + 'a>>;

/// A way to get tokens at the token endpoint (OAuth 2.1 section 4): the built-in
/// ones, and yours ([section 4.3]).
///
/// When it is asked, the client has proven itself and is registered for this
/// grant type, and the proofs of its keys are good. What is left is to judge what
/// the request offers, and to say what it is worth as a [`NewGrant`].
///
/// ```
/// use std::collections::HashMap;
/// use oauth_core::{
///     client::GrantType, error::OAuthError,
///     grant::{GrantFuture, NewGrant, TokenGrant, TokenRequest}, server::AuthorizationServer,
/// };
///
/// const TICKET: GrantType = GrantType::from_static("https://example.com/oauth/ticket");
///
/// /// Tokens for a ticket that was bought elsewhere: whose each of them is.
/// struct Tickets(HashMap<String, String>);
///
/// impl TokenGrant for Tickets {
///     fn grant_type(&self) -> GrantType {
///         TICKET
///     }
///
///     fn issue<'a>(&'a self, server: &'a AuthorizationServer, request: TokenRequest<'a>) -> GrantFuture<'a> {
///         Box::pin(async move {
///             let ticket = request.params().require("ticket")?;
///             let buyer = self.0.get(ticket).ok_or_else(|| OAuthError::invalid_grant("there is no such ticket"))?;
///             Ok(request.issue(server, NewGrant::for_subject(buyer)).await?.into())
///         })
///     }
/// }
///
/// impl std::fmt::Debug for Tickets {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str("Tickets(..)")
///     }
/// }
///
/// let builder = AuthorizationServer::builder("https://auth.example").grant(Tickets(HashMap::new()));
/// # drop(builder);
/// ```
///
/// [section 4.3]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-01#section-4.3
pub trait TokenGrant: fmt::Debug + Send + Sync + 'static {
    /// The `grant_type` that it answers: an absolute URI, if it is your own.
    fn grant_type(&self) -> GrantType;

    /// Answers a request. Refuse with an [`OAuthError`](crate::error::OAuthError),
    /// and let every failure of your own be a [`Fault`]: the client then hears 503,
    /// never that what it offered is no good.
    ///
    /// The future may be dropped at any time, as the client may hang up.
    fn issue<'a>(&'a self, server: &'a AuthorizationServer, request: TokenRequest<'a>) -> GrantFuture<'a>;

    /// The configured client for which a request counts that names none (RFC 7521
    /// section 4.1). By default, and for `None`, whoever asks must prove who they
    /// are.
    ///
    /// Nothing of `params` has been checked.
    fn client_of_nobody(&self, params: &Params) -> Option<ClientId> {
        let _ = params;
        None
    }

    /// The clients that it brings along, to stand for nobody. They are known
    /// from the start, as if they had been configured. `declared` is every scope that
    /// a resource of the server declares.
    fn clients(&self, declared: &Scope) -> Vec<Client> {
        let _ = declared;
        Vec::new()
    }

    /// Whether it can work in `server`, which is about to start.
    ///
    /// # Errors
    /// What is wrong, for the operator: it becomes
    /// [`BuildError::Grant`](crate::server::BuildError::Grant).
    fn check(&self, server: &AuthorizationServer) -> Result<(), String> {
        let _ = server;
        Ok(())
    }
}

/// For one that its owner keeps a handle of.
impl<G: TokenGrant + ?Sized> TokenGrant for Arc<G> {
    fn grant_type(&self) -> GrantType {
        (**self).grant_type()
    }

    fn issue<'a>(&'a self, server: &'a AuthorizationServer, request: TokenRequest<'a>) -> GrantFuture<'a> {
        (**self).issue(server, request)
    }

    fn client_of_nobody(&self, params: &Params) -> Option<ClientId> {
        (**self).client_of_nobody(params)
    }

    fn clients(&self, declared: &Scope) -> Vec<Client> {
        (**self).clients(declared)
    }

    fn check(&self, server: &AuthorizationServer) -> Result<(), String> {
        (**self).check(server)
    }
}

/// Whether the user behind a grant may still act. If not, the grant ends here
/// (draft-16 section 4.3.1).
async fn subject_may_act(server: &AuthorizationServer, grant: &Grant) -> Result<bool, Fault> {
    let Some(subject) = &grant.facts.subject else { return Ok(true) };
    if server.subjects().is_active(subject).await? {
        return Ok(true);
    }
    let _outcome = server.revoke_grant(grant.id).await?;
    Ok(false)
}
