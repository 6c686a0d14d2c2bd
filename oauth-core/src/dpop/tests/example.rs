//! The examples of RFC 9449, as they are printed.

use super::*;
use crate::claims::{AccessTokenClaims, Confirmation};

/// RFC 9449 sections 4.1 and 5, figures 2 and 5.
const TOKEN_REQUEST: &str = "\
    eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQy\
    VVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.\
    eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0Ijox\
    NTYyMjYyNjE2fQ.\
    2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";

/// RFC 9449 section 5, figure 7.
const REFRESH_REQUEST: &str = "\
    eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQy\
    VVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.\
    eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0Ijox\
    NTYyMjY1Mjk2fQ.\
    pAqut2IRDm_De6PR93SYmGBPXpwrAk90e8cP2hjiaG5QsGSuKDYW7_X620BxqhvYC8ynrrvZLTk41mSRroapUA";

/// RFC 9449 section 7.1, figure 13.
const RESOURCE_REQUEST: &str = "\
    eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQy\
    VVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.\
    eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNv\
    dXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.\
    2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";

/// RFC 9449 section 6.1, figure 9.
const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn without_token<'a>(targets: &'a [TargetUri], now: u64) -> ProofRequest<'a> {
    ProofRequest::without_token("POST", targets, UnixTime(now))
}

// spec: RS-23
// spec: RS-30
#[test]
fn the_proofs_of_the_token_requests_verify_and_are_made_with_the_key_of_the_confirmation() {
    let targets = [target("https://server.example.com/token")];
    for (proof, iat) in [(TOKEN_REQUEST, 1_562_262_616), (REFRESH_REQUEST, 1_562_265_296)] {
        let verified = Proof::verify(proof, &without_token(&targets, iat + 5)).unwrap();
        assert_eq!((verified.jkt(), verified.iat(), verified.nonce()), (JKT, UnixTime(iat), None));
        assert!(verified.is_bound_to(&Confirmation::dpop(JKT)));
    }
}

// spec: RS-29
#[test]
fn the_proof_of_the_resource_request_verifies_with_its_token_alone() {
    let targets = [target("https://resource.example.org/protectedresource")];
    let verify = |token| Proof::verify(RESOURCE_REQUEST, &ProofRequest::with_token("GET", &targets, token, NOW));
    assert_eq!(verify(TOKEN).unwrap().jkt(), JKT);
    assert_eq!(verify("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxV").unwrap_err(), DpopError::WrongToken);
    assert_eq!(verify("").unwrap_err(), DpopError::WrongToken);
    assert_eq!(proof::token_hash(TOKEN), TOKEN_HASH);
}

// spec: RS-30
#[test]
fn the_key_is_compared_with_the_token_s_confirmation() {
    let targets = [target("https://server.example.com/token")];
    let verified = Proof::verify(TOKEN_REQUEST, &without_token(&targets, 1_562_262_616)).unwrap();
    // RFC 9449 section 6.1, figure 9, with the claims that RFC 9068 demands.
    let claims: AccessTokenClaims = serde_json::from_value(json!({
        "sub": "someone@example.com", "iss": "https://server.example.com", "nbf": 1_562_262_611,
        "exp": 1_562_266_216, "cnf": { "jkt": JKT },
        "aud": "https://resource.example.org", "client_id": "app", "iat": 1_562_262_611, "jti": "1",
    }))
    .unwrap();
    assert!(verified.is_bound_to(&claims.cnf.unwrap()));
    for other in ["", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4J", &JKT[1..], &JKT.to_lowercase()] {
        assert!(!verified.is_bound_to(&Confirmation::dpop(other)), "{other}");
    }
    assert!(!verified.is_bound_to(&Confirmation::default()));
    assert!(!verified.is_bound_to(&Confirmation::certificate(JKT)));
}

#[test]
fn the_errors_read_as_in_the_examples() {
    assert_eq!(
        DpopError::NonceMissing.challenge(&[Algorithm::ES256, Algorithm::PS256]).to_string(),
        "DPoP error=\"use_dpop_nonce\", \
         error_description=\"the proof needs the nonce that comes with this response\", algs=\"ES256 PS256\""
    );
    for error in [DpopError::Missing, DpopError::Several, DpopError::Replayed, DpopError::MissingClaim("ath")] {
        let challenge = error.challenge(DEFAULT_ALGORITHMS).to_string();
        assert!(challenge.starts_with("DPoP error=\"invalid_dpop_proof\""), "{challenge}");
        let error = crate::error::OAuthError::from(error);
        assert_eq!(error.code().as_str(), "invalid_dpop_proof");
        assert!(!error.description().contains('\''), "{error}");
    }
}
