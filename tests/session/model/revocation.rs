//! What ends at whose word: RFC 7009.

use super::{Access, Caller, Expected, GATEWAY, INVALID_GRANT, Model};

impl Model {
    pub(super) fn revoke(&mut self, token: &str, by: Caller) -> Expected {
        let Some(id) = self.grant_of(token).filter(|id| !self.grants[*id].swept) else { return Expected::Done };
        let access = self.access.iter().position(|one| one.text == token);
        if let Some(at) = access.filter(|at| self.is_exchanged(&self.access[*at])) {
            return self.revoke_exchanged(at, by);
        }
        // To whoever may exchange tokens, one that has gone may have been such a one.
        if let Some(access) = access.map(|at| &self.access[at])
            && by == GATEWAY
            && access.revoked
        {
            return Expected::Done;
        }
        if self.grants[id].owner != by {
            return INVALID_GRANT;
        }
        match access {
            Some(access) if !self.policy.access_revokes_grant => self.revoke_access(access),
            None if self.grants[id].code == token => {}
            _ => self.end(id),
        }
        Expected::Done
    }

    /// Its own client ends it and nothing else. What has gone is nobody's but the grant's.
    fn revoke_exchanged(&mut self, at: usize, by: Caller) -> Expected {
        let (id, revoked) = (self.access[at].grant, self.access[at].revoked);
        if by == GATEWAY {
            self.revoke_access(at);
        } else if !revoked || by != self.grants[id].owner {
            return INVALID_GRANT;
        } else if self.policy.access_revokes_grant {
            self.end(id);
        }
        Expected::Done
    }

    pub(in crate::session) fn is_exchanged(&self, access: &Access) -> bool {
        access.client != self.grants[access.grant].owner
    }

    /// Whether it is the store's own affair what becomes of a revocation by `by`: it may be there still, or not.
    pub(in crate::session) fn may_have_gone(&self, access: &Access, by: Caller) -> bool {
        let ended = self.now >= access.ends && !access.revoked;
        ended && by != access.client && (by == GATEWAY || self.is_exchanged(access))
    }

    fn revoke_access(&mut self, access: usize) {
        // Whether an access token that has ended is still there is the store's own affair.
        let tell = if self.is_live(&self.access[access]) { &mut self.told } else { &mut self.may_tell };
        tell.push("access_revoked");
        self.access[access].revoked = true;
    }
}
