//! The reasons for which a request is refused.

use std::sync::Arc;

use oauth_core::{claims::ClaimsError, dpop::DpopError, jwt::JwtError, scope::Scope};

use super::super::{UnreadableContent, policy::Authentication, scheme::SchemeError};

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalKind {
    /// No credentials, or of a scheme that is not served: 401.
    MissingCredentials,
    /// The credentials are malformed, or there are several: 400 `invalid_request`.
    InvalidRequest(InvalidRequest),
    /// The token is not good: 401 `invalid_token`.
    InvalidToken(InvalidToken),
    /// The DPoP proof is not good: 401 `invalid_dpop_proof`, or
    /// `use_dpop_nonce` where a nonce would cure it, which comes along (RFC 9449
    /// sections 7.1 and 9).
    InvalidProof(DpopError),
    /// Credentials of a [`TokenScheme`](super::super::TokenScheme) that it refused: 401,
    /// and the code is the scheme's.
    InvalidCredentials(SchemeError),
    /// The token is good, and the user did not sign in well enough or not
    /// recently enough: 401 `insufficient_user_authentication` (RFC 9470 section 3).
    InsufficientAuthentication(Arc<Authentication>),
    /// The token is good and lacks this scope: 403 `insufficient_scope`.
    InsufficientScope(Arc<Scope>),
    /// The token is good, and not what a [`Policy`](super::super::Policy) asks for: 403
    /// `insufficient_scope` too, RFC 6750 section 3.1 having no other code for "higher
    /// privileges".
    NotPermitted(NotPermitted),
    /// Whether the token is good cannot be found out now: 503.
    Unavailable {
        /// When to try again, in seconds.
        retry_after: u64,
    },
    /// The content of the request, in which the token may be, cannot be read:
    /// 413, 408 or 400.
    UnreadableContent(UnreadableContent),
    /// Nothing validated the request: the layer is missing, a mistake of the
    /// program's: 500.
    NotValidated,
}

/// What is wrong with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRequest {
    /// More than one `Authorization` header.
    #[error("more than one Authorization header")]
    RepeatedHeader,
    /// `Bearer`, and then not exactly one token68 (RFC 9110 section 11.4).
    #[error("the Authorization header is malformed")]
    MalformedHeader,
    /// Credentials in two of header, form and query (RFC 6750 section 2).
    #[error("credentials in more than one place")]
    SeveralTokens,
    /// More than one `access_token` in a form (OAuth 2.1 section 7.2.3).
    #[error("more than one access_token in the form")]
    RepeatedFormToken,
    /// `access_token` in a form is no token, or the form is not ASCII (OAuth 2.1
    /// section 7.2.1.2).
    #[error("the access_token in the form is no token, or the form is not ASCII")]
    MalformedForm,
}

/// What is wrong with the token: for logs and metrics. Nothing of it goes to
/// the client but that the token is not good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// The JWT or its claims are not as they must be.
    #[error(transparent)]
    Jwt(#[from] JwtError),
    /// The token names an issuer that is not configured here.
    #[error("the token is from an unknown issuer")]
    UnknownIssuer,
    /// No configured issuer could have made a token like this.
    #[error("the token is of no known form")]
    Unrecognized,
    /// The authorization server says that the token is not active, or it never
    /// made it (RFC 7662 section 2.2).
    #[error("the token is not active")]
    Inactive,
    /// It is of an authorization server in this process, and over; its grant is not, so
    /// that a refresh brings another.
    #[error("the token is over, and its grant is not")]
    Refreshable,
    /// It names no status list where one is required, one that its issuer is not
    /// trusted to have, or a place that the list does not have
    /// (draft-ietf-oauth-status-list-18 section 8.3).
    #[error("the token has no status that can be looked up")]
    NoStatus,
    /// A refresh token in the place of an access token.
    #[error("the token is a refresh token")]
    RefreshToken,
    /// A token of a type that is not served here, DPoP or MAC, say (OAuth 2.1
    /// section 7.1).
    #[error("the token is of a type that is not served here")]
    UnservedType,
    /// A token bound to a key, sent without a proof that is understood here.
    #[error("the token is bound to its sender in a way that is not served here")]
    Bound,
    /// A bearer token, where nothing but DPoP is served.
    #[error("bearer tokens are not served here")]
    BearerUnserved,
    /// A token that is bound to no key, under the scheme `DPoP` (RFC 9449
    /// section 7.1).
    #[error("the token was sent as a DPoP token and is bound to no key")]
    NotBound,
    /// The proof was made with another key than the token's (RFC 9449 section
    /// 7.1).
    #[error("the token is bound to another key than that of the proof")]
    WrongKey,
    /// The connection has no certificate, or another than the token is bound to
    /// (RFC 8705 section 3).
    #[error("the token is bound to another client certificate")]
    WrongCertificate,
}

/// Which line of a [`Policy`](super::super::Policy) a good token does not meet: for
/// logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotPermitted {
    /// [`Policy::issuers`](super::super::Policy::issuers).
    #[error("the token is of an issuer that may not do this")]
    Issuer,
    /// [`Policy::clients`](super::super::Policy::clients).
    #[error("the token is of a client that may not do this")]
    Client,
    /// [`Policy::claim`](super::super::Policy::claim).
    #[error("a claim of the token is not as it must be")]
    Claim,
    /// [`Policy::detail`](super::super::Policy::detail).
    #[error("no authorization_details of the token permit this")]
    Detail,
    /// [`Policy::rule`](super::super::Policy::rule), by its name.
    #[error("the token does not meet the rule `{0}`")]
    Rule(&'static str),
}

impl From<NotPermitted> for RefusalKind {
    fn from(reason: NotPermitted) -> Self {
        Self::NotPermitted(reason)
    }
}

impl From<InvalidToken> for RefusalKind {
    fn from(reason: InvalidToken) -> Self {
        Self::InvalidToken(reason)
    }
}

impl From<ClaimsError> for InvalidToken {
    fn from(error: ClaimsError) -> Self {
        Self::Jwt(error.into())
    }
}
