//! The page that asks, and this server behind it.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderMap, Response, header::SET_COOKIE},
};
use oauth_axum_rs::{
    Secret,
    oauth_tower::reciprocal::initiate,
    pages::{ReciprocalAsk, ReciprocalHost},
};
use oauth_core::engine::policy::HostFuture;

use super::{
    connect::{Party, Shared},
    cookies::{Connected, carried, dropped},
    said::Said,
};

/// What a browser carries that has been to party B is what is asked.
#[derive(Debug)]
pub struct Host(pub(super) Arc<Shared>);

impl Host {
    fn connected(&self, headers: &HeaderMap) -> Option<(&Party, Connected)> {
        let connected: Connected = carried(&self.0.server, headers)?;
        Some((self.0.party(&connected.name)?.0, connected))
    }

    /// The end of it: the browser forgets the token.
    fn end(&self, said: Said) -> Response<Body> {
        let mut page = said.page();
        page.headers_mut().append(SET_COOKIE, dropped::<Connected>(&self.0.server));
        page
    }
}

impl ReciprocalHost for Host {
    fn asked<'a>(&'a self, headers: &'a HeaderMap) -> HostFuture<'a, Option<ReciprocalAsk>> {
        Box::pin(async {
            let Some((party, connected)) = self.connected(headers) else { return Ok(None) };
            // It was a scope when it was sealed; an empty one is refused by name.
            let scope = connected.scope.parse().unwrap_or_default();
            Ok(Some(ReciprocalAsk::new(party.initiator.client.clone(), scope)))
        })
    }

    fn allowed<'a>(
        &'a self,
        headers: &'a HeaderMap,
        _subject: &'a str,
        _ask: ReciprocalAsk,
        code: Secret,
    ) -> HostFuture<'a, Response<Body>> {
        Box::pin(async move {
            let Some((party, connected)) = self.connected(headers) else { return Ok(self.end(Said::Unasked)) };
            let name = &party.initiator.name;
            Ok(match initiate(&party.initiator.at, &code, &Secret::new(connected.access_token)).await {
                Ok(answer) if answer.is_accepted() => self.end(Said::Connected),
                Ok(answer) => {
                    tracing::warn!(name, status = %answer.status, error = answer.error, "a party did not take a code");
                    self.end(Said::NotTaken)
                }
                Err(error) => {
                    tracing::warn!(name, %error, "a code could not be sent");
                    // The token stays: the page can be gone to again.
                    Said::from(&error).page()
                }
            })
        })
    }

    fn denied<'a>(&'a self, _headers: &'a HeaderMap, _ask: ReciprocalAsk) -> HostFuture<'a, Response<Body>> {
        Box::pin(async { Ok(self.end(Said::Denied)) })
    }
}
