//! What a page for developers needs: the rules and limits of the registration
//! endpoint, for a person who is signed in with the host.

use std::net::IpAddr;

use super::{
    create::{Registered, RegistrationFailure},
    policy::{RegistrationOrigin, RegistrationRequest},
};
use crate::{
    client::{
        Developer, RedirectRules,
        metadata::{ClientMetadata, RegistrationError, object},
    },
    engine::fault::Fault,
    server::AuthorizationServer,
};

const NOT_SET_UP: Fault = Fault::Internal("registration is not set up");

impl AuthorizationServer {
    /// Whether clients can be registered here at all, by
    /// [`AuthorizationServerBuilder::registration`](crate::server::AuthorizationServerBuilder::registration).
    #[must_use]
    pub fn takes_registrations(&self) -> bool {
        self.registration().is_some()
    }

    /// Reads client metadata as the registration endpoint does: redirect URIs
    /// begin with `http://localhost` where
    /// [`RegistrationSettings::allow_localhost`](super::RegistrationSettings::allow_localhost) says so.
    ///
    /// # Errors
    /// [`RegistrationError`] names the member at fault.
    pub fn read_client_metadata(&self, document: &[u8]) -> Result<ClientMetadata, RegistrationError> {
        let rules = self.registration().map_or(RedirectRules::Strict, |settings| settings.redirect_rules(self));
        ClientMetadata::read(&object(document)?, rules)
    }

    /// Counts a registration from `address` against
    /// [`RegistrationSettings::per_minute`](super::RegistrationSettings::per_minute), together with those at the
    /// registration endpoint (RFC 7591 section 5). If there were too many: in
    /// how many seconds to come back.
    ///
    /// # Errors
    /// [`Fault`] if the store fails, or the server takes no registrations.
    pub async fn count_registration(&self, address: Option<IpAddr>) -> Result<Option<u64>, Fault> {
        self.registration().ok_or(NOT_SET_UP)?.count(self, address).await
    }

    /// Registers a client for `developer`, who is signed in and may register
    /// clients, as [`AuthorizationServer::register`] does for the host. The
    /// policy hears of it as [`RegistrationOrigin::Developer`].
    ///
    /// ```
    /// use oauth_core::{client::{Developer, metadata::ClientMetadata}, server::AuthorizationServer};
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let server = AuthorizationServer::builder("https://auth.example").registration(|it| it).build().await?;
    /// let asked = ClientMetadata::parse(br#"{"client_name": "Notes", "redirect_uris": ["https://notes.example/cb"]}"#)?;
    /// let registered = server.register_for(asked, Developer::new("user-1")).await?;
    /// let by = registered.client.registration.and_then(|registration| registration.developer);
    /// assert_eq!(by.map(|developer| developer.subject).as_deref(), Some("user-1"));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RegistrationFailure`]; one of them where the server takes no
    /// registrations at all.
    pub async fn register_for(
        &self,
        metadata: ClientMetadata,
        developer: Developer,
    ) -> Result<Registered, RegistrationFailure> {
        let settings = self.registration().ok_or(NOT_SET_UP)?;
        let request = RegistrationRequest {
            metadata: &metadata,
            origin: &RegistrationOrigin::Developer { subject: developer.subject.clone() },
            statement: None,
            address: None,
            client: None,
        };
        let terms = settings.judge(self, &request).await?;
        self.create(settings, terms, None, Some(developer)).await
    }
}
