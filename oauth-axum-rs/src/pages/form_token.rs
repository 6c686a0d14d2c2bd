//! Tokens for forms outside an interaction.
//!
//! A token is sealed for one page in one browser, says who is signed in, ends
//! after an hour, and is different each time, so that a form that must not be
//! sent twice is known by it. Nothing is stored until that happens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};
use oauth_core::{
    clock::{Random, RandomError, UnixTime},
    engine::fault::Fault,
    secret::{Digest, Sealer},
    server::AuthorizationServer,
};
use serde::{Deserialize, Serialize};

const COOKIE: &str = "oauth-page";

/// How long a form may be open, in seconds.
const LIFETIME: u64 = 3600;

/// The browser that a form is shown to: 256 random bits in a cookie.
pub(super) struct Browser {
    value: String,
    fresh: bool,
}

impl Browser {
    /// The one that sent `headers`, if it has the cookie.
    pub(super) fn of(server: &AuthorizationServer, headers: &HeaderMap) -> Option<Self> {
        let value = server.cookie(headers, COOKIE)?;
        let whole = URL_SAFE_NO_PAD.decode(value).is_ok_and(|bytes| bytes.len() == 32);
        whole.then(|| Self { value: value.to_owned(), fresh: false })
    }

    /// The same, or a new one.
    pub(super) fn known_or_new(server: &AuthorizationServer, headers: &HeaderMap) -> Result<Self, Fault> {
        match Self::of(server, headers) {
            Some(known) => Ok(known),
            None => Ok(Self { value: URL_SAFE_NO_PAD.encode(random_bytes::<32>(server.random())?), fresh: true }),
        }
    }

    /// What nobody else knows of it.
    pub(super) fn secret(&self) -> &str {
        &self.value
    }

    /// The cookie that a new one needs.
    pub(super) fn cookie(&self, server: &AuthorizationServer) -> Option<HeaderValue> {
        self.fresh.then(|| server.set_cookie(COOKIE, &self.value, None))
    }
}

/// Makes and reads the tokens of one page.
#[derive(Debug)]
pub(super) struct FormTokens {
    sealer: Sealer,
    /// The page, and what else must not have changed since it was shown.
    page: String,
}

/// What a token says.
#[derive(Serialize, Deserialize)]
pub(super) struct FormToken {
    /// Who was signed in.
    pub(super) subject: Option<String>,
    id: [u8; 16],
    ends: UnixTime,
}

impl FormToken {
    pub(super) fn is_live(&self, now: UnixTime) -> bool {
        now < self.ends
    }

    /// Whether the form is sent for the first time. Asked once its token is
    /// known to be alive: whoever hears `true` is the only one.
    pub(super) async fn first_use(&self, server: &AuthorizationServer) -> Result<bool, Fault> {
        let digest = Digest::of(&[b"form token ", &self.id]);
        Ok(server.store().first_use(digest, self.ends, server.now()).await?)
    }
}

impl FormTokens {
    pub(super) fn new(server: &AuthorizationServer, page: String) -> Self {
        Self { sealer: server.sealer(b"form token"), page }
    }

    /// A token for a form that `subject` sees in `browser`.
    pub(super) fn issue(
        &self,
        server: &AuthorizationServer,
        browser: &Browser,
        subject: Option<&str>,
    ) -> Result<String, Fault> {
        let ends = server.now().saturating_add(LIFETIME);
        let token = FormToken { subject: subject.map(str::to_owned), id: random_bytes(server.random())?, ends };
        let plain = serde_json::to_vec(&token).map_err(|_| Fault::Internal("a token cannot be serialized"))?;
        let sealed = self.sealer.seal(&self.context(server, browser), &plain, server.random())?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// What `text` says, if it was made for this page in this browser.
    pub(super) fn open(&self, server: &AuthorizationServer, browser: &Browser, text: &str) -> Option<FormToken> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        serde_json::from_slice(&self.sealer.open(&self.context(server, browser), &sealed)?).ok()
    }

    /// No part of it can have a line feed, but the last.
    fn context(&self, server: &AuthorizationServer, browser: &Browser) -> Vec<u8> {
        [server.issuer(), &browser.value, &self.page].join("\n").into_bytes()
    }
}

pub(super) fn random_bytes<const N: usize>(random: &dyn Random) -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    random.fill(&mut bytes)?;
    Ok(bytes)
}
