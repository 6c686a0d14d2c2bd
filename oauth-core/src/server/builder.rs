//! Building an authorization server: everything that can be wrong is found
//! here, before the first request.

mod assemble;
mod check;
mod grants;
mod profile;

use std::sync::Arc;

use super::{AuthorizationServer, BuildError, parts::HostAuthority};
use crate::{
    client::{Client, ClientId},
    clock::{Clock, Random, SystemClock, SystemRandom},
    engine::{
        authorization::AuthorizationSettings,
        client_auth::ClientAuthentication,
        device::DeviceSettings,
        dpop::DpopSettings,
        fault::Fault,
        introspection::IntrospectionSettings,
        matrix::MatrixSettings,
        policy::{EverySubject, Lifetimes, Resource, Rotation, Subjects},
        reciprocal::ReciprocalSettings,
        registration::RegistrationSettings,
        revocation::{RevocationAuthority, RevocationPolicy},
        status_list::StatusListSettings,
    },
    event::{EventSink, NoEvents},
    fetch::{Fetch, NoFetch},
    grant::TokenGrant,
    jwt::Algorithm,
    profile::Profile,
    secret::RootSecret,
    store::Store,
    token::Prefixes,
};

/// Builds an [`AuthorizationServer`]; made by [`AuthorizationServer::builder`].
#[derive(Debug)]
#[must_use]
pub struct AuthorizationServerBuilder {
    issuer: String,
    development: bool,
    interaction_path: String,
    authorization: AuthorizationSettings,
    dpop: DpopSettings,
    certificate_bound: bool,
    store: Option<Arc<dyn Store>>,
    root: Option<RootSecret>,
    clients: Vec<Client>,
    grants: Vec<Arc<dyn TokenGrant>>,
    resources: Vec<Resource>,
    introspection_callers: Vec<ClientId>,
    client_authentication: ClientAuthentication,
    lifetimes: Lifetimes,
    rotation: Rotation,
    revocation: RevocationPolicy,
    revocation_authority: Option<HostAuthority>,
    introspection: IntrospectionSettings,
    registration: Option<RegistrationSettings>,
    devices: Option<DeviceSettings>,
    reciprocal: Option<ReciprocalSettings>,
    status_lists: Option<StatusListSettings>,
    matrix: Option<MatrixSettings>,
    signing_algorithm: Algorithm,
    prefixes: Prefixes,
    subjects: Arc<dyn Subjects>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    events: Arc<dyn EventSink>,
    fetch: Arc<dyn Fetch>,
}

impl AuthorizationServerBuilder {
    pub(super) fn new(issuer: String) -> Self {
        Self {
            issuer,
            development: false,
            interaction_path: "/interaction".to_owned(),
            authorization: AuthorizationSettings::default(),
            dpop: DpopSettings::default(),
            certificate_bound: false,
            store: None,
            root: None,
            clients: Vec::new(),
            grants: Vec::new(),
            resources: Vec::new(),
            introspection_callers: Vec::new(),
            client_authentication: ClientAuthentication::default(),
            lifetimes: Lifetimes::default(),
            rotation: Rotation::default(),
            revocation: RevocationPolicy::default(),
            revocation_authority: None,
            introspection: IntrospectionSettings::default(),
            registration: None,
            devices: None,
            reciprocal: None,
            status_lists: None,
            matrix: None,
            signing_algorithm: Algorithm::ES256,
            prefixes: Prefixes::default(),
            subjects: Arc::new(EverySubject),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            events: Arc::new(NoEvents),
            fetch: Arc::new(NoFetch),
        }
    }

    /// Makes the settings of a [profile](crate::profile) those of this server: call it before
    /// whatever is to be different.
    ///
    /// ```
    /// use oauth_core::{profile::Matrix, server::AuthorizationServer};
    /// let builder = AuthorizationServer::builder("https://account.example.org")
    ///     .profile(Matrix::new("example.org"))
    ///     .lifetimes(|lifetimes| lifetimes.access = 600);
    /// # drop(builder);
    /// ```
    pub fn profile(self, profile: impl Profile) -> Self {
        profile.apply(self)
    }

    /// Is one of Matrix's servers.
    pub(crate) fn matrix(mut self, settings: MatrixSettings) -> Self {
        self.matrix = Some(settings);
        self
    }

    /// Sets the store. The default is memory, which forgets at exit.
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Sets the store, shared with others.
    pub fn shared_store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Sets the root secret: the same on every node, kept across restarts,
    /// apart from the store.
    pub fn root_secret(mut self, root: RootSecret) -> Self {
        self.root = Some(root);
        self
    }

    /// Adds a client that is configured rather than stored.
    pub fn client(mut self, client: Client) -> Self {
        self.clients.push(client);
        self
    }

    /// Adds a resource. The first one is the audience where a client names
    /// none; without any, the issuer itself is the one resource.
    pub fn resource(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }

    /// Lets `client` introspect the access tokens of everyone.
    pub fn introspection_caller(mut self, client: ClientId) -> Self {
        self.introspection_callers.push(client);
        self
    }

    /// Sets how clients may authenticate.
    ///
    /// ```
    /// use oauth_core::{client::AuthMethod, server::AuthorizationServer};
    /// let builder = AuthorizationServer::builder("https://auth.example").client_authentication(|how| {
    ///     how.offer(AuthMethod::SelfSignedTlsClientAuth); // the listener asks for certificates
    ///     how.failures_per_minute = 10;
    /// });
    /// # drop(builder);
    /// ```
    pub fn client_authentication(mut self, set: impl FnOnce(&mut ClientAuthentication)) -> Self {
        set(&mut self.client_authentication);
        self
    }

    /// Sets how long things live.
    pub fn lifetimes(mut self, set: impl FnOnce(&mut Lifetimes)) -> Self {
        set(&mut self.lifetimes);
        self
    }

    /// Sets what happens to used refresh tokens.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = rotation;
        self
    }

    /// Sets what revocation covers.
    pub fn revocation(mut self, set: impl FnOnce(&mut RevocationPolicy)) -> Self {
        set(&mut self.revocation);
        self
    }

    /// Sets who may revoke tokens that are not theirs; nobody if not called.
    pub fn revocation_authority(mut self, authority: impl RevocationAuthority) -> Self {
        self.revocation_authority = Some(HostAuthority(Arc::new(authority)));
        self
    }

    /// Sets how introspection is answered: see [`IntrospectionSettings`].
    pub fn introspection(mut self, set: impl FnOnce(&mut IntrospectionSettings)) -> Self {
        set(&mut self.introspection);
        self
    }

    /// Takes registrations (RFC 7591): without this call there are none. See
    /// [`RegistrationSettings`].
    pub fn registration(mut self, set: impl FnOnce(RegistrationSettings) -> RegistrationSettings) -> Self {
        self.registration = Some(set(self.registration.unwrap_or_else(RegistrationSettings::new)));
        self
    }

    /// Lets devices without a browser ask (RFC 8628): without this call there is
    /// nothing for them. See [`DeviceSettings`].
    pub fn devices(mut self, set: impl FnOnce(&mut DeviceSettings)) -> Self {
        set(self.devices.get_or_insert_default());
        self
    }

    /// Does Reciprocal OAuth (draft-ietf-oauth-reciprocal-04), as either party or
    /// both: without this call there is none. See [`ReciprocalSettings`].
    pub fn reciprocal(mut self, set: impl FnOnce(&mut ReciprocalSettings)) -> Self {
        set(self.reciprocal.get_or_insert_default());
        self
    }

    /// Sets the algorithm of JWT access tokens: ES256 if not called.
    pub fn signing_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.signing_algorithm = algorithm;
        self
    }

    /// Sets the prefixes of opaque tokens.
    pub fn prefixes(mut self, prefixes: Prefixes) -> Self {
        self.prefixes = prefixes;
        self
    }

    /// Sets who knows whether a user may still act.
    pub fn subjects(mut self, subjects: impl Subjects) -> Self {
        self.subjects = Arc::new(subjects);
        self
    }

    /// Sets the path of the sign-in and consent page, below the issuer:
    /// `/interaction` if not called.
    pub fn interaction_path(mut self, path: impl Into<String>) -> Self {
        self.interaction_path = path.into();
        self
    }

    /// Sets what the authorization endpoint accepts.
    ///
    /// ```
    /// use oauth_core::{engine::authorization::ResponseMode, server::AuthorizationServer};
    /// let builder = AuthorizationServer::builder("https://auth.example")
    ///     .authorization(|settings| settings.response_modes = vec![ResponseMode::FormPost]);
    /// # drop(builder);
    /// ```
    pub fn authorization(mut self, set: impl FnOnce(&mut AuthorizationSettings)) -> Self {
        set(&mut self.authorization);
        self
    }

    /// Sets how proofs of possession (RFC 9449) are taken. Without this, a client
    /// that sends one gets a token bound to its key, and none needs to.
    ///
    /// ```
    /// use oauth_core::server::AuthorizationServer;
    /// let builder = AuthorizationServer::builder("https://auth.example").dpop(|dpop| {
    ///     dpop.required = true; // no bearer tokens here
    ///     dpop.nonces = true;
    /// });
    /// # drop(builder);
    /// ```
    pub fn dpop(mut self, set: impl FnOnce(&mut DpopSettings)) -> Self {
        set(&mut self.dpop);
        self
    }

    /// Binds the access tokens of clients that are registered so to the certificate
    /// that they show (RFC 8705 section 3): for a server whose listener asks for
    /// certificates, or whose proxy passes them on.
    pub const fn certificate_bound_access_tokens(mut self) -> Self {
        self.certificate_bound = true;
        self
    }

    /// Sets who hears of security events.
    pub fn events(mut self, events: impl EventSink) -> Self {
        self.events = Arc::new(events);
        self
    }

    /// Sets who fetches what clients name: keys (`jwks_uri`), metadata
    /// documents, requests. Without this, nothing is fetched. For the open
    /// network use `GuardedFetch` of `oauth-tower`, or one that keeps the same
    /// promises (RFC 9101 section 10.4).
    pub fn fetch(mut self, fetch: impl Fetch) -> Self {
        self.fetch = Arc::new(fetch);
        self
    }

    /// Sets the clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the source of randomness.
    pub fn random(mut self, random: impl Random) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Gives every JWT a place in a status list (draft-ietf-oauth-status-list-18),
    /// which the server publishes below `/status`: so whoever verifies it by
    /// itself learns that it was revoked, a moment later and without asking about
    /// it. Off if not called. With it, access tokens live for 31 days at most.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// use oauth_core::server::AuthorizationServer;
    /// let server = AuthorizationServer::builder("https://as.example").status_lists(|lists| lists.ttl = 10).build().await?;
    /// # drop(server);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn status_lists(mut self, set: impl FnOnce(&mut StatusListSettings)) -> Self {
        set(self.status_lists.get_or_insert_default());
        self
    }

    /// Permits a plain-http issuer on a loopback address, with cookies that
    /// are not `Secure`. For development on one's own machine, never for more.
    pub fn insecure_development(mut self) -> Self {
        self.development = true;
        self
    }

    /// Checks everything, reads the signing keys from the store and makes the
    /// first ones, if a resource takes JWTs or introspection is answered with them.
    ///
    /// # Errors
    /// [`BuildError`] names the setting at fault.
    pub async fn build(mut self) -> Result<AuthorizationServer, BuildError> {
        let issuer_path = self.check_issuer()?;
        self.check_settings()?;
        let root = match (self.root.take(), &self.store) {
            (Some(root), _) => root,
            (None, Some(_)) => return Err(BuildError::RootSecretMissing),
            (None, None) => RootSecret::generate(&*self.random).map_err(Fault::from)?,
        };
        let server = AuthorizationServer { inner: Arc::new(self.into_inner(issuer_path, root)?) };
        server.keys().load(server.store()).await?;
        for algorithm in server.signs_with() {
            server.keys().ensure(algorithm, server.store(), server.random(), server.now()).await?;
        }
        server.check_grants()?;
        Ok(server)
    }
}
