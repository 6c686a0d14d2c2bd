//! A request that was wrong, of a client that nobody vouches for.
//!
//! Whoever can register a client could make of this server a way to any
//! website. So the person is told where they would be sent, once they have
//! signed in, and goes there by a button if at all ([OAuth 2.1 section 9.18.2]).
//!
//! [OAuth 2.1 section 9.18.2]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-01#section-9.18.2

use std::fmt;

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::{
    Interaction,
    held::{Held, Parked},
    shown_host,
};
use crate::{
    client::ClientId,
    engine::{
        authorization::{AuthorizationResponse, ReplyTo, Route, origin},
        fault::Fault,
    },
    error::{ErrorCode, OAuthError},
    server::AuthorizationServer,
};

/// What may wait for a person.
#[derive(Debug)]
#[non_exhaustive]
pub enum Pending {
    /// A request to decide.
    Interaction(Box<Interaction>),
    /// A request that was refused, whose client has yet to hear of it.
    Refusal(Box<Refusal>),
}

/// A refused request, in the hands of the host's page. The page asks the person
/// to sign in, shows [`redirect_host`](Self::redirect_host), and has a button.
///
/// The client's name is left out on purpose: of what a stranger wrote nothing
/// should stand on such a page but the host.
pub struct Refusal {
    held: Held,
    parked: ParkedRefusal,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ParkedRefusal {
    client: ClientId,
    #[serde(flatten)]
    reply: ReplyTo,
    refused_with: ErrorAtRest,
}

#[derive(Serialize, Deserialize)]
struct ErrorAtRest {
    code: String,
    description: String,
}

impl AuthorizationServer {
    /// Parks the answer `error` for the browser that sent `headers`.
    pub(crate) async fn park_refusal(
        &self,
        route: &Route,
        error: &OAuthError,
        headers: &HeaderMap,
    ) -> Result<Parked, Fault> {
        let (code, description) = (error.code().as_str().to_owned(), error.description().to_owned());
        let refused_with = ErrorAtRest { code, description };
        let refusal = ParkedRefusal { client: route.client.id.clone(), reply: route.reply.clone(), refused_with };
        self.park_for(&refusal, headers).await
    }
}

impl Refusal {
    pub(super) const fn new(held: Held, parked: ParkedRefusal) -> Self {
        Self { held, parked }
    }

    /// Its id, as in the page's URL.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.held.id
    }

    /// The host that the browser would be sent to, to be shown; the scheme of an
    /// app's private-use URI.
    #[must_use]
    pub fn redirect_host(&self) -> String {
        shown_host(&self.parked.reply.redirect_uri)
    }

    /// The same as an origin, for the `form-action` of the page.
    #[must_use]
    pub fn redirect_origin(&self) -> String {
        origin(&self.parked.reply.redirect_uri)
    }

    /// What is wrong with the request, for its makers.
    #[must_use]
    pub fn error(&self) -> OAuthError {
        let ErrorAtRest { code, description } = &self.parked.refused_with;
        OAuthError::new(ErrorCode::Other(code.clone().into()), description.clone())
    }

    /// A token for the page's forms, good for this browser alone.
    #[must_use]
    pub fn csrf_token(&self) -> String {
        self.held.csrf_token()
    }

    /// Whether `presented` is [`Refusal::csrf_token`], in constant time.
    #[must_use]
    pub fn csrf_matches(&self, presented: &str) -> bool {
        self.held.csrf_matches(presented)
    }

    /// Tells the client, now that somebody who is signed in has pressed the
    /// button. Returns the answer for the browser; `None` if it went before.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn confirmed_by(self, _subject: &str) -> Result<Option<AuthorizationResponse>, Fault> {
        if !self.held.finish(None).await? {
            return Ok(None);
        }
        Ok(Some(self.parked.reply.refuse(&self.held.server, &self.error())))
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal").field("client", &self.parked.client).finish_non_exhaustive()
    }
}
