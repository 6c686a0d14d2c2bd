//! Why a client cannot be registered.

use crate::{
    client::InvalidClient,
    error::{ErrorCode, OAuthError},
};

/// Why a client is not registered (RFC 7591 section 3.2.2). The text is for the
/// developer of the client, and begins with the member at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// `invalid_redirect_uri`.
    #[error("{0}")]
    RedirectUri(String),
    /// `invalid_client_metadata`.
    #[error("{0}")]
    ClientMetadata(String),
    /// `invalid_software_statement`.
    #[error("{0}")]
    SoftwareStatement(String),
    /// `unapproved_software_statement`.
    #[error("{0}")]
    UnapprovedSoftwareStatement(String),
}

impl RegistrationError {
    /// The `error` member.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::RedirectUri(_) => ErrorCode::InvalidRedirectUri,
            Self::ClientMetadata(_) => ErrorCode::InvalidClientMetadata,
            Self::SoftwareStatement(_) => ErrorCode::InvalidSoftwareStatement,
            Self::UnapprovedSoftwareStatement(_) => ErrorCode::UnapprovedSoftwareStatement,
        }
    }

    /// An `invalid_client_metadata` about one member.
    pub(crate) fn member(name: &str, what: &str) -> Self {
        Self::ClientMetadata(format!("{name}: {what}"))
    }
}

impl From<RegistrationError> for OAuthError {
    fn from(error: RegistrationError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<InvalidClient> for RegistrationError {
    fn from(error: InvalidClient) -> Self {
        match error {
            InvalidClient::RedirectUri(_) | InvalidClient::RedirectUriMissing => Self::RedirectUri(error.to_string()),
            _ => Self::ClientMetadata(error.to_string()),
        }
    }
}
