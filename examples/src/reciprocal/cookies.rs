//! What a browser carries between the steps of a trip to party B: sealed, so that
//! it neither reads nor changes any of it, and no node has to remember it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};
use oauth_axum_rs::AuthorizationServer;
use oauth_core::{clock::UnixTime, engine::fault::Fault};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// How long a person may take for each step, in seconds.
pub(super) const LIFETIME: u64 = 600;

/// Longer ones are dropped by browsers (RFC 6265bis section 5.6), name and
/// attributes aside.
const LONGEST: usize = 3900;

/// A step, and the cookie that it travels in.
pub(super) trait Step: Serialize + DeserializeOwned {
    const COOKIE: &'static str;

    fn ends(&self) -> UnixTime;
}

/// At party B, with a question.
#[derive(Serialize, Deserialize)]
pub(super) struct Begun {
    /// Of the party that was asked.
    pub(super) name: String,
    /// A saved `PendingAuthorization`.
    pub(super) pending: String,
    pub(super) ends: UnixTime,
}

/// Back from there, with a token.
#[derive(Serialize, Deserialize)]
pub(super) struct Connected {
    /// Of the party that gave it.
    pub(super) name: String,
    pub(super) access_token: String,
    /// What B asks for.
    pub(super) scope: String,
    pub(super) ends: UnixTime,
}

impl Step for Begun {
    const COOKIE: &'static str = "oauth-connect";

    fn ends(&self) -> UnixTime {
        self.ends
    }
}

impl Step for Connected {
    const COOKIE: &'static str = "oauth-connected";

    fn ends(&self) -> UnixTime {
        self.ends
    }
}

/// The cookie that carries `step`.
pub(super) fn carry<S: Step>(server: &AuthorizationServer, step: &S) -> Result<HeaderValue, Fault> {
    let plain = serde_json::to_vec(step).map_err(|_| Fault::Internal("a step cannot be serialized"))?;
    let sealed = server.sealer(S::COOKIE.as_bytes()).seal(server.issuer().as_bytes(), &plain, server.random())?;
    let value = URL_SAFE_NO_PAD.encode(sealed);
    if value.len() > LONGEST {
        return Err(Fault::Internal("the token of the other party is too long for a cookie"));
    }
    Ok(server.set_cookie(S::COOKIE, &value, Some(LIFETIME)))
}

/// What the browser that sent `headers` carries, unless it took too long.
pub(super) fn carried<S: Step>(server: &AuthorizationServer, headers: &HeaderMap) -> Option<S> {
    let sealed = URL_SAFE_NO_PAD.decode(server.cookie(headers, S::COOKIE)?).ok()?;
    let plain = server.sealer(S::COOKIE.as_bytes()).open(server.issuer().as_bytes(), &sealed)?;
    serde_json::from_slice(&plain).ok().filter(|step: &S| server.now() < step.ends())
}

/// Takes it from the browser.
pub(super) fn dropped<S: Step>(server: &AuthorizationServer) -> HeaderValue {
    server.set_cookie(S::COOKIE, "", Some(0))
}
