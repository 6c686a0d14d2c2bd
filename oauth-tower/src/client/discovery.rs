//! What an authorization server says of itself ([RFC 8414]).
//!
//! [RFC 8414]: https://www.rfc-editor.org/rfc/rfc8414

use http::StatusCode;
use oauth_core::metadata::{AuthorizationServerMetadata, MetadataError};

use crate::outgoing::{HttpClient, HttpError, Transport, UrlError, well_known};

/// Fetches the metadata of one issuer.
///
/// Asked are, one after the other until there is a document, RFC 8414's place,
/// OpenID Connect's with the suffix inserted before the issuer's path, and with
/// it appended.
///
/// ```
/// # #[cfg(feature = "testing")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use oauth_tower::{client::Discovery, testing::MockIssuer};
/// let issuer = MockIssuer::new("https://as.example/tenant");
/// let metadata = Discovery::new("https://as.example/tenant").fetch(&issuer.http()).await?;
/// assert_eq!(metadata.issuer, "https://as.example/tenant");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "testing"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Discovery {
    issuer: String,
    transport: Transport,
}

/// Why the metadata of an issuer are not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The issuer is no URL that metadata may be fetched for.
    #[error("the issuer is {0}: check its spelling")]
    Url(#[from] UrlError),
    /// There is no answer. Try again later.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The server answered with this status. Try again later.
    #[error("the server answered {0} instead of its metadata")]
    Status(StatusCode),
    /// Nothing lies at any of the known places.
    #[error("the issuer publishes no metadata: check its spelling, or name its endpoints yourself")]
    NotFound,
    /// The document must not be used: it is of another issuer (RFC 8414 section
    /// 3.3), say.
    #[error("the metadata cannot be used: {0}")]
    Metadata(#[from] MetadataError),
}

impl Discovery {
    /// For the issuer with exactly this identifier.
    pub fn new(issuer: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), transport: Transport::Https }
    }

    /// Permits plain http to loopback addresses, for development.
    pub const fn insecure_http(mut self) -> Self {
        self.transport = Transport::HttpsOrLoopback;
        self
    }

    /// The metadata, fetched now. To be kept for a while: an hour, say.
    ///
    /// # Errors
    /// [`DiscoveryError`]; above all if the document's `issuer` differs by as much
    /// as a byte.
    pub async fn fetch(&self, http: &HttpClient) -> Result<AuthorizationServerMetadata, DiscoveryError> {
        for location in well_known::locations(&self.issuer, self.transport)? {
            let response = http.send(well_known::request(&location)).await?;
            if well_known::has_nothing(&response) {
                continue;
            }
            if response.status() != StatusCode::OK {
                return Err(DiscoveryError::Status(response.status()));
            }
            // RFC 8414 section 3.3: if not identical, "the data contained in the
            // response MUST NOT be used"; nor is another place tried then.
            return Ok(AuthorizationServerMetadata::parse(response.body(), &self.issuer)?);
        }
        Err(DiscoveryError::NotFound)
    }
}
