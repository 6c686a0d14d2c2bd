//! Interactions: a validated authorization request, parked until its person
//! has signed in and decided.
//!
//! The engine parks the request and sends the browser to the host's page with
//! `?id=`. The page calls [`AuthorizationServer::interaction`], which finds it
//! again only for the browser that started it; what the page may show and
//! decide is on [`Interaction`]. Login and consent belong to the host.
//!
//! # What a page asks first
//!
//! A client may want a fresh sign-in (`prompt=login`, `max_age`), or one of a
//! kind (`acr_values`), or no page at all (`prompt=none`). [`Interaction::approve`]
//! grants nothing that is not so; the page asks beforehand:
//!
//! ```
//! use oauth_core::{
//!     clock::UnixTime,
//!     engine::{
//!         authorization::AuthorizationResponse,
//!         fault::Fault,
//!         interaction::{Approval, ConsentNeed, Interaction, RefusalReason},
//!     },
//! };
//!
//! enum Next {
//!     /// A sign-in, even if somebody is signed in.
//!     SignIn(Interaction),
//!     /// The question. A yes is an [`Approval`] with `remember(true)`.
//!     Ask(Interaction),
//!     /// No page.
//!     Answer(Option<AuthorizationResponse>),
//! }
//!
//! /// `session`: who is signed in, and since when.
//! async fn next(interaction: Interaction, session: Option<(&str, UnixTime)>) -> Result<Next, Fault> {
//!     let silent = interaction.is_silent();
//!     let session = session.filter(|(_, since)| interaction.needs_sign_in(Some(*since), None).is_none());
//!     let no = match session {
//!         Some((user, since)) if interaction.consent(user).await? == ConsentNeed::Given => {
//!             return Ok(Next::Answer(interaction.approve(Approval::new(user).auth_time(since)).await?));
//!         }
//!         Some(_) if !silent => return Ok(Next::Ask(interaction)),
//!         None if !silent => return Ok(Next::SignIn(interaction)),
//!         Some(_) => RefusalReason::ConsentRequired,
//!         None => RefusalReason::LoginRequired,
//!     };
//!     Ok(Next::Answer(interaction.refuse(no).await?))
//! }
//! ```

mod approval;
mod consent;
mod held;
mod pushed;
mod refusal;
mod refuse;
mod sign_in;

use std::sync::Arc;

use http::HeaderMap;

pub use self::{
    approval::Approval,
    consent::{ConsentNeed, WhatIsNew},
    refusal::{Pending, Refusal},
    refuse::RefusalReason,
};
use self::{held::Held, refusal::ParkedRefusal};
pub(crate) use self::{
    held::Parked,
    pushed::{Pushed, REQUEST_URI},
};
use super::{
    authorization::{ValidRequest, origin},
    client_documents::NoClient,
    fault::Fault,
};
use crate::{
    authorization_details::AuthorizationDetails, client::Client, params, scope::Scope, server::AuthorizationServer,
};

/// A request that waits for its person, in the hands of the host's page.
///
/// It holds validated facts only; the redirect URI is the registered one. It
/// can be decided once: [`Interaction::approve`] and [`Interaction::deny`]
/// consume it, here and in the store.
pub struct Interaction {
    held: Held,
    client: Arc<Client>,
    request: ValidRequest,
}

impl AuthorizationServer {
    /// The interaction `id`, if it was started by the browser that sent
    /// `headers` and still waits; `None` for everyone else.
    ///
    /// A page for clients that register themselves, or are described by a
    /// document of their own, asks for what is [`pending`](Self::pending).
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn interaction(&self, id: &str, headers: &HeaderMap) -> Result<Option<Interaction>, Fault> {
        Ok(match self.pending(id, headers).await? {
            Some(Pending::Interaction(interaction)) => Some(*interaction),
            Some(Pending::Refusal(_)) | None => None,
        })
    }

    /// Whatever waits under `id`, if it was started by the browser that sent
    /// `headers`: an interaction, or a refusal that a client should hear of
    /// which the operator does not vouch for.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn pending(&self, id: &str, headers: &HeaderMap) -> Result<Option<Pending>, Fault> {
        let Some((held, parked)) = self.held(id, headers).await? else { return Ok(None) };
        if let Ok(request) = serde_json::from_slice::<ValidRequest>(&parked) {
            let client = self.client_of(&request).await?;
            let interaction = client.map(|client| Interaction { held, client, request });
            return Ok(interaction.map(|interaction| Pending::Interaction(Box::new(interaction))));
        }
        let Ok(parked) = serde_json::from_slice::<ParkedRefusal>(&parked) else { return Ok(None) };
        Ok(Some(Pending::Refusal(Box::new(Refusal::new(held, parked)))))
    }

    /// Where the page for what waits under `id` is: an absolute path, which says
    /// nothing of the host that a browser sees.
    #[must_use]
    pub fn interaction_url(&self, id: &str) -> String {
        let id = params::encode([("id", id.into())]);
        format!("{}{}?{id}", self.issuer_path(), self.interaction_path())
    }

    /// The client that asked for `request`. One that was deleted meanwhile gets
    /// nothing, and neither does one whose document says something else by now.
    async fn client_of(&self, request: &ValidRequest) -> Result<Option<Arc<Client>>, Fault> {
        match self.named_client(&request.client).await {
            Ok(client) => Ok(Some(client).filter(|client| request.may_be_answered_to(self, client))),
            Err(NoClient::Unknown(_) | NoClient::Document(_)) => Ok(None),
            Err(NoClient::Fault(fault)) => Err(fault),
        }
    }

    /// Parks `request` for the browser that sent `headers`.
    pub(crate) async fn park(&self, request: &ValidRequest, headers: &HeaderMap) -> Result<Parked, Fault> {
        self.park_for(request, headers).await
    }
}

impl Interaction {
    /// Its id, as in the page's URL.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.held.id
    }

    /// Who asks.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The host of the document that describes the client, if nobody has registered
    /// it: show it to the person, since it is all that is known for certain of such
    /// a client (Client ID Metadata Document draft section 7.1).
    #[must_use]
    pub fn client_host(&self) -> Option<String> {
        self.client.document_host()
    }

    /// The host that the code will be sent to, to be shown; the scheme of an
    /// app's private-use URI.
    #[must_use]
    pub fn redirect_host(&self) -> String {
        shown_host(&self.request.reply.redirect_uri)
    }

    /// The origin of the redirect URI, or its scheme and a colon, for the
    /// `form-action` of the page: browsers apply it to the redirect after the
    /// POST.
    #[must_use]
    pub fn redirect_origin(&self) -> String {
        origin(&self.request.reply.redirect_uri)
    }

    /// What it asks for.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.request.scope
    }

    /// What it asks for beyond the scope (RFC 9396): everything in it comes from the
    /// client, so escape what you show.
    #[must_use]
    pub const fn authorization_details(&self) -> &AuthorizationDetails {
        &self.request.authorization_details
    }

    /// Where: resource identifiers.
    #[must_use]
    pub fn resources(&self) -> &[String] {
        &self.request.resources
    }

    /// A token for the page's forms, good for this interaction in this browser
    /// alone (OAuth 2.1 section 9.15).
    #[must_use]
    pub fn csrf_token(&self) -> String {
        self.held.csrf_token()
    }

    /// Whether `presented` is [`Interaction::csrf_token`], in constant time.
    #[must_use]
    pub fn csrf_matches(&self, presented: &str) -> bool {
        self.held.csrf_matches(presented)
    }
}

impl std::fmt::Debug for Interaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interaction").field("client", &self.client.id).finish_non_exhaustive()
    }
}

/// The host of `uri`, or its scheme.
fn shown_host(uri: &str) -> String {
    let url = url::Url::parse(uri).ok();
    let host = url.as_ref().and_then(|url| url.host_str());
    host.or(url.as_ref().map(url::Url::scheme)).unwrap_or_default().to_owned()
}
