//! Metadata documents and where they lie ([RFC 8414], [RFC 9728]).
//!
//! The same types serve our own documents and read those of others. Lists that
//! are empty are left out when written; members that are not known here are
//! kept in `extra` when read.
//!
//! [RFC 8414]: https://www.rfc-editor.org/rfc/rfc8414
//! [RFC 9728]: https://www.rfc-editor.org/rfc/rfc9728

mod authorization_server;
mod protected_resource;
mod well_known;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::{
    authorization_server::{AuthorizationServerMetadata, MtlsEndpointAliases},
    protected_resource::ProtectedResourceMetadata,
    well_known::{
        OAUTH_AUTHORIZATION_SERVER, OAUTH_PROTECTED_RESOURCE, OPENID_CONFIGURATION, appended_well_known_url,
        protected_resource_url, well_known_url,
    },
};
use crate::members::Members;

/// The longest metadata document that is read.
pub const MAX_METADATA_BYTES: usize = 256 * 1024;

/// Why a metadata document, or its URL, is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// Longer than [`MAX_METADATA_BYTES`].
    #[error("the metadata document is too large")]
    TooLarge,
    /// Not a JSON object, or a member is missing, repeated or of the wrong type.
    #[error("the metadata document is malformed")]
    Malformed,
    /// `issuer` is not, byte for byte, the one asked for (RFC 8414 section 3.3).
    #[error("the metadata is of another issuer")]
    WrongIssuer,
    /// `resource` is not, byte for byte, the one asked for (RFC 9728 section 3.3).
    #[error("the metadata is of another resource")]
    WrongResource,
    /// Not an absolute http or https URL, or it has a fragment, credentials,
    /// or (an issuer's) query (RFC 8414 section 2, RFC 9728 section 1.2).
    #[error("the identifier is not a usable URL")]
    InvalidIdentifier,
}

/// Reads a document in which `null` stands for a member that is absent, as
/// several servers write it.
fn parse<T: DeserializeOwned>(document: &[u8]) -> Result<T, MetadataError> {
    if document.len() > MAX_METADATA_BYTES {
        return Err(MetadataError::TooLarge);
    }
    let Members(mut members) = serde_json::from_slice(document).map_err(|_| MetadataError::Malformed)?;
    members.retain(|_, value| !value.is_null());
    serde_json::from_value(Value::Object(members)).map_err(|_| MetadataError::Malformed)
}

/// For `skip_serializing_if`: a switch that is off is left out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_off(switch: &bool) -> bool {
    !switch
}
