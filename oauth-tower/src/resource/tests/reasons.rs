//! The words that dashboards and alerts rest on.

use oauth_core::{claims::ClaimsError, dpop::DpopError, error::ErrorCode, jwt::JwtError};

use crate::resource::{
    InvalidRequest, InvalidToken, NotPermitted, Policy, RefusalKind, SchemeError, UnreadableContent,
};

fn kinds() -> Vec<(RefusalKind, &'static str)> {
    let alone = [
        (RefusalKind::MissingCredentials, "missing_credentials"),
        (RefusalKind::InvalidCredentials(SchemeError::new(ErrorCode::InvalidToken, "no")), "invalid_credentials"),
        (RefusalKind::InsufficientScope(Default::default()), "insufficient_scope"),
        (RefusalKind::Unavailable { retry_after: 1 }, "unavailable"),
        (RefusalKind::NotValidated, "not_validated"),
    ];
    let requests = [
        (InvalidRequest::RepeatedHeader, "repeated_authorization"),
        (InvalidRequest::MalformedHeader, "malformed_authorization"),
        (InvalidRequest::SeveralTokens, "several_tokens"),
        (InvalidRequest::RepeatedFormToken, "repeated_form_token"),
        (InvalidRequest::MalformedForm, "malformed_form"),
    ];
    let contents = [
        (UnreadableContent::TooLarge, "content_too_large"),
        (UnreadableContent::TimedOut, "content_timed_out"),
        (UnreadableContent::Broken, "content_unreadable"),
    ];
    let policies = [
        (NotPermitted::Issuer, "issuer_not_permitted"),
        (NotPermitted::Client, "client_not_permitted"),
        (NotPermitted::Claim, "claim_not_permitted"),
        (NotPermitted::Detail, "detail_not_permitted"),
        (NotPermitted::Rule("any name"), "rule_not_met"),
    ];
    let mut kinds = alone.to_vec();
    kinds.extend(requests.map(|(reason, word)| (RefusalKind::InvalidRequest(reason), word)));
    kinds.extend(contents.map(|(reason, word)| (RefusalKind::UnreadableContent(reason), word)));
    kinds.extend(policies.map(|(reason, word)| (RefusalKind::NotPermitted(reason), word)));
    kinds.extend(tokens().into_iter().map(|(reason, word)| (RefusalKind::InvalidToken(reason), word)));
    kinds.extend(proofs().into_iter().map(|(reason, word)| (RefusalKind::InvalidProof(reason), word)));
    kinds
}

fn tokens() -> Vec<(InvalidToken, &'static str)> {
    let own = [
        (InvalidToken::UnknownIssuer, "unknown_issuer"),
        (InvalidToken::Unrecognized, "unrecognized"),
        (InvalidToken::Inactive, "inactive"),
        (InvalidToken::NoStatus, "no_status"),
        (InvalidToken::Refreshable, "refreshable"),
        (InvalidToken::RefreshToken, "refresh_token"),
        (InvalidToken::UnservedType, "unserved_type"),
        (InvalidToken::Bound, "binding_unserved"),
        (InvalidToken::BearerUnserved, "bearer_unserved"),
        (InvalidToken::NotBound, "not_bound"),
        (InvalidToken::WrongKey, "wrong_key"),
        (InvalidToken::WrongCertificate, "wrong_certificate"),
    ];
    let jwts = [
        (JwtError::TooLarge, "too_large"),
        (JwtError::NotCompact, "malformed_token"),
        (JwtError::MalformedHeader, "malformed_header"),
        (JwtError::UnsupportedAlgorithm, "unsupported_algorithm"),
        (JwtError::AlgorithmNotAllowed, "algorithm_not_allowed"),
        (JwtError::CriticalExtension, "critical_extension"),
        (JwtError::WrongType, "wrong_type"),
        (JwtError::UnknownKey, "unknown_key"),
        (JwtError::InvalidSignature, "invalid_signature"),
        (JwtError::MalformedPayload, "malformed_payload"),
    ];
    let claims = [
        (ClaimsError::NotAnObject, "malformed_payload"),
        (ClaimsError::Missing("exp"), "missing_claim"),
        (ClaimsError::Malformed("exp"), "malformed_claim"),
        (ClaimsError::Repeated, "repeated_claim"),
        (ClaimsError::WrongIssuer, "wrong_issuer"),
        (ClaimsError::WrongAudience, "wrong_audience"),
        (ClaimsError::Expired, "expired"),
        (ClaimsError::NotYetValid, "not_yet_valid"),
    ];
    let mut tokens = own.to_vec();
    tokens.extend(jwts.map(|(reason, word)| (reason.into(), word)));
    tokens.extend(claims.map(|(reason, word)| (reason.into(), word)));
    tokens
}

fn proofs() -> Vec<(DpopError, &'static str)> {
    vec![
        (DpopError::Missing, "proof_missing"),
        (DpopError::Several, "proof_repeated"),
        (DpopError::TooLarge, "proof_too_large"),
        (DpopError::Malformed, "proof_malformed"),
        (DpopError::WrongType, "proof_wrong_type"),
        (DpopError::AlgorithmNotAllowed, "proof_algorithm_not_allowed"),
        (DpopError::CriticalExtension, "proof_critical_extension"),
        (DpopError::MissingKey, "proof_missing_key"),
        (DpopError::PrivateKey, "proof_private_key"),
        (DpopError::SymmetricKey, "proof_symmetric_key"),
        (DpopError::InvalidKey, "proof_invalid_key"),
        (DpopError::InvalidSignature, "proof_invalid_signature"),
        (DpopError::MalformedPayload, "proof_malformed_payload"),
        (DpopError::MissingClaim("ath"), "proof_missing_claim"),
        (DpopError::MalformedClaim("ath"), "proof_malformed_claim"),
        (DpopError::RepeatedClaim, "proof_repeated_claim"),
        (DpopError::WrongMethod, "proof_wrong_method"),
        (DpopError::WrongTarget, "proof_wrong_target"),
        (DpopError::TooOld, "proof_too_old"),
        (DpopError::FromTheFuture, "proof_from_the_future"),
        (DpopError::WrongToken, "proof_wrong_token"),
        (DpopError::UnexpectedToken, "proof_unexpected_token"),
        (DpopError::Replayed, "proof_replayed"),
        (DpopError::NonceMissing, "proof_nonce_missing"),
        (DpopError::NonceUnknown, "proof_nonce_unknown"),
    ]
}

#[tokio::test]
async fn each_reason_has_its_word_for_ever() {
    for (kind, word) in kinds() {
        assert_eq!(kind.reason(), word, "{kind:?}");
        assert!(RefusalKind::REASONS.contains(&word), "{word} is not listed");
    }
    // Only a policy makes this one.
    let key = super::Key::es256();
    let token = super::server(&key).validate_headers(&super::headers(&key.good())).await.unwrap();
    let refusal = token.require(&Policy::new().max_age(1)).unwrap_err();
    assert_eq!(refusal.kind().reason(), "insufficient_user_authentication");
}

#[test]
fn no_word_is_listed_that_nothing_has() {
    let words: Vec<&str> = kinds().into_iter().map(|(_, word)| word).collect();
    // The latter is for what the core may learn to tell apart.
    let others = ["insufficient_user_authentication", "proof_invalid"];
    for word in RefusalKind::REASONS {
        assert!(words.contains(word) || others.contains(word), "{word}");
        assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{word}");
    }
    assert!(RefusalKind::REASONS.is_sorted_by(|one, other| one < other), "in order, and each once");
}
