//! Claims of an access token: what is read, is written and read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth_core::{
    claims::{AccessTokenClaims, Expectations},
    clock::UnixTime,
};
use oauth_core_fuzz::object;

const NOW: UnixTime = UnixTime(1_700_000_000);

fuzz_target!(|payload: &[u8]| {
    let Ok(mut claims) = AccessTokenClaims::from_json(payload) else { return };
    let Some(raw) = object(payload) else { return };
    assert_eq!(raw["iss"], claims.iss.as_str());
    assert!(raw["sub"].is_string() && raw["client_id"].is_string() && raw["jti"].is_string());
    assert!(raw["exp"].is_number() && raw["iat"].is_number());
    let verdict = Expectations::new("https://as.example", "https://api.example", NOW).check(&claims);
    if verdict.is_ok() {
        assert_eq!(raw["iss"], "https://as.example");
        assert!(claims.aud.iter().any(|aud| aud == "https://api.example"));
        assert!(claims.exp.0 + 30 > NOW.0 && claims.iat.0 <= NOW.0 + 30);
    }
    // JSON numbers and members of `cnf` that are not known here are not kept to the letter.
    claims.extra.clear();
    claims.authorization_details.clear();
    claims.cnf = claims.cnf.take().filter(|cnf| cnf.is_understood());
    let written = serde_json::to_vec(&claims).expect("claims are JSON");
    let again = AccessTokenClaims::from_json(&written);
    assert!(again.is_ok_and(|again| again == claims));
});
