//! The errors OAuth puts on the wire, and the faults it never does.

use std::{borrow::Cow, fmt};

/// A registered value of the `error` parameter.
///
/// ```
/// use oauth_core::error::ErrorCode;
/// assert_eq!(ErrorCode::InvalidGrant.as_str(), "invalid_grant");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The request is malformed (OAuth 2.1 section 5.2).
    InvalidRequest,
    /// Client authentication failed (OAuth 2.1 section 5.2).
    InvalidClient,
    /// The code, refresh token or assertion is not good (OAuth 2.1 section 5.2).
    InvalidGrant,
    /// This client may not do this (OAuth 2.1 sections 4.1.2.1 and 5.2).
    UnauthorizedClient,
    /// The grant type is not implemented (OAuth 2.1 section 5.2).
    UnsupportedGrantType,
    /// The response type is not implemented (OAuth 2.1 section 4.1.2.1).
    UnsupportedResponseType,
    /// The scope is malformed, unknown or too wide (OAuth 2.1 section 5.2).
    InvalidScope,
    /// The resource is malformed or not served (RFC 8707 section 2).
    InvalidTarget,
    /// The user or a policy said no (OAuth 2.1 section 4.1.2.1).
    AccessDenied,
    /// A fault of the server, delivered by redirect (OAuth 2.1 section 4.1.2.1).
    ServerError,
    /// The server cannot answer now (OAuth 2.1 section 4.1.2.1).
    TemporarilyUnavailable,
    /// Tokens of this type cannot be revoked here (RFC 7009 section 2.2.1).
    UnsupportedTokenType,
    /// A `request_uri` leads to no request (RFC 9101 section 7).
    InvalidRequestUri,
    /// A request object is not good (RFC 9101 section 7).
    InvalidRequestObject,
    /// Request objects are not taken (RFC 9101 section 7).
    RequestNotSupported,
    /// Nor are references to them (RFC 9101 section 7).
    RequestUriNotSupported,
    /// A redirect URI cannot be registered (RFC 7591 section 3.2.2).
    InvalidRedirectUri,
    /// Client metadata cannot be registered (RFC 7591 section 3.2.2).
    InvalidClientMetadata,
    /// A software statement is not good (RFC 7591 section 3.2.2).
    InvalidSoftwareStatement,
    /// A software statement is not approved here (RFC 7591 section 3.2.2).
    UnapprovedSoftwareStatement,
    /// An authorization detail is malformed, of an unknown type, or too much
    /// (RFC 9396 section 5).
    InvalidAuthorizationDetails,
    /// The access token is not good (RFC 6750 section 3.1).
    InvalidToken,
    /// The token lacks a scope (RFC 6750 section 3.1).
    InsufficientScope,
    /// The user must sign in in another way, or again (RFC 9470 section 3).
    InsufficientUserAuthentication,
    /// The DPoP proof is missing or not good (RFC 9449 section 5).
    InvalidDpopProof,
    /// The DPoP proof must carry a nonce of this server (RFC 9449 section 8).
    UseDpopNonce,
    /// Any other registered code.
    Other(Cow<'static, str>),
}

impl ErrorCode {
    /// The value on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidSoftwareStatement => "invalid_software_statement",
            Self::UnapprovedSoftwareStatement => "unapproved_software_statement",
            Self::InvalidAuthorizationDetails => "invalid_authorization_details",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::Other(code) => code,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error as the other party sees it: a code and a description that helps.
///
/// The description never carries a secret, and only ever holds the characters
/// that OAuth 2.1 section 5.2 allows; anything else is replaced by `'`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {description}")]
pub struct OAuthError {
    code: ErrorCode,
    description: Cow<'static, str>,
}

impl OAuthError {
    /// An error with its description: English, for the developer of the client.
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self { code, description: printable(description.into()) }
    }

    /// The `error` parameter.
    #[must_use]
    pub const fn code(&self) -> &ErrorCode {
        &self.code
    }

    /// The `error_description` parameter.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }
}

/// Shorthands for the codes of the token endpoint, used where the description
/// says the rest.
macro_rules! shorthand {
    ($($name:ident => $code:ident),* $(,)?) => {
        impl OAuthError {
            $(
                #[doc = concat!("An [`ErrorCode::", stringify!($code), "`].")]
                pub fn $name(description: impl Into<Cow<'static, str>>) -> Self {
                    Self::new(ErrorCode::$code, description)
                }
            )*
        }
    };
}

shorthand! {
    invalid_request => InvalidRequest,
    invalid_client => InvalidClient,
    invalid_grant => InvalidGrant,
    unauthorized_client => UnauthorizedClient,
    unsupported_grant_type => UnsupportedGrantType,
    invalid_scope => InvalidScope,
    invalid_target => InvalidTarget,
}

/// OAuth 2.1 section 5.2: error_description holds %x20-21 / %x23-5B / %x5D-7E.
fn printable(text: Cow<'static, str>) -> Cow<'static, str> {
    let allowed = |c: char| matches!(c, '\x20'..='\x21' | '\x23'..='\x5B' | '\x5D'..='\x7E');
    if text.chars().all(allowed) {
        return text;
    }
    text.chars().map(|c| if allowed(c) { c } else { '\'' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: AUZ-17
    #[test]
    fn a_description_keeps_to_the_characters_the_draft_allows() {
        let error = OAuthError::invalid_scope("no \"a\\b\"\r\nSet-Cookie: é".to_owned());
        assert_eq!(error.description(), "no 'a'b'''Set-Cookie: '");
    }
}
