//! Lists of revoked tokens, kept fresh as keys are (Token Status List,
//! [draft-ietf-oauth-status-list-18]).
//!
//! Where the issuer says that a token has a status, the verdict on it lasts no
//! longer than the list is fresh, so a hit looks at no list. A list is fetched
//! when a token names it whose signature is good, and only where the issuer is
//! trusted to have it.
//!
//! [draft-ietf-oauth-status-list-18]: https://datatracker.ietf.org/doc/draft-ietf-oauth-status-list/18/

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, Request, StatusCode, Uri, header::ACCEPT};
use oauth_core::{
    claims::{AccessTokenClaims, ClockSkew},
    clock::{Clock, UnixTime},
    jwk::JwkSet,
    jwt::{Algorithm, JwtError},
    status_list::{StatusList, StatusListExpectations, StatusReference, VerifiedStatusList, verify_status_list},
};

use super::{
    discovery::max_age,
    fetched::{Availability, Down, Fetched, Lifetimes, Loaded, Newer, Refresh},
    jwks::Keys,
    observe::{Upstream, What},
    outage,
    refusal::InvalidToken,
};
use crate::outgoing::{Endpoint, HttpClient, Transport};

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

/// How lists are fetched.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) issuer: Arc<str>,
    pub(super) http: HttpClient,
    pub(super) keys: Keys,
    pub(super) algorithms: Arc<[Algorithm]>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) skew: ClockSkew,
    pub(super) lifetimes: Lifetimes,
}

/// A list as it was fetched.
#[derive(Debug)]
pub(super) struct Known {
    list: StatusList,
    expires_at: Option<UnixTime>,
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
        let end = known.expires_at.unwrap_or(UnixTime::MAX);
        if now >= end {
            return Status::Down { retry_after: source.lifetimes.pause.max(1) };
        }
        match known.list.is_valid(reference.index) {
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

impl Source {
    fn open(&self, uri: &str, endpoint: Endpoint) -> Arc<Fetched<Known>> {
        let (source, uri): (_, Arc<str>) = (self.clone(), uri.into());
        let upstream = Upstream::new(&self.issuer, What::StatusList);
        let load = move || {
            let (source, uri, endpoint, upstream) =
                (source.clone(), Arc::clone(&uri), endpoint.clone(), upstream.clone());
            async move { upstream.watch(source.load(&uri, &endpoint), Down::outcome).await }.boxed()
        };
        Fetched::new(&self.issuer, Arc::clone(&self.clock), self.lifetimes, load, |_, _| {})
    }

    async fn load(&self, uri: &str, endpoint: &Endpoint) -> Result<Loaded<Known>, Down> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = endpoint.uri().clone();
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/statuslist+jwt"));
        let response = self.http.send(request).await?;
        if response.status() != StatusCode::OK {
            return Err(Down::status("status list", response.status()));
        }
        let token = std::str::from_utf8(response.body()).map_err(Down::of)?.trim_ascii();
        let since = self.clock.now();
        let keys = self.keys.get().await?;
        let verified = match self.verify(token, uri, &keys) {
            Err(JwtError::UnknownKey) => {
                // It may have been signed with a key that is newer than those here.
                if let Newer::Wait(refresh) = self.keys.newer(since, since, &keys) {
                    refresh.await;
                }
                let keys = self.keys.get().await?;
                self.verify(token, uri, &keys).map(|read| self.loaded(read, max_age(&response)))
            }
            verified => verified.map(|read| self.loaded(read, max_age(&response))),
        };
        verified.map_err(Down::of)
    }

    fn verify<'k>(&self, token: &str, uri: &str, keys: &'k JwkSet) -> Result<VerifiedStatusList<'k>, JwtError> {
        let expected = StatusListExpectations::new(&self.issuer, uri, self.clock.now()).with_skew(self.skew);
        verify_status_list(token, keys, &self.algorithms, &expected)
    }

    /// When it says nothing any more. One that was made long before it was fetched
    /// may be what somebody has kept, and serve no longer than one that could not
    /// be fetched anew.
    fn end(&self, read: &VerifiedStatusList<'_>) -> Option<UnixTime> {
        let tolerance = self.lifetimes.stale.saturating_add(self.skew.as_secs());
        let outdated = read.ttl.map(|ttl| read.issued_at.saturating_add(ttl).saturating_add(tolerance));
        read.expires_at.into_iter().chain(outdated).min()
    }

    /// "MUST prioritize the exp and ttl claims within the Status List Token over
    /// the HTTP headers" (section 8.2).
    fn loaded(&self, read: VerifiedStatusList<'_>, max_age: Option<u64>) -> Loaded<Known> {
        let now = self.clock.now();
        let left = |end: UnixTime| end.0.saturating_sub(now.0);
        let says = match read.ttl {
            // One that is on the way for some time, from a cache, is not fresh for
            // as long again; where it is older than that, clocks or customs differ.
            Some(ttl) => match left(read.issued_at.saturating_add(ttl)) {
                0 => Some(ttl),
                left => Some(left.min(ttl)),
            },
            None => read.expires_at.map(left).or(max_age),
        };
        let until_end = read.expires_at.map_or(u64::MAX, left);
        let max_age = says.map(|says| says.min(until_end));
        let expires_at = self.end(&read);
        Loaded { value: Known { list: read.list, expires_at }, max_age }
    }
}

/// Tells the operator of tokens that nobody can look up.
pub(super) fn report_no_client(issuer: &str) {
    outage::report(issuer, "its tokens name status lists, and there is no HTTP client to fetch them");
}
