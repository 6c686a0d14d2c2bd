//! What a person has agreed to before, and what of a request is new to them.

use super::Interaction;
use crate::{
    clock::UnixTime,
    engine::{authorization::Prompt, fault::Fault},
    scope::Scope,
    store::{Consent, GrantFacts},
};

/// How often to try to remember something while others do, too.
const ATTEMPTS: usize = 4;

/// Whether a person has to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConsentNeed {
    /// They have agreed to all of it before, and that counts: approve without a
    /// page.
    Given,
    /// Ask them.
    Ask(WhatIsNew),
}

/// What of a request a person has not agreed to yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WhatIsNew {
    /// Whether they have agreed to anything for this client before. All is new
    /// if they have not.
    pub agreed_before: bool,
    /// The part of the scope that is new.
    pub new_scope: Scope,
    /// The part that they have agreed to.
    pub known_scope: Scope,
    /// The resources that are new.
    pub new_resources: Vec<String>,
}

impl Interaction {
    /// Whether `subject`, who is signed in, has to be asked. A page that asks
    /// can say what is new.
    ///
    /// Remembered consent counts without a page only for a client whose
    /// identity is proven by more than its identifier (OAuth 2.1 section
    /// 9.3.1): the operator vouches for it, and it either proves itself at the
    /// token endpoint or is answered at an https address of its own. It never
    /// counts where the client wants the person to be asked (`prompt=consent`).
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn consent(&self, subject: &str) -> Result<ConsentNeed, Fault> {
        let (scope, resources) = (&self.request.scope, self.request.resources.as_slice());
        let Some(given) = self.remembered(subject).await? else {
            return Ok(ConsentNeed::Ask(WhatIsNew {
                new_scope: scope.clone(),
                new_resources: resources.to_vec(),
                ..WhatIsNew::default()
            }));
        };
        // What stands in a detail was agreed to once, and for that time.
        let is_covered = given.covers(resources, scope) && self.request.authorization_details.is_empty();
        if is_covered && self.identity_is_proven() && !self.request.wanted.has(Prompt::Consent) {
            return Ok(ConsentNeed::Given);
        }
        let new_scope = given.missing(resources, scope);
        let new_resources = resources.iter().filter(|one| !given.granted.contains_key(one.as_str()));
        Ok(ConsentNeed::Ask(WhatIsNew {
            agreed_before: true,
            known_scope: scope.without(&new_scope),
            new_scope,
            new_resources: new_resources.cloned().collect(),
        }))
    }

    async fn remembered(&self, subject: &str) -> Result<Option<Consent>, Fault> {
        let server = &self.held.server;
        if server.authorization().consent_lifetime == 0 {
            return Ok(None);
        }
        let found = server.store().consent(subject.to_owned(), self.client.id.clone(), server.now()).await?;
        let epoch = server.epoch().await?;
        Ok(found.filter(|consent| self.counts(consent, epoch)))
    }

    /// Whether it was given to this client, and nothing has ended what is as old.
    fn counts(&self, consent: &Consent, epoch: UnixTime) -> bool {
        consent.is_for(&self.client) && consent.given_at >= epoch
    }

    /// OAuth 2.1 section 9.3.1. Whoever registered themselves may register again
    /// as anybody, and may change where they are sent.
    fn identity_is_proven(&self) -> bool {
        // One that is not registered is the client's own to name, once it has proved itself (RFC 9126 section 2.4).
        let registered = self.held.server.registered(&self.client, &self.request.reply.redirect_uri);
        let claimed = registered.is_some_and(|uri| uri.is_https() && !uri.is_on_this_machine());
        self.client.is_vouched_for() && (!self.client.is_public() || claimed)
    }

    /// Remembers what was granted. Nothing depends on it but whether the person
    /// is asked again, so that a failure is for the operator alone.
    pub(super) async fn remember(&self, granted: &GrantFacts) {
        if let Err(fault) = self.try_to_remember(granted).await {
            fault.tell_to(&self.held.server);
        }
    }

    async fn try_to_remember(&self, granted: &GrantFacts) -> Result<(), Fault> {
        let server = &self.held.server;
        let (Some(subject), lifetime) = (&granted.subject, server.authorization().consent_lifetime) else {
            return Ok(());
        };
        for _ in 0..ATTEMPTS {
            if lifetime == 0 {
                break;
            }
            let now = server.now();
            let found = server.store().consent(subject.clone(), self.client.id.clone(), now).await?;
            let revision = found.as_ref().map(|found| found.revision);
            let epoch = server.epoch().await?;
            let consent = found.filter(|found| self.counts(found, epoch));
            let consent = consent.unwrap_or_else(|| Consent::new(subject.clone(), self.client.id.clone(), now));
            let until = now.saturating_add(lifetime);
            let Some(consent) = consent.with(&granted.resources, &granted.scope, now, until) else { break };
            if server.store().replace_consent(consent, revision, now).await? {
                break;
            }
        }
        Ok(())
    }
}
