//! Why a request does not reach the service, and what the client hears of it.

use std::{borrow::Cow, fmt, sync::Arc};

use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
};
use oauth_core::{
    challenge::Challenge, claims::ClaimsError, dpop::DpopError, error::ErrorCode, jwt::JwtError, scope::Scope,
};

use super::{UnreadableContent, credentials::Scheme, policy::Authentication, scheme::SchemeError, terms::Terms};

/// A request that was refused: the reason, and how to answer.
///
/// [`Refusal::status`] and [`Refusal::headers`] follow RFC 6750 section 3. The
/// body is yours: see [`Render`](super::Render).
#[derive(Clone)]
pub struct Refusal {
    kind: RefusalKind,
    terms: Arc<Terms>,
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
    /// Credentials of a [`TokenScheme`](super::TokenScheme) that it refused: 401,
    /// and the code is the scheme's.
    InvalidCredentials(SchemeError),
    /// The token is good, and the user did not sign in well enough or not
    /// recently enough: 401 `insufficient_user_authentication` (RFC 9470 section 3).
    InsufficientAuthentication(Arc<Authentication>),
    /// The token is good and lacks this scope: 403 `insufficient_scope`.
    InsufficientScope(Arc<Scope>),
    /// The token is good, and not what a [`Policy`](super::Policy) asks for: 403
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

/// Which line of a [`Policy`](super::Policy) a good token does not meet: for
/// logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotPermitted {
    /// [`Policy::issuers`](super::Policy::issuers).
    #[error("the token is of an issuer that may not do this")]
    Issuer,
    /// [`Policy::clients`](super::Policy::clients).
    #[error("the token is of a client that may not do this")]
    Client,
    /// [`Policy::claim`](super::Policy::claim).
    #[error("a claim of the token is not as it must be")]
    Claim,
    /// [`Policy::detail`](super::Policy::detail).
    #[error("no authorization_details of the token permit this")]
    Detail,
    /// [`Policy::rule`](super::Policy::rule), by its name.
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

impl Refusal {
    pub(super) fn new(kind: RefusalKind, terms: Arc<Terms>) -> Self {
        terms.refusals.count(&kind);
        Self { kind, terms, scheme: Scheme::Bearer }
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

    /// The status code: 400, 401, 403, 500 or 503; 408 or 413 for a form.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self.kind {
            RefusalKind::InvalidRequest(_) => StatusCode::BAD_REQUEST,
            RefusalKind::MissingCredentials
            | RefusalKind::InvalidToken(_)
            | RefusalKind::InvalidProof(_)
            | RefusalKind::InvalidCredentials(_)
            | RefusalKind::InsufficientAuthentication(_) => StatusCode::UNAUTHORIZED,
            RefusalKind::InsufficientScope(_) | RefusalKind::NotPermitted(_) => StatusCode::FORBIDDEN,
            RefusalKind::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            RefusalKind::UnreadableContent(reason) => reason.status(),
            RefusalKind::NotValidated => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The `error` code for the client. None where the request had no
    /// credentials (RFC 6750 section 3.1), and none for 500 and 503.
    #[must_use]
    pub fn error_code(&self) -> Option<ErrorCode> {
        match &self.kind {
            RefusalKind::InvalidRequest(_) => Some(ErrorCode::InvalidRequest),
            RefusalKind::InvalidToken(_) => Some(ErrorCode::InvalidToken),
            RefusalKind::InvalidProof(error) => Some(error.code()),
            RefusalKind::InvalidCredentials(error) => error.code().cloned(),
            RefusalKind::InsufficientAuthentication(_) => Some(ErrorCode::InsufficientUserAuthentication),
            RefusalKind::InsufficientScope(_) | RefusalKind::NotPermitted(_) => Some(ErrorCode::InsufficientScope),
            RefusalKind::MissingCredentials
            | RefusalKind::Unavailable { .. }
            | RefusalKind::UnreadableContent(_)
            | RefusalKind::NotValidated => None,
        }
    }

    /// What goes with [`Refusal::error_code`]: for the developer of the client,
    /// and silent about which user, key or rule it was.
    #[must_use]
    pub fn description(&self) -> Option<Cow<'static, str>> {
        let text = match &self.kind {
            RefusalKind::InvalidProof(error) => return Some(error.to_string().into()),
            RefusalKind::InvalidCredentials(error) => return error.description().map(|text| text.to_owned().into()),
            RefusalKind::InsufficientAuthentication(_) => {
                Some("the user has to sign in in another way, or more recently")
            }
            RefusalKind::NotPermitted(_) => Some("the access token does not permit this"),
            RefusalKind::InvalidRequest(InvalidRequest::RepeatedHeader) => Some("more than one Authorization header"),
            RefusalKind::InvalidRequest(InvalidRequest::MalformedHeader) => {
                Some("the Authorization header is not a scheme, a space and one token")
            }
            RefusalKind::InvalidRequest(InvalidRequest::SeveralTokens | InvalidRequest::RepeatedFormToken) => {
                Some("more than one token")
            }
            RefusalKind::InvalidRequest(InvalidRequest::MalformedForm) => {
                Some("the form has an access_token that is none, or is not ASCII")
            }
            RefusalKind::InvalidToken(_) => {
                Some("the access token is expired, revoked, malformed or not for this resource")
            }
            RefusalKind::InsufficientScope(_) => Some("the access token lacks a scope"),
            RefusalKind::MissingCredentials
            | RefusalKind::Unavailable { .. }
            | RefusalKind::UnreadableContent(_)
            | RefusalKind::NotValidated => None,
        };
        text.map(Cow::Borrowed)
    }

    /// The challenges: one for each scheme served, and none for 500 and 503.
    #[must_use]
    pub fn challenges(&self) -> Vec<Challenge> {
        match self.kind {
            RefusalKind::Unavailable { .. } | RefusalKind::UnreadableContent(_) | RefusalKind::NotValidated => {
                Vec::new()
            }
            _ => self.terms.challenges(self.scheme, |challenge| self.explain(challenge)),
        }
    }

    fn explain(&self, mut challenge: Challenge) -> Challenge {
        if let Some(code) = self.error_code() {
            challenge = challenge.error(&code);
        }
        if let Some(description) = self.description() {
            challenge = challenge.error_description(&description);
        }
        match &self.kind {
            RefusalKind::InsufficientScope(required) => challenge.scope(required),
            RefusalKind::InsufficientAuthentication(wanted) => wanted.explain(challenge),
            _ => challenge,
        }
    }

    /// The headers: `WWW-Authenticate`, and `DPoP-Nonce` if one is wanted; or
    /// `Retry-After` for 503.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in self.terms.rendered.values(&self.kind, self.scheme, || self.render()) {
            headers.append(WWW_AUTHENTICATE, value);
        }
        if let RefusalKind::Unavailable { retry_after } = self.kind {
            headers.insert(RETRY_AFTER, retry_after.into());
        }
        if self.error_code() == Some(ErrorCode::UseDpopNonce)
            && let Some(nonce) = self.terms.dpop.as_ref().and_then(|rules| rules.nonce())
            && let Ok(value) = HeaderValue::try_from(nonce)
        {
            headers.insert(DPOP_NONCE, value);
        }
        headers
    }

    fn render(&self) -> Box<[HeaderValue]> {
        let values = self.challenges().into_iter().map(|challenge| challenge.to_header_value());
        values.filter_map(|value| HeaderValue::try_from(value).ok()).collect()
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
            RefusalKind::InvalidCredentials(reason) => reason.fmt(f),
            RefusalKind::InsufficientAuthentication(_) => f.write_str("the user has not signed in well enough"),
            RefusalKind::InsufficientScope(_) => f.write_str("the token lacks a scope"),
            RefusalKind::NotPermitted(reason) => reason.fmt(f),
            RefusalKind::Unavailable { .. } => f.write_str("the token cannot be judged now"),
            RefusalKind::UnreadableContent(reason) => reason.fmt(f),
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
