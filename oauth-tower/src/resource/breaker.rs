//! An introspection endpoint that does not answer is left alone for a moment.
//!
//! Every token that nobody knows is a question of its own, so while the endpoint
//! hangs, each of them would wait for its own timeout. After a few questions in a
//! row that reached nobody, all are answered at once (503), until a pause is over
//! and one question finds out how things are.
//!
//! One that answers, but nothing of use, is asked all the same: it may be for the
//! token. Several such answers in a row show in the health of the issuer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Response, StatusCode};
use oauth_core::clock::{Clock, UnixTime};

use super::{
    observe::{Outcome, Upstream, Watch, What},
    outage::{self, Complaint},
    validate::Failure,
};
use crate::outgoing::HttpError;

/// So many questions in a row that reach nobody end the asking.
const LIMIT: u32 = 5;

/// For so many seconds. Then one question is let through.
const PAUSE: u64 = 5;

/// How many seconds after the last answer of no use the endpoint counts as
/// failing, unless one of use comes. It can be tried with a token only, and a
/// program that is taken out of rotation gets none.
const GRUDGE: u64 = 30;

/// The way to the endpoint of one issuer: every question goes through it.
#[derive(Debug)]
pub(super) struct Line {
    issuer: Box<str>,
    upstream: Upstream,
    breaker: Breaker,
    crowded: Complaint,
}

impl Line {
    pub(super) fn new(issuer: &str) -> Self {
        let upstream = Upstream::new(issuer, What::Introspection);
        Self { issuer: issuer.into(), upstream, breaker: Breaker::default(), crowded: Complaint::default() }
    }

    /// Puts `question`, unless the line is known to be dead. An answer is
    /// whatever came over it, of any status: say next whether it is of use.
    pub(super) async fn put(
        &self,
        clock: &dyn Clock,
        question: impl Future<Output = Result<Response<Bytes>, HttpError>>,
    ) -> Result<Answer<'_>, Failure> {
        let pass = self.breaker.enter(clock.now()).map_err(|retry_after| Failure::Unavailable { retry_after })?;
        let (answer, watch) = self.upstream.drive(question).await;
        // An answer that is too long to be read is one all the same.
        let is_dead = matches!(answer, Err(HttpError::Timeout | HttpError::Transport(_)));
        let has_ended = pass.end(!is_dead, clock.now());
        match answer {
            Ok(response) => Ok(Answer { response, line: self, watch }),
            Err(error) => {
                watch.end(Outcome::of_error(&error));
                if !is_dead {
                    self.breaker.answered_in_vain(true, clock.now());
                }
                Err(self.report(&error, has_ended))
            }
        }
    }

    /// So many questions are open that no other is put.
    pub(super) fn crowded(&self, now: UnixTime) -> Failure {
        // Any stranger can bring this about, at any rate.
        if self.crowded.is_due(now) {
            outage::report(&self.issuer, "introspection: too many questions are open");
        }
        Failure::Unavailable { retry_after: Failure::MEMORY }
    }

    /// How the line is.
    pub(super) fn state(&self, now: UnixTime) -> LineState {
        let state = self.breaker.lock();
        LineState {
            is_dead: state.shut_until.is_some_and(|until| now < until),
            is_wrong: state.in_vain >= LIMIT && now < state.last_in_vain.saturating_add(GRUDGE),
            last_failure: state.last_failure,
        }
    }

    fn report(&self, error: &HttpError, has_ended: bool) -> Failure {
        let reason = outage::chain(error);
        if has_ended {
            outage::report(&self.issuer, &format!("introspection: {reason}; it is left alone for {PAUSE} seconds"));
        } else {
            outage::report(&self.issuer, &format!("introspection: {reason}"));
        }
        Failure::Unavailable { retry_after: if has_ended { PAUSE } else { Failure::MEMORY } }
    }
}

/// What is known of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineState {
    /// No question is put at the moment.
    pub(super) is_dead: bool,
    /// Questions are put, and the answers have been of no use.
    pub(super) is_wrong: bool,
    /// When the last question reached nobody, or was answered in vain.
    pub(super) last_failure: Option<UnixTime>,
}

/// What came over the line. Dropped before anybody has said whether it is of use,
/// it says nothing of the endpoint.
pub(super) struct Answer<'a> {
    pub(super) response: Response<Bytes>,
    line: &'a Line,
    watch: Watch<'a>,
}

impl Answer<'_> {
    /// It says something of the token.
    pub(super) fn was_of_use(self) {
        self.line.breaker.lock().in_vain = 0;
        self.watch.end(Outcome::of_answer(self.response.status(), true));
    }

    /// It says nothing of the token.
    pub(super) fn was_in_vain(self, now: UnixTime) {
        let status = self.response.status();
        self.line.breaker.answered_in_vain(!may_be_for_the_token(status), now);
        self.watch.end(Outcome::of_answer(status, false));
    }
}

/// Whether a server may answer like this because of what it was asked, or how
/// often: then any stranger can bring it about.
fn may_be_for_the_token(status: StatusCode) -> bool {
    let errors = [
        StatusCode::BAD_REQUEST,
        StatusCode::PAYLOAD_TOO_LARGE,
        StatusCode::UNPROCESSABLE_ENTITY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    errors.contains(&status)
}

#[derive(Debug, Default)]
struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Questions in a row that reached nobody.
    failures: u32,
    shut_until: Option<UnixTime>,
    /// One question is out to see.
    probing: bool,
    last_failure: Option<UnixTime>,
    /// Answers of no use, since one of use. No token should cause them.
    in_vain: u32,
    /// When the last of them came.
    last_in_vain: UnixTime,
}

impl Breaker {
    /// The endpoint answered, and nothing of use. It `counts` if that is its own
    /// fault for certain.
    fn answered_in_vain(&self, counts: bool, now: UnixTime) {
        let mut state = self.lock();
        state.last_failure = Some(now);
        if counts {
            (state.in_vain, state.last_in_vain) = (state.in_vain.saturating_add(1), now);
        }
    }

    /// Lets a question through, or says in how many seconds to come back.
    fn enter(&self, now: UnixTime) -> Result<Pass<'_>, u64> {
        let mut state = self.lock();
        let probe = match state.shut_until {
            None => false,
            Some(until) if now < until => return Err(until.0 - now.0),
            Some(_) if state.probing => return Err(1),
            Some(_) => true,
        };
        state.probing |= probe;
        Ok(Pass { breaker: self, probe })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One question under way. Dropped without an end, it says nothing of the
/// endpoint: whoever asked went away.
#[derive(Debug)]
struct Pass<'a> {
    breaker: &'a Breaker,
    probe: bool,
}

impl Pass<'_> {
    /// What became of it. True if no more questions are put from here on.
    fn end(self, reached: bool, now: UnixTime) -> bool {
        let mut state = self.breaker.lock();
        if reached {
            (state.failures, state.shut_until) = (0, None);
            return false;
        }
        state.failures = state.failures.saturating_add(1);
        state.last_failure = Some(now);
        let is_over = state.failures >= LIMIT;
        if is_over {
            state.shut_until = Some(now.saturating_add(PAUSE));
        }
        is_over
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.probe {
            self.breaker.lock().probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &Breaker, now: u64) -> bool {
        breaker.enter(UnixTime(now)).unwrap().end(false, UnixTime(now))
    }

    fn shut() -> Breaker {
        let breaker = Breaker::default();
        let ended: Vec<bool> = (0..LIMIT).map(|_| fail(&breaker, 100)).collect();
        assert_eq!(ended, [false, false, false, false, true]);
        breaker
    }

    #[test]
    fn after_some_failures_in_a_row_nobody_asks_until_the_pause_is_over() {
        let breaker = shut();
        assert_eq!(breaker.enter(UnixTime(100)).unwrap_err(), PAUSE);
        assert_eq!(breaker.enter(UnixTime(104)).unwrap_err(), 1);
        let probe = breaker.enter(UnixTime(105)).unwrap();
        assert_eq!(breaker.enter(UnixTime(105)).unwrap_err(), 1, "one is enough to see");
        assert!(probe.end(false, UnixTime(110)), "another pause");
        assert_eq!(breaker.enter(UnixTime(114)).unwrap_err(), 1);
        assert!(!breaker.enter(UnixTime(115)).unwrap().end(true, UnixTime(115)));
        assert!(!fail(&breaker, 115), "it is counted from nought");
    }

    #[test]
    fn an_answer_in_between_starts_the_count_anew() {
        let breaker = Breaker::default();
        for _ in 0..10 {
            (1..LIMIT).for_each(|_| assert!(!fail(&breaker, 100)));
            breaker.enter(UnixTime(100)).unwrap().end(true, UnixTime(100));
        }
    }

    #[test]
    fn a_probe_whose_caller_goes_away_makes_room_for_the_next() {
        let breaker = shut();
        for _ in 0..300 {
            drop(breaker.enter(UnixTime(105)).unwrap());
        }
        assert!(!breaker.enter(UnixTime(105)).unwrap().end(true, UnixTime(106)));
        assert!(breaker.enter(UnixTime(106)).is_ok());
    }

    #[test]
    fn a_question_from_before_the_pause_that_is_answered_ends_it() {
        let breaker = Breaker::default();
        let slow = breaker.enter(UnixTime(99)).unwrap();
        (0..LIMIT).for_each(|_| _ = fail(&breaker, 100));
        assert!(breaker.enter(UnixTime(101)).is_err());
        slow.end(true, UnixTime(101));
        assert!(breaker.enter(UnixTime(101)).is_ok());
    }
}
