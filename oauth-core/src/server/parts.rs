//! What the endpoints and the engine reach for.

use std::{collections::BTreeSet, fmt, sync::Arc};

use aws_lc_rs::hmac;

use super::AuthorizationServer;
use crate::{
    client::{Client, ClientId, GrantType},
    clock::Clock,
    engine::{
        client_auth::{AuthLimit, ClientAuthentication, Nobody},
        client_documents::ClientDocumentCache,
        client_keys::ClientKeyCache,
        device::Devices,
        guess_limit::GuessLimit,
        key_ring::KeyRing,
        matrix::{self, MatrixSettings},
        policy::{Lifetimes, Rotation, Subjects, TokenFormat},
        reciprocal::Reciprocity,
        registration::RegistrationSettings,
        revocation::RevocationAuthority,
        standing::EpochCache,
        status_list::StatusLists,
    },
    grant::Grants,
    jwt::Algorithm,
    keys::SigningKey,
    scope::Scope,
    secret::{RootSecret, Sealer},
    store::{Reciprocals, Store},
    token::{GrantRefs, TokenCodec},
};

/// What the host says of revocations.
#[derive(Clone)]
pub(super) struct HostAuthority(pub(super) Arc<dyn RevocationAuthority>);

impl fmt::Debug for HostAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostAuthority(..)")
    }
}

impl AuthorizationServer {
    /// The part of `scope` that means something at `audience`: a resource that
    /// declares no scopes takes any.
    pub(crate) fn scope_at(&self, audience: &[String], scope: &Scope) -> Scope {
        let served = || audience.iter().filter_map(|one| self.resource(one));
        if served().any(|resource| resource.scopes.is_empty()) {
            return scope.clone();
        }
        let known = |token: &str| served().any(|resource| resource.scopes.contains(token));
        matrix::kept(self, scope, scope.filtered(known))
    }

    /// Every scope that a resource declares, and those of Matrix where it is one of its servers.
    pub(crate) fn declared_scope(&self) -> Scope {
        let of_matrix = self.matrix().map_or_else(Scope::empty, |_| MatrixSettings::scope());
        self.resources().iter().fold(of_matrix, |all, resource| all.union(&resource.scopes))
    }

    /// `None` where this is no server of Matrix.
    pub(crate) fn matrix(&self) -> Option<&MatrixSettings> {
        self.inner.matrix.as_ref()
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

    /// What is needed for Reciprocal OAuth, if there is any here.
    pub(crate) fn reciprocity(&self) -> Option<&Arc<Reciprocity>> {
        self.inner.reciprocity.as_ref()
    }

    /// Where codes of other parties wait, and what they bring is kept.
    pub(crate) fn reciprocals(&self) -> &dyn Reciprocals {
        &*self.inner.store
    }

    /// What is asked of `client` in turn, if it is a peer that can give it
    /// (draft-ietf-oauth-reciprocal-04 section 2.1).
    pub(crate) fn reciprocal_wish(&self, client: &Client) -> Option<&Scope> {
        let wish = self.reciprocity()?.settings.wish(&client.id).filter(|wish| !wish.is_empty())?;
        (client.may_use(&GrantType::RECIPROCAL) && !client.is_public()).then_some(wish)
    }

    pub(crate) fn introspection_callers(&self) -> &[ClientId] {
        &self.inner.introspection_callers
    }

    pub(crate) fn epoch_cache(&self) -> &EpochCache {
        &self.inner.epoch
    }

    pub(crate) fn lifetimes(&self) -> Lifetimes {
        self.inner.lifetimes
    }

    pub(crate) fn rotation(&self) -> Rotation {
        self.inner.rotation
    }

    pub(crate) fn revocation_authority(&self) -> Option<&dyn RevocationAuthority> {
        self.inner.revocation_authority.as_ref().map(|host| &*host.0)
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

    /// `None` where JWTs have no status.
    pub(crate) fn status_lists(&self) -> Option<&StatusLists> {
        self.inner.status_lists.as_ref()
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

    /// The key of JWT access tokens.
    pub(crate) fn signing_key(&self) -> Option<SigningKey> {
        self.signing_key_of(self.inner.signing_algorithm)
    }

    pub(crate) fn signing_key_of(&self, algorithm: Algorithm) -> Option<SigningKey> {
        self.inner.keys.signer(algorithm, self.now())
    }

    /// Every algorithm that is used here, once.
    pub(crate) fn signs_with(&self) -> BTreeSet<Algorithm> {
        let jwts = self.resources().iter().any(|resource| resource.format == TokenFormat::Jwt);
        let signs = jwts || self.status_lists().is_some();
        let of_tokens = signs.then_some(self.inner.signing_algorithm);
        self.introspection().signing_algorithms.iter().copied().chain(of_tokens).collect()
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
