//! One stable word for each reason: for logs, metrics and alerts.

use oauth_core::{claims::ClaimsError, dpop::DpopError, jwt::JwtError};

use super::{
    RefusalKind, UnreadableContent,
    refusal::{InvalidRequest, InvalidToken, NotPermitted},
};

impl RefusalKind {
    /// Every word that [`RefusalKind::reason`] has.
    pub const REASONS: &'static [&'static str] = &[
        "algorithm_not_allowed",
        "bearer_unserved",
        "binding_unserved",
        "claim_not_permitted",
        "client_not_permitted",
        "content_timed_out",
        "content_too_large",
        "content_unreadable",
        "critical_extension",
        "detail_not_permitted",
        "expired",
        "inactive",
        "insufficient_scope",
        "insufficient_user_authentication",
        "invalid_credentials",
        "invalid_signature",
        "issuer_not_permitted",
        "malformed_authorization",
        "malformed_claim",
        "malformed_form",
        "malformed_header",
        "malformed_payload",
        "malformed_token",
        "missing_claim",
        "missing_credentials",
        "no_status",
        "not_bound",
        "not_validated",
        "not_yet_valid",
        "proof_algorithm_not_allowed",
        "proof_critical_extension",
        "proof_from_the_future",
        "proof_invalid",
        "proof_invalid_key",
        "proof_invalid_signature",
        "proof_malformed",
        "proof_malformed_claim",
        "proof_malformed_payload",
        "proof_missing",
        "proof_missing_claim",
        "proof_missing_key",
        "proof_nonce_missing",
        "proof_nonce_unknown",
        "proof_private_key",
        "proof_repeated",
        "proof_repeated_claim",
        "proof_replayed",
        "proof_symmetric_key",
        "proof_too_large",
        "proof_too_old",
        "proof_unexpected_token",
        "proof_wrong_method",
        "proof_wrong_target",
        "proof_wrong_token",
        "proof_wrong_type",
        "refresh_token",
        "refreshable",
        "repeated_authorization",
        "repeated_claim",
        "repeated_form_token",
        "rule_not_met",
        "several_tokens",
        "too_large",
        "unavailable",
        "unknown_issuer",
        "unknown_key",
        "unrecognized",
        "unserved_type",
        "unsupported_algorithm",
        "wrong_audience",
        "wrong_certificate",
        "wrong_issuer",
        "wrong_key",
        "wrong_type",
    ];

    /// The reason in one word of snake case, for logs and metrics. A word, once
    /// there, keeps its meaning; new reasons get new words. Nothing of it goes to
    /// the client.
    ///
    /// ```
    /// use oauth_tower::resource::{InvalidToken, RefusalKind};
    /// assert_eq!(RefusalKind::InvalidToken(InvalidToken::UnknownIssuer).reason(), "unknown_issuer");
    /// assert!(RefusalKind::REASONS.contains(&"unknown_issuer"));
    /// ```
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::MissingCredentials => "missing_credentials",
            Self::InvalidRequest(reason) => invalid_request(*reason),
            Self::InvalidToken(reason) => invalid_token(reason),
            Self::InvalidProof(reason) => invalid_proof(*reason),
            Self::InvalidCredentials(_) => "invalid_credentials",
            Self::InsufficientAuthentication(_) => "insufficient_user_authentication",
            Self::InsufficientScope(_) => "insufficient_scope",
            Self::NotPermitted(reason) => not_permitted(*reason),
            Self::Unavailable { .. } => "unavailable",
            Self::UnreadableContent(reason) => unreadable_content(*reason),
            Self::NotValidated => "not_validated",
        }
    }
}

const fn invalid_request(reason: InvalidRequest) -> &'static str {
    match reason {
        InvalidRequest::RepeatedHeader => "repeated_authorization",
        InvalidRequest::MalformedHeader => "malformed_authorization",
        InvalidRequest::SeveralTokens => "several_tokens",
        InvalidRequest::RepeatedFormToken => "repeated_form_token",
        InvalidRequest::MalformedForm => "malformed_form",
    }
}

const fn unreadable_content(reason: UnreadableContent) -> &'static str {
    match reason {
        UnreadableContent::TooLarge => "content_too_large",
        UnreadableContent::TimedOut => "content_timed_out",
        UnreadableContent::Broken => "content_unreadable",
    }
}

const fn invalid_token(reason: &InvalidToken) -> &'static str {
    match reason {
        InvalidToken::Jwt(reason) => jwt(reason),
        InvalidToken::UnknownIssuer => "unknown_issuer",
        InvalidToken::Unrecognized => "unrecognized",
        InvalidToken::Inactive => "inactive",
        InvalidToken::NoStatus => "no_status",
        InvalidToken::Refreshable => "refreshable",
        InvalidToken::RefreshToken => "refresh_token",
        InvalidToken::UnservedType => "unserved_type",
        InvalidToken::Bound => "binding_unserved",
        InvalidToken::BearerUnserved => "bearer_unserved",
        InvalidToken::NotBound => "not_bound",
        InvalidToken::WrongKey => "wrong_key",
        InvalidToken::WrongCertificate => "wrong_certificate",
    }
}

const fn jwt(reason: &JwtError) -> &'static str {
    match reason {
        JwtError::TooLarge => "too_large",
        JwtError::MalformedHeader => "malformed_header",
        JwtError::UnsupportedAlgorithm => "unsupported_algorithm",
        JwtError::AlgorithmNotAllowed => "algorithm_not_allowed",
        JwtError::CriticalExtension => "critical_extension",
        JwtError::WrongType => "wrong_type",
        JwtError::UnknownKey => "unknown_key",
        JwtError::InvalidSignature => "invalid_signature",
        JwtError::MalformedPayload => "malformed_payload",
        JwtError::Claims(reason) => claims(reason),
        // `NotCompact`, and what the core may learn to tell apart.
        _ => "malformed_token",
    }
}

const fn claims(reason: &ClaimsError) -> &'static str {
    match reason {
        ClaimsError::Missing(_) => "missing_claim",
        ClaimsError::Malformed(_) => "malformed_claim",
        ClaimsError::Repeated => "repeated_claim",
        ClaimsError::WrongIssuer => "wrong_issuer",
        ClaimsError::WrongAudience => "wrong_audience",
        ClaimsError::Expired => "expired",
        ClaimsError::NotYetValid => "not_yet_valid",
        // `NotAnObject`, and what the core may learn to tell apart.
        _ => "malformed_payload",
    }
}

const fn invalid_proof(reason: DpopError) -> &'static str {
    match reason {
        DpopError::Missing => "proof_missing",
        DpopError::Several => "proof_repeated",
        DpopError::TooLarge => "proof_too_large",
        DpopError::Malformed => "proof_malformed",
        DpopError::WrongType => "proof_wrong_type",
        DpopError::AlgorithmNotAllowed => "proof_algorithm_not_allowed",
        DpopError::CriticalExtension => "proof_critical_extension",
        DpopError::MissingKey => "proof_missing_key",
        DpopError::PrivateKey => "proof_private_key",
        DpopError::SymmetricKey => "proof_symmetric_key",
        DpopError::InvalidKey => "proof_invalid_key",
        DpopError::InvalidSignature => "proof_invalid_signature",
        DpopError::MalformedPayload => "proof_malformed_payload",
        DpopError::MissingClaim(_) => "proof_missing_claim",
        DpopError::MalformedClaim(_) => "proof_malformed_claim",
        DpopError::RepeatedClaim => "proof_repeated_claim",
        DpopError::WrongMethod => "proof_wrong_method",
        DpopError::WrongTarget => "proof_wrong_target",
        DpopError::TooOld => "proof_too_old",
        DpopError::FromTheFuture => "proof_from_the_future",
        DpopError::WrongToken => "proof_wrong_token",
        DpopError::UnexpectedToken => "proof_unexpected_token",
        DpopError::Replayed => "proof_replayed",
        DpopError::NonceMissing => "proof_nonce_missing",
        DpopError::NonceUnknown => "proof_nonce_unknown",
        _ => "proof_invalid",
    }
}

const fn not_permitted(reason: NotPermitted) -> &'static str {
    match reason {
        NotPermitted::Issuer => "issuer_not_permitted",
        NotPermitted::Client => "client_not_permitted",
        NotPermitted::Claim => "claim_not_permitted",
        NotPermitted::Detail => "detail_not_permitted",
        NotPermitted::Rule(_) => "rule_not_met",
    }
}
