//! The session of the pages: who signed in with this browser, and when.
//!
//! It is a sealed cookie, not a row: nothing is stored, any node can read it,
//! and what a browser sends that this server did not seal is no session. A
//! sign-in always makes a new one, so there is none to fixate.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};
use oauth_core::{
    clock::UnixTime,
    cookie,
    engine::fault::Fault,
    secret::{Digest, Sealer},
    server::AuthorizationServer,
};
use serde::{Deserialize, Serialize};

use super::{form_token::random_bytes, signed_in::SignedIn, users::User};

const COOKIE: &str = "oauth-session";

/// What a browser keeps of a cookie is 4096 bytes, name and attributes
/// included (RFC 6265 section 6.1).
const MOST: usize = 3800;

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) subject: String,
    pub(super) name: String,
    /// As they typed it.
    #[serde(default)]
    pub(super) username: String,
    pub(super) auth_time: UnixTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) acr: Option<String>,
    expires_at: UnixTime,
    /// When it was last written.
    #[serde(default)]
    seen_at: UnixTime,
    /// Stays the same when it is written again, and nobody can read it.
    #[serde(default)]
    id: [u8; 16],
}

impl From<Session> for SignedIn {
    fn from(session: Session) -> Self {
        let Session { subject, name, username, auth_time, acr, .. } = session;
        Self { subject, name, username, auth_time: Some(auth_time), acr }
    }
}

/// Reads and writes sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    sealer: Sealer,
    pub(super) lifetime: u64,
    /// How long it may not be used, in seconds; 0 for any time.
    pub(super) idle: u64,
}

impl Sessions {
    pub(super) fn new(server: &AuthorizationServer, lifetime: u64) -> Self {
        Self { sealer: server.sealer(b"session"), lifetime, idle: 0 }
    }

    /// The session of the browser that sent `headers`, if it has a live one.
    pub(super) fn read(&self, server: &AuthorizationServer, headers: &HeaderMap) -> Option<Session> {
        let sealed = URL_SAFE_NO_PAD.decode(Self::raw(server, headers)?).ok()?;
        // Two issuers on one host share their cookies, not their sessions.
        let opened = self.sealer.open(server.issuer().as_bytes(), &sealed)?;
        let session: Session = serde_json::from_slice(&opened).ok()?;
        let now = server.now();
        let idle = self.idle > 0 && now >= session.seen_at.saturating_add(self.idle);
        (now < session.expires_at && !idle).then_some(session)
    }

    /// The session of the browser that sent `headers` in a cookie to set, where
    /// it would end for want of use otherwise. Its end stays what it is.
    pub(super) fn renew(&self, server: &AuthorizationServer, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut session = self.read(server, headers).filter(|_| self.idle > 0)?;
        // Not for every page: two tabs need not take turns.
        if session.seen_at.until(server.now()) < self.idle / 10 {
            return None;
        }
        session.seen_at = server.now();
        self.write(server, &session).ok()
    }

    /// The cookie as it was sent, good or not.
    fn raw<'h>(server: &AuthorizationServer, headers: &'h HeaderMap) -> Option<&'h str> {
        cookie::read(headers, &cookie::name(COOKIE, server.is_development()))
    }

    /// The cookie of a new session for `user`, who has just signed in.
    pub(super) fn begin(
        &self,
        server: &AuthorizationServer,
        user: &User,
        username: &str,
    ) -> Result<HeaderValue, Fault> {
        let now = server.now();
        let session = Session {
            subject: user.subject().to_owned(),
            name: user.shown_name().to_owned(),
            username: username.to_owned(),
            auth_time: now,
            acr: user.proven_by().map(str::to_owned),
            expires_at: now.saturating_add(self.lifetime),
            seen_at: now,
            id: random_bytes(server.random())?,
        };
        self.write(server, &session)
    }

    fn write(&self, server: &AuthorizationServer, session: &Session) -> Result<HeaderValue, Fault> {
        let plain = serde_json::to_vec(session).map_err(|_| Fault::Internal("a session cannot be serialized"))?;
        let sealed = self.sealer.seal(server.issuer().as_bytes(), &plain, server.random())?;
        let value = URL_SAFE_NO_PAD.encode(sealed);
        if value.len() > MOST {
            return Err(Fault::Internal("a user's subject and name do not fit into a cookie"));
        }
        // It ends with the browser, or when the seal says so.
        Ok(cookie::write(COOKIE, &value, None, server.is_development()))
    }

    /// What the sign-out form of this browser's session has to bring: it is
    /// made of what only the seal holds.
    pub(super) fn sign_out_token(&self, server: &AuthorizationServer, headers: &HeaderMap) -> Option<String> {
        let session = self.read(server, headers)?;
        Some(URL_SAFE_NO_PAD.encode(Digest::of(&[b"sign out", &session.id]).as_bytes()))
    }

    /// The cookie that ends the session of a browser.
    pub(super) fn end(server: &AuthorizationServer) -> HeaderValue {
        cookie::write(COOKIE, "", Some(0), server.is_development())
    }
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE as COOKIE_HEADER;
    use oauth_core::{clock::ManualClock, secret::RootSecret};

    use super::*;

    async fn server(issuer: &str, clock: &ManualClock) -> AuthorizationServer {
        let root = RootSecret::new([7; 32]);
        AuthorizationServer::builder(issuer).root_secret(root).clock(clock.clone()).build().await.unwrap()
    }

    fn returned(cookie: &HeaderValue) -> HeaderMap {
        let pair = cookie.to_str().unwrap().split(';').next().unwrap().parse().unwrap();
        HeaderMap::from_iter([(COOKIE_HEADER, pair)])
    }

    // spec: AUZ-25
    #[tokio::test]
    async fn a_session_is_sealed_ends_and_belongs_to_one_issuer() {
        let clock = ManualClock::new(UnixTime(1_000));
        let (one, other) = (server("https://a.example/1", &clock).await, server("https://a.example/2", &clock).await);
        let sessions = Sessions::new(&one, 60);
        let cookie = sessions.begin(&one, &User::new("u-1").name("Alice"), "alice").unwrap();
        assert!(cookie.to_str().unwrap().ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"));
        assert!(cookie.to_str().unwrap().starts_with("__Host-oauth-session="));
        assert!(!cookie.to_str().unwrap().contains("Alice"));

        let session = sessions.read(&one, &returned(&cookie)).unwrap();
        assert_eq!((session.subject.as_str(), session.auth_time), ("u-1", UnixTime(1_000)));
        assert_eq!(Sessions::new(&other, 60).read(&other, &returned(&cookie)), None);
        assert_eq!(sessions.read(&one, &returned(&Sessions::end(&one))), None);
        let bent = cookie.to_str().unwrap().replacen("session=", "session=A", 1).parse().unwrap();
        assert_eq!(sessions.read(&one, &returned(&bent)), None);

        clock.advance(59);
        assert!(sessions.read(&one, &returned(&cookie)).is_some());
        clock.advance(1);
        assert_eq!(sessions.read(&one, &returned(&cookie)), None);
    }

    #[tokio::test]
    async fn a_session_that_is_not_used_ends_and_use_does_not_move_its_end() {
        let clock = ManualClock::new(UnixTime(1_000));
        let server = server("https://a.example", &clock).await;
        let mut sessions = Sessions::new(&server, 100);
        sessions.idle = 20;
        let mut cookie = returned(&sessions.begin(&server, &User::new("u-1"), "").unwrap());
        let id = sessions.read(&server, &cookie).unwrap().id;
        assert_eq!(sessions.renew(&server, &cookie), None, "it was written just now");
        for _ in 0..5 {
            clock.advance(19);
            cookie = returned(&sessions.renew(&server, &cookie).unwrap());
        }
        let session = sessions.read(&server, &cookie).unwrap();
        assert_eq!((session.auth_time, session.id), (UnixTime(1_000), id));
        clock.advance(4);
        assert!(sessions.read(&server, &cookie).is_some());
        clock.advance(1);
        assert_eq!((sessions.read(&server, &cookie), sessions.renew(&server, &cookie)), (None, None), "its end");

        let another = returned(&sessions.begin(&server, &User::new("u-1"), "").unwrap());
        let unused = returned(&sessions.begin(&server, &User::new("u-1"), "").unwrap());
        let other = sessions.sign_out_token(&server, &unused);
        assert!(other.is_some() && other != sessions.sign_out_token(&server, &another), "each has its own form");
        clock.advance(20);
        assert_eq!((sessions.read(&server, &unused), sessions.renew(&server, &unused)), (None, None));
    }

    #[tokio::test]
    async fn a_session_that_no_browser_would_keep_is_a_fault() {
        let server = server("https://a.example", &ManualClock::new(UnixTime(0))).await;
        assert!(Sessions::new(&server, 60).begin(&server, &User::new("x".repeat(4000)), "").is_err());
    }
}
