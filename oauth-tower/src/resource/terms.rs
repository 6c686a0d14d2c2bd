//! What every verdict and refusal of one resource server goes by.

use std::{fmt, sync::Arc};

use oauth_core::{
    challenge::Challenge,
    clock::{Clock, SystemClock},
};

use super::{
    credentials::Scheme,
    dpop::ProofRules,
    hierarchy::Hierarchy,
    observe::Refusals,
    rendered::Rendered,
    scheme::{self, TokenScheme},
};

/// The schemes that are served, what is said of them, and the rules that tokens
/// are read by.
pub(super) struct Terms {
    pub(super) realm: Box<str>,
    /// Where the metadata of the resource lies, if that is advertised.
    pub(super) resource_metadata: Option<Box<str>>,
    /// There if the scheme `DPoP` is served.
    pub(super) dpop: Option<Arc<ProofRules>>,
    /// Those that are not built in.
    pub(super) schemes: Box<[Arc<dyn TokenScheme>]>,
    pub(super) hierarchy: Hierarchy,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) refusals: Refusals,
    pub(super) rendered: Rendered,
}

impl Terms {
    pub(super) fn serves_bearer(&self) -> bool {
        self.dpop.as_ref().is_none_or(|rules| !rules.required)
    }

    /// One for each scheme served. `explain` adds to that of the scheme that
    /// was used, and to all if that is not served.
    pub(super) fn challenges(&self, used: Scheme, explain: impl Fn(Challenge) -> Challenge) -> Vec<Challenge> {
        let served = self.served();
        let is_served = served.iter().any(|(scheme, _)| *scheme == used);
        let challenges = served.into_iter().map(|(scheme, challenge)| {
            let challenge = self.describe(challenge);
            if scheme == used || !is_served { explain(challenge) } else { challenge }
        });
        challenges.collect()
    }

    fn served(&self) -> Vec<(Scheme, Challenge)> {
        let bearer = self.serves_bearer().then(|| (Scheme::Bearer, Challenge::bearer()));
        let dpop = self.dpop.as_ref().map(|rules| (Scheme::Dpop, Challenge::dpop().algs(&rules.algorithms)));
        let others = self.schemes.iter().enumerate();
        let others = others.map(|(index, other)| (Scheme::Other(index), scheme::challenge(&**other)));
        bearer.into_iter().chain(dpop).chain(others).collect()
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

impl Default for Terms {
    fn default() -> Self {
        Self {
            realm: Box::default(),
            resource_metadata: None,
            dpop: None,
            schemes: Box::default(),
            hierarchy: Hierarchy::default(),
            clock: Arc::new(SystemClock),
            refusals: Refusals::default(),
            rendered: Rendered::default(),
        }
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms").field("realm", &self.realm).finish_non_exhaustive()
    }
}
