//! What every challenge of one resource server says.

use std::sync::Arc;

use oauth_core::challenge::Challenge;

use super::{credentials::Scheme, dpop::ProofRules};

/// The schemes that are served, and what is said of them.
#[derive(Debug, Default)]
pub(super) struct Challenger {
    pub(super) realm: Box<str>,
    /// Where the metadata of the resource lies, if that is advertised.
    pub(super) resource_metadata: Option<Box<str>>,
    /// There if the scheme `DPoP` is served.
    pub(super) dpop: Option<Arc<ProofRules>>,
}

impl Challenger {
    pub(super) fn serves_bearer(&self) -> bool {
        self.dpop.as_ref().is_none_or(|rules| !rules.required)
    }

    /// One for each scheme served. `explain` adds to that of the scheme that
    /// was used.
    pub(super) fn challenges(&self, used: Scheme, explain: impl Fn(Challenge) -> Challenge) -> Vec<Challenge> {
        let bearer = self.serves_bearer().then(|| (Scheme::Bearer, Challenge::bearer()));
        let dpop = self.dpop.as_ref().map(|rules| (Scheme::Dpop, Challenge::dpop().algs(&rules.algorithms)));
        let several = bearer.is_some() && dpop.is_some();
        let served = bearer.into_iter().chain(dpop);
        let challenges = served.map(|(scheme, challenge)| {
            let challenge = self.describe(challenge);
            if several && scheme != used { challenge } else { explain(challenge) }
        });
        challenges.collect()
    }

    /// RFC 9110 section 11.2: a challenge has "one or more" parameters, so the
    /// realm is always there.
    fn describe(&self, challenge: Challenge) -> Challenge {
        let challenge = challenge.realm(&self.realm);
        match &self.resource_metadata {
            Some(url) => challenge.resource_metadata(url),
            None => challenge,
        }
    }
}
