//! The key in the header: public, fit for its algorithm, and nothing else.

use super::*;
use crate::{
    clock::{Random, RandomError},
    jwt::Jws,
    keys::SigningKey,
};

const ALL: [Algorithm; 5] = [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256];

fn with_jwk(key: &DpopKey, members: Value) -> Value {
    let mut header = header(key);
    header["jwk"] = with(header["jwk"].take(), members);
    header
}

// spec: RS-23
#[test]
fn a_key_with_any_private_member_is_refused_although_the_signature_is_good() {
    let key = key();
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"] {
        for value in [json!("AQ"), json!(""), json!(1), json!([]), json!({ "r": "AQ" })] {
            let header = with_jwk(&key, json!({ member: value }));
            assert_eq!(refusal_of_header(&key, header), DpopError::PrivateKey, "{member}");
        }
    }
    let null = header(&key).to_string().replacen(r#""crv""#, r#""d":null,"crv""#, 1);
    assert_eq!(refusal_of_header(&key, null), DpopError::PrivateKey);
    let escaped = header(&key).to_string().replacen(r#""crv""#, r#""\u0064":"AQ","crv""#, 1);
    assert_eq!(refusal_of_header(&key, escaped), DpopError::PrivateKey);
}

// spec: RS-23
#[test]
fn a_symmetric_key_is_refused() {
    let key = key();
    let oct = with(header(&key), json!({ "jwk": { "kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ" } }));
    assert_eq!(refusal_of_header(&key, oct.clone()), DpopError::SymmetricKey);
    assert_eq!(refusal_of_header(&key, with(oct, json!({ "alg": "HS256" }))), DpopError::AlgorithmNotAllowed);
    assert_eq!(refusal_of_header(&key, with_jwk(&key, json!({ "k": "AQ" }))), DpopError::SymmetricKey);
    assert_eq!(refusal_of_header(&key, with_jwk(&key, json!({ "kty": "oct" }))), DpopError::SymmetricKey);
}

// spec: RS-23
#[test]
fn there_is_a_key_and_it_is_a_json_web_key() {
    let key = key();
    assert_eq!(refusal_of_header(&key, with(header(&key), json!({ "jwk": null }))), DpopError::MissingKey);
    let null = r#"{"typ":"dpop+jwt","alg":"ES256","jwk":null}"#;
    assert_eq!(refusal_of_header(&key, null), DpopError::MissingKey);
    for jwk in [json!("key"), json!([]), json!(5), json!({}), json!([key.public_jwk()]), json!(key.jkt())] {
        assert_eq!(refusal_of_header(&key, with(header(&key), json!({ "jwk": jwk }))), DpopError::InvalidKey, "{jwk}");
    }
}

#[test]
fn a_member_of_the_key_has_its_type_and_appears_once() {
    let key = key();
    for members in [
        json!({ "kty": null }),
        json!({ "kty": "ec" }),
        json!({ "kty": ["EC"] }),
        json!({ "crv": null }),
        json!({ "crv": "P-384" }),
        json!({ "crv": "P-521" }),
        json!({ "crv": "secp256k1" }),
        json!({ "x": null }),
        json!({ "y": null }),
        json!({ "x": 5 }),
        json!({ "x": "AQ" }),
        json!({ "x": "!" }),
        // On no curve.
        json!({ "x": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE" }),
        json!({ "kty": "OKP" }),
        json!({ "kty": "RSA" }),
        json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" }),
    ] {
        assert_eq!(refusal_of_header(&key, with_jwk(&key, members.clone())), DpopError::InvalidKey, "{members}");
    }
    let repeated = header(&key).to_string().replacen(r#""crv""#, r#""crv":"P-256","crv""#, 1);
    assert_eq!(refusal_of_header(&key, repeated), DpopError::InvalidKey);
    let unknown_repeated = header(&key).to_string().replacen(r#""crv""#, r#""o":1,"o":1,"crv""#, 1);
    assert_eq!(refusal_of_header(&key, unknown_repeated), DpopError::InvalidKey);
    let many: String = (0..40).map(|i| format!(r#""m{i}":0,"#)).collect();
    let many = header(&key).to_string().replacen(r#""crv""#, &format!(r#"{many}"crv""#), 1);
    assert_eq!(refusal_of_header(&key, many), DpopError::InvalidKey);
}

#[test]
fn what_a_key_says_of_its_own_use_is_respected() {
    let key = key();
    for members in [
        json!({ "use": "enc" }),
        json!({ "use": 5 }),
        json!({ "key_ops": ["sign"] }),
        json!({ "key_ops": [] }),
        json!({ "key_ops": "verify" }),
        json!({ "alg": "ES384" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": 5 }),
    ] {
        assert_eq!(refusal_of_header(&key, with_jwk(&key, members.clone())), DpopError::InvalidKey, "{members}");
    }
    // What `crypto.subtle.exportKey` writes, and more.
    let members = json!({ "ext": true, "key_ops": ["verify"], "use": "sig", "alg": "ES256", "kid": "mine", "x5c": [] });
    let proof = forge(&key, with_jwk(&key, members), claims());
    assert_eq!(verdict(&proof).unwrap().jkt(), key.jkt());
}

// spec: RS-23
#[test]
fn an_algorithm_fits_its_key() {
    let keys = ALL.map(|algorithm| DpopKey::generate(algorithm).unwrap());
    for key in &keys {
        assert_eq!(verdict(&forge(key, header(key), claims())).unwrap().jkt(), key.jkt());
        for alg in ALL.iter().filter(|alg| **alg != key.algorithm()) {
            let refusal = refusal_of_header(key, with(header(key), json!({ "alg": alg })));
            let same_key = matches!(key.algorithm(), Algorithm::RS256 | Algorithm::PS256)
                && matches!(alg, Algorithm::RS256 | Algorithm::PS256);
            let expected = if same_key { DpopError::InvalidSignature } else { DpopError::InvalidKey };
            assert_eq!(refusal, expected, "{} as {alg}", key.algorithm());
        }
    }
}

#[test]
fn a_client_makes_proofs_that_verify_with_every_algorithm() {
    let targets = [target(URL)];
    for algorithm in Algorithm::ALL {
        let key = DpopKey::generate(*algorithm).unwrap();
        let url = format!("{URL}?page=2#top");
        let proof = key.proof("GET", &url, Some(TOKEN), Some("the-nonce"), NOW, &SystemRandom).unwrap();
        let request = ProofRequest::with_token("GET", &targets, TOKEN, NOW).with_algorithms(Algorithm::ALL);
        let verified = Proof::verify(&proof, &request).unwrap();
        assert_eq!((verified.jkt(), verified.nonce(), verified.iat()), (key.jkt(), Some("the-nonce"), NOW));
    }
}

#[test]
fn each_proof_of_a_client_has_an_identifier_of_its_own_and_a_url_without_query() {
    let key = key();
    let digest = || {
        let proof = key.proof("GET", &format!("{URL}?a=b"), Some(TOKEN), None, NOW, &SystemRandom).unwrap();
        let verified = verdict(&proof).unwrap();
        assert_eq!(verified.nonce(), None);
        verified.digest()
    };
    assert_ne!(digest(), digest());
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let fixed = DpopKey::from(key.clone()).proof("GET", &format!("{URL}?a=b"), None, None, NOW, &Fixed).unwrap();
    let jws = Jws::parse(&fixed).unwrap();
    let payload: Value = jws.verify(key.public_key()).unwrap().claims().unwrap();
    assert_eq!(payload, json!({ "jti": "BwcHBwcHBwcHBwcHBwcHBw", "htm": "GET", "htu": URL, "iat": NOW }));
}

#[derive(Debug)]
struct Fixed;

impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        bytes.fill(7);
        Ok(())
    }
}
