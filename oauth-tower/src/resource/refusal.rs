//! Why a request does not reach the service, and what the client hears of it.

use std::{borrow::Cow, fmt, sync::Arc};

use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
};
use oauth_core::{
    challenge::Challenge, claims::ClaimsError, dpop::DpopError, error::ErrorCode, jwt::JwtError, scope::Scope,
};

use super::{challenger::Challenger, credentials::Scheme};

/// A request that was refused: the reason, and how to answer.
///
/// [`Refusal::status`] and [`Refusal::headers`] follow RFC 6750 section 3. The
/// body is yours: see [`Render`](super::Render).
#[derive(Clone)]
pub struct Refusal {
    kind: RefusalKind,
    challenger: Arc<Challenger>,
    scheme: Scheme,
}

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
    /// The token is good and lacks this scope: 403 `insufficient_scope`.
    InsufficientScope(Arc<Scope>),
    /// Whether the token is good cannot be found out now: 503.
    Unavailable {
        /// When to try again, in seconds.
        retry_after: u64,
    },
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
    /// A token in the header and one in the query (RFC 6750 section 2).
    #[error("a token in the header and one in the query")]
    SeveralTokens,
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

impl From<ClaimsError> for InvalidToken {
    fn from(error: ClaimsError) -> Self {
        Self::Jwt(error.into())
    }
}

impl Refusal {
    pub(super) const fn new(kind: RefusalKind, challenger: Arc<Challenger>) -> Self {
        Self { kind, challenger, scheme: Scheme::Bearer }
    }

    /// For a request with credentials of this scheme.
    pub(super) const fn under(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// Nothing validated the request, so there is nobody to ask about realms.
    #[must_use]
    pub fn not_validated() -> Self {
        Self::new(RefusalKind::NotValidated, Arc::default())
    }

    /// Why.
    #[must_use]
    pub const fn kind(&self) -> &RefusalKind {
        &self.kind
    }

    /// The status code: 400, 401, 403, 500 or 503.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self.kind {
            RefusalKind::InvalidRequest(_) => StatusCode::BAD_REQUEST,
            RefusalKind::MissingCredentials | RefusalKind::InvalidToken(_) | RefusalKind::InvalidProof(_) => {
                StatusCode::UNAUTHORIZED
            }
            RefusalKind::InsufficientScope(_) => StatusCode::FORBIDDEN,
            RefusalKind::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            RefusalKind::NotValidated => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The `error` code for the client. None where the request had no
    /// credentials (RFC 6750 section 3.1), and none for 500 and 503.
    #[must_use]
    pub const fn error_code(&self) -> Option<ErrorCode> {
        match self.kind {
            RefusalKind::InvalidRequest(_) => Some(ErrorCode::InvalidRequest),
            RefusalKind::InvalidToken(_) => Some(ErrorCode::InvalidToken),
            RefusalKind::InvalidProof(error) => Some(error.code()),
            RefusalKind::InsufficientScope(_) => Some(ErrorCode::InsufficientScope),
            RefusalKind::MissingCredentials | RefusalKind::Unavailable { .. } | RefusalKind::NotValidated => None,
        }
    }

    /// What goes with [`Refusal::error_code`]: for the developer of the client,
    /// and silent about which user, key or rule it was.
    #[must_use]
    pub fn description(&self) -> Option<Cow<'static, str>> {
        let text = match self.kind {
            RefusalKind::InvalidProof(error) => return Some(error.to_string().into()),
            RefusalKind::InvalidRequest(InvalidRequest::RepeatedHeader) => Some("more than one Authorization header"),
            RefusalKind::InvalidRequest(InvalidRequest::MalformedHeader) => {
                Some("the Authorization header is not a scheme, a space and one token")
            }
            RefusalKind::InvalidRequest(InvalidRequest::SeveralTokens) => Some("more than one token"),
            RefusalKind::InvalidToken(_) => {
                Some("the access token is expired, revoked, malformed or not for this resource")
            }
            RefusalKind::InsufficientScope(_) => Some("the access token lacks a scope"),
            RefusalKind::MissingCredentials | RefusalKind::Unavailable { .. } | RefusalKind::NotValidated => None,
        };
        text.map(Cow::Borrowed)
    }

    /// The challenges: one for each scheme served, and none for 500 and 503.
    #[must_use]
    pub fn challenges(&self) -> Vec<Challenge> {
        if matches!(self.kind, RefusalKind::Unavailable { .. } | RefusalKind::NotValidated) {
            return Vec::new();
        }
        self.challenger.challenges(self.scheme, |challenge| self.explain(challenge))
    }

    fn explain(&self, mut challenge: Challenge) -> Challenge {
        if let Some(code) = self.error_code() {
            challenge = challenge.error(&code);
        }
        if let Some(description) = self.description() {
            challenge = challenge.error_description(&description);
        }
        if let RefusalKind::InsufficientScope(required) = &self.kind {
            challenge = challenge.scope(required);
        }
        challenge
    }

    /// The headers: `WWW-Authenticate`, and `DPoP-Nonce` if one is wanted; or
    /// `Retry-After` for 503.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for challenge in self.challenges() {
            if let Ok(value) = HeaderValue::try_from(challenge.to_header_value()) {
                headers.append(WWW_AUTHENTICATE, value);
            }
        }
        if let RefusalKind::Unavailable { retry_after } = self.kind {
            headers.insert(RETRY_AFTER, retry_after.into());
        }
        if self.error_code() == Some(ErrorCode::UseDpopNonce)
            && let Some(nonce) = self.challenger.dpop.as_ref().and_then(|rules| rules.nonce())
            && let Ok(value) = HeaderValue::try_from(nonce)
        {
            headers.insert(DPOP_NONCE, value);
        }
        headers
    }

    /// A response with [`Refusal::status`], [`Refusal::headers`] and `body`.
    #[must_use]
    pub fn response<B>(&self, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status();
        *response.headers_mut() = self.headers();
        response
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            RefusalKind::MissingCredentials => f.write_str("no credentials"),
            RefusalKind::InvalidRequest(reason) => reason.fmt(f),
            RefusalKind::InvalidToken(reason) => reason.fmt(f),
            RefusalKind::InvalidProof(reason) => reason.fmt(f),
            RefusalKind::InsufficientScope(_) => f.write_str("the token lacks a scope"),
            RefusalKind::Unavailable { .. } => f.write_str("the token cannot be judged now"),
            RefusalKind::NotValidated => f.write_str("no resource server layer has seen the request"),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refusal").field(&self.kind).finish()
    }
}

/// RFC 9449 section 8.1.
pub(super) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
