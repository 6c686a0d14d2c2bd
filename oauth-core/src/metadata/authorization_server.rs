//! Authorization server metadata (RFC 8414).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{MetadataError, is_off, parse};

/// What an authorization server says of itself (RFC 8414 section 2).
///
/// Values are kept as text, since a list may name what nobody here knows yet.
/// Only `issuer` is demanded on reading: which endpoint must be there depends
/// on what the reader wants to do.
///
/// ```
/// use oauth_core::metadata::AuthorizationServerMetadata;
/// let document = br#"{"issuer":"https://as.example","token_endpoint":"https://as.example/token"}"#;
/// let metadata = AuthorizationServerMetadata::parse(document, "https://as.example")?;
/// assert_eq!(metadata.token_endpoint.as_deref(), Some("https://as.example/token"));
/// // Never take the issuer from the document: it must be the one that was asked for.
/// assert!(AuthorizationServerMetadata::parse(document, "https://as.example/").is_err());
/// # Ok::<_, oauth_core::metadata::MetadataError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AuthorizationServerMetadata {
    /// The issuer identifier: identical to `iss` in tokens and redirects.
    pub issuer: String,
    /// Where users are sent (RFC 8414 section 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    /// Where grants become tokens (RFC 8414 section 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// The public keys (RFC 8414 section 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Dynamic client registration (RFC 7591).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    /// Scope tokens worth advertising.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// Required by RFC 8414 section 2, even if empty lists are not written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_types_supported: Vec<String>,
    /// How authorization responses travel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_modes_supported: Vec<String>,
    /// Absent means `authorization_code` and `implicit`, so always write it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grant_types_supported: Vec<String>,
    /// Absent means `client_secret_basic`, so always write it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// Algorithms of client assertions; never `none`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// RFC 7009.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<String>,
    /// Client authentication at the revocation endpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
    /// Algorithms of client assertions there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// RFC 7662.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_endpoint: Option<String>,
    /// Client authentication at the introspection endpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introspection_endpoint_auth_methods_supported: Vec<String>,
    /// Algorithms of client assertions there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// Signed introspection responses (RFC 9701 section 7).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introspection_signing_alg_values_supported: Vec<String>,
    /// Where all status lists are named (draft-ietf-oauth-status-list-18 section 9.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_list_aggregation_endpoint: Option<String>,
    /// PKCE: `S256` (RFC 8414 section 2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub code_challenge_methods_supported: Vec<String>,
    /// `iss` in authorization responses (RFC 9207 section 3).
    #[serde(skip_serializing_if = "is_off")]
    pub authorization_response_iss_parameter_supported: bool,
    /// RFC 9126 section 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed_authorization_request_endpoint: Option<String>,
    /// RFC 9126 section 5.
    #[serde(skip_serializing_if = "is_off")]
    pub require_pushed_authorization_requests: bool,
    /// RFC 8628 section 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_authorization_endpoint: Option<String>,
    /// Algorithms of DPoP proofs (RFC 9449 section 5.1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// RFC 8705 section 3.3.
    #[serde(skip_serializing_if = "is_off")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// Endpoints on the mutual-TLS listener (RFC 8705 section 5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtls_endpoint_aliases: Option<MtlsEndpointAliases>,
    /// Signed authorization requests (RFC 9101 section 10.5).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_object_signing_alg_values_supported: Vec<String>,
    /// RFC 9101 section 10.5.
    #[serde(skip_serializing_if = "is_off")]
    pub require_signed_request_object: bool,
    /// Whether `request` is known (OpenID Connect Discovery section 3).
    #[serde(skip_serializing_if = "is_off")]
    pub request_parameter_supported: bool,
    /// Whether `request_uri` is known (OpenID Connect Discovery section 3). Absent
    /// means yes, so always write it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_uri_parameter_supported: Option<bool>,
    /// Whether a `request_uri` must be registered (OpenID Connect Discovery section 3).
    #[serde(skip_serializing_if = "is_off")]
    pub require_request_uri_registration: bool,
    /// RFC 9396 section 10.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types_supported: Vec<String>,
    /// RFC 9470 section 7.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acr_values_supported: Vec<String>,
    /// Values of `prompt` at the authorization endpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prompt_values_supported: Vec<String>,
    /// A `client_id` may be the URL of a metadata document.
    #[serde(skip_serializing_if = "is_off")]
    pub client_id_metadata_document_supported: bool,
    /// Resource servers that use this server (RFC 9728 section 4).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub protected_resources: Vec<String>,
    /// A page for developers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_documentation: Option<String>,
    /// Languages of the pages (BCP 47).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ui_locales_supported: Vec<String>,
    /// How a client may use the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op_policy_uri: Option<String>,
    /// The terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op_tos_uri: Option<String>,
    /// All other members, as they came: extensions, `signed_metadata`
    /// (unverified), and names with a language tag.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Endpoints by another name for clients with a certificate (RFC 8705 section 5).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MtlsEndpointAliases {
    /// The alias of `token_endpoint`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// The alias of `revocation_endpoint`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<String>,
    /// The alias of `introspection_endpoint`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_endpoint: Option<String>,
    /// The alias of `pushed_authorization_request_endpoint`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed_authorization_request_endpoint: Option<String>,
    /// The alias of `device_authorization_endpoint`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_authorization_endpoint: Option<String>,
    /// All other aliases, as they came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl AuthorizationServerMetadata {
    /// The metadata of `issuer`, which so far advertises nothing.
    pub fn new(issuer: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), ..Self::default() }
    }

    /// Reads the document that was fetched for `issuer`.
    ///
    /// # Errors
    /// [`MetadataError::TooLarge`], [`MetadataError::Malformed`], or
    /// [`MetadataError::WrongIssuer`] if the document's `issuer` differs from
    /// `issuer` by as much as a byte (RFC 8414 section 3.3).
    pub fn parse(document: &[u8], issuer: &str) -> Result<Self, MetadataError> {
        let metadata: Self = parse(document)?;
        if metadata.issuer == issuer { Ok(metadata) } else { Err(MetadataError::WrongIssuer) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // spec: MET-03
    #[test]
    fn empty_lists_and_switches_that_are_off_are_left_out() {
        let mut metadata = AuthorizationServerMetadata::new("https://as.example");
        assert_eq!(serde_json::to_value(&metadata).unwrap(), json!({ "issuer": "https://as.example" }));
        metadata.response_types_supported = vec!["code".into()];
        metadata.authorization_response_iss_parameter_supported = true;
        assert_eq!(
            serde_json::to_value(&metadata).unwrap(),
            json!({
                "issuer": "https://as.example",
                "response_types_supported": ["code"],
                "authorization_response_iss_parameter_supported": true,
            }),
        );
    }

    #[test]
    fn unknown_members_survive_and_null_means_absent() {
        let document = json!({
            "issuer": "https://as.example",
            "jwks_uri": null,
            "scopes_supported": null,
            "org.example.extension": { "a": [1] },
        });
        let metadata =
            AuthorizationServerMetadata::parse(document.to_string().as_bytes(), "https://as.example").unwrap();
        assert_eq!(metadata.jwks_uri, None);
        assert_eq!(
            serde_json::to_value(&metadata).unwrap(),
            json!({ "issuer": "https://as.example", "org.example.extension": { "a": [1] } }),
        );
    }

    // spec: MET-07
    #[test]
    fn metadata_of_another_issuer_is_discarded() {
        let document = br#"{"issuer":"https://as.example"}"#;
        assert!(AuthorizationServerMetadata::parse(document, "https://as.example").is_ok());
        for asked in ["https://as.example/", "https://AS.example", "http://as.example", "", "https://as.exampl"] {
            let parsed = AuthorizationServerMetadata::parse(document, asked);
            assert_eq!(parsed, Err(MetadataError::WrongIssuer), "{asked}");
        }
    }

    #[test]
    fn a_document_that_says_a_thing_twice_is_malformed() {
        let issuer = "https://as.example";
        for twice in [
            r#"{"issuer":"https://evil.example","issuer":"https://as.example"}"#,
            r#"{"issuer":null,"issuer":"https://as.example"}"#,
            r#"{"issuer":"https://as.example","jwks_uri":"https://as.example/a","jwks_uri":"https://as.example/b"}"#,
            r#"{"issuer":"https://as.example","x":1,"\u0078":1}"#,
        ] {
            let parsed = AuthorizationServerMetadata::parse(twice.as_bytes(), issuer);
            assert_eq!(parsed, Err(MetadataError::Malformed), "{twice}");
        }
    }

    #[test]
    fn a_document_that_is_not_metadata_is_malformed() {
        let issuer = "https://as.example";
        for bad in ["", "[]", "null", "{", r#"{"issuer":5}"#, r#"{"issuer":"https://as.example","jwks_uri":[]}"#] {
            let parsed = AuthorizationServerMetadata::parse(bad.as_bytes(), issuer);
            assert_eq!(parsed, Err(MetadataError::Malformed), "{bad}");
        }
        let nameless = AuthorizationServerMetadata::parse(b"{}", issuer);
        assert_eq!(nameless, Err(MetadataError::WrongIssuer));
        let huge = vec![b' '; super::super::MAX_METADATA_BYTES + 1];
        assert_eq!(AuthorizationServerMetadata::parse(&huge, issuer), Err(MetadataError::TooLarge));
    }

    #[test]
    fn the_example_of_rfc_8414_section_3_2_is_read() {
        let document = json!({
            "issuer": "https://server.example.com",
            "authorization_endpoint": "https://server.example.com/authorize",
            "token_endpoint": "https://server.example.com/token",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
            "userinfo_endpoint": "https://server.example.com/userinfo",
            "jwks_uri": "https://server.example.com/jwks.json",
            "registration_endpoint": "https://server.example.com/register",
            "scopes_supported": ["openid", "profile", "email", "address", "phone", "offline_access"],
            "response_types_supported": ["code", "code token"],
            "service_documentation": "http://server.example.com/service_documentation.html",
            "ui_locales_supported": ["en-US", "en-GB", "en-CA", "fr-FR", "fr-CA"],
        });
        let metadata =
            AuthorizationServerMetadata::parse(document.to_string().as_bytes(), "https://server.example.com").unwrap();
        assert_eq!(serde_json::to_value(&metadata).unwrap(), document);
        assert!(metadata.extra.contains_key("userinfo_endpoint"));
    }
}
