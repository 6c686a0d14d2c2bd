//! Reciprocal OAuth ([draft-ietf-oauth-reciprocal-04]): a user who connects
//! one service to another lets it work the other way round too, without a
//! second trip through a browser.
//!
//! Party A is a client of party B. When its user has connected the two, A sends
//! B a code of its own, together with its access token from B, which says for whom
//! the code is. B redeems it at A's token endpoint, and can then call A's API.
//!
//! # Party A
//!
//! [`AuthorizationServer::reciprocal_request`] says what to ask the user,
//! [`ReciprocalRequest::approve`] takes their yes and makes the code, and
//! [`AuthorizationServer::reciprocal_code`] does both where the user has been
//! asked already. Whoever sends it to B is an HTTP client:
//!
//! ```
//! use oauth_core::{
//!     client::ClientId,
//!     engine::{interaction::Approval, reciprocal::ReciprocalError},
//!     scope::Scope,
//!     secret::Secret,
//!     server::AuthorizationServer,
//! };
//!
//! /// `said` is the `reciprocal` parameter of B's answer, if it had one; `agreed`,
//! /// what the two services have agreed on beforehand.
//! async fn ask(server: &AuthorizationServer, b: &ClientId, said: Option<&str>, agreed: &Scope)
//! -> Result<Scope, ReciprocalError> {
//!     let request = server.reciprocal_request(b, said, agreed).await?;
//!     Ok(request.scope().clone()) // for the page: exactly this, of `request.client()`
//! }
//!
//! async fn said_yes(server: &AuthorizationServer, b: &ClientId, shown: &Scope, user: &str)
//! -> Result<Secret, ReciprocalError> {
//!     server.reciprocal_request(b, None, shown).await?.approve(Approval::new(user)).await
//! }
//! ```
//!
//! # Party B
//!
//! [`ReciprocalSettings::peer`] names who may send codes. Each that comes is
//! queued in the store before A hears 200, sealed under the root secret. A worker
//! takes them out, and has the HTTP client that this crate has not:
//!
//! ```
//! use oauth_core::{
//!     engine::{fault::Fault, reciprocal::{ReciprocalOutcome, ReciprocalTask}},
//!     server::AuthorizationServer,
//!     token::TokenResponse,
//! };
//!
//! /// What came of a token request to party A.
//! enum Asked {
//!     Tokens(TokenResponse),
//!     /// A has said that the code is no good.
//!     Refused,
//!     /// A could not be reached, or has faults of its own.
//!     Failed,
//! }
//!
//! async fn redeem(task: &ReciprocalTask) -> Asked {
//!     // POST `task.code` to the token endpoint that is configured for `task.link.client`.
//! #   let _ = task;
//!     Asked::Failed
//! }
//!
//! /// Works until nothing is due.
//! async fn work(server: &AuthorizationServer) -> Result<(), Fault> {
//!     let Some(reciprocal) = server.reciprocal() else { return Ok(()) };
//!     // No attempt takes as long as a minute.
//!     while let Some(task) = reciprocal.next(60).await? {
//!         match redeem(&task).await {
//!             Asked::Tokens(tokens) => match reciprocal.redeemed(&task, &tokens).await? {
//!                 ReciprocalOutcome::Stored { replaced: Some(_old) } => {} // revoke the old ones at A
//!                 ReciprocalOutcome::Superseded => {} // revoke the new ones at A
//!                 _ => {}
//!             },
//!             Asked::Refused => reciprocal.refused(&task).await?,
//!             Asked::Failed => drop(reciprocal.failed(&task).await?),
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Servers of different issuers need a store each for this: a queue has one worker's
//! settings.
//!
//! [draft-ietf-oauth-reciprocal-04]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-reciprocal-04
//! [`AuthorizationServer::reciprocal_request`]: crate::server::AuthorizationServer::reciprocal_request
//! [`AuthorizationServer::reciprocal_code`]: crate::server::AuthorizationServer::reciprocal_code

mod consent;
mod queue;
mod sealed;
mod settings;
mod tokens;

use std::{fmt, sync::Arc};

pub(crate) use self::sealed::Reciprocity;
pub use self::{
    consent::{ReciprocalError, ReciprocalRequest},
    queue::{ReciprocalEnd, ReciprocalTask},
    settings::{ReciprocalSettings, ReciprocalTokens},
    tokens::{LinkedTokens, ReciprocalOutcome, ReciprocalSummary},
};
use crate::{server::AuthorizationServer, store::Reciprocals};

/// What party B holds of other parties: codes to redeem, and tokens. From
/// [`AuthorizationServer::reciprocal`]. Clones share everything.
#[derive(Clone)]
pub struct Reciprocal {
    server: AuthorizationServer,
    own: Arc<Reciprocity>,
}

impl AuthorizationServer {
    /// Party B's side of Reciprocal OAuth; `None` where
    /// [`AuthorizationServerBuilder::reciprocal`] was not called.
    ///
    /// [`AuthorizationServerBuilder::reciprocal`]: crate::server::AuthorizationServerBuilder::reciprocal
    #[must_use]
    pub fn reciprocal(&self) -> Option<Reciprocal> {
        let own = Arc::clone(self.reciprocity()?);
        Some(Reciprocal { server: self.clone(), own })
    }
}

impl Reciprocal {
    /// How it was set up.
    #[must_use]
    pub fn settings(&self) -> &ReciprocalSettings {
        &self.own.settings
    }

    fn store(&self) -> &dyn Reciprocals {
        self.server.reciprocals()
    }
}

impl fmt::Debug for Reciprocal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reciprocal").field("settings", &self.own.settings).finish_non_exhaustive()
    }
}
