//! Lists of revoked tokens, kept fresh as keys are (Token Status List,
//! [draft-ietf-oauth-status-list-18]).
//!
//! Where the issuer says that a token has a status, the verdict on it lasts no
//! longer than the list is fresh, so a hit looks at no list. A list is fetched
//! when a token names it whose signature is good, and only where the issuer is
//! trusted to have it.
//!
//! [draft-ietf-oauth-status-list-18]: https://datatracker.ietf.org/doc/draft-ietf-oauth-status-list/18/

mod kept;
mod source;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use http::Uri;
use oauth_core::{claims::AccessTokenClaims, clock::UnixTime, status_list::StatusReference};

use self::kept::Known;
pub(super) use self::source::Source;
use super::{
    fetched::{Availability, Fetched, Refresh},
    outage,
    refusal::InvalidToken,
};
use crate::outgoing::{Endpoint, Transport};

/// What the status list of a token counts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusListPolicy {
    /// A token that names a list is looked up; one that names none is good
    /// without.
    #[default]
    IfPresent,
    /// A token that names no list is refused.
    Required,
    /// Nobody looks. A revoked token is good until it expires.
    Off,
}

/// The lists of one issuer.
#[derive(Debug)]
pub(super) struct StatusLists {
    pub(super) policy: StatusListPolicy,
    pub(super) trusted: Trusted,
    pub(super) transport: Transport,
    /// How to fetch them; `None` where nothing can be fetched.
    pub(super) source: Option<Source>,
    pub(super) open: Mutex<Open>,
}

/// The lists that tokens have named, the one that was named first in front.
pub(super) type Open = VecDeque<(Box<str>, Arc<Fetched<Known>>)>;

/// How many of them are kept. An issuer has one for each day and each million
/// tokens.
const MOST: usize = 64;

/// Where an issuer may have its lists.
#[derive(Clone, Debug)]
pub(super) enum Trusted {
    /// Where it is itself.
    Origin(Option<Origin>),
    /// Below this URL.
    Below(Box<str>),
}

/// What a list says of a token.
pub(super) enum Status {
    /// It is good, and what is concluded from that lasts until then; and a fetch
    /// to drive by the way, if one is due.
    Valid { until: UnixTime, refresh: Option<Refresh> },
    /// It is not.
    Refused(InvalidToken),
    /// Wait for the list.
    Wait(Refresh),
    /// Nobody knows.
    Down { retry_after: u64 },
}

impl StatusLists {
    /// Looks up a token whose signature and claims are good (section 8.3: that
    /// "MUST precede any evaluation of a Referenced Token's status").
    pub(super) fn judge(&self, claims: &AccessTokenClaims, now: UnixTime, can_wait: bool) -> Status {
        let reference = match (self.policy, StatusReference::of(&claims.extra)) {
            (StatusListPolicy::Off, _) | (StatusListPolicy::IfPresent, None) => {
                return Status::Valid { until: UnixTime::MAX, refresh: None };
            }
            (StatusListPolicy::Required, None) => return Status::Refused(InvalidToken::NoStatus),
            (_, Some(Err(malformed))) => return Status::Refused(malformed.into()),
            (_, Some(Ok(reference))) => reference,
        };
        let Some(endpoint) = self.endpoint(&reference.uri) else { return Status::Refused(InvalidToken::NoStatus) };
        let Some(source) = &self.source else {
            return Status::Down { retry_after: 60 };
        };
        let list = self.list(source, &reference.uri, endpoint);
        let (known, until, refresh) = match list.at(now, can_wait) {
            Availability::Ready { value, until, refresh } => (value, until, refresh),
            Availability::Wait(refresh) => return Status::Wait(refresh),
            Availability::Down { retry_after } => return Status::Down { retry_after },
        };
        // "If the expiration time is defined, it MUST be checked".
        let end = source.end(known.newest()).unwrap_or(UnixTime::MAX);
        if now >= end {
            return Status::Down { retry_after: source.lifetimes.pause.max(1) };
        }
        match known.is_valid(reference.index) {
            Some(true) => Status::Valid { until: until.min(end), refresh },
            Some(false) => Status::Refused(InvalidToken::Inactive),
            None => Status::Refused(InvalidToken::NoStatus),
        }
    }

    /// The URL, if the issuer may have a list there.
    fn endpoint(&self, uri: &str) -> Option<Endpoint> {
        let endpoint = Endpoint::parse(uri, self.transport).ok()?;
        let is_trusted = match &self.trusted {
            Trusted::Origin(own) => own.is_some() && *own == origin(uri),
            Trusted::Below(prefix) => {
                // No way out of it again.
                let plain = !uri.contains("..") && !uri.contains(['%', '\\']);
                plain && uri.strip_prefix(&**prefix).is_some_and(|rest| !rest.is_empty())
            }
        };
        is_trusted.then_some(endpoint)
    }

    fn list(&self, source: &Source, uri: &str, endpoint: Endpoint) -> Arc<Fetched<Known>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, list)) = open.iter().find(|(known, _)| **known == *uri) {
            return Arc::clone(list);
        }
        if open.len() >= MOST {
            open.pop_front();
        }
        let list = source.open(uri, endpoint);
        open.push_back((uri.into(), Arc::clone(&list)));
        list
    }
}

impl Trusted {
    pub(super) fn of(issuer: &str, below: Option<String>) -> Self {
        match below {
            // So that it ends where a segment does.
            Some(prefix) if prefix.ends_with('/') => Self::Below(prefix.into()),
            Some(prefix) => Self::Below(format!("{prefix}/").into()),
            None => Self::Origin(origin(issuer)),
        }
    }
}

/// Scheme, host and port.
type Origin = (String, String, u16);

fn origin(url: &str) -> Option<Origin> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let usual = if scheme == "http" { 80 } else { 443 };
    Some((scheme, uri.host()?.to_ascii_lowercase(), uri.port_u16().unwrap_or(usual)))
}

/// Tells the operator of tokens that nobody can look up.
pub(super) fn report_no_client(issuer: &str) {
    outage::report(issuer, "its tokens name status lists, and there is no HTTP client to fetch them");
}
