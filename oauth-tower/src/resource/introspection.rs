//! Tokens that somebody else must be asked about ([RFC 7662]).
//!
//! [RFC 7662]: https://www.rfc-editor.org/rfc/rfc7662

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{ACCEPT, RETRY_AFTER},
};
use oauth_core::{
    claims::{ClaimsError, parse_introspection},
    clock::UnixTime,
    jwt::JwtError,
};
use serde_json::Value;

use super::{
    answer::{self, Rules},
    breaker::Line,
    budget::{Budgets, Charge, Network},
    discovery::Metadata,
    invalidate::Slot,
    outage,
    refusal::InvalidToken,
    signed::{self, Opened, Signatures},
    token::TokenClaims,
    validate::{Failure, Judge},
};
use crate::outgoing::{AuthError, ClientAuth, Endpoint, HttpClient, HttpError, Transport};

/// How one issuer is asked.
#[derive(Debug)]
pub(super) struct Introspector {
    pub(super) endpoint: EndpointLocation,
    pub(super) auth: ClientAuth,
    pub(super) http: HttpClient,
    pub(super) line: Line,
    pub(super) transport: Transport,
    /// For how many seconds an answer is remembered, `exp` permitting.
    pub(super) cache_for: u64,
    pub(super) server_checks_audience: bool,
    pub(super) client_as_subject: bool,
    /// Asks as a Matrix homeserver does.
    pub(super) homeserver: bool,
    /// What its tokens must name, if not the resource.
    pub(super) audience: Option<Box<str>>,
    /// How many questions may be open at once; a few more, about tokens that
    /// were good a moment ago.
    pub(super) most: usize,
    pub(super) open: AtomicUsize,
    /// How many each address may cause; `None` if that is not limited.
    pub(super) budgets: Option<Budgets>,
    /// There if answers must be signed.
    pub(super) signatures: Option<Signatures>,
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
    /// For how many seconds after the question it may be remembered, whatever
    /// `exp` says.
    pub(super) remember: u64,
}

/// Asks an authentication service of Matrix for `device_id` beside the scope.
const SUPPORTS_DEVICE_ID: HeaderName = HeaderName::from_static("x-mas-supports-device-id");

const RETRY: Failure = Failure::Unavailable { retry_after: Failure::MEMORY };

impl Introspector {
    /// Asks about `token`, which came from `address` as far as that is known. The
    /// slot is what the answer rests on, beside the issuer. One that is `known`
    /// was good a moment ago, so no flood of strangers stands in its way: there
    /// are places for it alone, and it takes nothing from a budget.
    pub(super) async fn ask(
        &self,
        judge: &Judge,
        index: usize,
        token: &str,
        address: Option<IpAddr>,
        known: bool,
    ) -> Result<(Finding, Slot), Failure> {
        // A token of a foreign server can be anything, so that every stranger
        // can make us ask. Beyond this many at a time we do not.
        let reserve = if known { self.most / 4 + 1 } else { 0 };
        let Some(_place) = Place::take(&self.open, self.most.saturating_add(reserve)) else {
            return Err(self.line.crowded(judge.clock.now()));
        };
        let endpoint = self.endpoint(|reason| unavailable(judge.issuer(index), reason)).await?;
        let charge = if known { None } else { self.charge(address, judge.clock.now())? };
        let finding = self.find(judge, index, token, &endpoint).await?;
        if let (Some(budgets), Some(charge)) = (&self.budgets, charge) {
            budgets.give_back(&charge);
        }
        Ok(finding)
    }

    /// Takes the question from the budget of whoever sent the token. Where that
    /// is not known, the limit of open questions has to do: one budget for all
    /// would be everybody's to exhaust. Nor does it cost anything while nobody is
    /// asked at all.
    fn charge(&self, address: Option<IpAddr>, now: UnixTime) -> Result<Option<Charge>, Failure> {
        let (Some(budgets), Some(address)) = (&self.budgets, address) else { return Ok(None) };
        if self.line.state(now).is_dead {
            return Ok(None);
        }
        budgets.take(Network::of(address), now).map(Some).map_err(|retry_after| Failure::OverBudget { retry_after })
    }

    async fn find(
        &self,
        judge: &Judge,
        index: usize,
        token: &str,
        endpoint: &Endpoint,
    ) -> Result<(Finding, Slot), Failure> {
        let asked = judge.clock.now();
        let question = || self.question(endpoint, token, judge);
        let first = question().map_err(|error| unavailable(judge.issuer(index), &error.to_string()))?;
        judge.count_question();
        let answer = self.line.put(&*judge.clock, self.send(first, question)).await?;
        let opened = self.open(&answer.response, asked, judge, index).await;
        match &opened {
            Ok(_) | Err(Failure::Denied(_)) => answer.was_of_use(),
            Err(_) => answer.was_in_vain(judge.clock.now()),
        }
        let Opened { answer, ground, until } = opened?;
        let claims = answer::judge(answer, &self.rules(judge, index, asked));
        let claims = claims.map_err(|reason| self.denied(reason, judge.issuer(index)))?;
        Ok((Finding { claims, remember: self.cache_for.min(asked.until(until)) }, ground))
    }

    async fn endpoint(&self, down: impl Fn(&str) -> Failure) -> Result<Endpoint, Failure> {
        let metadata = match &self.endpoint {
            EndpointLocation::At(endpoint) => return Ok(endpoint.clone()),
            EndpointLocation::Discovered(metadata) => metadata.get().await.map_err(|_| RETRY)?,
        };
        let url = metadata.introspection_endpoint.as_deref();
        let url = url.ok_or_else(|| down("the metadata name no introspection_endpoint"))?;
        Endpoint::parse(url, self.transport).map_err(|error| down(&outage::chain(&error)))
    }

    /// A connection that was kept may be closed by the other side just when it
    /// is used again. To ask changes nothing, so it is asked once more; not by
    /// the same request, since an assertion is good for one use.
    async fn send(
        &self,
        question: Request<Bytes>,
        again: impl FnOnce() -> Result<Request<Bytes>, AuthError>,
    ) -> Result<Response<Bytes>, HttpError> {
        match self.http.send(question).await {
            Err(error @ HttpError::Transport(_)) => match again() {
                Ok(question) => self.http.send(question).await,
                Err(_) => Err(error),
            },
            outcome => outcome,
        }
    }

    fn question(&self, endpoint: &Endpoint, token: &str, judge: &Judge) -> Result<Request<Bytes>, AuthError> {
        let fields = [("token", token), ("token_type_hint", "access_token")];
        let mut request = self.auth.post(endpoint.uri(), &fields, judge.clock.now())?;
        if self.homeserver {
            request.headers_mut().insert(SUPPORTS_DEVICE_ID, HeaderValue::from_static("1"));
        }
        if self.signatures.is_some() {
            request.headers_mut().insert(ACCEPT, signed::MEDIA_TYPE);
        }
        Ok(request)
    }

    /// What `response` says of the token: the answer in it, which must be signed where that was asked for:
    /// else whoever can answer in the issuer's place needs no key to do it.
    async fn open(
        &self,
        response: &Response<Bytes>,
        asked: UnixTime,
        judge: &Judge,
        index: usize,
    ) -> Result<Opened, Failure> {
        if is_unsupported(response) {
            return Err(Failure::Denied(InvalidToken::Unrecognized));
        }
        // RFC 7662 section 2.3: 401 means that *our* credentials were refused,
        // which says nothing of the token. Nor does any other error.
        if response.status() != StatusCode::OK {
            outage::report(judge.issuer(index), &format!("introspection: {}", response.status()));
            return Err(Failure::Unavailable { retry_after: retry_after(response) });
        }
        let down = |reason: &str| unavailable(judge.issuer(index), reason);
        match &self.signatures {
            Some(signatures) => signatures.open(response, asked, judge, index).await.map_err(|reason| down(&reason)),
            None => {
                let answer = parse_introspection(response.body()).map_err(|_| down("introspection: no JSON object"))?;
                Ok(Opened { answer, ground: Slot::issuer(index), until: UnixTime::MAX })
            }
        }
    }

    /// A homeserver's client loses its keys by a 401. So an answer that makes no sense is the
    /// server's mistake there, and not the token's.
    fn denied(&self, reason: InvalidToken, issuer: &str) -> Failure {
        match reason {
            InvalidToken::Jwt(JwtError::Claims(ClaimsError::Malformed(_) | ClaimsError::Missing(_)))
                if self.homeserver =>
            {
                unavailable(issuer, &format!("introspection: {reason}"))
            }
            reason => Failure::Denied(reason),
        }
    }

    fn rules<'a>(&'a self, judge: &'a Judge, index: usize, asked: UnixTime) -> Rules<'a> {
        Rules {
            issuer: judge.issuer(index),
            resource: self.audience.as_deref().unwrap_or(&judge.resource),
            now: judge.clock.now(),
            skew: judge.skew,
            server_checks_audience: self.server_checks_audience,
            client_as_subject: self.client_as_subject,
            homeserver: self.homeserver.then_some(asked),
            schemes: &judge.terms.schemes,
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
/// here too. Unlike all other errors, this one is about the token. An error is
/// never signed (RFC 9701 section 5), and this one can only deny.
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
