//! As what a client is taken that its own document describes: under the settings
//! and the policy that hold for those who register.

use super::{
    create::RegistrationFailure,
    policy::{RegistrationOrigin, RegistrationRequest},
    settings::RegistrationSettings,
};
use crate::{
    client::{Client, ClientId, RedirectUri, Registration, metadata::ClientMetadata},
    clock::UnixTime,
    server::AuthorizationServer,
};

impl RegistrationSettings {
    /// The client `id`, whose document said `metadata` when it was asked for.
    pub(crate) async fn client_of_document(
        &self,
        server: &AuthorizationServer,
        id: &ClientId,
        metadata: &ClientMetadata,
        asked: UnixTime,
    ) -> Result<Client, RegistrationFailure> {
        let mut metadata = metadata.clone();
        if !self.allows_localhost() {
            // A document is written for many servers: one that does not take a
            // redirect URI takes the others all the same.
            metadata.redirect_uris.retain(|uri| RedirectUri::parse(uri.as_str()).is_ok());
        }
        let request = RegistrationRequest {
            metadata: &metadata,
            origin: &RegistrationOrigin::MetadataDocument { client: id.clone() },
            statement: None,
            address: None,
            client: None,
        };
        let terms = self.judge(server, &request).await?;
        let scope = terms.metadata.scope.clone().unwrap_or_else(|| terms.scope.clone());
        Ok(terms.client(id.clone(), Vec::new(), Registration::new(asked, scope))?)
    }
}
