//! Tokens that somebody else must be asked about ([RFC 7662]).
//!
//! [RFC 7662]: https://www.rfc-editor.org/rfc/rfc7662

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header::RETRY_AFTER};
use oauth_core::clock::UnixTime;
use serde_json::{Map, Value};

use super::{
    answer::{self, Rules},
    discovery::Metadata,
    outage,
    refusal::InvalidToken,
    token::TokenClaims,
    validate::{Failure, Judge},
};
use crate::outgoing::{ClientAuth, Endpoint, HttpClient, HttpError, Transport};

/// How one issuer is asked.
#[derive(Debug)]
pub(super) struct Introspector {
    pub(super) endpoint: EndpointLocation,
    pub(super) auth: ClientAuth,
    pub(super) http: HttpClient,
    pub(super) transport: Transport,
    /// For how many seconds an answer is remembered, `exp` permitting.
    pub(super) cache_for: u64,
    pub(super) server_checks_audience: bool,
    pub(super) client_as_subject: bool,
    /// How many questions may be open at once.
    pub(super) most: usize,
    pub(super) open: AtomicUsize,
}

/// Where the endpoint is.
#[derive(Debug)]
pub(super) enum EndpointLocation {
    At(Endpoint),
    /// The `introspection_endpoint` of the issuer's metadata.
    Discovered(Arc<Metadata>),
}

/// What was found out about a token.
pub(super) struct Finding {
    pub(super) claims: TokenClaims,
    /// For how many seconds it may be remembered, whatever `exp` says.
    pub(super) remember: u64,
}

const RETRY: Failure = Failure::Unavailable { retry_after: Failure::MEMORY };

impl Introspector {
    /// Asks about `token`.
    pub(super) async fn ask(&self, judge: &Judge, index: usize, token: &str) -> Result<Finding, Failure> {
        // A token of a foreign server can be anything, so that every stranger
        // can make us ask. Beyond this many at a time we do not.
        let down = |reason: &str| unavailable(judge.issuer(index), reason);
        let Some(_place) = Place::take(&self.open, self.most) else { return Err(down("too many questions are open")) };
        let endpoint = match &self.endpoint {
            EndpointLocation::At(endpoint) => endpoint.clone(),
            EndpointLocation::Discovered(metadata) => {
                let metadata = metadata.get().await.map_err(|_| RETRY)?;
                let url = metadata.introspection_endpoint.as_deref();
                let url = url.ok_or_else(|| down("the metadata name no introspection_endpoint"))?;
                Endpoint::parse(url, self.transport).map_err(|error| down(&outage::chain(&error)))?
            }
        };
        let fields = [("token", token), ("token_type_hint", "access_token")];
        let request = self.auth.post(endpoint.uri(), &fields).map_err(|_| RETRY)?;
        judge.count_question();
        let response = self.send(request).await.map_err(|error| down(&outage::chain(&error)))?;
        if is_unsupported(&response) {
            return Err(Failure::Denied(InvalidToken::Unrecognized));
        }
        // RFC 7662 section 2.3: 401 means that *our* credentials were refused,
        // which says nothing of the token. Nor does any other error.
        if response.status() != StatusCode::OK {
            outage::report(judge.issuer(index), &format!("introspection: {}", response.status()));
            return Err(Failure::Unavailable { retry_after: retry_after(&response) });
        }
        let answer: Map<String, Value> =
            serde_json::from_slice(response.body()).map_err(|_| down("introspection: no JSON object"))?;
        let claims = answer::judge(answer, &self.rules(judge, index)).map_err(Failure::Denied)?;
        Ok(Finding { claims, remember: self.cache_for })
    }

    /// A connection that was kept may be closed by the other side just when it
    /// is used again. To ask changes nothing, so it is asked once more.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        match self.http.send(request.clone()).await {
            Err(HttpError::Transport(_)) => self.http.send(request).await,
            outcome => outcome,
        }
    }

    fn rules<'a>(&self, judge: &'a Judge, index: usize) -> Rules<'a> {
        Rules {
            issuer: judge.issuer(index),
            resource: &judge.resource,
            now: judge.clock.now(),
            skew: judge.skew,
            server_checks_audience: self.server_checks_audience,
            client_as_subject: self.client_as_subject,
        }
    }
}

/// A place among the questions that are open.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(open: &'a AtomicUsize, most: usize) -> Option<Self> {
        let next = |open| if open < most { Some(open + 1) } else { None };
        open.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).ok()?;
        Some(Self(open))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn unavailable(issuer: &str, reason: &str) -> Failure {
    outage::report(issuer, reason);
    RETRY
}

/// RFC 7009 section 2.2.1: `unsupported_token_type`, which some servers answer
/// here too. Unlike all other errors, this one is about the token.
fn is_unsupported(response: &Response<Bytes>) -> bool {
    let error = || serde_json::from_slice::<Value>(response.body()).ok()?.get("error")?.as_str().map(str::to_owned);
    response.status() == StatusCode::BAD_REQUEST && error().is_some_and(|error| error == "unsupported_token_type")
}

/// The seconds that a response asks to wait, within bounds.
fn retry_after<B>(response: &Response<B>) -> u64 {
    let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    asked.unwrap_or(Failure::MEMORY).clamp(1, 300)
}

/// When a finding ends: after `remember` seconds, and never after `exp`.
pub(super) fn until(now: UnixTime, remember: u64, exp: Option<UnixTime>) -> UnixTime {
    now.saturating_add(remember).min(exp.unwrap_or(UnixTime::MAX))
}
