//! The two ways not to succeed: refusing, and failing.

use crate::{clock::RandomError, error::OAuthError, keys::KeyError, secret::SealError, store::StoreError};

/// The server itself failed. What it was is for operators; clients hear 503.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The source of randomness failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// Sealing failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A key could not be made or used.
    #[error("signing key: {0}")]
    Key(#[from] KeyError),
    /// A signing key at rest cannot be opened: the root secret is not the one
    /// it was sealed under, nor is that one among the previous ones.
    #[error("the signing key {0} was sealed under another root secret")]
    ForeignKey(String),
    /// A collaborator of the host's failed.
    #[error("{0}")]
    Host(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The host approved for a user whose identifier is that of a client: no
    /// resource server could tell the one from the other (OAuth 2.1 section
    /// 9.6).
    #[error("the subject has the identifier of a client")]
    SubjectIsClient,
    /// Something that is always there was not.
    #[error("internal: {0}")]
    Internal(&'static str),
}

/// Why a request is not granted.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The request is at fault: 400.
    Refused(OAuthError),
    /// The client did not prove itself: 401 and a challenge.
    Unauthenticated(OAuthError),
    /// The client asks too often: 429, and when to come back, in seconds.
    TooMany { retry_after: u64 },
    /// The server is at fault: 503.
    Fault(Fault),
}

impl From<OAuthError> for Failure {
    fn from(error: OAuthError) -> Self {
        Self::Refused(error)
    }
}

impl<F: Into<Fault>> From<F> for Failure {
    fn from(fault: F) -> Self {
        Self::Fault(fault.into())
    }
}
