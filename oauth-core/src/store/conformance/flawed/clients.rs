//! Flaws in how clients and signing keys are kept.

use std::sync::Arc;

use super::{Flaw as F, Flawed};
use crate::{
    client::{Client, ClientId},
    clock::UnixTime,
    store::{
        AccessToken, Clients, Consent, Cursor, Epoch, Grant, LinkState, Page, SealedKey, SigningKeys, Store,
        StoreError, StoreFuture, Transfer,
    },
    token::GrantId,
};

impl Clients for Flawed {
    fn client(&self, id: ClientId) -> StoreFuture<'_, Option<Arc<Client>>> {
        self.rest.client(id)
    }

    fn put_client(&self, client: Client) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            if self.has(F::KeepsOldClients) && self.rest.client(client.id.clone()).await?.is_some() {
                return Ok(());
            }
            if self.has(F::ReplacesClientsInTwoSteps) {
                self.rest.delete_client(client.id.clone()).await?;
                tokio::task::yield_now().await;
            }
            self.rest.put_client(client).await
        })
    }

    fn replace_client(&self, client: Client, revision: u64) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let replaces_later = self.has(F::ReplacesClientsLater);
            if !replaces_later && !self.has(F::IgnoresRevisions) {
                return self.rest.replace_client(client, revision).await;
            }
            let found = self.rest.client(client.id.clone()).await?;
            if found.is_none_or(|found| found.revision != revision && replaces_later) {
                return Ok(false);
            }
            tokio::task::yield_now().await;
            self.rest.put_client(client).await?;
            Ok(true)
        })
    }

    fn delete_client(&self, id: ClientId) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.rest.delete_client(id).await? && !self.has(F::DropsClientsSilently)) })
    }
}

impl SigningKeys for Flawed {
    fn signing_keys(&self) -> StoreFuture<'_, Vec<SealedKey>> {
        self.rest.signing_keys()
    }

    fn insert_signing_key(&self, key: SealedKey, newest: Option<UnixTime>) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let same = |other: &&SealedKey| other.algorithm == key.algorithm || self.has(F::SharesKeysOfAlgorithms);
            let last = self.rest.signing_keys().await?.iter().filter(same).map(|other| other.active_from).max();
            let force = match self.flaw {
                F::IgnoresNewerKeys => true,
                F::SharesKeysOfAlgorithms if newest.is_none() && last.is_some() => return Ok(false),
                F::InsertsKeysInTwoSteps => {
                    tokio::task::yield_now().await;
                    newest >= last
                }
                _ => false,
            };
            self.rest.insert_signing_key(key, if force { Some(UnixTime::MAX) } else { newest }).await
        })
    }

    fn delete_signing_key(&self, kid: String) -> StoreFuture<'_, bool> {
        self.rest.delete_signing_key(kid)
    }
}

/// Checked elsewhere: see `conformance/transfer`.
impl Transfer for Flawed {
    fn list_clients(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Arc<Client>>> {
        self.rest.list_clients(after, limit)
    }

    fn list_grants(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Grant>> {
        self.rest.list_grants(after, limit)
    }

    fn list_access(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<(GrantId, AccessToken)>> {
        self.rest.list_access(after, limit)
    }

    fn list_consents(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<Consent>> {
        self.rest.list_consents(after, limit)
    }

    fn list_links(&self, after: Option<Cursor>, limit: usize) -> StoreFuture<'_, Page<LinkState>> {
        self.rest.list_links(after, limit)
    }
}

impl Epoch for Flawed {
    fn epoch(&self) -> StoreFuture<'_, UnixTime> {
        Box::pin(std::future::ready(Ok(*self.epoch.lock().unwrap())))
    }

    fn raise_epoch(&self, to: UnixTime) -> StoreFuture<'_, UnixTime> {
        Box::pin(async move {
            let before = *self.epoch.lock().unwrap();
            if self.has(F::RaisesTheEpochInTwoSteps) {
                tokio::task::yield_now().await;
            }
            let mut epoch = self.epoch.lock().unwrap();
            *epoch = match self.flaw {
                F::LowersTheEpoch => to,
                F::ForgetsTheEpoch => before,
                F::RaisesTheEpochInTwoSteps => before.max(to),
                _ => to.max(*epoch),
            };
            Ok(before.max(to))
        })
    }
}

impl Store for Flawed {
    fn check(&self) -> StoreFuture<'_, ()> {
        if self.has(F::NeverReady) {
            return Box::pin(std::future::ready(Err(StoreError::unavailable("never ready"))));
        }
        self.rest.check()
    }
}
