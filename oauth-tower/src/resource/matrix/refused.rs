//! From a refusal to a Matrix error.

use http::{HeaderMap, Response, header::AUTHORIZATION};
use oauth_core::{claims::ClaimsError, jwt::JwtError};

use super::MatrixError;
use crate::resource::{
    InvalidRequest, InvalidToken, Refusal, RefusalKind, Render, UnreadableContent, refusal::DPOP_NONCE,
};

/// Renders refusals as Matrix JSON: for a [`ResourceLayer`](crate::resource::ResourceLayer) or
/// a [`Require`](crate::resource::Require) among Matrix routes, where there is no
/// [`MatrixLayer`](super::MatrixLayer).
///
/// ```
/// use oauth_tower::resource::{Require, matrix::MatrixJson};
/// let admins = Require::scope("urn:synapse:admin:*").render_with(MatrixJson::default());
/// # drop(admins);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct MatrixJson {
    pub(super) challenges: bool,
}

impl MatrixJson {
    /// Sends `WWW-Authenticate` along, as RFC 6750 has it. Matrix says nothing of it, and
    /// homeservers leave it out.
    pub const fn challenges(mut self) -> Self {
        self.challenges = true;
        self
    }

    /// The error that a refusal is.
    pub(super) fn error(self, refusal: &Refusal) -> MatrixError {
        let error = error_of(refusal);
        // Who is asked for a proof cannot do without.
        if self.challenges || matches!(refusal.kind(), RefusalKind::InvalidProof(_)) {
            return error.with_headers(refusal.headers());
        }
        let mut headers = refusal.headers();
        let nonce = headers.remove(DPOP_NONCE);
        error.with_headers(nonce.into_iter().map(|nonce| (DPOP_NONCE, nonce)).collect())
    }

    /// The same, for a request with these headers: what is no token is not known, and
    /// nothing at all is missing.
    pub(super) fn error_for(self, refusal: &Refusal, headers: &HeaderMap) -> MatrixError {
        let malformed = RefusalKind::InvalidRequest(InvalidRequest::MalformedHeader);
        if *refusal.kind() == malformed && says_something(headers) {
            return MatrixError::unknown_token();
        }
        self.error(refusal)
    }
}

impl<B: From<String>> Render<B> for MatrixJson {
    fn render(&self, refusal: &Refusal) -> Response<B> {
        self.error(refusal).response()
    }
}

fn error_of(refusal: &Refusal) -> MatrixError {
    match refusal.kind() {
        RefusalKind::MissingCredentials | RefusalKind::InvalidRequest(_) => MatrixError::missing_token(),
        RefusalKind::InvalidToken(reason) if is_stale(reason) => MatrixError::stale_token(),
        RefusalKind::InvalidToken(_) | RefusalKind::InvalidCredentials(_) => MatrixError::unknown_token(),
        // The token may be good, and so is the session.
        RefusalKind::InvalidProof(_) => MatrixError::stale_token(),
        RefusalKind::InsufficientAuthentication(_)
        | RefusalKind::InsufficientScope(_)
        | RefusalKind::NotPermitted(_) => MatrixError::forbidden("the access token does not permit this"),
        RefusalKind::Unavailable { retry_after } => MatrixError::unavailable(*retry_after),
        RefusalKind::UnreadableContent(UnreadableContent::TooLarge) => {
            MatrixError::new(refusal.status(), "M_TOO_LARGE", "the content is too large")
        }
        RefusalKind::UnreadableContent(_) => {
            MatrixError::new(refusal.status(), "M_UNKNOWN", "the content cannot be read")
        }
        RefusalKind::NotValidated => MatrixError::internal(),
    }
}

/// Whether all that is wrong with a token is its age, as far as that is known.
fn is_stale(reason: &InvalidToken) -> bool {
    matches!(reason, InvalidToken::Refreshable | InvalidToken::Jwt(JwtError::Claims(ClaimsError::Expired)))
}

/// Whether anything follows the name of the scheme.
fn says_something(headers: &HeaderMap) -> bool {
    let said = headers.get(AUTHORIZATION).map(|value| value.as_bytes().trim_ascii());
    said.is_some_and(|said| said.iter().any(u8::is_ascii_whitespace))
}
