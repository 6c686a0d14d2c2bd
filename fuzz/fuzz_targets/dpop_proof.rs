//! DPoP proofs: two lines as header and claims under a good signature, `$JWK` standing for the key.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use oauth_core::{
    clock::UnixTime,
    dpop::{Proof, ProofRequest, TargetUri},
};
use oauth_core_fuzz::{FORGER, object, two_lines};

const NOW: UnixTime = UnixTime(1_700_000_000);
static TARGETS: LazyLock<[TargetUri; 1]> =
    LazyLock::new(|| [TargetUri::parse("https://api.example/notes").expect("a URI")]);
static JWK: LazyLock<String> = LazyLock::new(|| serde_json::to_string(FORGER.public_jwk()).expect("a key is JSON"));

fuzz_target!(|text: &str| {
    let request = ProofRequest::without_token("POST", &*TARGETS, NOW);
    assert!(Proof::verify(text, &request).is_err(), "a signature that nobody made");
    let (header, payload) = two_lines(text);
    let header = header.replace("$JWK", &JWK);
    let proof = FORGER.forge(&header, payload).expect("the key signs");
    let Ok(verified) = Proof::verify(&proof, &request) else { return };
    assert_eq!(verified.jkt(), FORGER.jkt());
    assert!(verified.good_until() > NOW);
    let Some(header) = object(header.as_bytes()) else { return };
    assert_eq!(header["typ"], "dpop+jwt");
    assert!(header["jwk"].get("d").is_none() && !header.contains_key("crit"));
    let Some(claims) = object(payload.as_bytes()) else { return };
    assert_eq!(claims["htm"], "POST");
    assert!(claims["jti"].as_str().is_some_and(|jti| !jti.is_empty()));
    let iat = claims["iat"].as_f64().expect("a number");
    assert!((NOW.0 as f64 - 60.0..NOW.0 as f64 + 11.0).contains(&iat));
    assert!(!claims.contains_key("ath"));
    assert_eq!(claims["htu"].as_str().map(TargetUri::parse), Some(Ok(TARGETS[0].clone())));
    let with_token = ProofRequest::with_token("POST", &*TARGETS, "token", NOW);
    assert!(Proof::verify(&proof, &with_token).is_err(), "without ath there is no binding");
});
