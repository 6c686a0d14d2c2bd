//! Flaws in how interactions are kept and ended.

use super::{Flaw as F, Flawed};
use crate::{
    clock::UnixTime,
    secret::Digest,
    store::{FinishInteraction, Interactions, ParkedInteraction, StoreError, StoreFuture},
};

impl Interactions for Flawed {
    fn park_interaction(&self, parked: ParkedInteraction) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let mut interactions = self.parked.lock().unwrap();
            if interactions.contains_key(&parked.id) {
                return Err(StoreError::Conflict("interaction"));
            }
            interactions.insert(parked.id, parked);
            Ok(())
        })
    }

    fn interaction(&self, id: Digest, browser: Digest, now: UnixTime) -> StoreFuture<'_, Option<ParkedInteraction>> {
        let own = move |found: &&ParkedInteraction| {
            (found.browser == browser || self.has(F::ShowsAnyBrowser)) && now < found.expires_at
        };
        Box::pin(async move { Ok(self.parked.lock().unwrap().get(&id).filter(own).cloned()) })
    }

    fn finish_interaction(&self, finish: FinishInteraction) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let now = if self.has(F::FinishesExpired) { UnixTime(0) } else { finish.now };
            if self.interaction(finish.id, finish.browser, now).await?.is_none() {
                return Ok(false);
            }
            if self.has(F::FinishesInTwoSteps) {
                tokio::task::yield_now().await;
            }
            if self.has(F::EndsInteractionsFirst) {
                self.parked.lock().unwrap().remove(&finish.id);
                tokio::task::yield_now().await;
                let grant = finish.grant.map(|grant| (grant.id, (grant, Vec::new())));
                self.grants.lock().unwrap().extend(grant);
                return Ok(true);
            }
            let mut parked = self.parked.lock().unwrap();
            let mut grants = self.grants.lock().unwrap();
            if !parked.contains_key(&finish.id) && !self.has(F::FinishesInTwoSteps) {
                return Ok(false);
            }
            if self.has(F::ConsumesBeforeInserting) {
                parked.remove(&finish.id);
            }
            if let Some(grant) = finish.grant {
                if grants.contains_key(&grant.id) {
                    return Err(StoreError::Conflict("grant"));
                }
                grants.insert(grant.id, (grant, Vec::new()));
            }
            parked.remove(&finish.id);
            Ok(true)
        })
    }
}
