//! The model: what a server owes its clients, as plainly as it can be said. It knows no digest, no seal and no store.

mod brought;
mod device;
mod refresh;
mod revocation;

pub(super) use self::{brought::Assertion, device::Device, refresh::Live};
use super::{
    ACCESS, AGENT, CODE, DEVICE, GATEWAY, IDLE, INTERVAL, Policy, RADIO, REFRESH, TV,
    call::{Call, Presented, Wish, is_public, needs_proof},
};
use crate::support::{APP, AUDITOR, BRIEF, Caller, RESOURCE_SERVER, WEB};

const FULL: &str = "read write";

/// A state that the server may be in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Model {
    policy: Policy,
    pub(super) now: u64,
    pub(super) grants: Vec<Grant>,
    pub(super) access: Vec<Access>,
    pub(super) refresh: Vec<Refresh>,
    pub(super) assertions: Vec<Assertion>,
    /// Each `jti` that was used, and until when it is remembered.
    used: Vec<(String, u64)>,
    pub(super) devices: Vec<Device>,
    /// Whether two calls were made at once.
    pub(super) at_once: bool,
    /// What the last calls must have told the operator, and what they may have.
    pub(super) told: Vec<&'static str>,
    pub(super) may_tell: Vec<&'static str>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grant {
    pub(super) owner: Caller,
    /// The key that its client uses by habit; that its code is tied to.
    pub(super) home: Option<u8>,
    tied: Option<u8>,
    /// The code's text; empty until it is known, as with all that the server makes.
    pub(super) code: String,
    code_ends: u64,
    redeemed: bool,
    pub(super) live: Option<Live>,
    ends: u64,
    revoked: bool,
    /// Nothing is known of it any more.
    swept: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Access {
    pub(super) text: String,
    pub(super) grant: usize,
    pub(super) ends: u64,
    pub(super) scope: &'static str,
    pub(super) key: Option<u8>,
    /// Whom it was given to.
    pub(super) client: Caller,
    /// The refresh token that it came with, of those that took another's place.
    beside: Option<usize>,
    revoked: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refresh {
    pub(super) text: String,
    pub(super) grant: usize,
    /// The only key it is good with.
    pub(super) bound: Option<u8>,
}

/// What the answer must be: tokens go by their place in the model.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expected {
    Code(usize),
    Tokens { access: usize, refresh: Option<usize> },
    Refused(u16, &'static str),
    ActiveAccess(usize),
    ActiveRefresh(usize),
    Inactive,
    Done,
    Assertion(usize),
    Begun(usize),
    Decided(bool),
    Used(bool),
}

const INVALID_GRANT: Expected = Expected::Refused(400, "invalid_grant");

impl Model {
    pub(super) fn new(policy: Policy, now: u64) -> Self {
        let (grants, access, refresh) = (Vec::new(), Vec::new(), Vec::new());
        let (assertions, used, devices) = (Vec::new(), Vec::new(), Vec::new());
        let (told, may_tell) = (Vec::new(), Vec::new());
        Self { policy, now, grants, access, refresh, assertions, used, devices, at_once: false, told, may_tell }
    }

    /// What becomes of `call`.
    pub(super) fn take(&mut self, call: &Call) -> Expected {
        match call {
            Call::Approve { by, home, tied } => self.approve(*by, *home, home.filter(|_| *tied)),
            Call::Redeem { code, by, presented, key } => self.redeem(code, *by, *presented, *key),
            Call::Refresh { token, by, scope, key } => self.refreshed(token, *by, *scope, *key),
            Call::Revoke { token, by } => self.revoke(token, *by),
            Call::Introspect { token, by } => self.introspect(token, *by),
            Call::Own { by, scope, key } => self.own(*by, *scope, *key),
            Call::Exchange { token, by, scope, key } => self.exchange(token, *by, *scope, *key),
            Call::Assert { jti: _, seconds } => self.assertion(*seconds),
            Call::Bring { assertion, by, scope, key } => self.bring(assertion, *by, *scope, *key),
            Call::Begin { by } => self.begin(*by),
            Call::Decide { user_code, yes } => self.decide(user_code, *yes),
            Call::Poll { code, by, key } => self.poll(code, *by, *key),
            Call::Use { token } => self.used(token),
            Call::End { token } => self.end_by_host(token),
            Call::Sweep => self.sweep(),
        }
    }

    fn approve(&mut self, owner: Caller, home: Option<u8>, tied: Option<u8>) -> Expected {
        let code_ends = self.now + CODE;
        let ends = if owner == BRIEF { code_ends + ACCESS } else { self.now + REFRESH };
        let fresh = Grant {
            owner,
            home,
            tied,
            code: String::new(),
            code_ends,
            redeemed: false,
            live: None,
            ends,
            revoked: false,
            swept: false,
        };
        self.grants.push(fresh);
        self.told.push("approved");
        Expected::Code(self.grants.len() - 1)
    }

    fn redeem(&mut self, code: &str, by: Caller, presented: Presented, key: Option<u8>) -> Expected {
        if !CLIENTS.contains(&by) {
            return Expected::Refused(400, "unauthorized_client");
        }
        if needs_proof(by) && key.is_none() {
            return Expected::Refused(400, "invalid_dpop_proof");
        }
        let Some(id) = self.grants.iter().position(|grant| grant.code == code && !grant.swept) else {
            return INVALID_GRANT;
        };
        let grant = &mut self.grants[id];
        let tied = grant.tied.is_none() || grant.tied == key;
        if grant.owner != by || !tied || presented != Presented::Rightly {
            return INVALID_GRANT;
        }
        // As good as the first, and second.
        if grant.redeemed {
            grant.revoked = true;
            self.told.push("code_replayed");
            return INVALID_GRANT;
        }
        if self.now >= grant.code_ends || grant.revoked {
            return INVALID_GRANT;
        }
        grant.redeemed = true;
        let access = self.issue(id, FULL, key);
        let refresh = (by != BRIEF).then(|| self.mint(id, by, key));
        self.grants[id].live = refresh.map(|token| Live { token, used_at: self.now, back: None });
        Expected::Tokens { access, refresh }
    }

    fn used(&mut self, token: &str) -> Expected {
        let found = self.access.iter().position(|one| one.text == token);
        let Some(at) = found.filter(|at| self.is_live(&self.access[*at])) else { return Expected::Used(false) };
        self.confirm(at);
        Expected::Used(true)
    }

    /// A grant that begins at the token endpoint.
    fn first(&mut self, by: Caller, key: Option<u8>) -> usize {
        self.approve(by, key, None);
        self.told.pop();
        let id = self.grants.len() - 1;
        (self.grants[id].redeemed, self.grants[id].ends) = (true, self.now + ACCESS);
        id
    }

    fn own(&mut self, by: Caller, scope: Wish, key: Option<u8>) -> Expected {
        if by != WEB {
            return Expected::Refused(400, "unauthorized_client");
        }
        let id = self.first(by, key);
        let access = self.issue(id, scope.text().unwrap_or(FULL), key);
        Expected::Tokens { access, refresh: None }
    }

    fn end_by_host(&mut self, token: &str) -> Expected {
        let id = self.grant_of(token).unwrap();
        if !self.grants[id].swept {
            self.end(id);
        }
        Expected::Done
    }

    fn end(&mut self, id: usize) {
        if !self.grants[id].revoked {
            self.told.push("grant_revoked");
        }
        self.grants[id].revoked = true;
    }

    fn introspect(&mut self, token: &str, by: Caller) -> Expected {
        if is_public(by) {
            return Expected::Refused(401, "invalid_client");
        }
        if let Some(at) = self.access.iter().position(|one| one.text == token) {
            let access = &self.access[at];
            let may = by == AUDITOR || by == RESOURCE_SERVER || by == access.client;
            let live = self.is_live(access);
            self.confirm(at);
            return if may && live { Expected::ActiveAccess(at) } else { Expected::Inactive };
        }
        let Some(at) = self.refresh.iter().position(|one| one.text == token) else { return Expected::Inactive };
        let grant = &self.grants[self.refresh[at].grant];
        let used = grant.live.as_ref().filter(|live| live.token == at && self.now < live.used_at + IDLE);
        let active = used.is_some() && grant.owner == by && self.lives(self.refresh[at].grant);
        if active { Expected::ActiveRefresh(at) } else { Expected::Inactive }
    }

    fn sweep(&mut self) -> Expected {
        for grant in &mut self.grants {
            let end = if grant.redeemed { grant.ends } else { grant.code_ends };
            grant.swept |= self.now >= end;
        }
        Expected::Done
    }

    /// An access token, as an answer to a grant of the client's.
    fn issue(&mut self, grant: usize, scope: &'static str, key: Option<u8>) -> usize {
        self.told.push("tokens_issued");
        self.make(grant, scope, key)
    }

    fn make(&mut self, grant: usize, scope: &'static str, key: Option<u8>) -> usize {
        let ends = self.grants[grant].ends.min(self.now + ACCESS);
        let client = self.grants[grant].owner;
        let (text, beside) = (String::new(), None);
        self.access.push(Access { text, grant, ends, scope, key, client, beside, revoked: false });
        self.access.len() - 1
    }

    /// RFC 9449 section 5: bound, if the client is public and proves a key.
    fn mint(&mut self, grant: usize, by: Caller, key: Option<u8>) -> usize {
        self.refresh.push(Refresh { text: String::new(), grant, bound: key.filter(|_| is_public(by)) });
        self.refresh.len() - 1
    }

    fn lives(&self, id: usize) -> bool {
        let grant = &self.grants[id];
        !grant.revoked && !grant.swept && self.now < grant.ends
    }

    pub(super) fn is_live(&self, access: &Access) -> bool {
        !access.revoked && self.now < access.ends && self.lives(access.grant)
    }

    /// The grant that a token of any kind names.
    pub(super) fn grant_of(&self, token: &str) -> Option<usize> {
        let code = self.grants.iter().position(|grant| grant.code == token);
        let access = || self.access.iter().find(|one| one.text == token).map(|one| one.grant);
        let refresh = || self.refresh.iter().find(|one| one.text == token).map(|one| one.grant);
        let device = || self.devices.iter().find(|one| one.code == token).and_then(Device::grant);
        code.or_else(access).or_else(refresh).or_else(device)
    }

    /// When something is about to end, in order.
    pub(super) fn deadlines(&self) -> Vec<u64> {
        let grants = self.grants.iter().flat_map(|grant| {
            let live = grant.live.as_ref();
            let back = live.and_then(|live| live.back.as_ref()).map(|back| back.until);
            [Some(grant.code_ends), Some(grant.ends), live.map(|live| live.used_at + IDLE), back]
        });
        let access = self.access.iter().map(|access| access.ends);
        let devices = self.devices.iter().flat_map(|one| one.next.last().copied().into_iter().chain([one.ends]));
        let assertions = self.assertions.iter().map(|one| one.ends);
        let mut all: Vec<u64> =
            grants.flatten().chain(access).chain(devices).chain(assertions).filter(|end| *end > self.now).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Who may call, and whose codes there are.
pub(super) const CLIENTS: [Caller; 4] = [APP, WEB, super::CAREFUL, BRIEF];
