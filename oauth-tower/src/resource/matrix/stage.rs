//! The stage `m.oauth`: what a user has to say at the authorization server (MSC4312).

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Uri;
use oauth_core::{
    clock::{Clock, Random, SystemClock, SystemRandom, UnixTime},
    matrix::UserId,
    secret::Secret,
};
use serde_json::{Value, json};

use super::MatrixError;

/// User-interactive authentication with the one stage `m.oauth` ("OAuth authentication"): for `POST
/// /keys/device_signing/upload`, which clients that use the OAuth 2.0 API could not call otherwise.
///
/// The client is sent to the authorization server's account management. When the user has agreed there,
/// whoever hears of it calls [`OauthStage::approve`], and the client's next attempt passes, once.
///
/// ```
/// use oauth_core::matrix::UserId;
/// use oauth_tower::resource::matrix::OauthStage;
///
/// let stage = OauthStage::new("https://as.example/account?action=org.matrix.cross_signing_reset")?;
/// let alice = UserId::new("alice", "example.org")?;
/// let asked = stage.check(&alice, None).unwrap_err();
/// assert_eq!(asked.status(), 401); // {"flows":[{"stages":["m.oauth"]}],"params":{..},"session":".."}
/// stage.approve(&alice)?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// It is all in this process's memory: of several nodes, one must see to it, or the sessions of a user must
/// stay on one.
pub struct OauthStage {
    url: String,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// In seconds.
    lifetime: u64,
    users: Mutex<HashMap<UserId, Asked>>,
}

/// What is known of one user: one session at a time is enough.
struct Asked {
    session: Secret,
    until: UnixTime,
    approved: bool,
}

/// The `url` of `m.oauth` "MUST" be http or https.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a URL of http or https")]
pub struct InvalidStageUrl;

/// How many users can be about it at once.
const MOST: usize = 10_000;

impl OauthStage {
    /// A stage that sends users to `url`.
    ///
    /// # Errors
    /// [`InvalidStageUrl`].
    pub fn new(url: impl Into<String>) -> Result<Self, InvalidStageUrl> {
        let url = url.into();
        let is_web = |uri: Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
        if !url.parse().is_ok_and(is_web) {
            return Err(InvalidStageUrl);
        }
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        Ok(Self { url, clock, random, lifetime: 600, users: Mutex::default() })
    }

    /// Reads the time here.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Draws the names of sessions from here.
    #[must_use]
    pub fn random(mut self, random: impl Random) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// How long a session, and what was approved, counts, in seconds: 600 by default.
    #[must_use]
    pub const fn lifetime(mut self, seconds: u64) -> Self {
        self.lifetime = seconds;
        self
    }

    /// Passes once, after the user has approved; `auth` is that member of the request.
    ///
    /// # Errors
    /// The answer that tells the client what to do: 401 with `flows`, `params` and `session`. 503 if too
    /// many users are about it at once, or there are no random bytes.
    pub fn check(&self, user: &UserId, auth: Option<&Value>) -> Result<(), MatrixError> {
        let said = auth.and_then(|auth| auth.get("session")).and_then(Value::as_str).map(Secret::new);
        let now = self.clock.now();
        let mut users = self.lock();
        if users.get(user).is_some_and(|asked| asked.is_done(said.as_ref(), now)) {
            users.remove(user);
            return Ok(());
        }
        let asked = self.asked(&mut users, user, now)?;
        let error = MatrixError::interactive()
            .with("flows", json!([{ "stages": ["m.oauth"] }]))
            .with("params", json!({ "m.oauth": { "url": self.url } }))
            .with("session", asked.session.expose());
        Err(error)
    }

    /// The user has agreed, at the authorization server.
    ///
    /// # Errors
    /// 503, as [`OauthStage::check`].
    pub fn approve(&self, user: &UserId) -> Result<(), MatrixError> {
        let now = self.clock.now();
        let mut users = self.lock();
        let asked = self.asked(&mut users, user, now)?;
        asked.approved = true;
        asked.until = now.saturating_add(self.lifetime);
        Ok(())
    }

    /// The session of a user, which is a new one if there is none.
    fn asked<'u>(
        &self,
        users: &'u mut HashMap<UserId, Asked>,
        user: &UserId,
        now: UnixTime,
    ) -> Result<&'u mut Asked, MatrixError> {
        if users.get(user).is_none_or(|asked| now >= asked.until) {
            users.remove(user);
            if users.len() >= MOST {
                users.retain(|_, asked| now < asked.until);
            }
            if users.len() >= MOST {
                return Err(MatrixError::unavailable(self.lifetime.clamp(1, 60)));
            }
        }
        let fresh = self.fresh(now)?;
        Ok(users.entry(user.clone()).or_insert(fresh))
    }

    fn fresh(&self, now: UnixTime) -> Result<Asked, MatrixError> {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes).map_err(|_| MatrixError::unavailable(1))?;
        let session = Secret::new(URL_SAFE_NO_PAD.encode(bytes));
        Ok(Asked { session, until: now.saturating_add(self.lifetime), approved: false })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Asked>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    fn is_done(&self, said: Option<&Secret>, now: UnixTime) -> bool {
        self.approved && now < self.until && said.is_some_and(|said| *said == self.session)
    }
}

impl fmt::Debug for OauthStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OauthStage").field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_bounded_room_and_makes_more_when_sessions_are_over() {
        let clock = oauth_core::clock::ManualClock::new(UnixTime(1_000));
        let stage = OauthStage::new("https://as.example/account").unwrap().clock(clock.clone());
        let user = |number: usize| UserId::new(&format!("u{number}"), "x").unwrap();
        (0..MOST).for_each(|number| assert_eq!(stage.check(&user(number), None).unwrap_err().status(), 401));
        assert_eq!(stage.check(&user(MOST), None).unwrap_err().status(), 503);
        assert_eq!(stage.check(&user(1), None).unwrap_err().status(), 401, "who is known has a place");
        clock.advance(600);
        assert_eq!(stage.check(&user(MOST), None).unwrap_err().status(), 401);
        assert_eq!(stage.lock().len(), 1);
    }

    #[test]
    fn only_web_pages_will_do() {
        for bad in ["", "ftp://as.example/", "/account", "https://", "javascript:alert(1)"] {
            assert_eq!(OauthStage::new(bad).unwrap_err(), InvalidStageUrl, "{bad}");
        }
    }
}
