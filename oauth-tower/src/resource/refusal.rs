//! Why a request does not reach the service, and what the client hears of it.

mod kind;

use std::{borrow::Cow, fmt, sync::Arc};

use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
};
use oauth_core::{challenge::Challenge, error::ErrorCode};

pub use self::kind::{InvalidRequest, InvalidToken, NotPermitted, RefusalKind};
use super::{credentials::Scheme, terms::Terms};

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
