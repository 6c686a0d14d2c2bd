//! The authorization server: endpoints, grants, policy and store, tied
//! together.

mod build_error;
mod builder;
mod bulk;
mod cookies;
mod follow;
mod parts;
mod revoke;

use std::{collections::HashMap, fmt, sync::Arc};

use aws_lc_rs::hmac;

pub use self::{
    build_error::BuildError,
    builder::AuthorizationServerBuilder,
    bulk::{BulkRevocation, Progress, Selection, Unselectable},
};
use crate::{
    client::{Client, ClientId, ClientSecret},
    clock::{Clock, Random, UnixTime},
    engine::{
        authorization::AuthorizationSettings,
        client_auth::{AuthLimit, ClientAuthentication, Nobody},
        client_documents::ClientDocumentCache,
        client_keys::ClientKeyCache,
        device::Devices,
        dpop::DpopSettings,
        fault::Fault,
        guess_limit::GuessLimit,
        introspection::IntrospectionSettings,
        key_ring::KeyRing,
        matrix::MatrixSettings,
        policy::{Lifetimes, Resource, RevocationPolicy, Rotation, Subjects},
        reciprocal::Reciprocity,
        registration::RegistrationSettings,
        revocations::OwnRevocations,
        standing::EpochCache,
        status_list::StatusLists,
    },
    event::{Event, EventSink},
    fetch::Fetch,
    grant::Grants,
    jwt::Algorithm,
    secret::{RootSecret, Sealer, Secret},
    store::Store,
    token::{GrantRefs, TokenCodec},
};

/// An OAuth 2.1 authorization server. Clones share everything.
///
/// ```
/// use oauth_core::{
///     client::Client, clock::SystemRandom, secret::RootSecret, server::AuthorizationServer,
///     store::memory::MemoryStore,
/// };
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let server = AuthorizationServer::builder("https://auth.example")
///     .store(MemoryStore::default())
///     .root_secret(RootSecret::generate(&SystemRandom)?)
///     .client(Client::builder("app").redirect_uri("https://app.example/cb").scope("notes").build()?)
///     .build()
///     .await?;
/// assert_eq!(server.issuer(), "https://auth.example");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// It opens no socket: `oauth-tower` makes a tower service of it,
/// `oauth-axum-rs` a router.
#[derive(Clone)]
pub struct AuthorizationServer {
    inner: Arc<Inner>,
}

struct Inner {
    issuer: String,
    issuer_path: String,
    development: bool,
    interaction_path: String,
    authorization: AuthorizationSettings,
    dpop: DpopSettings,
    certificate_bound: bool,
    store: Arc<dyn Store>,
    clients: HashMap<ClientId, Arc<Client>>,
    grants: Grants,
    resources: Vec<Resource>,
    introspection_callers: Vec<ClientId>,
    lifetimes: Lifetimes,
    rotation: Rotation,
    revocation: RevocationPolicy,
    revocation_authority: Option<parts::HostAuthority>,
    introspection: IntrospectionSettings,
    signing_algorithm: Algorithm,
    subjects: Arc<dyn Subjects>,
    root: RootSecret,
    codec: TokenCodec,
    grant_refs: GrantRefs,
    csrf: Vec<hmac::Key>,
    keys: KeyRing,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    events: Arc<dyn EventSink>,
    fetch: Arc<dyn Fetch>,
    client_keys: ClientKeyCache,
    client_documents: ClientDocumentCache,
    client_authentication: ClientAuthentication,
    client_secrets: Sealer,
    auth_limit: AuthLimit,
    nobody: Nobody,
    revocations: OwnRevocations,
    epoch: Arc<EpochCache>,
    /// Seals what the nodes tell each other.
    bus: Sealer,
    /// Seals references to pushed requests for a browser.
    pushed_requests: Sealer,
    status_lists: Option<StatusLists>,
    guesses: GuessLimit,
    registration: Option<RegistrationSettings>,
    devices: Option<Devices>,
    reciprocity: Option<Arc<Reciprocity>>,
    matrix: Option<MatrixSettings>,
}

impl AuthorizationServer {
    /// Starts a server with this issuer identifier: an https URL without query
    /// and fragment (RFC 8414 section 2), repeated byte for byte wherever the
    /// server names itself.
    pub fn builder(issuer: impl Into<String>) -> AuthorizationServerBuilder {
        AuthorizationServerBuilder::new(issuer.into())
    }

    /// The issuer identifier.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.inner.issuer
    }

    /// The path of the issuer, under which the endpoints lie: empty, or `/`
    /// and more, without a slash at the end.
    #[must_use]
    pub fn issuer_path(&self) -> &str {
        &self.inner.issuer_path
    }

    /// Whether this is a development server: plain http on a loopback address.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.inner.development
    }

    /// The path of the sign-in and consent page, below the issuer.
    #[must_use]
    pub fn interaction_path(&self) -> &str {
        &self.inner.interaction_path
    }

    /// What the authorization endpoint accepts.
    #[must_use]
    pub fn authorization(&self) -> &AuthorizationSettings {
        &self.inner.authorization
    }

    /// The time, by the server's clock.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        self.inner.clock.now()
    }

    /// The server's source of randomness.
    #[must_use]
    pub fn random(&self) -> &dyn Random {
        &*self.inner.random
    }

    /// Who fetches what clients name.
    #[must_use]
    pub fn fetch(&self) -> &dyn Fetch {
        &*self.inner.fetch
    }

    /// The server's store.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.inner.store
    }

    /// A sealer of the host's own, for `purpose`, under the root secret: for
    /// cookies, say.
    #[must_use]
    pub fn sealer(&self, purpose: &[u8]) -> Sealer {
        self.inner.root.sealer(&[b"host ", purpose].concat())
    }

    /// The resources tokens are issued for; never empty.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.inner.resources
    }

    /// The resource `identifier`.
    #[must_use]
    pub fn resource(&self, identifier: &str) -> Option<&Resource> {
        self.inner.resources.iter().find(|resource| resource.identifier == identifier)
    }

    /// The client `id`: one given to the builder, or one in the store. Nothing is
    /// fetched: a client that a metadata document describes is not among them.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, Fault> {
        match self.inner.clients.get(id) {
            Some(client) => Ok(Some(Arc::clone(client))),
            None => Ok(self.store().client(id.clone()).await?),
        }
    }

    /// What is kept of the `secret` of the client `id`, which is to prove itself
    /// by `client_secret_jwt`: the secret, sealed under the root secret.
    ///
    /// # Errors
    /// [`Fault`] if the source of randomness fails.
    pub fn seal_client_secret(&self, id: &ClientId, secret: &Secret) -> Result<ClientSecret, Fault> {
        Ok(ClientSecret::sealed_by(self.client_secrets(), secret, id, self.random())?)
    }

    /// Publishes the next signing key of each algorithm that is used here. It starts
    /// to sign once everyone had time to fetch it, and the current one stays valid for
    /// what it signed.
    ///
    /// # Errors
    /// [`Fault`] if the key cannot be made or stored.
    pub async fn rotate_signing_key(&self) -> Result<(), Fault> {
        let mut algorithms = self.signs_with();
        algorithms.insert(self.inner.signing_algorithm);
        for algorithm in algorithms {
            self.inner.keys.rotate(algorithm, self.store(), self.random(), self.now()).await?;
        }
        Ok(())
    }

    /// One round of housekeeping: removes what has ended from the store, in
    /// batches of 1000, and takes in other nodes' signing keys. Call it every
    /// minute or so, on every node or on one; nothing is spawned for you.
    /// Returns how many rows went.
    ///
    /// # Errors
    /// [`Fault`] if the store fails; the next call carries on.
    pub async fn maintain(&self) -> Result<usize, Fault> {
        const BATCH: usize = 1000;
        let mut removed = 0;
        loop {
            let batch = self.store().sweep(self.now(), BATCH).await?;
            removed += batch;
            if batch < BATCH {
                break;
            }
        }
        self.inner.keys.retire(self.store(), self.inner.lifetimes.access, self.now()).await?;
        Ok(removed)
    }

    /// What revocation covers, and by whose rules.
    #[must_use]
    pub fn revocation_policy(&self) -> RevocationPolicy {
        self.inner.revocation
    }

    /// How introspection is answered.
    #[must_use]
    pub fn introspection(&self) -> &IntrospectionSettings {
        &self.inner.introspection
    }

    /// How proofs of possession are taken.
    #[must_use]
    pub fn dpop(&self) -> &DpopSettings {
        &self.inner.dpop
    }

    /// Whether access tokens can be bound to client certificates.
    #[must_use]
    pub fn binds_to_certificates(&self) -> bool {
        self.inner.certificate_bound
    }

    /// Tells the event sink of something that a host's own pages met: a
    /// [`Fault`] of an interaction, for one.
    pub fn tell(&self, event: &Event<'_>) {
        self.inner.events.event(event);
    }
}

impl fmt::Debug for AuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationServer").field("issuer", &self.inner.issuer).finish_non_exhaustive()
    }
}
