//! Why there is no token, and why one may still live.

use bytes::Bytes;
use http::{Response, StatusCode};
use oauth_core::{dpop::ProofError, secret::Secret, token::InvalidTokenResponse};
use serde::Deserialize;

use crate::outgoing::{AuthError, HttpError};

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The server refused (OAuth 2.1 section 5.2): a 4xx.
    #[error("the server refused: {status} {error}{}", advice(error))]
    Refused {
        /// The `error` code; empty if the server sent none.
        error: String,
        /// The `error_description`: the server's text, for a log.
        description: Option<String>,
        /// The status.
        status: StatusCode,
    },
    /// The server cannot answer now: a 5xx, or 429. Keep what was sent, and try
    /// again.
    #[error("the server cannot answer now ({status}): try again later")]
    Unavailable {
        /// The status.
        status: StatusCode,
        /// When to try again, in seconds, if the server said so in seconds (RFC
        /// 9110 section 10.2.3).
        retry_after: Option<u64>,
    },
    /// A status that no token endpoint has: a redirect, which is not followed,
    /// say.
    #[error("the server answered {0}: check that this is the URL of the endpoint")]
    Unexpected(StatusCode),
    /// The server's answer must not be used.
    #[error(transparent)]
    Invalid(#[from] InvalidTokenResponse),
    /// A token that anybody can use was issued where this client's key was
    /// proven (RFC 9449 section 5).
    #[error("the token is not bound to this client's key: the server does not do DPoP for this client")]
    NotBound,
    /// There is no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The client's own secret cannot be sent in a header.
    #[error("the credentials cannot be sent in a header: check the client secret for control characters")]
    UnsendableSecret,
    /// The client's own assertion could not be made: signing or randomness
    /// failed.
    #[error("no client assertion could be made")]
    Assertion,
    /// The proof of this client's key could not be made.
    #[error("no proof of the key could be made: {0}")]
    Proof(#[from] ProofError),
    /// What is to be sent is meant for another issuer than this client's (RFC
    /// 9700 section 4.4). It was not sent.
    #[error("this is of another issuer than the client: it was not sent")]
    Foreign,
    /// The metadata have no such endpoint.
    #[error("the server has no {0}")]
    NoEndpoint(&'static str),
}

/// Why a token is not known to be revoked. It is handed back, because it may
/// still be good (RFC 7009 section 2.2.1): keep it safe and try again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// 503, another 5xx, or no answer: the token must be assumed to live.
    #[error("the server could not revoke the token now")]
    StillLive {
        /// The token.
        token: Secret,
        /// When to try again, in seconds, if the server said.
        retry_after: Option<u64>,
    },
    /// The server will not revoke it, however often it is asked.
    #[error("the server refused to revoke the token: {error}")]
    Refused {
        /// The token.
        token: Secret,
        /// The `error` code, `unsupported_token_type` perhaps; empty if the
        /// server sent none.
        error: String,
    },
    /// No revocation endpoint was given.
    #[error("no revocation endpoint was given")]
    NoEndpoint {
        /// The token.
        token: Secret,
    },
}

impl TokenError {
    /// Whether the same request may succeed later: no answer came, or a 5xx, 429,
    /// 408 or 425. A refresh token that met this is to be kept.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Http(HttpError::Timeout | HttpError::Transport(_)))
    }

    /// The seconds that the server asks to wait.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The `error` code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { error, .. } if !error.is_empty() => Some(error),
            _ => None,
        }
    }
}

impl From<AuthError> for TokenError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::UnsendableSecret => Self::UnsendableSecret,
            AuthError::Random | AuthError::Signature => Self::Assertion,
        }
    }
}

/// What to do about an `error` code.
fn advice(error: &str) -> &'static str {
    match error {
        "invalid_client" => ": check the client id and its credentials",
        "invalid_grant" => ": it has expired, was used or was revoked; begin anew",
        "unauthorized_client" => ": the client is not registered for this grant",
        "unsupported_grant_type" => ": the server does not have this grant",
        "invalid_scope" => ": ask for less",
        "invalid_target" => ": the server does not know this resource",
        "use_dpop_nonce" | "invalid_dpop_proof" => ": check this machine's clock",
        _ => "",
    }
}

/// OAuth 2.1 section 5.2.
#[derive(Default, Deserialize)]
pub(crate) struct WireError {
    #[serde(default)]
    error: String,
    error_description: Option<String>,
}

impl WireError {
    /// What a refusal says, fit for a log: a code is short and of the characters
    /// of OAuth 2.1 section 5.2, or none.
    pub(crate) fn read(response: &Response<Bytes>) -> Self {
        let Self { error, error_description } = serde_json::from_slice(response.body()).unwrap_or_default();
        Self {
            error: error_code(&error).map_or_else(String::new, str::to_owned),
            error_description: error_description.map(|text| description(&text)),
        }
    }

    pub(crate) fn code(self) -> String {
        self.error
    }

    pub(super) fn refused(self, status: StatusCode) -> TokenError {
        TokenError::Refused { error: self.error, description: self.error_description, status }
    }
}

/// An `error` code, if it is one.
pub(super) fn error_code(text: &str) -> Option<&str> {
    let allowed = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    (text.len() <= 64 && text.bytes().all(allowed)).then_some(text)
}

/// An `error_description`, cut to what fits into a line.
pub(super) fn description(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(300).collect()
}
