//! What is found out before the first request.

use oauth_core::claims::TooMuchSkew;

#[cfg(doc)]
use super::{IntrospectionIssuer, ResourceServerBuilder, TokenScheme};
use crate::outgoing::{HttpError, UrlError};

/// Why a resource server cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The resource identifier is empty.
    #[error("the resource identifier is empty")]
    NoResource,
    /// The resource identifier has whitespace or control characters in it, so
    /// that no token will ever name it.
    #[error("the resource identifier {0:?} has whitespace or control characters")]
    MalformedResource(String),
    /// No issuer was given.
    #[error("no issuer was given")]
    NoIssuer,
    /// An issuer identifier is empty.
    #[error("an issuer identifier is empty")]
    EmptyIssuer,
    /// Two issuers of the same kind and name.
    #[error("the issuer {0} is given twice")]
    DuplicateIssuer(String),
    /// Two introspection issuers could each be asked about the same opaque
    /// token: all but one need [`IntrospectionIssuer::token_prefix`], each its
    /// own.
    #[error("an opaque token could be of {0} as well as of another issuer: give each a token prefix of its own")]
    AmbiguousIntrospection(String),
    /// [`TokenScheme::name`] is not a token (RFC 9110 section 5.6.2).
    #[error("{0:?} cannot be the name of an authentication scheme")]
    MalformedScheme(String),
    /// A [`TokenScheme`] is named like another, or like `Bearer` or `DPoP`, which
    /// are built in.
    #[error("the authentication scheme {0} is there already")]
    DuplicateScheme(String),
    /// This setting is zero, so that nobody would ever be asked.
    #[error("{0} must not be zero")]
    Zero(&'static str),
    /// A URL that cannot be used.
    #[error("{url}: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        #[source]
        reason: UrlError,
    },
    /// No signature algorithm is left for an issuer.
    #[error("no signature algorithm is accepted for {0}")]
    NoAlgorithm(String),
    /// A secret that no HTTP header can carry.
    #[error("the credentials for {0} cannot be sent in a header")]
    UnsendableSecret(String),
    /// More than 60 seconds of clock skew.
    #[error(transparent)]
    TooMuchSkew(#[from] TooMuchSkew),
    /// An issuer has to be reached over HTTP, and there is no client: enable
    /// the feature `client` or give [`ResourceServerBuilder::http`] one.
    #[error("no HTTP client: enable the feature `client`, or bring one")]
    NoHttpClient,
    /// The default HTTP client cannot be set up.
    #[error(transparent)]
    Http(#[from] HttpError),
}
