//! From the bytes of a token to a verdict: the one path that every way in takes.

use std::sync::Arc;

use futures_util::{FutureExt, future::BoxFuture};
use http::{HeaderMap, HeaderValue, Method, Uri};
use oauth_core::{
    claims::ClockSkew,
    clock::{Clock, UnixTime},
    jwt::Jws,
    secret::Secret,
};

#[cfg(feature = "server")]
use super::local::Local;
use super::{
    cache::{Lookup, VerdictCache},
    challenger::Challenger,
    credentials::Credentials,
    fetched::Refresh,
    flight::Flights,
    introspection::{Finding, Introspector, until},
    invalidate::{Ledger, Slot, Standing},
    jwt::{JwtVerifier, Step, names},
    metadata::Description,
    refusal::{InvalidRequest, InvalidToken, RefusalKind},
    route::Route,
    token::ValidatedToken,
};

/// What was found out about a token.
pub(super) type Verdict = Result<Arc<ValidatedToken>, Failure>;

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It is not good.
    Denied(InvalidToken),
    /// Nobody knows at the moment.
    Unavailable { retry_after: u64 },
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
            Failure::Unavailable { retry_after } => Self::Unavailable { retry_after },
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
    pub(super) challenger: Arc<Challenger>,
    pub(super) description: Description,
    pub(super) ignore_query: bool,
    pub(super) serves_bearer: bool,
    pub(super) mutual_tls: bool,
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
    Jwt(JwtVerifier),
    Introspection {
        introspector: Introspector,
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
    /// With a good proof of the key it is bound to.
    pub(super) proven: bool,
    /// The nonce to send along.
    pub(super) fresh_nonce: Option<Box<HeaderValue>>,
}

impl Judged {
    /// As it came, without a proof.
    pub(super) const fn sent(token: Arc<ValidatedToken>) -> Self {
        Self { token, proven: false, fresh_nonce: None }
    }
}

/// A token that somebody has to be asked about.
#[derive(Clone)]
struct Question {
    token: Secret,
    first: usize,
    second: Option<usize>,
}

impl Judge {
    /// Judges the credentials of a request. `Ok(None)` means that it has none.
    pub(super) fn check(self: &Arc<Self>, headers: &HeaderMap, line: Option<(&Method, &Uri)>) -> Check {
        let query = if self.ignore_query { None } else { line.and_then(|(_, uri)| uri.query()) };
        match Credentials::read(headers, query) {
            Ok(Credentials::Bearer(token)) if self.serves_bearer => self.check_token(token),
            Ok(Credentials::Bearer(_)) => {
                Check::Now(Err(RefusalKind::InvalidToken(InvalidToken::BearerUnserved)), None)
            }
            Ok(Credentials::Dpop(token)) => self.check_proven(token, headers, line),
            Ok(Credentials::None) => Check::Now(Ok(None), None),
            Err(error) => Check::Now(Err(RefusalKind::InvalidRequest(error)), None),
        }
    }

    /// Judges a token.
    pub(super) fn check_token(self: &Arc<Self>, token: &[u8]) -> Check {
        let now = self.clock.now();
        let lookup = self.cache.lookup(token);
        if let Some(token) = self.cache.good(&lookup, now, &self.ledger) {
            return Check::Now(Ok(Some(token)), None);
        }
        if let Some(failure) = self.cache.denial(&lookup, now, &self.ledger) {
            return Check::Now(Err(failure.into()), None);
        }
        match self.route(token) {
            Some(route) => self.follow(route, &lookup, now),
            None => Check::Now(Err(RefusalKind::InvalidRequest(InvalidRequest::MalformedHeader)), None),
        }
    }

    fn follow(self: &Arc<Self>, route: Route<'_>, lookup: &Lookup<'_>, now: UnixTime) -> Check {
        match route {
            Route::Jwt(index, jws) => match self.verify(index, &jws, lookup, now, true) {
                Step::Done(verdict, refresh) => Check::Now(verdict.map(Some).map_err(Into::into), refresh),
                Step::Wait(refresh) => {
                    let verdict = Arc::clone(self).verify_after(refresh, lookup.to_text());
                    Check::Later(verdict.map(sent).boxed())
                }
            },
            Route::Ask(first, second) => {
                let question = Question { token: lookup.to_text(), first, second };
                Check::Later(Arc::clone(self).ask(question).map(sent).boxed())
            }
            Route::Nobody(reason) => Check::Now(Err(RefusalKind::InvalidToken(reason)), None),
        }
    }

    fn verify(&self, index: usize, jws: &Jws<'_>, lookup: &Lookup<'_>, now: UnixTime, can_wait: bool) -> Step {
        match self.issuers.get(index).map(|configured| &configured.mechanism) {
            Some(Mechanism::Jwt(verifier)) => verifier.judge(self, index, jws, lookup, now, can_wait),
            _ => Step::Done(Err(Failure::Denied(InvalidToken::UnknownIssuer)), None),
        }
    }

    /// Verifies a JWT whose keys have to be fetched first.
    async fn verify_after(self: Arc<Self>, mut refresh: Refresh, token: Secret) -> Verdict {
        let token = token.expose().as_bytes();
        // The first fetch may have begun before the token's key was published.
        for can_wait in [true, false] {
            refresh.await;
            let Some(Route::Jwt(index, jws)) = self.route(token) else {
                return Err(Failure::Denied(InvalidToken::UnknownIssuer));
            };
            match self.verify(index, &jws, &self.cache.lookup(token), self.clock.now(), can_wait) {
                Step::Done(verdict, _) => return verdict,
                Step::Wait(next) => refresh = next,
            }
        }
        Err(Failure::Unavailable { retry_after: 1 })
    }

    /// Asks whoever knows, together with everyone who wants to know the same.
    async fn ask(self: Arc<Self>, question: Question) -> Verdict {
        let key = self.cache.lookup(question.token.expose().as_bytes()).to_key();
        for _ in 0..ATTEMPTS {
            let flight = self.flights.join(&key, || {
                let (judge, question) = (Arc::clone(&self), question.clone());
                async move { judge.put(&question).await }.boxed()
            });
            match flight.await {
                // The question was put before a revocation, and this caller may
                // have come after it.
                Ok(token) if !self.ledger.holds(&token.standing) => {}
                verdict => return verdict,
            }
        }
        Err(Failure::Unavailable { retry_after: 1 })
    }

    async fn put(&self, question: &Question) -> Verdict {
        let text = question.token.expose();
        let lookup = self.cache.lookup(text.as_bytes());
        // A flight for this token may have landed since the cache was looked at.
        if let Some(verdict) = self.known(&lookup, self.clock.now()) {
            return verdict;
        }
        let mut verdict = Err(Failure::Denied(InvalidToken::Unrecognized));
        for index in [Some(question.first), question.second].into_iter().flatten() {
            verdict = self.put_to(index, text, &lookup).await;
            if !matches!(verdict, Err(Failure::Denied(InvalidToken::Inactive))) {
                break;
            }
        }
        if let Err(failure) = &verdict {
            let standing = Standing::new(self.ledger.sequence(), question.first);
            self.cache.deny(&lookup, failure, standing, self.clock.now());
        }
        verdict
    }

    async fn put_to(&self, index: usize, text: &str, lookup: &Lookup<'_>) -> Verdict {
        // Before the question: what is struck from here on makes the answer void.
        let seen = self.ledger.sequence();
        let asked = self.clock.now();
        let (Finding { claims, remember }, [one, other]) = self.find(text, index).await?;
        let standing = Standing::new(seen, index).resting_on(one, other);
        let valid_until = until(asked, remember, claims.exp);
        let token = ValidatedToken::new(claims, Arc::clone(&self.challenger), standing, valid_until);
        self.cache.keep(lookup, &token, self.clock.now());
        Ok(token)
    }

    async fn find(&self, text: &str, index: usize) -> Result<(Finding, [Slot; 2]), Failure> {
        match self.issuers.get(index).map(|configured| &configured.mechanism) {
            Some(Mechanism::Introspection { introspector, .. }) => {
                let finding = introspector.ask(self, index, text).await?;
                Ok((finding, [Slot::issuer(index); 2]))
            }
            #[cfg(feature = "server")]
            Some(Mechanism::Local(local)) => local.ask(self, text).await,
            _ => Err(Failure::Denied(InvalidToken::Unrecognized)),
        }
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

/// How often a verdict may be overtaken by a revocation before the caller is
/// told to come back.
const ATTEMPTS: usize = 3;
