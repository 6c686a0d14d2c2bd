//! Tokens of an authorization server in this process: its store knows.

use std::sync::Arc;

use oauth_core::{
    claims::{ClockSkew, Expectations},
    clock::UnixTime,
    engine::{
        fault::Fault,
        revocations::{RevocationListener, Revoked},
    },
    server::AuthorizationServer,
};

use super::{
    introspection::Finding,
    invalidate::{Ground, Ledger, Slot},
    outage::{self, Complaint},
    refusal::InvalidToken,
    validate::{Failure, Judge},
};

/// How one local server is asked.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) server: AuthorizationServer,
    /// For how many seconds a finding is remembered, `exp` permitting.
    pub(super) cache_for: u64,
    /// Subscribed for as long as this lives.
    pub(super) listener: Arc<Listener>,
    pub(super) complaint: Complaint,
}

/// Hears of revocations at the issuer with this index.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) ledger: Arc<Ledger>,
    pub(super) index: usize,
}

impl Local {
    pub(super) fn new(server: AuthorizationServer, cache_for: u64, listener: Listener) -> Self {
        let listener = Arc::new(listener);
        let weak = Arc::downgrade(&listener);
        server.revocations().subscribe(weak);
        Self { server, cache_for, listener, complaint: Complaint::default() }
    }

    fn unavailable(&self, fault: &Fault, now: UnixTime) -> Failure {
        if self.complaint.is_due(now) {
            outage::report_store("the authorization server's", fault);
        }
        Failure::Unavailable { retry_after: Failure::MEMORY }
    }

    /// Asks the store about `token`. The two slots are the grant's and the
    /// token's own.
    pub(super) async fn ask(&self, judge: &Judge, token: &str) -> Result<(Finding, [Slot; 2]), Failure> {
        judge.count_question();
        let found = self.server.validate_access(token).await;
        let found = found.map_err(|fault| self.unavailable(&fault, judge.clock.now()))?;
        let Some(valid) = found else { return Err(self.over(judge, token).await) };
        // One process, one clock: no skew.
        let expected = Expectations::new(self.server.issuer(), &judge.resource, judge.clock.now());
        expected.with_skew(ClockSkew::ZERO).check(&valid.claims).map_err(|error| Failure::Denied(error.into()))?;
        let Listener { ledger, index } = &*self.listener;
        let slots = [
            ledger.shared(*index, Ground::Grant(valid.grant.as_bytes())),
            ledger.shared(*index, Ground::Token(valid.digest.as_bytes())),
        ];
        Ok((Finding { claims: valid.claims.into(), remember: self.cache_for }, slots))
    }
}

impl Local {
    /// What a token is that is not good.
    async fn over(&self, judge: &Judge, token: &str) -> Failure {
        match self.server.is_refreshable(token).await {
            Ok(true) => Failure::Denied(InvalidToken::Refreshable),
            Ok(false) => Failure::Denied(InvalidToken::Inactive),
            Err(fault) => self.unavailable(&fault, judge.clock.now()),
        }
    }
}

impl RevocationListener for Listener {
    fn revoked(&self, what: &Revoked) {
        let slot = match what {
            Revoked::Grant(grant) => self.ledger.shared(self.index, Ground::Grant(grant.as_bytes())),
            Revoked::Access { digest, .. } => self.ledger.shared(self.index, Ground::Token(digest.as_bytes())),
            // What is not known here may be anything.
            _ => Slot::issuer(self.index),
        };
        self.ledger.strike(slot);
    }
}
