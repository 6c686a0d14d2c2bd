//! Clients that nobody has registered: their identifier is the URL of a document
//! that describes them ([Client ID Metadata Document]).
//!
//! No record of them is kept. What such a client is, is what its document says
//! whenever the client itself sends something; nothing that only this server wants
//! to know makes it ask anybody.
//!
//! [Client ID Metadata Document]: https://datatracker.ietf.org/doc/draft-ietf-oauth-client-id-metadata-document/

mod document;
mod id;

use std::sync::Arc;

use super::{
    fault::{Failure, Fault},
    outside::ReadOnce,
    registration::{RegistrationFailure, RegistrationSettings},
};
use crate::{
    client::{Client, ClientId, metadata::ClientMetadata},
    error::OAuthError,
    event::Event,
    fetch::{Fetch, FetchError, FetchRequest, Purpose, Refusal},
    server::AuthorizationServer,
};

/// What documents say, read once for each that was fetched.
pub(crate) type ClientDocumentCache = ReadOnce<Arc<ClientMetadata>>;

/// Why there is no client of a name. The errors are for its developer.
#[derive(Debug)]
pub(crate) enum NoClient {
    /// Nobody has registered it, and it is not the URL of a document.
    Unknown(OAuthError),
    /// It is the URL of a document, which is not that of a client here.
    Document(OAuthError),
    /// Nobody knows. This includes a document that cannot be had at the moment.
    Fault(Fault),
}

impl<F: Into<Fault>> From<F> for NoClient {
    fn from(fault: F) -> Self {
        Self::Fault(fault.into())
    }
}

impl From<NoClient> for Failure {
    fn from(none: NoClient) -> Self {
        match none {
            NoClient::Unknown(error) | NoClient::Document(error) => Self::Refused(error),
            NoClient::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl AuthorizationServer {
    /// The client that a request names: one that is registered, or else one that a
    /// document describes, which is fetched unless it was kept. For what a client
    /// itself sends, and for nothing else: a stranger chooses whom it makes this
    /// server ask.
    pub(crate) async fn named_client(&self, id: &ClientId) -> Result<Arc<Client>, NoClient> {
        if let Some(client) = self.client(id).await? {
            return Ok(client);
        }
        match self.registration().filter(|_| self.is_document_id(id)) {
            // Boxed: mostly the client is known, and needs no room for this.
            Some(settings) => Box::pin(self.described_client(settings, id)).await,
            None => Err(NoClient::Unknown(OAuthError::invalid_request("the client is not known here"))),
        }
    }

    /// Whether `id` is that of a client, as far as this can be said without asking
    /// anybody: every URL that may be one of a document counts.
    pub(crate) async fn knows_client(&self, id: &ClientId) -> Result<bool, Fault> {
        Ok(self.is_document_id(id) || self.client(id).await?.is_some())
    }

    /// Whether `id` looks like the URL of a document, where these are taken.
    fn is_document_id(&self, id: &ClientId) -> bool {
        let takes = self.registration().is_some_and(RegistrationSettings::takes_documents);
        takes && id::looks_like_one(id.as_str(), self.is_development())
    }

    async fn described_client(&self, settings: &RegistrationSettings, id: &ClientId) -> Result<Arc<Client>, NoClient> {
        let url = id.as_str();
        let unknown = |rule| NoClient::Unknown(OAuthError::invalid_request(format!("client_id: {rule}")));
        id::check(url, self.is_development()).map_err(unknown)?;
        let request = FetchRequest::new(url, Purpose::ClientMetadata).valid_if(document::check);
        let outcome = self.fetch().fetch(request).await;
        let fetched = outcome.inspect_err(|error| self.tell_not_fetched(url, Purpose::ClientMetadata, error));
        let fetched = fetched.map_err(not_had)?;
        let read = |bytes: &[u8]| {
            let metadata = document::read(url, bytes).map_err(invalid)?;
            // Client ID Metadata Document draft section 3: it "SHOULD NOT include a query".
            if id::has_query(url) {
                self.tell(&Event::ClientIdHasQuery { client: id });
            }
            Ok::<_, NoClient>(Arc::new(metadata))
        };
        let metadata = self.client_documents().get(url, &fetched, read)?;
        let client = settings.client_of_document(self, id, &metadata, fetched.asked).await;
        client.map(Arc::new).map_err(|failure| match failure {
            RegistrationFailure::Refused(error) => invalid(error),
            RegistrationFailure::Fault(fault) => NoClient::Fault(fault),
        })
    }
}

/// Whether `fetch` asks anybody at all.
pub(crate) fn can_fetch(fetch: &dyn Fetch) -> bool {
    !matches!(fetch.check("https://app.example/client"), Err(FetchError::Refused(Refusal::Disabled)))
}

/// What a stranger hears of a document that was not fetched.
fn not_had(error: FetchError) -> NoClient {
    let what = match &error {
        FetchError::Refused(Refusal::Url(rule)) => {
            return NoClient::Unknown(OAuthError::invalid_request(format!("client_id: {rule}")));
        }
        FetchError::Refused(Refusal::Port(_)) => "is at a port that is not asked here".to_owned(),
        FetchError::Status(status) if !error.is_outage() => {
            format!(
                "must be answered with the status 200, and not with {}; redirects are not followed",
                status.as_u16()
            )
        }
        FetchError::TooLarge => "is too large".to_owned(),
        FetchError::MediaType => "must be application/json, or application/ANYTHING+json".to_owned(),
        FetchError::Encoded => "must not have a content encoding".to_owned(),
        FetchError::Invalid { why: Some(why) } => return invalid(why),
        FetchError::Invalid { why: None } => "is not one".to_owned(),
        // An outage; or an address that is not public, which looks like one: whoever
        // could tell these apart would learn which names exist inside.
        _ => return NoClient::Fault(Fault::Fetch(error)),
    };
    NoClient::Document(OAuthError::invalid_client(format!("the metadata document {what}")))
}

fn invalid(why: impl std::fmt::Display) -> NoClient {
    NoClient::Document(OAuthError::invalid_client(format!("the metadata document is not good here: {why}")))
}
