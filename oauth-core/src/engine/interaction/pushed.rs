//! Interactions that a client has pushed ([RFC 9126]): parked before there is a
//! browser.
//!
//! The row belongs to nobody. Whoever brings the reference in time, as the client
//! that pushed it, is given an id for the interaction page: the reference and the
//! time, sealed for this browser's cookie. So the page finds the row for that browser, and its
//! address gives the reference away to nobody. The row is consumed when one of
//! them ends the interaction, by the same step as any other.
//!
//! [RFC 9126]: https://www.rfc-editor.org/rfc/rfc9126

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::held::{Parked, browser_digest, id_digest};
use crate::{
    client::ClientId,
    clock::{UnixTime, random_bytes},
    engine::{authorization::ValidRequest, fault::Fault},
    secret::{Digest, Secret},
    server::AuthorizationServer,
    store::ParkedInteraction,
};

/// What a `request_uri` of this server begins with (RFC 9126 section 2.2).
pub(crate) const REQUEST_URI: &str = "urn:ietf:params:oauth:request_uri:";

/// The length of an id that was not pushed: 32 bytes in base64url.
const ID_LENGTH: usize = 43;

/// What the client is told.
pub(crate) struct Pushed {
    pub(crate) request_uri: Secret,
    /// In seconds.
    pub(crate) expires_in: u64,
}

/// A pushed request at rest.
#[derive(Serialize, Deserialize)]
struct PushedRequest {
    /// Until when a browser may bring the reference.
    start_before: UnixTime,
    pushed: ValidRequest,
}

/// Where an interaction is kept.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) id: Digest,
    pub(super) browser: Digest,
    /// When this browser brought the reference, if the request was pushed.
    started: Option<UnixTime>,
}

impl Row {
    /// The row of the interaction that `browser` knows as `id`.
    pub(super) fn of(server: &AuthorizationServer, id: &str, browser: &str) -> Option<Self> {
        if id.len() == ID_LENGTH {
            return Some(Self { id: id_digest(id), browser: browser_digest(browser), started: None });
        }
        let sealed = URL_SAFE_NO_PAD.decode(id).ok()?;
        let opened = server.pushed_requests().open(browser.as_bytes(), &sealed)?;
        let (started, reference) = opened.split_first_chunk()?;
        let started = Some(UnixTime(u64::from_be_bytes(*started)));
        Some(Self { started, ..Self::pushed(std::str::from_utf8(reference).ok()?) })
    }

    /// The row of a pushed request, wherever it is wanted.
    fn pushed(reference: &str) -> Self {
        let id = Digest::of(&[b"pushed request ", reference.as_bytes()]);
        // No browser has this digest: theirs are of something longer.
        Self { id, browser: Digest::of(&[b"no browser"]), started: None }
    }

    /// What is in this row, as if this browser had begun with all of it.
    pub(super) fn read(self, parked: Vec<u8>) -> Option<Vec<u8>> {
        let Some(started) = self.started else { return Some(parked) };
        let PushedRequest { mut pushed, .. } = serde_json::from_slice(&parked).ok()?;
        // The person is asked now: a sign-in before that was not for this request.
        pushed.wanted.asked_at = started;
        serde_json::to_vec(&pushed).ok()
    }
}

impl AuthorizationServer {
    /// Parks `request` until a browser brings the reference.
    pub(crate) async fn park_pushed(&self, request: ValidRequest) -> Result<Pushed, Fault> {
        let reference = URL_SAFE_NO_PAD.encode(random_bytes::<32>(self.random())?);
        let row = Row::pushed(&reference);
        let expires_in = self.authorization().pushed.lifetime;
        let start_before = self.now().saturating_add(expires_in);
        let request = PushedRequest { start_before, pushed: request };
        let parked = ParkedInteraction {
            id: row.id,
            browser: row.browser,
            request: serde_json::to_vec(&request).map_err(|_| Fault::Internal("a request cannot be serialized"))?,
            // Whoever starts at the last moment has as long as everyone.
            expires_at: start_before.saturating_add(self.lifetimes().interaction),
        };
        self.store().park_interaction(parked).await?;
        Ok(Pushed { request_uri: format!("{REQUEST_URI}{reference}").into(), expires_in })
    }

    /// What `client` has pushed under `reference`, for the browser that sent
    /// `headers`; `None` if it is another client's, is over, or never was.
    pub(crate) async fn start_pushed(
        &self,
        reference: &str,
        client: &ClientId,
        headers: &HeaderMap,
    ) -> Result<Option<Parked>, Fault> {
        let (row, now) = (Row::pushed(reference), self.now());
        let parked = self.store().interaction(row.id, row.browser, now).await?;
        let pushed: Option<PushedRequest> = parked.and_then(|one| serde_json::from_slice(&one.request).ok());
        // RFC 9126 section 2.2: the request_uri "MUST be bound to the client".
        let good = |one: &PushedRequest| one.pushed.client == *client && now < one.start_before;
        if !pushed.as_ref().is_some_and(good) {
            return Ok(None);
        }
        let (browser, cookie) = self.browser_or_new(headers)?;
        let opened = [&now.0.to_be_bytes(), reference.as_bytes()].concat();
        let sealed = self.pushed_requests().seal(browser.as_bytes(), &opened, self.random())?;
        Ok(Some(Parked { id: URL_SAFE_NO_PAD.encode(sealed), cookie }))
    }
}
