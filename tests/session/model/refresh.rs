//! Refresh tokens, and the way back for whoever lost a response.

use oauth_core::engine::policy::Rotation;

use super::{
    Access, BRIEF, CLIENTS, Caller, Expected, FULL, IDLE, INVALID_GRANT, Model, Refresh, TV, Wish, is_public,
    needs_proof,
};

/// The live refresh token.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::session) struct Live {
    pub(in crate::session) token: usize,
    pub(super) used_at: u64,
    pub(super) back: Option<Back>,
}

/// The way back for whoever lost the response to a refresh.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Back {
    from: usize,
    pub(super) until: u64,
    access: usize,
    /// Whether it ends with the first use of what it leads to.
    until_used: bool,
}

impl Model {
    pub(super) fn refreshed(&mut self, token: &str, by: Caller, scope: Wish, key: Option<u8>) -> Expected {
        if !CLIENTS.contains(&by) && by != TV || by == BRIEF {
            return Expected::Refused(400, "unauthorized_client");
        }
        if needs_proof(by) && key.is_none() {
            return Expected::Refused(400, "invalid_dpop_proof");
        }
        let Some(token) = self.refresh.iter().position(|one| one.text == token) else { return INVALID_GRANT };
        let Refresh { grant: id, bound, .. } = self.refresh[token];
        // With another key it is nobody's token: not used, and not used twice.
        let holds = bound.is_none() || bound == key && is_public(by);
        if !holds || self.grants[id].owner != by || !self.lives(id) {
            return INVALID_GRANT;
        }
        if scope == Wish::Beyond {
            return Expected::Refused(400, "invalid_scope");
        }
        let scope = scope.text().unwrap_or(FULL);
        let live = self.grants[id].live.clone().unwrap();
        if live.token == token {
            return self.rotate(id, &live, by, scope, key);
        }
        match live.back {
            Some(back) if back.from == token && self.now < back.until => self.again(id, live.token, &back, scope, key),
            _ => {
                self.grants[id].revoked = true;
                self.told.push("refresh_reused");
                INVALID_GRANT
            }
        }
    }

    fn rotate(&mut self, id: usize, live: &Live, by: Caller, scope: &'static str, key: Option<u8>) -> Expected {
        if self.now >= live.used_at + IDLE {
            return INVALID_GRANT;
        }
        let bound = self.refresh[live.token].bound.is_some();
        let window = match self.policy.rotation {
            Rotation::Strict => Some(0),
            Rotation::Grace { seconds } => Some(seconds),
            // As long as the next would be good that nobody may have.
            Rotation::UntilFirstUse => Some(IDLE.min(self.grants[id].ends - self.now)),
            // OAuth 2.1 section 6.1: public clients' tokens are bound, or replaced.
            _ if is_public(by) && !bound => Some(20),
            _ => None,
        };
        let access = self.issue(id, scope, key);
        let (refresh, token, back) = match window {
            None => (None, live.token, None),
            Some(window) => {
                let next = self.mint(id, by, key);
                self.access[access].beside = Some(next);
                let until_used = self.policy.rotation == Rotation::UntilFirstUse;
                (Some(next), next, Some(Back { from: live.token, until: self.now + window, access, until_used }))
            }
        };
        self.grants[id].live = Some(Live { token, used_at: self.now, back });
        Expected::Tokens { access, refresh }
    }

    /// The same refresh token again; and the same access token, if it is what is asked for, and alive.
    fn again(&mut self, id: usize, live: usize, back: &Back, scope: &'static str, key: Option<u8>) -> Expected {
        self.told.push("refresh_retried");
        let first = &self.access[back.access];
        let same = first.scope == scope && first.key == key && self.is_live(first);
        let access = if same { back.access } else { self.make(id, scope, key) };
        self.access[access].beside = Some(live);
        Expected::Tokens { access, refresh: Some(live) }
    }

    /// Whoever uses what a refresh has brought has received it: nobody needs the way back.
    pub(super) fn confirm(&mut self, access: usize) {
        if self.is_awaited(&self.access[access]) {
            let id = self.access[access].grant;
            let Some(live) = &mut self.grants[id].live else { return };
            live.back = None;
        }
    }

    /// Whether its use would end a way back.
    pub(in crate::session) fn is_awaited(&self, access: &Access) -> bool {
        let live = self.grants[access.grant].live.as_ref();
        let waits = |live: &&Live| live.back.as_ref().is_some_and(|back| back.until_used);
        live.filter(waits).is_some_and(|live| access.beside == Some(live.token)) && self.is_live(access)
    }
}
