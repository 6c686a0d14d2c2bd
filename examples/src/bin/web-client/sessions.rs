//! Who is signed in: the tokens stay here, and the browser has a random cookie.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use http::{HeaderMap, HeaderValue};
use oauth_axum_rs::{
    Secret,
    oauth_core::{
        clock::{RandomError, UnixTime},
        cookie,
        secret::Digest,
        token::TokenType,
    },
};

use super::{Site, problem::Problem};

/// How long a session lasts, in seconds.
const LIFETIME: u64 = 8 * 3600;
/// More than this at a time, and the oldest ends.
const MOST: usize = 100_000;

/// The session's cookie.
const SESSION: &str = "website-session";
/// Ties an attempt to sign in to a browser.
const BROWSER: &str = "website-browser";
/// What went wrong, for the next page.
const PROBLEM: &str = "website-problem";

#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<Digest, (UnixTime, Session)>>);

#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Which authorization server its tokens are of.
    pub(crate) number: usize,
    pub(crate) access_token: Secret,
    pub(crate) token_type: TokenType,
    pub(crate) refresh_token: Option<Secret>,
}

impl Sessions {
    /// A new cookie for each: nobody can have planted it before.
    pub(crate) fn begin(&self, session: Session, now: UnixTime) -> Result<Secret, RandomError> {
        let cookie = Site::random()?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST
            && let Some(oldest) = all.iter().min_by_key(|(_, (began, _))| *began).map(|(key, _)| *key)
        {
            all.remove(&oldest);
        }
        all.insert(key(cookie.expose()), (now, session));
        Ok(cookie)
    }

    pub(crate) fn find(&self, cookie: &str, now: UnixTime) -> Option<Session> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&key(cookie)).filter(|(began, _)| began.until(now) < LIFETIME).map(|(_, session)| session.clone())
    }

    pub(crate) fn end(&self, cookie: &str) -> Option<Session> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&key(cookie)).map(|(_, session)| session)
    }
}

/// The cookies: `__Host-`, `Secure`, `HttpOnly`, `SameSite=Lax`.
impl Site {
    pub(crate) fn cookie(&self, value: &Secret) -> HeaderValue {
        cookie::write(SESSION, value.expose(), Some(LIFETIME), self.development)
    }

    pub(crate) fn no_cookie(&self) -> HeaderValue {
        cookie::write(SESSION, "", Some(0), self.development)
    }

    pub(crate) fn session_cookie<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        cookie::read(headers, &cookie::name(SESSION, self.development))
    }

    /// Which browser this is.
    pub(crate) fn browser(&self, headers: &HeaderMap) -> Option<Digest> {
        let value = cookie::read(headers, &cookie::name(BROWSER, self.development))?;
        Some(browser_digest(value))
    }

    /// A name for a browser that has none, and the cookie to set.
    pub(crate) fn name_browser(&self) -> Result<(Digest, HeaderValue), RandomError> {
        let value = Self::random()?;
        let cookie = cookie::write(BROWSER, value.expose(), None, self.development);
        Ok((browser_digest(value.expose()), cookie))
    }

    /// Carries a problem over the redirect.
    pub(crate) fn problem(&self, problem: Problem) -> HeaderValue {
        cookie::write(PROBLEM, &problem.number(), Some(60), self.development)
    }

    pub(crate) fn problem_of(&self, headers: &HeaderMap) -> Option<Problem> {
        Problem::numbered(cookie::read(headers, &cookie::name(PROBLEM, self.development))?)
    }

    pub(crate) fn no_problem(&self) -> HeaderValue {
        cookie::write(PROBLEM, "", Some(0), self.development)
    }
}

fn key(cookie: &str) -> Digest {
    Digest::of(&[b"session", cookie.as_bytes()])
}

fn browser_digest(cookie: &str) -> Digest {
    Digest::of(&[b"browser", cookie.as_bytes()])
}
