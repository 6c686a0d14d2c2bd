//! What the page needs to know of the host, and what the host is told.

use axum::{body::Body, response::Response};
use http::HeaderMap;
use oauth_core::{client::ClientId, engine::policy::HostFuture, scope::Scope, secret::Secret};

/// What a person is to be asked: whether `client`, which is party B here, may have
/// `scope`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReciprocalAsk {
    /// Who asks.
    pub client: ClientId,
    /// What for: what B's answer said by `reciprocal`, or else what the two have
    /// agreed on (draft-ietf-oauth-reciprocal-04 section 2.1).
    pub scope: Scope,
}

impl ReciprocalAsk {
    /// `client` asks for `scope`.
    #[must_use]
    pub const fn new(client: ClientId, scope: Scope) -> Self {
        Self { client, scope }
    }
}

/// The service that is party A: it has its user's token from party B, and sends
/// codes there. See [`Pages::reciprocal`](crate::pages::Pages::reciprocal).
pub trait ReciprocalHost: Send + Sync + 'static {
    /// What is to be asked in the browser that sent `headers`: it has come back from
    /// B, and the host holds its access token from there. `None` if nothing is.
    ///
    /// Tie what waits to this browser by a cookie: otherwise somebody can have
    /// another's account connected with their own at B.
    fn asked<'a>(&'a self, headers: &'a HeaderMap) -> HostFuture<'a, Option<ReciprocalAsk>>;

    /// The person `subject` has said yes to `ask`: send `code` to B with that access
    /// token ([`initiate`]), and forget what waited. Returned is what they see.
    ///
    /// [`initiate`]: oauth_tower::reciprocal::initiate
    fn allowed<'a>(
        &'a self,
        headers: &'a HeaderMap,
        subject: &'a str,
        ask: ReciprocalAsk,
        code: Secret,
    ) -> HostFuture<'a, Response<Body>>;

    /// The person has said no: nothing is sent. Forget what waited; returned is what
    /// they see.
    fn denied<'a>(&'a self, headers: &'a HeaderMap, ask: ReciprocalAsk) -> HostFuture<'a, Response<Body>>;
}
