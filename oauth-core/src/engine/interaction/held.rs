//! What waits for a person, whatever it is, and the browser that it belongs to.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::pushed::Row;
use crate::{
    clock::random_bytes,
    engine::fault::Fault,
    secret::Digest,
    server::AuthorizationServer,
    store::{FinishInteraction, Grant, ParkedInteraction},
};

/// The cookie that binds interactions to a browser.
const BROWSER_COOKIE: &str = "oauth-browser";

/// A parked request's id, and the cookie to set if the browser had none.
pub(crate) struct Parked {
    pub(crate) id: String,
    pub(crate) cookie: Option<HeaderValue>,
}

/// Something that waits, in the hands of the browser that began it.
pub(super) struct Held {
    pub(super) server: AuthorizationServer,
    pub(super) id: String,
    browser: Zeroizing<String>,
    row: Row,
}

impl AuthorizationServer {
    /// Parks `what` for the browser that sent `headers`.
    pub(super) async fn park_for(&self, what: &impl Serialize, headers: &HeaderMap) -> Result<Parked, Fault> {
        let id = URL_SAFE_NO_PAD.encode(random_bytes::<32>(self.random())?);
        let (browser, cookie) = self.browser_or_new(headers)?;
        let parked = ParkedInteraction {
            id: id_digest(&id),
            browser: browser_digest(&browser),
            request: serde_json::to_vec(what).map_err(|_| Fault::Internal("a request cannot be serialized"))?,
            expires_at: self.now().saturating_add(self.lifetimes().interaction),
        };
        self.store().park_interaction(parked).await?;
        Ok(Parked { id, cookie })
    }

    /// What waits under `id` for the browser that sent `headers`.
    pub(super) async fn held(&self, id: &str, headers: &HeaderMap) -> Result<Option<(Held, Vec<u8>)>, Fault> {
        let Some(browser) = self.browser(headers) else { return Ok(None) };
        let Some(row) = Row::of(self, id, browser) else { return Ok(None) };
        let parked = self.store().interaction(row.id, row.browser, self.now()).await?;
        let browser = Zeroizing::new(browser.to_owned());
        let what = parked.and_then(|parked| row.read(parked.request));
        Ok(what.map(|what| (Held { server: self.clone(), id: id.to_owned(), browser, row }, what)))
    }

    /// The browser that sent `headers`, and the cookie to set if it is a new one.
    pub(super) fn browser_or_new(
        &self,
        headers: &HeaderMap,
    ) -> Result<(Zeroizing<String>, Option<HeaderValue>), Fault> {
        if let Some(browser) = self.browser(headers) {
            return Ok((Zeroizing::new(browser.to_owned()), None));
        }
        let browser = Zeroizing::new(URL_SAFE_NO_PAD.encode(random_bytes::<32>(self.random())?));
        let cookie = self.set_cookie(BROWSER_COOKIE, &browser, None);
        Ok((browser, Some(cookie)))
    }

    fn browser<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let value = self.cookie(headers, BROWSER_COOKIE)?;
        (value.len() == 43).then_some(value)
    }
}

impl Held {
    pub(super) fn csrf_token(&self) -> String {
        self.csrf_tokens().next().unwrap_or_default()
    }

    pub(super) fn csrf_matches(&self, presented: &str) -> bool {
        let presented = presented.as_bytes();
        self.csrf_tokens().any(|token| !token.is_empty() && bool::from(token.as_bytes().ct_eq(presented)))
    }

    /// One per root secret, the current one first: a page that was shown before
    /// a rotation is still good.
    fn csrf_tokens(&self) -> impl Iterator<Item = String> {
        let tags = self.server.csrf_tags(&[self.id.as_bytes(), self.browser.as_bytes()]);
        tags.into_iter().map(|tag| URL_SAFE_NO_PAD.encode(tag))
    }

    /// Ends it, once: `false` if it had ended before.
    pub(super) async fn finish(&self, grant: Option<Grant>) -> Result<bool, Fault> {
        let Row { id, browser, .. } = self.row;
        let finish = FinishInteraction { id, browser, now: self.server.now(), grant };
        Ok(self.server.store().finish_interaction(finish).await?)
    }
}

pub(super) fn id_digest(id: &str) -> Digest {
    Digest::of(&[b"interaction", id.as_bytes()])
}

pub(super) fn browser_digest(browser: &str) -> Digest {
    Digest::of(&[b"browser", browser.as_bytes()])
}
