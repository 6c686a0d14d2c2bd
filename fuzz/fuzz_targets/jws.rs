//! Compact JWS: the whole text as it is, and then two lines as header and payload under a good signature.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth_core::jwt::{Algorithm, Jws};
use oauth_core_fuzz::{FORGER, KEY, KEYS, object, two_lines};
use serde_json::Value;

fuzz_target!(|text: &str| {
    if let Ok(jws) = Jws::parse(text) {
        assert_eq!(text.split('.').count(), 3);
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
        let _issuer = jws.unverified_issuer();
        for key in KEYS.keys() {
            assert!(jws.verify(key).is_err(), "a signature that nobody made");
        }
    }
    let (header, payload) = two_lines(text);
    let token = FORGER.forge(header, payload).expect("the key signs");
    let Ok(jws) = Jws::parse(&token) else { return };
    let Some(members) = object(header.as_bytes()) else { return };
    let alg = members.get("alg").and_then(Value::as_str).expect("there is an algorithm");
    assert_eq!(alg.parse(), Ok(jws.alg()));
    assert!(!members.contains_key("crit") && !members.contains_key("b64"));
    assert_eq!(jws.kid(), members.get("kid").and_then(Value::as_str));
    assert_eq!(jws.typ(), members.get("typ").and_then(Value::as_str));
    let verdict = jws.verify(KEY.public_key());
    assert_eq!(verdict.is_ok(), jws.alg() == Algorithm::EdDSA);
    if let Ok(verified) = verdict {
        assert_eq!(verified.payload(), payload.as_bytes());
    }
    if let (Some(issuer), Some(claims)) = (jws.unverified_issuer(), object(payload.as_bytes())) {
        assert_eq!(claims.get("iss").and_then(Value::as_str), Some(&*issuer));
    }
});
