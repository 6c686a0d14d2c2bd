//! From the bytes of a token to a verdict: the one path that every way in takes.

use std::{future::Future, sync::Arc};

use futures_util::{
    FutureExt,
    future::{BoxFuture, ready},
};
use http::{Extensions, HeaderMap, HeaderValue, Method, Uri};
use oauth_core::{
    claims::ClockSkew,
    clock::{Clock, UnixTime},
    jwt::Jws,
    secret::Secret,
};

#[cfg(feature = "server")]
use super::local::Local;
use super::{
    ask::Question,
    cache::{Lookup, VerdictCache},
    credentials::Credentials,
    fetched::Refresh,
    flight::Flights,
    follow::Followers,
    introspection::Introspector,
    invalidate::Ledger,
    jwt::{JwtVerifier, Moment, Step, names},
    metadata::Description,
    observe::{Buses, Requests, Source},
    refusal::{InvalidRequest, InvalidToken, RefusalKind},
    revoked::Revoked,
    route::Route,
    sender::Proof,
    terms::Terms,
    token::ValidatedToken,
};
use crate::proxy::ClientAddress;

/// What was found out about a token.
pub(super) type Verdict = Result<Arc<ValidatedToken>, Failure>;

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It is not good.
    Denied(InvalidToken),
    /// Nobody knows at the moment.
    Unavailable { retry_after: u64 },
    /// Nobody was asked, because whoever sent it has made us ask too often. That
    /// is no concern of others who send the same.
    OverBudget { retry_after: u64 },
}

impl Failure {
    /// For how many seconds a failure to find out is remembered, so that a
    /// thousand callers do not each try again.
    pub(super) const MEMORY: u64 = 2;
}

impl From<Failure> for RefusalKind {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Denied(reason) => Self::InvalidToken(reason),
            Failure::Unavailable { retry_after } | Failure::OverBudget { retry_after } => {
                Self::Unavailable { retry_after }
            }
        }
    }
}

/// All that judging takes. There is one for each resource server.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) resource: Box<str>,
    pub(super) issuers: Box<[Configured]>,
    pub(super) cache: VerdictCache,
    pub(super) ledger: Arc<Ledger>,
    pub(super) flights: Arc<Flights>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) skew: ClockSkew,
    pub(super) terms: Arc<Terms>,
    pub(super) description: Description,
    pub(super) ignore_query: bool,
    pub(super) form_tokens: bool,
    pub(super) serves_bearer: bool,
    pub(super) mutual_tls: bool,
    pub(super) requests: Requests,
    /// What the issuers say is revoked, for JWTs.
    pub(super) revoked: Revoked,
    pub(super) bus: Buses,
    pub(super) followers: Followers,
    #[cfg(test)]
    pub(super) counters: super::tests::Counters,
}

/// An issuer and how its tokens are judged.
#[derive(Debug)]
pub(super) struct Configured {
    pub(super) issuer: Box<str>,
    pub(super) mechanism: Mechanism,
}

#[derive(Debug)]
pub(super) enum Mechanism {
    Jwt(Box<JwtVerifier>),
    Introspection {
        introspector: Box<Introspector>,
        prefix: Option<Box<str>>,
    },
    #[cfg(feature = "server")]
    Local(Local),
}

/// How far a request came without waiting.
pub(super) enum Check {
    /// To the end. A fetch of keys may want to be driven by the way.
    Now(Result<Option<Arc<ValidatedToken>>, RefusalKind>, Option<Refresh>),
    /// The network or a store has to be asked.
    Later(BoxFuture<'static, Result<Judged, RefusalKind>>),
}

/// A good token, and how it was sent.
pub(super) struct Judged {
    pub(super) token: Arc<ValidatedToken>,
    /// What its sender proved.
    pub(super) proof: Proof,
    /// The nonce to send along.
    pub(super) fresh_nonce: Option<Box<HeaderValue>>,
}

impl Judged {
    /// As it came, without a proof.
    pub(super) const fn sent(token: Arc<ValidatedToken>) -> Self {
        Self { token, proof: Proof::None, fresh_nonce: None }
    }
}

impl Check {
    /// If the token is good, goes on to what its sender has to prove.
    pub(super) fn then_prove<F>(self, prove: impl FnOnce(Arc<ValidatedToken>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Judged, RefusalKind>> + Send + 'static,
    {
        let verdict = match self {
            Self::Now(Ok(Some(token)), refresh) => {
                // One push by the way; whoever comes next gives another.
                let _ = refresh.and_then(FutureExt::now_or_never);
                ready(Ok(Judged::sent(token))).boxed()
            }
            Self::Later(verdict) => verdict,
            refused @ Self::Now(..) => return refused,
        };
        Self::Later(async move { prove(verdict.await?.token).await }.boxed())
    }
}

impl Judge {
    /// Judges the credentials of a request. `Ok(None)` means that it has none.
    pub(super) fn check(
        self: &Arc<Self>,
        headers: &HeaderMap,
        line: Option<(&Method, &Uri)>,
        extensions: Option<&Extensions>,
    ) -> Check {
        let query = if self.ignore_query { None } else { line.and_then(|(_, uri)| uri.query()) };
        if let Some(check) = self.check_form(headers, query, extensions) {
            return check;
        }
        match Credentials::read(headers, query, &self.terms.schemes) {
            Ok(Credentials::Bearer(token)) if self.serves_bearer => self.check_token(token, extensions),
            Ok(Credentials::Bearer(_)) => self.at_once(Err(InvalidToken::BearerUnserved.into())),
            Ok(Credentials::Dpop(token)) => self.check_proven(token, headers, line, extensions),
            Ok(Credentials::Other(index, said)) => self.check_scheme(index, said, headers, line, extensions),
            Ok(Credentials::None) => self.at_once(Ok(None)),
            Err(error) => self.at_once(Err(RefusalKind::InvalidRequest(error))),
        }
    }

    /// Nothing has to be found out.
    pub(super) fn at_once(&self, found: Result<Option<Arc<ValidatedToken>>, RefusalKind>) -> Check {
        self.requests.count(Source::None);
        Check::Now(found, None)
    }

    /// Judges a token. Who sent it, the extensions may say: nobody looks unless
    /// somebody has to be asked.
    pub(super) fn check_token(self: &Arc<Self>, token: &[u8], extensions: Option<&Extensions>) -> Check {
        let now = self.clock.now();
        let lookup = self.cache.lookup(token);
        if let Some(token) = self.cache.good(&lookup, now, &self.ledger) {
            self.requests.count(Source::Hit);
            return Check::Now(Ok(Some(token)), None);
        }
        if let Some(failure) = self.cache.denial(&lookup, now, &self.ledger) {
            self.requests.count(Source::Hit);
            return Check::Now(Err(failure.into()), None);
        }
        match self.route(token) {
            Some(route) => self.follow(route, &lookup, now, extensions),
            None => self.at_once(Err(RefusalKind::InvalidRequest(InvalidRequest::MalformedHeader))),
        }
    }

    fn follow(
        self: &Arc<Self>,
        route: Route<'_>,
        lookup: &Lookup<'_>,
        now: UnixTime,
        extensions: Option<&Extensions>,
    ) -> Check {
        match route {
            Route::Jwt(index, jws) => {
                self.requests.count(Source::Verified);
                match self.verify(index, &jws, lookup, Moment { now, since: now, can_wait: true }) {
                    Step::Done(verdict, refresh) => Check::Now(verdict.map(Some).map_err(Into::into), refresh),
                    Step::Wait(refresh) => {
                        let verdict = Arc::clone(self).verify_after(refresh, lookup.to_text());
                        Check::Later(verdict.map(sent).boxed())
                    }
                }
            }
            Route::Ask(first, second) => {
                self.requests.count(Source::Asked);
                let address = extensions.and_then(ClientAddress::of);
                let question = Question { token: lookup.to_text(), first, second, address };
                Check::Later(Arc::clone(self).ask(question).map(sent).boxed())
            }
            Route::Nobody(reason) => self.at_once(Err(reason.into())),
        }
    }

    fn verify(&self, index: usize, jws: &Jws<'_>, lookup: &Lookup<'_>, at: Moment) -> Step {
        match self.issuers.get(index).map(|configured| &configured.mechanism) {
            Some(Mechanism::Jwt(verifier)) => verifier.judge(self, index, jws, lookup, at),
            _ => Step::Done(Err(Failure::Denied(InvalidToken::UnknownIssuer)), None),
        }
    }

    /// Verifies a JWT whose keys have to be fetched first.
    async fn verify_after(self: Arc<Self>, mut refresh: Refresh, token: Secret) -> Verdict {
        let since = self.clock.now();
        let token = token.expose().as_bytes();
        // The first fetch may have begun before the token's key was published.
        // And then its status list may be missing.
        for can_wait in [true, true, false] {
            refresh.await;
            let Some(Route::Jwt(index, jws)) = self.route(token) else {
                return Err(Failure::Denied(InvalidToken::UnknownIssuer));
            };
            let at = Moment { now: self.clock.now(), since, can_wait };
            match self.verify(index, &jws, &self.cache.lookup(token), at) {
                Step::Done(verdict, _) => return verdict,
                Step::Wait(next) => refresh = next,
            }
        }
        Err(Failure::Unavailable { retry_after: 1 })
    }

    /// What the cache knows of a token, either way.
    pub(super) fn known(&self, lookup: &Lookup<'_>, now: UnixTime) -> Option<Verdict> {
        let good = self.cache.good(lookup, now, &self.ledger).map(Ok);
        good.or_else(|| self.cache.denial(lookup, now, &self.ledger).map(Err))
    }

    pub(super) fn issuer(&self, index: usize) -> &str {
        self.issuers.get(index).map_or("", |configured| &configured.issuer)
    }

    pub(super) fn names_issuer(&self, index: usize, jws: &Jws<'_>) -> bool {
        names(jws, self.issuer(index))
    }

    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "tests count"))]
    pub(super) fn count_verification(&self) {
        #[cfg(test)]
        self.counters.verification();
    }

    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "tests count"))]
    pub(super) fn count_question(&self) {
        #[cfg(test)]
        self.counters.question();
    }
}

fn sent(verdict: Verdict) -> Result<Judged, RefusalKind> {
    verdict.map(Judged::sent).map_err(Into::into)
}
