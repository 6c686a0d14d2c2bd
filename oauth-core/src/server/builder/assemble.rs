//! The server that comes of the settings.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Weak},
};

use super::AuthorizationServerBuilder;
use crate::{
    client,
    engine::{
        client_auth::{AuthLimit, Nobody},
        client_documents::ClientDocumentCache,
        client_keys::ClientKeyCache,
        device::Devices,
        guess_limit::GuessLimit,
        key_ring::KeyRing,
        matrix::MatrixSettings,
        reciprocal::{ReciprocalSettings, Reciprocity},
        revocations::{OwnRevocations, RevocationListener},
        standing::EpochCache,
        status_list::StatusLists,
    },
    grant::{DeviceCode, Grants, Reciprocal},
    scope::Scope,
    secret::RootSecret,
    server::{BuildError, Inner},
    store::memory::MemoryStore,
    token::{GrantRefs, TokenCodec},
};

impl AuthorizationServerBuilder {
    pub(super) fn into_inner(self, issuer_path: String, root: RootSecret) -> Result<Inner, BuildError> {
        let mut clients = HashMap::new();
        for client in self.clients {
            let client = if self.matrix.is_some() { MatrixSettings::completed(client) } else { client };
            if !self.client_authentication.methods.contains(&client.auth_method) {
                let method = client.auth_method.as_str();
                return Err(BuildError::ClientMethod { client: client.id, method });
            }
            let unbindable = client.tokens.dpop_bound_access_tokens && !self.dpop.is_on()
                || client.tokens.tls_client_certificate_bound_access_tokens && !self.certificate_bound;
            if unbindable {
                return Err(BuildError::ClientTokens(client.id));
            }
            let asked = client.tokens.introspection_signed_response_alg;
            if asked.is_some_and(|algorithm| !self.introspection.signs_with(algorithm)) {
                return Err(BuildError::ClientIntrospection(client.id));
            }
            if let Some(twice) = clients.insert(client.id.clone(), Arc::new(client)) {
                return Err(BuildError::Client(twice.id.clone()));
            }
        }
        let mut grants = self.grants;
        if self.devices.is_some() {
            grants.insert(0, Arc::new(DeviceCode));
        }
        if self.reciprocal.as_ref().is_some_and(ReciprocalSettings::has_peers) {
            grants.insert(0, Arc::new(Reciprocal));
        }
        let grants = Grants::with(grants)?;
        // Whoever is configured comes before one that stands for nobody.
        let declared = self.resources.iter().fold(Scope::empty(), |all, resource| all.union(&resource.scopes));
        for client in grants.iter().flat_map(|(_, grant)| grant.clients(&declared)) {
            clients.entry(client.id.clone()).or_insert_with(|| Arc::new(client));
        }
        let client_secrets = client::sealer(&root);
        let nobody = Nobody::new(&client_secrets, &*self.random)?;
        let (revocations, epoch) = (OwnRevocations::default(), Arc::new(EpochCache::default()));
        // What other nodes have raised, they tell as anything.
        let listener: Weak<dyn RevocationListener> = Arc::<EpochCache>::downgrade(&epoch);
        revocations.0.subscribe(listener);
        let status_lists = self.status_lists.map(|settings| StatusLists::new(settings, &root, &self.issuer));
        let codec = TokenCodec::new(&root, &self.issuer, self.prefixes);
        let devices = self.devices.map(|settings| Devices::new(settings, &root, &self.issuer));
        let reciprocity = self.reciprocal.map(|settings| Arc::new(Reciprocity::new(settings, &root)));
        let audiences = self.resources.iter().map(|resource| &*resource.identifier);
        let grant_refs = GrantRefs::new(&root).knowing(audiences);
        Ok(Inner {
            issuer: self.issuer,
            issuer_path,
            development: self.development,
            interaction_path: self.interaction_path,
            authorization: self.authorization,
            dpop: self.dpop,
            certificate_bound: self.certificate_bound,
            store: self.store.unwrap_or_else(|| Arc::new(MemoryStore::default())),
            clients,
            grants,
            resources: self.resources,
            introspection_callers: self.introspection_callers,
            lifetimes: self.lifetimes,
            rotation: self.rotation,
            revocation: self.revocation,
            revocation_authority: self.revocation_authority,
            introspection: self.introspection,
            registration: self.registration,
            devices,
            reciprocity,
            status_lists,
            matrix: self.matrix,
            signing_algorithm: self.signing_algorithm,
            subjects: self.subjects,
            codec,
            grant_refs,
            csrf: root.hmac_keys(b"csrf"),
            keys: KeyRing::new(root.sealer(b"signing key")),
            bus: root.sealer(b"bus"),
            pushed_requests: root.sealer(b"pushed request"),
            root,
            clock: self.clock,
            random: self.random,
            events: self.events,
            fetch: self.fetch,
            client_keys: ClientKeyCache::default(),
            client_documents: ClientDocumentCache::default(),
            auth_limit: AuthLimit::new(self.client_authentication.failures_per_minute),
            client_authentication: self.client_authentication,
            client_secrets,
            nobody,
            revocations,
            epoch,
            guesses: GuessLimit::default(),
        })
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
