//! What a document is for, and what follows from that.

use serde_json::{Map, Value};

use crate::client::ClientJwks;

/// What a document is fetched for. From it follow the media types that are
/// taken, the limit of size and what the document must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// The keys of a client, at its `jwks_uri` (RFC 7591 section 2).
    JwkSet,
    /// A Client ID Metadata Document, at the URL that is the `client_id`.
    ClientMetadata,
    /// An authorization request, at its `request_uri` (RFC 9101 section 5.2).
    RequestObject,
}

impl Purpose {
    /// What the request says in `Accept`.
    #[must_use]
    pub const fn accept(self) -> &'static str {
        match self {
            Self::JwkSet => "application/jwk-set+json, application/json",
            Self::ClientMetadata => "application/json",
            Self::RequestObject => "application/oauth-authz-req+jwt, application/jwt",
        }
    }

    /// Whether a document of this `Content-Type` is taken; parameters and case do
    /// not matter (RFC 9110 section 8.3.1).
    ///
    /// ```
    /// use oauth_core::fetch::Purpose;
    /// assert!(Purpose::ClientMetadata.takes("Application/CIMD+JSON; charset=utf-8"));
    /// assert!(!Purpose::ClientMetadata.takes("text/html"));
    /// ```
    #[must_use]
    pub fn takes(self, content_type: &str) -> bool {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let subtype = essence.strip_prefix("application/").unwrap_or_default();
        match self {
            // Client ID Metadata Document draft section 4: `application/json`,
            // "or [...] application/<AS-defined>+json".
            Self::JwkSet | Self::ClientMetadata => {
                subtype == "json" || subtype.strip_suffix("+json").is_some_and(|name| !name.is_empty())
            }
            // RFC 9101 section 5.2.3, and the type from before there was that one.
            Self::RequestObject => matches!(subtype, "oauth-authz-req+jwt" | "jwt"),
        }
    }

    /// How many bytes are read at most, unless the request says otherwise.
    #[must_use]
    pub const fn limit(self) -> usize {
        match self {
            Self::JwkSet => ClientJwks::MAX_BYTES,
            // Client ID Metadata Document draft section 8.7: 5 kilobytes.
            Self::ClientMetadata => 5 * 1024,
            Self::RequestObject => 32 * 1024,
        }
    }

    /// Whether `document` can be what it should be: keys, all of them public; a
    /// JSON object; a token. The default check of a [`FetchRequest`](super::FetchRequest).
    #[must_use]
    pub fn is_plausible(self, document: &[u8]) -> bool {
        match self {
            Self::JwkSet => ClientJwks::parse(document).is_ok(),
            Self::ClientMetadata => serde_json::from_slice::<Map<String, Value>>(document).is_ok(),
            Self::RequestObject => !document.is_empty() && document.iter().all(u8::is_ascii_graphic),
        }
    }

    /// A stable name, for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JwkSet => "jwk_set",
            Self::ClientMetadata => "client_metadata",
            Self::RequestObject => "request_object",
        }
    }
}
