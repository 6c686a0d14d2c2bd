//! From metadata to a client.

use super::ClientMetadata;
use crate::{
    client::{Client, ClientId, ClientSecret, InvalidClient, Registration},
    clock::UnixTime,
    scope::Scope,
};

impl ClientMetadata {
    /// The client that this describes, if its members fit each other.
    pub(crate) fn into_client(
        self,
        id: ClientId,
        secrets: Vec<ClientSecret>,
        scope: Scope,
        registration: Registration,
    ) -> Result<Client, InvalidClient> {
        Client {
            id,
            auth_method: self.auth_method,
            secrets,
            keys: self.keys,
            signing_algorithm: self.signing_algorithm,
            tls_subject: self.tls_subject,
            redirect_uris: self.redirect_uris,
            grant_types: self.grant_types,
            scope,
            name: self.name,
            requests: self.requests,
            tokens: self.tokens,
            profile: self.profile,
            registration: Some(Box::new(registration)),
            grants_since: UnixTime(0),
            revision: 0,
        }
        .check()
    }
}
