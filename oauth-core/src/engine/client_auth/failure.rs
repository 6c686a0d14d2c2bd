//! Why a client is not who it says: for the operator, and for nobody else.

use crate::jwt::JwtError;

/// Why client authentication failed. The client hears `invalid_client`, whatever
/// it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthFailure {
    /// The request names no client.
    #[error("the request names no client")]
    NoClient,
    /// The `Authorization` header is not Basic, or malformed.
    #[error("the Authorization header is not well-formed Basic credentials")]
    MalformedBasic,
    /// `client_assertion_type` is not the one of RFC 7523.
    #[error("the client_assertion_type is not known")]
    AssertionType,
    /// No client of this name is registered.
    #[error("no client of this name is registered")]
    UnknownClient,
    /// The client's identifier is the URL of a document, which cannot be had or is
    /// not that of a client (Client ID Metadata Document draft section 4).
    #[error("the metadata document of the client is not good")]
    NoDocument,
    /// The client is registered for another method (RFC 9700 section 2.5).
    #[error("the client is registered for another method")]
    OtherMethod,
    /// The client's method is switched off here.
    #[error("the client's method is switched off")]
    MethodOff,
    /// None of the client's live secrets is the one that was sent.
    #[error("the secret is wrong or has expired")]
    WrongSecret,
    /// A secret at rest cannot be opened: the root secret is not the one it was
    /// sealed under, nor is that one among the previous ones.
    #[error("the secret is sealed under another root secret")]
    ForeignSecret,
    /// The assertion is not a JWT, or not one that the client's keys made.
    #[error("the assertion is refused: {0}")]
    Assertion(#[from] JwtError),
    /// `typ` says that it is something else (RFC 8725 section 3.11).
    #[error("the assertion is of another type")]
    AssertionOfOtherType,
    /// The algorithm is not one the client may use, or that is used here.
    #[error("the algorithm of the assertion is not allowed")]
    AlgorithmNotAllowed,
    /// A claim is missing or of the wrong type (RFC 7523 section 3).
    #[error("the assertion has no proper {0}")]
    Claim(&'static str),
    /// `iss` or `sub` is not the client (RFC 7523 section 3).
    #[error("iss and sub of the assertion are not both the client_id")]
    OtherIssuer,
    /// `aud` is not this server alone (draft-ietf-oauth-rfc7523bis section 4).
    #[error("the assertion is not for this server alone")]
    Audience,
    /// `exp` has come.
    #[error("the assertion has expired")]
    Expired,
    /// `nbf` or `iat` is in the future.
    #[error("the assertion is not good yet")]
    NotYet,
    /// It would be good for too long.
    #[error("the lifetime of the assertion is too long")]
    LongLived,
    /// The same `jti` was used before (RFC 7523 section 3).
    #[error("the assertion was used before")]
    Replayed,
    /// The client's keys cannot be had from where it said they are.
    #[error("the keys of the client cannot be had")]
    NoKeys,
    /// The connection has no client certificate, or nobody passed it on.
    #[error("no client certificate was shown")]
    NoCertificate,
    /// Nobody has verified that the certificate's chain ends at an authority
    /// that is trusted (RFC 8705 section 2.1).
    #[error("nobody has verified the chain of the client certificate")]
    UnverifiedCertificate,
    /// The certificate is another client's, or nobody's (RFC 8705 section 2).
    #[error("the client certificate is not the client's")]
    WrongCertificate,
}
