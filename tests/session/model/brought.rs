//! Tokens for what somebody else has issued, or for what somebody else holds: RFC 7523 and RFC 8693.

use super::{AGENT, Caller, Expected, FULL, GATEWAY, INVALID_GRANT, Model, Wish};

#[derive(Clone, Debug, PartialEq)]
pub(in crate::session) struct Assertion {
    pub(in crate::session) text: String,
    pub(in crate::session) jti: String,
    pub(super) ends: u64,
}

impl Model {
    /// RFC 8693: under the grant of the token that is shown, and no longer than it.
    pub(super) fn exchange(&mut self, token: &str, by: Caller, scope: Wish, key: Option<u8>) -> Expected {
        if by != GATEWAY {
            return Expected::Refused(400, "unauthorized_client");
        }
        let found = self.access.iter().position(|one| one.text == token);
        let Some(at) = found.filter(|at| self.is_live(&self.access[*at])) else {
            return Expected::Refused(400, "invalid_request");
        };
        self.confirm(at);
        let subject = self.access[at].clone();
        if subject.key.is_some() && subject.key != key {
            return Expected::Refused(400, "invalid_request");
        }
        let scope = scope.text().unwrap_or(subject.scope);
        if !subject.scope.starts_with(scope) {
            return Expected::Refused(400, "invalid_scope");
        }
        let access = self.issue(subject.grant, scope, key);
        self.access[access].client = by;
        self.access[access].ends = self.access[access].ends.min(subject.ends);
        Expected::Tokens { access, refresh: None }
    }

    pub(super) fn assertion(&mut self, seconds: u64) -> Expected {
        let (text, jti) = (String::new(), String::new());
        self.assertions.push(Assertion { text, jti, ends: self.now + seconds });
        Expected::Assertion(self.assertions.len() - 1)
    }

    /// RFC 7523: used up by whoever may bring it, whatever else is wrong.
    pub(super) fn bring(&mut self, assertion: &str, by: Caller, scope: Wish, key: Option<u8>) -> Expected {
        if by != AGENT {
            return Expected::Refused(400, "unauthorized_client");
        }
        let Some(found) = self.assertions.iter().find(|one| one.text == assertion) else { return INVALID_GRANT };
        let (jti, ends) = (found.jti.clone(), found.ends);
        if self.now >= ends || self.used.iter().any(|(used, until)| *used == jti && self.now < *until) {
            return INVALID_GRANT;
        }
        self.used.push((jti, ends));
        if scope == Wish::Beyond {
            return Expected::Refused(400, "invalid_scope");
        }
        let id = self.first(by, key);
        let access = self.issue(id, scope.text().unwrap_or(FULL), key);
        Expected::Tokens { access, refresh: None }
    }
}
