//! Proofs that are wrong in one way each: none passes, and each for its reason.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;

fn b64(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

#[test]
fn the_proof_that_all_others_here_derive_from_is_good() {
    let key = key();
    let verified = verdict(&forge(&key, header(&key), claims())).unwrap();
    assert_eq!(verified.jkt(), key.jkt());
}

// spec: RS-23
#[test]
fn the_type_is_dpop_jwt_to_the_letter() {
    let key = key();
    for typ in ["JWT", "at+jwt", "DPOP+JWT", "application/dpop+jwt", "dpop+jwt ", "dpop", "jwt", ""] {
        let proof = forge(&key, with(header(&key), json!({ "typ": typ })), claims());
        assert_eq!(refusal(&proof), DpopError::WrongType, "{typ}");
    }
    assert_eq!(refusal_of_header(&key, with(header(&key), json!({ "typ": null }))), DpopError::WrongType);
}

// spec: RS-23
#[test]
fn an_algorithm_is_asymmetric_and_on_the_list() {
    let key = key();
    for alg in ["none", "None", "HS256", "HS512", "ES256K", "es256", "RSA-OAEP", "dir", ""] {
        let proof = forge(&key, with(header(&key), json!({ "alg": alg })), claims());
        assert_eq!(refusal(&proof), DpopError::AlgorithmNotAllowed, "{alg}");
    }
    assert_eq!(refusal_of_header(&key, with(header(&key), json!({ "alg": null }))), DpopError::AlgorithmNotAllowed);

    let proof = forge(&key, header(&key), claims());
    let targets = [target(URL)];
    let request = ProofRequest::with_token("GET", &targets, TOKEN, NOW);
    let with_algorithms = |algorithms| Proof::verify(&proof, &request.with_algorithms(algorithms)).err();
    assert_eq!(with_algorithms(&[Algorithm::ES256]), None);
    assert_eq!(with_algorithms(&[Algorithm::EdDSA, Algorithm::PS256]), Some(DpopError::AlgorithmNotAllowed));
    assert_eq!(with_algorithms(&[]), Some(DpopError::AlgorithmNotAllowed));
}

// spec: RS-23
#[test]
fn an_unsigned_proof_is_refused_in_every_spelling() {
    let key = key();
    let unsigned = with(header(&key), json!({ "alg": "none" })).to_string();
    for proof in [
        format!("{}.{}.", b64(&unsigned), b64(claims().to_string())),
        format!("{}.{}", b64(&unsigned), b64(claims().to_string())),
        format!("{}.{}.AA", b64(&unsigned), b64(claims().to_string())),
        format!("{}.{}.", b64(header(&key).to_string()), b64(claims().to_string())),
    ] {
        assert!(verdict(&proof).is_err(), "{proof}");
    }
}

// spec: RS-23
#[test]
fn the_signature_is_by_the_key_in_the_header_over_exactly_what_is_sent() {
    let [own, other] = [key(), key()];
    assert_eq!(refusal_of_header(&own, header(&other)), DpopError::InvalidSignature);

    let proof = forge(&own, header(&own), claims());
    let [head, payload, signature]: [&str; 3] = proof.split('.').collect::<Vec<_>>().try_into().unwrap();
    let another = b64(with(claims(), json!({ "jti": "another" })).to_string());
    assert_eq!(refusal(&format!("{head}.{another}.{signature}")), DpopError::InvalidSignature);
    let renamed = b64(with(header(&own), json!({ "kid": "x" })).to_string());
    assert_eq!(refusal(&format!("{renamed}.{payload}.{signature}")), DpopError::InvalidSignature);
    assert_eq!(refusal(&format!("{head}.{payload}.{}", b64([0; 64]))), DpopError::InvalidSignature);
    assert_eq!(refusal(&format!("{head}.{payload}.{}", b64([1; 63]))), DpopError::InvalidSignature);
}

#[test]
fn a_proof_is_one_compact_jws_and_not_too_large() {
    let key = key();
    let proof = forge(&key, header(&key), claims());
    for malformed in [
        String::new(),
        "..".into(),
        "a.b.c".into(),
        format!("{proof},{proof}"),
        format!("{proof}, {proof}"),
        format!("DPoP {proof}"),
        format!("{proof}=="),
        format!("{proof}.AA"),
        format!(" {proof}"),
        format!("{proof}\n"),
        forge(&key, "[]", claims()),
        forge(&key, "{", claims()),
    ] {
        assert_eq!(refusal(&malformed), DpopError::Malformed, "{malformed}");
    }
    let sized = |padding: usize| forge(&key, header(&key), with(claims(), json!({ "x": "a".repeat(padding) })));
    let rest = sized(0).len();
    assert!(verdict(&sized((MAX_PROOF_BYTES - rest) / 4 * 3 - 3)).is_ok());
    assert_eq!(refusal(&sized((MAX_PROOF_BYTES - rest) / 4 * 3 + 6)), DpopError::TooLarge);
    let padded = with(header(&key), json!({ "x": "a".repeat(4_096) }));
    assert_eq!(refusal_of_header(&key, padded), DpopError::TooLarge);
}

#[test]
fn no_extension_is_understood() {
    let key = key();
    for extension in [json!({ "crit": ["exp"] }), json!({ "crit": [] }), json!({ "b64": false, "crit": ["b64"] })] {
        assert_eq!(refusal_of_header(&key, with(header(&key), extension)), DpopError::CriticalExtension);
    }
}

#[test]
fn a_header_that_repeats_a_member_is_refused() {
    let key = key();
    let [own, other] = [&key, &super::key()].map(|key| json!(key.public_jwk()).to_string());
    let head = r#""typ":"dpop+jwt","alg":"ES256""#;
    assert!(verdict(&forge(&key, format!(r#"{{{head},"jwk":{own}}}"#), claims())).is_ok());
    for header in [
        format!(r#"{{{head},"jwk":{own},"jwk":{own}}}"#),
        format!(r#"{{{head},"jwk":{other},"jwk":{own}}}"#),
        format!(r#"{{{head},"jwk":{other},"j\u0077k":{own}}}"#),
        format!(r#"{{{head},"typ":"dpop+jwt","jwk":{own}}}"#),
        format!(r#"{{{head},"kid":"a","kid":"a","jwk":{own}}}"#),
    ] {
        assert_eq!(refusal_of_header(&key, header), DpopError::Malformed);
    }
}

// spec: RS-23
#[test]
fn what_else_the_header_says_of_keys_is_not_believed() {
    let [own, attacker] = [key(), key()];
    let foreign = json!({
        "kid": own.jkt(),
        "jku": "https://attacker.example/jwks",
        "x5u": "https://attacker.example/x5u",
        "x5c": ["MIIB"],
    });
    let proof = forge(&attacker, with(header(&attacker), foreign.clone()), claims());
    assert_eq!(verdict(&proof).unwrap().jkt(), attacker.jkt());
    let without = with(with(header(&own), foreign), json!({ "jwk": null }));
    assert_eq!(refusal_of_header(&own, without), DpopError::MissingKey);
}

// spec: SEC-07
#[test]
fn neither_debug_output_nor_an_error_shows_a_token_or_a_claim() {
    let key = key();
    let targets = [target(URL)];
    let request = ProofRequest::with_token("GET", &targets, TOKEN, NOW);
    let proof = forge(&key, header(&key), with(claims(), json!({ "nonce": "the-nonce" })));
    let verified = Proof::verify(&proof, &request).unwrap();
    let nonces = DpopNonces::from_bytes([7; 32]);
    let shown = format!("{request:?} {verified:?} {key:?} {nonces:?} {:?}", MemoryReplayCache::default());
    for hidden in [TOKEN, TOKEN_HASH, "e1j3V_bKic8-LAEB", "the-nonce"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    let error = refusal_of_claims(with(claims(), json!({ "htm": { "secret": "hunter2" } })));
    assert_eq!(error.to_string(), "the claim htm of the proof is malformed");
}
