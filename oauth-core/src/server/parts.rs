//! What the endpoints and the engine reach for.

use std::sync::Arc;

use aws_lc_rs::hmac;

use super::AuthorizationServer;
use crate::{
    client::ClientId,
    clock::Clock,
    engine::{
        client_auth::{AuthLimit, ClientAuthentication, Nobody},
        client_documents::ClientDocumentCache,
        client_keys::ClientKeyCache,
        device::Devices,
        guess_limit::GuessLimit,
        key_ring::KeyRing,
        policy::{Lifetimes, RevocationPolicy, Rotation, Subjects},
        registration::RegistrationSettings,
    },
    grant::Grants,
    keys::SigningKey,
    scope::Scope,
    secret::{RootSecret, Sealer},
    store::Store,
    token::{GrantRefs, TokenCodec},
};

impl AuthorizationServer {
    /// The part of `scope` that means something at `audience`: a resource that
    /// declares no scopes takes any.
    pub(crate) fn scope_at(&self, audience: &[String], scope: &Scope) -> Scope {
        let served = || audience.iter().filter_map(|one| self.resource(one));
        if served().any(|resource| resource.scopes.is_empty()) {
            return scope.clone();
        }
        let known = served().fold(Scope::empty(), |all, resource| all.union(&resource.scopes));
        scope.intersection(&known)
    }

    /// Every scope that a resource declares.
    pub(crate) fn declared_scope(&self) -> Scope {
        self.resources().iter().fold(Scope::empty(), |all, resource| all.union(&resource.scopes))
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.inner.grants
    }

    pub(crate) fn root(&self) -> &RootSecret {
        &self.inner.root
    }

    pub(crate) fn shared_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.inner.store)
    }

    pub(crate) fn shared_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.inner.clock)
    }

    pub(crate) fn registration(&self) -> Option<&RegistrationSettings> {
        self.inner.registration.as_ref()
    }

    pub(crate) fn devices(&self) -> Option<&Devices> {
        self.inner.devices.as_ref()
    }

    pub(crate) fn introspection_callers(&self) -> &[ClientId] {
        &self.inner.introspection_callers
    }

    pub(crate) fn lifetimes(&self) -> Lifetimes {
        self.inner.lifetimes
    }

    pub(crate) fn rotation(&self) -> Rotation {
        self.inner.rotation
    }

    pub(crate) fn revocation_policy(&self) -> RevocationPolicy {
        self.inner.revocation
    }

    pub(crate) fn subjects(&self) -> &dyn Subjects {
        &*self.inner.subjects
    }

    pub(crate) fn guesses(&self) -> &GuessLimit {
        &self.inner.guesses
    }

    pub(crate) fn client_authentication(&self) -> &ClientAuthentication {
        &self.inner.client_authentication
    }

    pub(crate) fn client_secrets(&self) -> &Sealer {
        &self.inner.client_secrets
    }

    pub(crate) fn pushed_requests(&self) -> &Sealer {
        &self.inner.pushed_requests
    }

    pub(crate) fn auth_limit(&self) -> &AuthLimit {
        &self.inner.auth_limit
    }

    pub(crate) fn nobody(&self) -> &Nobody {
        &self.inner.nobody
    }

    pub(crate) fn client_keys(&self) -> &ClientKeyCache {
        &self.inner.client_keys
    }

    pub(crate) fn client_documents(&self) -> &ClientDocumentCache {
        &self.inner.client_documents
    }

    pub(crate) fn codec(&self) -> &TokenCodec {
        &self.inner.codec
    }

    pub(crate) fn grant_refs(&self) -> &GrantRefs {
        &self.inner.grant_refs
    }

    pub(crate) fn keys(&self) -> &KeyRing {
        &self.inner.keys
    }

    pub(crate) fn signing_key(&self) -> Option<SigningKey> {
        self.inner.keys.signer(self.inner.signing_algorithm, self.now())
    }

    /// The tag of `parts` under each root secret, the current one first.
    pub(crate) fn csrf_tags(&self, parts: &[&[u8]]) -> Vec<hmac::Tag> {
        let tag = |key: &hmac::Key| {
            let mut context = hmac::Context::with_key(key);
            parts.iter().for_each(|part| context.update(part));
            context.sign()
        };
        self.inner.csrf.iter().map(tag).collect()
    }
}
