//! The two ways not to succeed: refusing, and failing.

use crate::{
    clock::RandomError,
    error::{ErrorCode, OAuthError},
    event::Event,
    fetch::FetchError,
    keys::KeyError,
    secret::SealError,
    server::AuthorizationServer,
    store::StoreError,
};

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
    /// What a client publishes elsewhere cannot be had at the moment, or is where
    /// this server does not ask. It is the client's fault rather than the server's,
    /// so [`Event::FetchFailed`] tells of it.
    #[error("what a client names was not fetched: {0}")]
    Fetch(#[from] FetchError),
    /// The host approved for a user whose identifier is that of a client: no
    /// resource server could tell the one from the other (OAuth 2.1 section
    /// 9.6).
    #[error("the subject has the identifier of a client")]
    SubjectIsClient,
    /// Something that is always there was not.
    #[error("internal: {0}")]
    Internal(&'static str),
}

impl Fault {
    /// Tells the operator, unless they have been told: strangers choose what is
    /// fetched, and must not fill the log with faults.
    pub(crate) fn tell_to(&self, server: &AuthorizationServer) {
        if !matches!(self, Self::Fetch(_)) {
            server.tell(&Event::Fault { error: self });
        }
    }

    /// In how many seconds to try again.
    pub(crate) fn retry_after(&self) -> u64 {
        const USUAL: u64 = 5;
        match self {
            Self::Fetch(error) => error.retry_after().unwrap_or(USUAL),
            _ => USUAL,
        }
    }

    /// What others hear.
    pub(crate) fn outage(&self) -> OAuthError {
        let text = match self {
            Self::Fetch(_) => "what the client publishes cannot be fetched at the moment; try again",
            _ => "the server cannot answer now; try again",
        };
        OAuthError::new(ErrorCode::TemporarilyUnavailable, text)
    }
}

/// Why a request is not granted. Both an [`OAuthError`] and whatever becomes a
/// [`Fault`] become one of these by `?`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The request is at fault: 400.
    Refused(OAuthError),
    /// The client did not prove itself: 401 and a challenge.
    Unauthenticated(OAuthError),
    /// The client may not do this, whoever it is: 403.
    Forbidden(OAuthError),
    /// The client asks too often: 429, and when to come back, in seconds.
    TooMany {
        /// In how many seconds.
        retry_after: u64,
    },
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
