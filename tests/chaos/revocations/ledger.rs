//! What is known of the tokens, and what must come of using them.

use std::fmt;

use oauth_core::{clock::UnixTime, token::GrantId};

use super::{
    ANSWER_CACHE, APIS, ASKING, BESIDE_ONE, BESIDE_TWO, BY_JWT, BY_LIST, LIST_GRACE, LIST_TTL, LOCAL_CACHE, PARTIES,
    unruly::{Mark, Unruly},
};

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    Accepted,
    Refused,
    /// 503.
    Unknown,
}

pub(super) struct Token {
    pub(super) text: String,
    pub(super) grant: GrantId,
    pub(super) exp: UnixTime,
    /// When that was acknowledged.
    pub(super) revoked: Option<UnixTime>,
    /// Somebody has asked for it, and was not told what came of it.
    pub(super) doubtful: bool,
    /// Who must refuse it from now on, whatever the time is.
    pub(super) settled: [bool; APIS],
    /// What was said on the bus of its revocation.
    said: Vec<[(Option<Mark>, Option<Mark>); PARTIES]>,
}

/// What a request may find, as it is when it comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) api: usize,
    pub(super) came: UnixTime,
    may_accept: bool,
}

impl Token {
    pub(super) fn new(text: String, grant: GrantId, exp: UnixTime) -> Self {
        Self { text, grant, exp, revoked: None, doubtful: false, settled: [false; APIS], said: Vec::new() }
    }

    /// It was revoked at the node of this number, which said so between these moments.
    pub(super) fn revoke(&mut self, node: usize, now: UnixTime, said: Option<[(Option<Mark>, Option<Mark>); PARTIES]>) {
        self.revoked.get_or_insert(now);
        // In that process, nothing is remembered.
        self.settled[[BESIDE_ONE, BESIDE_TWO][node]] = true;
        self.said.extend(said);
    }

    /// Who has been told by now.
    pub(super) fn listen(&mut self, bus: &Unruly) {
        for said in &self.said {
            for (party, (from, to)) in said.iter().enumerate() {
                self.settled[party] |= bus.has_heard(party, *from, *to);
            }
        }
    }

    /// What a request that comes now may find.
    pub(super) fn expected(&self, api: usize, came: UnixTime, is_stormy: bool) -> Expected {
        let has_ended = came >= self.exp;
        let is_over = self.revoked.is_some_and(|at| came.0 >= at.0.saturating_add(bound(api, is_stormy)));
        Expected { api, came, may_accept: !(has_ended || self.revoked.is_some() && (self.settled[api] || is_over)) }
    }

    /// A process starts that knows nothing of it.
    pub(super) fn forgets(&mut self, api: usize) {
        self.settled[api] = false;
        self.said.iter_mut().for_each(|said| said[api] = (None, None));
    }

    /// Who has refused it after it was revoked goes on to do so. Another node's list may be older, however.
    pub(super) fn was_refused(&mut self, api: usize) {
        self.settled[api] |= self.revoked.is_some() && api != BY_LIST;
    }
}

/// How long after a revocation a token may be accepted where nothing is heard of it.
const fn bound(api: usize, is_stormy: bool) -> u64 {
    match api {
        BESIDE_ONE | BESIDE_TWO => LOCAL_CACHE,
        ASKING => ANSWER_CACHE,
        BY_LIST if is_stormy => LIST_TTL + LIST_GRACE,
        BY_LIST => LIST_TTL,
        BY_JWT => u64::MAX,
        _ => 0,
    }
}

impl Expected {
    /// Whether this may have come of the use of `token` by now.
    ///
    /// # Errors
    /// What it was, if it may not be.
    pub(super) fn check(&self, outcome: Outcome, token: &Token, now: UnixTime) -> Result<(), String> {
        let may_refuse = now >= token.exp || token.doubtful || token.revoked.is_some();
        match outcome {
            Outcome::Accepted if !self.may_accept => {
                Err(format!("accepted too late: {self:?}, revoked {:?}", token.revoked))
            }
            Outcome::Refused if !may_refuse => Err(format!("a good token was refused: {self:?}")),
            _ => Ok(()),
        }
    }
}

/// How often what came of it, for each API: accepted, accepted though it was revoked, refused, not told.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally([[u64; 4]; APIS]);

impl Tally {
    pub(super) fn count(&mut self, api: usize, outcome: Outcome, was_revoked: bool) {
        let which = match outcome {
            Outcome::Accepted => usize::from(was_revoked),
            Outcome::Refused => 2,
            Outcome::Unknown => 3,
        };
        self.0[api][which] += 1;
    }

    /// Whether enough of everything has happened for the test to mean something.
    pub(super) fn is_enough(&self) -> bool {
        self.0
            .iter()
            .all(|[accepted, late, refused, unknown]| *accepted > 100 && *late > 0 && *refused > 50 && *unknown > 0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["beside one", "beside the other", "asking", "by list", "by JWT alone"];
        for (name, [accepted, late, refused, unknown]) in names.iter().zip(self.0) {
            writeln!(f, "{name}: {accepted} accepted, {late} while it may still be, {refused} refused, {unknown} 503")?;
        }
        Ok(())
    }
}
