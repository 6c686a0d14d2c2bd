//! Where the metadata of an issuer may lie ([RFC 8414]), and what is an answer
//! there: for the layer that needs keys, and for the client.
//!
//! [RFC 8414]: https://www.rfc-editor.org/rfc/rfc8414

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header::ACCEPT};
use oauth_core::metadata::{
    MetadataError, OAUTH_AUTHORIZATION_SERVER, OPENID_CONFIGURATION, appended_well_known_url, well_known_url,
};
use serde_json::{Map, Value};

use super::{Endpoint, Transport, UrlError};

/// The places in the order in which they are asked, which is the one that MCP
/// demands of clients: RFC 8414's own form, OpenID Connect's with the suffix
/// inserted (RFC 8414 section 5), and with the suffix appended. An issuer without
/// a path has two.
pub(crate) fn locations(issuer: &str, transport: Transport) -> Result<Vec<Endpoint>, UrlError> {
    let malformed = |_: MetadataError| UrlError::Malformed;
    let mut urls = vec![
        well_known_url(issuer, OAUTH_AUTHORIZATION_SERVER).map_err(malformed)?,
        well_known_url(issuer, OPENID_CONFIGURATION).map_err(malformed)?,
        appended_well_known_url(issuer, OPENID_CONFIGURATION).map_err(malformed)?,
    ];
    urls.dedup();
    urls.iter().map(|url| Endpoint::parse(url, transport)).collect()
}

/// A request for the document that lies at `endpoint`.
pub(crate) fn request(endpoint: &Endpoint) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = endpoint.uri().clone();
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    request
}

/// Whether a response says that nothing lies there. The well-behaved say 404;
/// others have all kinds of 4xx, or 501, or a page for people at every path. Any
/// other 5xx is an outage, which is no reason to look elsewhere.
pub(crate) fn has_nothing(response: &Response<Bytes>) -> bool {
    match response.status() {
        StatusCode::OK => serde_json::from_slice::<Map<String, Value>>(response.body()).is_err(),
        // RFC 6585 section 4: too many requests, wherever the document lies.
        StatusCode::TOO_MANY_REQUESTS => false,
        status => status.is_client_error() || status == StatusCode::NOT_IMPLEMENTED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: MET-07, MCP-13
    #[test]
    fn metadata_is_looked_for_in_the_three_known_places_in_this_order() {
        let urls = |issuer| -> Vec<String> {
            let found = locations(issuer, Transport::Https).unwrap();
            found.iter().map(|endpoint| endpoint.uri().to_string()).collect()
        };
        assert_eq!(
            urls("https://as.example/tenant"),
            [
                "https://as.example/.well-known/oauth-authorization-server/tenant",
                "https://as.example/.well-known/openid-configuration/tenant",
                "https://as.example/tenant/.well-known/openid-configuration",
            ],
        );
        assert_eq!(
            urls("https://as.example"),
            [
                "https://as.example/.well-known/oauth-authorization-server",
                "https://as.example/.well-known/openid-configuration",
            ],
        );
    }
}
