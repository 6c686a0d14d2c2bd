//! Tokens that prove themselves: RFC 9068 JWTs.

use std::sync::Arc;

use oauth_core::{
    claims::{AccessTokenClaims, Expectations, VerifiedAccessToken, verify_access_token_jws},
    clock::UnixTime,
    jwt::{Algorithm, Jws, JwtError},
    token::GrantRefs,
};

use super::{
    cache::Lookup,
    fetched::{Availability, Newer, Refresh},
    invalidate::{Ground, Slot, Standing},
    jwks::Keys,
    refusal::InvalidToken,
    status::{self, Status, StatusLists},
    token::ValidatedToken,
    validate::{Failure, Judge, Verdict},
};

/// How tokens of one issuer are verified.
#[derive(Debug)]
pub(super) struct JwtVerifier {
    pub(super) keys: Keys,
    pub(super) algorithms: Box<[Algorithm]>,
    /// What its tokens must name, if not the resource.
    pub(super) audience: Option<Box<str>>,
    pub(super) statuses: StatusLists,
}

/// How far one attempt came.
pub(super) enum Step {
    /// A verdict, and a fetch of keys to drive by the way.
    Done(Verdict, Option<Refresh>),
    /// Keys have to be waited for.
    Wait(Refresh),
}

/// When a token is judged.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: UnixTime,
    /// When it came.
    pub(super) since: UnixTime,
    /// Whether keys may be waited for.
    pub(super) can_wait: bool,
}

impl JwtVerifier {
    /// Judges `jws`, which is `lookup`'s token and names (or is assumed to
    /// name) the issuer at `index`. Verifies at most once, whoever else asks
    /// about the same token at the same time.
    pub(super) fn judge(&self, judge: &Judge, index: usize, jws: &Jws<'_>, lookup: &Lookup<'_>, at: Moment) -> Step {
        let Moment { now, since, can_wait } = at;
        // Before the keys are read: if one of them is struck from here on, the
        // verdict falls.
        let seen = judge.ledger.sequence();
        let (keys, until, refresh) = match self.keys.at(now, can_wait) {
            Availability::Ready { value, until, refresh } => (value, until, refresh),
            Availability::Wait(refresh) => {
                return if judge.names_issuer(index, jws) { Step::Wait(refresh) } else { foreign() };
            }
            Availability::Down { retry_after } => {
                return if judge.names_issuer(index, jws) { unavailable(retry_after) } else { foreign() };
            }
        };
        // An issuer without keys signs nothing; that it has none is a mistake of
        // its own, and says nothing of the token.
        if keys.keys().is_empty() {
            let nobody_knows = Failure::Unavailable { retry_after: Failure::MEMORY };
            return if judge.names_issuer(index, jws) { Step::Done(Err(nobody_knows), refresh) } else { foreign() };
        }
        let turn = judge.cache.turn(lookup);
        if let Some(verdict) = judge.known(lookup, now) {
            return Step::Done(verdict, refresh);
        }
        let issuer = judge.issuer(index);
        let audience = self.audience.as_deref().unwrap_or(&judge.resource);
        let expectations = Expectations::new(issuer, audience, now).with_skew(judge.skew);
        judge.count_verification();
        let reason = match verify_access_token_jws(jws, &keys, &self.algorithms, &expectations) {
            // It proves itself; that it was revoked is ours to remember.
            Ok(verified) if is_revoked(judge, index, audience, &verified.claims, now) => InvalidToken::Inactive,
            Ok(verified) => match self.statuses.judge(&verified.claims, now, can_wait) {
                Status::Valid { until: looked_up, refresh: list } => {
                    let token = accepted(judge, index, audience, seen, until.min(looked_up), verified);
                    judge.keep(lookup, &token, now);
                    // Of two that are due, the other comes with the next token.
                    return Step::Done(Ok(token), refresh.or(list));
                }
                Status::Refused(reason) => reason,
                Status::Wait(list) => return Step::Wait(list),
                Status::Down { retry_after } => {
                    if self.statuses.source.is_none() {
                        status::report_no_client(issuer);
                    }
                    return unavailable(retry_after);
                }
            },
            // No network for the sake of a token that is not this issuer's.
            Err(JwtError::UnknownKey) if !judge.names_issuer(index, jws) => InvalidToken::UnknownIssuer,
            Err(JwtError::UnknownKey) => {
                // Nobody drives it from here.
                drop((turn, refresh));
                return match self.keys.newer(now, since, &keys) {
                    Newer::Replaced => self.judge(judge, index, jws, lookup, at),
                    newer => unknown_key(judge, index, lookup, now, seen, newer, can_wait),
                };
            }
            Err(error) => error.into(),
        };
        let verdict = denied(judge, index, lookup, now, seen, reason);
        drop(turn);
        Step::Done(verdict, refresh)
    }
}

/// Rests on the key, and lasts no longer than the key set is fresh: whoever
/// finds it in the cache does not look at the keys.
fn accepted(
    judge: &Judge,
    index: usize,
    audience: &str,
    seen: u64,
    until: UnixTime,
    verified: VerifiedAccessToken<'_>,
) -> Arc<ValidatedToken> {
    let key = judge.ledger.shared(index, Ground::Key(verified.key.thumbprint()));
    let valid_until = verified.claims.exp.min(until);
    let grant = judge.grant_slot(index, own_ref(&verified.claims, audience));
    let standing = Standing::new(seen, index).resting_on(key, grant);
    ValidatedToken::new(verified.claims.into(), Arc::clone(&judge.terms), standing, valid_until)
}

/// What the token's grant is called here.
fn own_ref<'c>(claims: &'c AccessTokenClaims, audience: &str) -> Option<&'c str> {
    GrantRefs::own(claims.grant_ref.as_deref()?, &claims.aud, audience)
}

fn is_revoked(judge: &Judge, index: usize, audience: &str, claims: &AccessTokenClaims, now: UnixTime) -> bool {
    judge.revoked.holds(index, audience, own_ref(claims, audience), &claims.jti, now)
}

/// The token names a key that is not there: perhaps it is by now.
fn unknown_key(
    judge: &Judge,
    index: usize,
    lookup: &Lookup<'_>,
    now: UnixTime,
    seen: u64,
    newer: Newer,
    can_wait: bool,
) -> Step {
    match newer {
        Newer::Wait(refresh) if can_wait => Step::Wait(refresh),
        // Somebody else asks again already: whether the key exists is open.
        Newer::Wait(_) | Newer::Replaced => unavailable(1),
        Newer::Unknown { retry_after } => unavailable(retry_after),
        Newer::No => Step::Done(denied(judge, index, lookup, now, seen, JwtError::UnknownKey.into()), None),
    }
}

/// A denial, which falls when the issuer has new keys.
fn denied(judge: &Judge, index: usize, lookup: &Lookup<'_>, now: UnixTime, seen: u64, reason: InvalidToken) -> Verdict {
    let failure = Failure::Denied(reason);
    let standing = Standing::new(seen, index).resting_on(Slot::denials(index), Slot::denials(index));
    judge.cache.deny(lookup, &failure, standing, now);
    Err(failure)
}

fn foreign() -> Step {
    Step::Done(Err(Failure::Denied(InvalidToken::UnknownIssuer)), None)
}

fn unavailable(retry_after: u64) -> Step {
    Step::Done(Err(Failure::Unavailable { retry_after }), None)
}

/// The issuer that `jws` names, unverified.
pub(super) fn names(jws: &Jws<'_>, issuer: &str) -> bool {
    jws.unverified_issuer().is_some_and(|named| named == issuer)
}
