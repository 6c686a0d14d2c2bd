//! Flaws in what is kept of people's consents.

use super::{Flaw as F, Flawed};
use crate::{
    client::ClientId,
    clock::{Clock, SystemClock, UnixTime},
    store::{Consent, Consents, StoreFuture},
};

type Key = (String, String);

impl Flawed {
    fn consent_key(&self, subject: &str, client: &ClientId) -> Key {
        let (subject, client) = (subject.to_owned(), client.as_str().to_owned());
        match self.flaw {
            F::SharesConsentsOfClients => (subject, String::new()),
            F::SharesConsentsOfPeople => (String::new(), client),
            F::JoinsTheNamesOfConsents => (format!("{subject} {client}"), String::new()),
            _ => (subject, client),
        }
    }

    fn counts(&self, found: &Consent, now: UnixTime) -> bool {
        let now = match self.flaw {
            F::EndsConsentsByItsOwnClock => SystemClock.now(),
            F::ShowsExpiredConsents => UnixTime(0),
            _ => now,
        };
        now < found.expires_at
    }

    /// Whether one may go to where `there` is.
    fn may_replace(&self, there: Option<&Consent>, revision: Option<u64>, now: UnixTime) -> bool {
        let found = there.filter(|there| self.counts(there, now)).map(|found| found.revision);
        let there = there.map(|there| there.revision);
        #[expect(clippy::cast_precision_loss, reason = "that is the flaw")]
        let rounded = |revision: Option<u64>| revision.map(|revision| (revision as f64).to_bits());
        match self.flaw {
            F::IgnoresRevisionsOfConsents => found.is_some() == revision.is_some(),
            F::RoundsRevisionsOfConsents => rounded(found) == rounded(revision),
            F::BringsBackForgottenConsents => found == revision || found.is_none(),
            F::ReplacesExpiredConsents => found == revision || there == revision,
            F::MindsExpiredConsents => there == revision && found == revision,
            _ => found == revision,
        }
    }
}

impl Consents for Flawed {
    fn consent(&self, subject: String, client: ClientId, now: UnixTime) -> StoreFuture<'_, Option<Consent>> {
        let key = self.consent_key(&subject, &client);
        let found = self.given.lock().unwrap().get(&key).filter(|found| self.counts(found, now)).cloned();
        Box::pin(std::future::ready(Ok(found)))
    }

    fn replace_consent(&self, consent: Consent, revision: Option<u64>, now: UnixTime) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let key = self.consent_key(&consent.subject, &consent.client);
            if self.has(F::ReplacesConsentsLater) || self.has(F::ReplacesConsentsInTwoSteps) {
                let may = self.may_replace(self.given.lock().unwrap().get(&key), revision, now);
                if may && self.has(F::ReplacesConsentsInTwoSteps) {
                    self.given.lock().unwrap().remove(&key);
                }
                tokio::task::yield_now().await;
                self.given.lock().unwrap().extend(may.then_some((key, consent)));
                return Ok(may);
            }
            let mut given = self.given.lock().unwrap();
            let may = self.may_replace(given.get(&key), revision, now);
            let keeps = self.has(F::KeepsOldConsents) && revision.is_some();
            given.extend((may && !keeps).then_some((key, consent)));
            Ok(may)
        })
    }

    fn forget_consent(&self, subject: String, client: ClientId) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let key = self.consent_key(&subject, &client);
            if self.has(F::KeepsForgottenConsents) {
                return Ok(self.given.lock().unwrap().contains_key(&key));
            }
            let found = self.given.lock().unwrap().remove(&key).is_some();
            Ok(found && !self.has(F::ForgetsConsentsSilently))
        })
    }
}
