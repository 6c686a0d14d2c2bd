//! The three modes, as data: what each says of every case.

use crate::{
    engine::fault::Failure,
    error::{ErrorCode, OAuthError},
};

/// By whose rules tokens are revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationMode {
    /// [RFC 7009](https://www.rfc-editor.org/rfc/rfc7009).
    #[default]
    Rfc7009,
    /// What RFC 7009 was in 2011:
    /// [draft-lodderstedt-oauth-revocation-03](https://datatracker.ietf.org/doc/html/draft-lodderstedt-oauth-revocation-03).
    Draft2011,
    /// The client-server API of Matrix, "Token revocation": whoever has a token may
    /// revoke it, and with it everything under its grant.
    Matrix,
}

/// What a mode says of each case.
///
/// ```
/// use oauth_core::engine::revocation::{RevocationMode, Said};
/// assert_eq!(RevocationMode::Matrix.rules().of_another_client, Said::Done);
/// assert_eq!(RevocationMode::Draft2011.rules().unknown.status(), 400);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationRules {
    /// What a client must show of itself.
    pub identification: Identification,
    /// Nobody says who they are, and the token is a confidential client's.
    pub of_confidential_client_by_nobody: Said,
    /// The same, and the token is a public client's.
    pub of_public_client_by_nobody: Said,
    /// The token is another client's.
    pub of_another_client: Said,
    /// The token is unknown, malformed, expired or revoked already.
    pub unknown: Said,
    /// Whether revoking an access token ends its grant; `None` where the operator
    /// says.
    pub access_revokes_grant: Option<bool>,
    /// Whether there may be access tokens that cannot be revoked.
    pub access_tokens_may_be_left: bool,
    /// The body of a success: nothing, or JSON.
    pub body: &'static str,
    /// Whether the metadata name the endpoint unless told otherwise.
    pub advertised: bool,
    /// Whether the metadata may be silent about it.
    pub may_be_silent: bool,
    /// Whether scripts may call by JSONP, where that is switched on.
    pub jsonp: bool,
    /// Whether there may be a twin without TLS.
    pub cleartext_twin: bool,
    /// Whether scripts of every origin may call, whatever is said of others.
    pub any_origin: bool,
}

/// What a client must show of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identification {
    /// As at the token endpoint (RFC 7009 section 2.1).
    Required,
    /// The same, if it shows anything.
    IfAny,
    /// Credentials are checked if they are there; a name is not.
    Never,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Said {
    /// 200.
    Done,
    /// No, and the token stays as it was.
    Refused {
        /// The HTTP status: 400, 401 or 403.
        status: u16,
        /// `error`.
        error: ErrorCode,
    },
}

use ErrorCode::{InvalidClient, InvalidGrant, UnauthorizedClient};

static RFC7009: RevocationRules = RevocationRules {
    identification: Identification::Required,
    of_confidential_client_by_nobody: Said::refused(401, InvalidClient),
    of_public_client_by_nobody: Said::refused(401, InvalidClient),
    // Section 2.1: "the request is refused and the client is informed of the error".
    of_another_client: Said::refused(400, InvalidGrant),
    // Section 2.2: "invalid tokens do not cause an error response".
    unknown: Said::Done,
    access_revokes_grant: None,
    access_tokens_may_be_left: true,
    body: "",
    advertised: true,
    may_be_silent: true,
    jsonp: true,
    // Section 2: a client that can reach only that still gets rid of its tokens.
    cleartext_twin: true,
    any_origin: false,
};

static DRAFT2011: RevocationRules = RevocationRules {
    identification: Identification::IfAny,
    of_confidential_client_by_nobody: Said::refused(401, InvalidClient),
    of_public_client_by_nobody: Said::refused(403, UnauthorizedClient),
    of_another_client: Said::refused(403, UnauthorizedClient),
    unknown: Said::refused(400, ErrorCode::InvalidToken),
    access_revokes_grant: Some(false),
    access_tokens_may_be_left: true,
    body: "",
    // The draft leaves it to the server's documentation.
    advertised: false,
    may_be_silent: true,
    jsonp: true,
    cleartext_twin: false,
    any_origin: false,
};

static MATRIX: RevocationRules = RevocationRules {
    identification: Identification::Never,
    of_confidential_client_by_nobody: Said::Done,
    of_public_client_by_nobody: Said::Done,
    // "the server SHOULD still revoke the token".
    of_another_client: Said::Done,
    unknown: Said::Done,
    // "MUST revoke both".
    access_revokes_grant: Some(true),
    access_tokens_may_be_left: false,
    body: "{}",
    advertised: true,
    may_be_silent: false,
    jsonp: false,
    cleartext_twin: false,
    any_origin: true,
};

impl RevocationMode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Rfc7009, Self::Draft2011, Self::Matrix];

    /// Its name in a configuration: `rfc7009`, `draft2011` or `matrix`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rfc7009 => "rfc7009",
            Self::Draft2011 => "draft2011",
            Self::Matrix => "matrix",
        }
    }

    /// What it says.
    #[must_use]
    pub fn rules(self) -> &'static RevocationRules {
        match self {
            Self::Rfc7009 => &RFC7009,
            Self::Draft2011 => &DRAFT2011,
            Self::Matrix => &MATRIX,
        }
    }
}

impl Said {
    const fn refused(status: u16, error: ErrorCode) -> Self {
        Self::Refused { status, error }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Done => 200,
            Self::Refused { status, .. } => *status,
        }
    }

    /// Fails if this is a refusal, which is described by `why`.
    pub(super) fn verdict(&self, why: &'static str) -> Result<(), Failure> {
        let Self::Refused { status, error } = self else { return Ok(()) };
        let error = OAuthError::new(error.clone(), why);
        Err(match status {
            401 => Failure::Unauthenticated(error),
            403 => Failure::Forbidden(error),
            _ => Failure::Refused(error),
        })
    }
}
