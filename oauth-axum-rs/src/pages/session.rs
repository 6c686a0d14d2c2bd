//! The session of the pages: who signed in with this browser, and when.
//!
//! It is a sealed cookie, not a row: any node can read it, and what a browser
//! sends that this server did not seal is no session. A sign-in always makes a
//! new one, so there is none to fixate.
//!
//! A cookie that somebody has copied cannot be taken back. So one that is ended
//! before its time is marked in the store, for all nodes, under the id that all
//! its copies have; and no page believes a cookie before it has asked.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};
use oauth_core::{
    clock::UnixTime,
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
    /// The id of the request that they signed in for; empty for none.
    #[serde(default)]
    signed_in_for: String,
    /// When it was last written.
    #[serde(default)]
    seen_at: UnixTime,
    /// How often all of theirs had been ended when it began.
    #[serde(default)]
    ended: u64,
    /// Stays the same when it is written again, and nobody can read it.
    id: [u8; 16],
}

impl Session {
    /// What its sign-out form has to bring: it is made of what only the seal
    /// holds.
    pub(super) fn sign_out_token(&self) -> String {
        URL_SAFE_NO_PAD.encode(Digest::of(&[b"sign out", &self.id]).as_bytes())
    }

    /// Of the mark that ends it.
    fn ended(&self) -> Digest {
        Digest::of(&[b"session ended ", &self.id])
    }
}

impl From<Session> for SignedIn {
    fn from(session: Session) -> Self {
        let Session { subject, name, username, auth_time, acr, signed_in_for, .. } = session;
        Self { subject, name, username, auth_time: Some(auth_time), acr, signed_in_for: Some(signed_in_for) }
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

    /// The session of the browser that sent `headers`, if it has a live one. That
    /// the store cannot be asked is a fault, and says nothing of the session.
    pub(super) async fn read(
        &self,
        server: &AuthorizationServer,
        headers: &HeaderMap,
    ) -> Result<Option<Session>, Fault> {
        let Some(session) = self.unsealed(server, headers) else { return Ok(None) };
        let marks = server.store().uses(session.ended(), server.now()).await?;
        let lives = marks == 0 && server.sign_in_stands(&session.subject, session.auth_time, session.ended).await?;
        Ok(Some(session).filter(|_| lives))
    }

    /// The same, although it may have been ended before its time.
    fn unsealed(&self, server: &AuthorizationServer, headers: &HeaderMap) -> Option<Session> {
        let idle = |session: &Session| self.idle > 0 && server.now() >= session.seen_at.saturating_add(self.idle);
        self.unsealed_copy(server, headers).filter(|session| !idle(session))
    }

    /// The same, although this copy of the cookie may not have been used for long:
    /// another one may have been.
    fn unsealed_copy(&self, server: &AuthorizationServer, headers: &HeaderMap) -> Option<Session> {
        let sealed = URL_SAFE_NO_PAD.decode(Self::raw(server, headers)?).ok()?;
        let opened = self.sealer.open(server.issuer().as_bytes(), &sealed)?;
        let session: Session = serde_json::from_slice(&opened).ok()?;
        (server.now() < session.expires_at).then_some(session)
    }

    /// The session of the browser that sent `headers` in a cookie to set, where
    /// it would end for want of use otherwise. Its end stays what it is, and so does
    /// its id: one that was ended is not revived.
    pub(super) fn renew(&self, server: &AuthorizationServer, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut session = self.unsealed(server, headers).filter(|_| self.idle > 0)?;
        // Not for every page: two tabs need not take turns.
        if session.seen_at.until(server.now()) < self.idle / 10 {
            return None;
        }
        session.seen_at = server.now();
        self.write(server, &session).ok()
    }

    /// The cookie as it was sent, good or not.
    fn raw<'h>(server: &AuthorizationServer, headers: &'h HeaderMap) -> Option<&'h str> {
        server.cookie(headers, COOKIE)
    }

    /// The cookie of a new session for `user`, who has just signed in.
    pub(super) async fn begin(
        &self,
        server: &AuthorizationServer,
        user: &User,
        username: &str,
        signed_in_for: &str,
    ) -> Result<HeaderValue, Fault> {
        let now = server.now();
        let session = Session {
            subject: user.subject().to_owned(),
            name: user.shown_name().to_owned(),
            username: username.to_owned(),
            auth_time: now,
            acr: user.proven_by().map(str::to_owned),
            signed_in_for: signed_in_for.to_owned(),
            expires_at: now.saturating_add(self.lifetime),
            seen_at: now,
            ended: server.sign_ins_ended(user.subject()).await?,
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
        Ok(server.set_cookie(COOKIE, &value, None))
    }

    /// Ends the session of the browser that sent `headers`, in all copies of its
    /// cookie, if it has one.
    pub(super) async fn end(&self, server: &AuthorizationServer, headers: &HeaderMap) -> Result<(), Fault> {
        if let Some(session) = self.unsealed_copy(server, headers) {
            // If this is not the first, it was ended before.
            server.store().first_use(session.ended(), session.expires_at, server.now()).await?;
        }
        Ok(())
    }

    /// The cookie that leaves a browser without one.
    pub(super) fn none(server: &AuthorizationServer) -> HeaderValue {
        server.set_cookie(COOKIE, "", Some(0))
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

    async fn live(sessions: &Sessions, server: &AuthorizationServer, headers: &HeaderMap) -> Option<Session> {
        sessions.read(server, headers).await.unwrap()
    }

    // spec: AUZ-25
    #[tokio::test]
    async fn a_session_is_sealed_ends_and_belongs_to_one_issuer() {
        let clock = ManualClock::new(UnixTime(1_000));
        let (one, other) = (server("https://a.example", &clock).await, server("https://b.example", &clock).await);
        let sessions = Sessions::new(&one, 60);
        let cookie = sessions.begin(&one, &User::new("u-1").name("Alice"), "alice", "").await.unwrap();
        assert!(cookie.to_str().unwrap().ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"));
        assert!(cookie.to_str().unwrap().starts_with("__Host-oauth-session="));
        assert!(!cookie.to_str().unwrap().contains("Alice"));

        let session = live(&sessions, &one, &returned(&cookie)).await.unwrap();
        assert_eq!((session.subject.as_str(), session.auth_time), ("u-1", UnixTime(1_000)));
        assert_eq!(live(&Sessions::new(&other, 60), &other, &returned(&cookie)).await, None);
        assert_eq!(live(&sessions, &one, &returned(&Sessions::none(&one))).await, None);
        let bent = cookie.to_str().unwrap().replacen("session=", "session=A", 1).parse().unwrap();
        assert_eq!(live(&sessions, &one, &returned(&bent)).await, None);

        clock.advance(59);
        assert!(live(&sessions, &one, &returned(&cookie)).await.is_some());
        clock.advance(1);
        assert_eq!(live(&sessions, &one, &returned(&cookie)).await, None);
    }

    #[tokio::test]
    async fn a_session_that_was_ended_ends_in_every_copy_and_no_other_does() {
        let clock = ManualClock::new(UnixTime(1_000));
        let server = server("https://a.example", &clock).await;
        let mut sessions = Sessions::new(&server, 100);
        sessions.idle = 50;
        let begin = async || returned(&sessions.begin(&server, &User::new("u-1"), "", "").await.unwrap());
        let (mine, another) = (begin().await, begin().await);
        clock.advance(10);
        let renewed = returned(&sessions.renew(&server, &mine).unwrap());
        sessions.end(&server, &renewed).await.unwrap();
        sessions.end(&server, &renewed).await.unwrap();
        assert!(live(&sessions, &server, &another).await.is_some());
        // Nor does a copy live longer by being used, until the very end.
        let mut revived = returned(&sessions.renew(&server, &mine).unwrap());
        for _ in 0..9 {
            for copy in [&mine, &renewed, &revived] {
                assert_eq!(live(&sessions, &server, copy).await, None);
            }
            clock.advance(10);
            revived = sessions.renew(&server, &revived).map_or(revived, |cookie| returned(&cookie));
        }
        assert_eq!(sessions.renew(&server, &revived), None, "its end");
    }

    #[tokio::test]
    async fn a_copy_that_was_not_used_ends_those_that_were() {
        let clock = ManualClock::new(UnixTime(1_000));
        let server = server("https://a.example", &clock).await;
        let mut sessions = Sessions::new(&server, 100);
        sessions.idle = 20;
        let unused = returned(&sessions.begin(&server, &User::new("u-1"), "", "").await.unwrap());
        clock.advance(19);
        let used = returned(&sessions.renew(&server, &unused).unwrap());
        clock.advance(1);
        assert_eq!(live(&sessions, &server, &unused).await, None);
        assert!(live(&sessions, &server, &used).await.is_some());
        sessions.end(&server, &unused).await.unwrap();
        assert_eq!(live(&sessions, &server, &used).await, None);
    }

    #[tokio::test]
    async fn a_session_that_is_not_used_ends_and_use_does_not_move_its_end() {
        let clock = ManualClock::new(UnixTime(1_000));
        let server = server("https://a.example", &clock).await;
        let mut sessions = Sessions::new(&server, 100);
        sessions.idle = 20;
        let mut cookie = returned(&sessions.begin(&server, &User::new("u-1"), "", "").await.unwrap());
        let id = live(&sessions, &server, &cookie).await.unwrap().id;
        assert_eq!(sessions.renew(&server, &cookie), None, "it was written just now");
        for _ in 0..5 {
            clock.advance(19);
            cookie = returned(&sessions.renew(&server, &cookie).unwrap());
        }
        let session = live(&sessions, &server, &cookie).await.unwrap();
        assert_eq!((session.auth_time, session.id), (UnixTime(1_000), id));
        clock.advance(4);
        assert!(live(&sessions, &server, &cookie).await.is_some());
        clock.advance(1);
        assert_eq!(
            (live(&sessions, &server, &cookie).await, sessions.renew(&server, &cookie)),
            (None, None),
            "its end"
        );

        let another = returned(&sessions.begin(&server, &User::new("u-1"), "", "").await.unwrap());
        let unused = returned(&sessions.begin(&server, &User::new("u-1"), "", "").await.unwrap());
        let other = live(&sessions, &server, &unused).await.unwrap().sign_out_token();
        let form = live(&sessions, &server, &another).await.unwrap().sign_out_token();
        assert_ne!(form, other, "each has its own form");
        clock.advance(20);
        assert_eq!((live(&sessions, &server, &unused).await, sessions.renew(&server, &unused)), (None, None));
    }

    #[tokio::test]
    async fn a_session_that_no_browser_would_keep_is_a_fault() {
        let server = server("https://a.example", &ManualClock::new(UnixTime(0))).await;
        assert!(Sessions::new(&server, 60).begin(&server, &User::new("x".repeat(4000)), "", "").await.is_err());
    }
}
