//! Protected resource metadata (RFC 9728).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{MetadataError, is_off, parse};

/// What a protected resource says of itself (RFC 9728 section 2).
///
/// ```
/// use oauth_core::metadata::ProtectedResourceMetadata;
/// let mut metadata = ProtectedResourceMetadata::new("https://api.example/v1");
/// metadata.authorization_servers = vec!["https://as.example".into()];
/// let json = serde_json::to_string(&metadata)?;
/// assert_eq!(
///     json,
///     r#"{"resource":"https://api.example/v1","authorization_servers":["https://as.example"]}"#,
/// );
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ProtectedResourceMetadata {
    /// The resource identifier: what `aud` of its tokens names.
    pub resource: String,
    /// Issuers whose tokens are accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_servers: Vec<String>,
    /// The resource's own public keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Scope tokens worth advertising.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// `header`, `body`. The empty list says that no bearer token is accepted,
    /// so unlike the others it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_methods_supported: Option<Vec<String>>,
    /// Algorithms of signed resource responses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_signing_alg_values_supported: Vec<String>,
    /// A name for users to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// A page for developers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_documentation: Option<String>,
    /// How a client may use the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_policy_uri: Option<String>,
    /// The terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_tos_uri: Option<String>,
    /// Tokens are bound to client certificates (RFC 8705).
    #[serde(skip_serializing_if = "is_off")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// Types of `authorization_details` (RFC 9396).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types_supported: Vec<String>,
    /// Algorithms of DPoP proofs (RFC 9449).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// Whether every token must be DPoP-bound.
    #[serde(skip_serializing_if = "is_off")]
    pub dpop_bound_access_tokens_required: bool,
    /// All other members, as they came: extensions, `signed_metadata`
    /// (unverified), and names with a language tag.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ProtectedResourceMetadata {
    /// The metadata of `resource`, which so far advertises nothing.
    pub fn new(resource: impl Into<String>) -> Self {
        Self { resource: resource.into(), ..Self::default() }
    }

    /// Reads the document that was fetched for `resource`.
    ///
    /// # Errors
    /// [`MetadataError::TooLarge`], [`MetadataError::Malformed`], or
    /// [`MetadataError::WrongResource`] if the document's `resource` differs
    /// from `resource` by as much as a byte (RFC 9728 section 3.3).
    pub fn parse(document: &[u8], resource: &str) -> Result<Self, MetadataError> {
        let metadata: Self = parse(document)?;
        if metadata.resource == resource { Ok(metadata) } else { Err(MetadataError::WrongResource) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn empty_lists_are_left_out_but_for_the_bearer_methods() {
        let mut metadata = ProtectedResourceMetadata::new("https://api.example");
        assert_eq!(serde_json::to_value(&metadata).unwrap(), json!({ "resource": "https://api.example" }));
        metadata.bearer_methods_supported = Some(Vec::new());
        assert_eq!(
            serde_json::to_value(&metadata).unwrap(),
            json!({ "resource": "https://api.example", "bearer_methods_supported": [] }),
        );
    }

    // spec: MET-16
    #[test]
    fn metadata_of_another_resource_is_discarded() {
        let document = json!({ "resource": "https://api.example/v1", "bearer_methods_supported": null }).to_string();
        let parsed = ProtectedResourceMetadata::parse(document.as_bytes(), "https://api.example/v1").unwrap();
        assert_eq!(parsed.bearer_methods_supported, None);
        for asked in ["https://api.example", "https://api.example/v1/", "https://API.example/v1"] {
            let parsed = ProtectedResourceMetadata::parse(document.as_bytes(), asked);
            assert_eq!(parsed, Err(MetadataError::WrongResource));
        }
    }
}
