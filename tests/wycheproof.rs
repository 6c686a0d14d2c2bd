//! Project Wycheproof's vectors, through what everybody can call: their keys as JWKs, their signatures in tokens.
//!
//! A JWS signs its own text, so a vector's message cannot be the message here, and no vector's signature may be good:
//! not even one that is made to fit any message, as r = s = 0.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    jwk::{JwkSet, PublicKey, SkipReason},
    jwt::{Algorithm, Jws, JwtError},
};
use serde_json::{Value, json};
use wycheproof::{HashFunction, ecdh, ecdsa, eddsa, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

/// One key and the signatures that are tried on it.
struct Group {
    algorithm: Algorithm,
    jwk: Value,
    signatures: Vec<Vec<u8>>,
}

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An integer without its leading zeros, or with just as many as fill `length`.
fn integer(bytes: &[u8], length: usize) -> String {
    let digits: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    let zeros = length.saturating_sub(digits.len());
    b64(&[vec![0; zeros], digits].concat())
}

fn parse(jwk: &Value) -> JwkSet {
    JwkSet::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap()
}

fn key(group: &Group) -> PublicKey {
    let set = parse(&group.jwk);
    assert_eq!(set.skipped(), [], "{}", group.jwk);
    set.keys()[0].clone()
}

fn ecdsa_groups(name: ecdsa::TestName, algorithm: Algorithm, crv: &str, length: usize) -> Vec<Group> {
    let groups = ecdsa::TestSet::load(name).unwrap().test_groups.into_iter();
    let group = |group: ecdsa::TestGroup| Group {
        algorithm,
        jwk: json!({
            "kty": "EC",
            "crv": crv,
            "x": integer(&group.key.affine_x, length),
            "y": integer(&group.key.affine_y, length),
        }),
        signatures: group.tests.into_iter().map(|test| test.sig.to_vec()).collect(),
    };
    groups.map(group).collect()
}

fn eddsa_groups() -> Vec<Group> {
    let groups = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups.into_iter();
    let group = |group: eddsa::TestGroup| Group {
        algorithm: Algorithm::EdDSA,
        jwk: json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(&group.key.pk) }),
        signatures: group.tests.into_iter().map(|test| test.sig.to_vec()).collect(),
    };
    groups.map(group).collect()
}

fn rsa_jwk(n: &[u8], e: &[u8]) -> Value {
    json!({ "kty": "RSA", "n": integer(n, 0), "e": integer(e, 0) })
}

/// The sets whose names say 2048 to 8192 bits and one of the three hashes of RFC 7518.
fn pkcs1_groups() -> Vec<Group> {
    let sets = pkcs1::TestName::all().into_iter().map(|name| pkcs1::TestSet::load(name).unwrap());
    let group = |group: pkcs1::TestGroup| {
        let algorithm = match group.hash {
            HashFunction::Sha2_256 => Algorithm::RS256,
            HashFunction::Sha2_384 => Algorithm::RS384,
            HashFunction::Sha2_512 => Algorithm::RS512,
            _ => return None,
        };
        let signatures = group.tests.into_iter().map(|test| test.sig.to_vec()).collect();
        (group.key_size >= 2048).then(|| Group { algorithm, jwk: rsa_jwk(&group.key.n, &group.key.e), signatures })
    };
    sets.flat_map(|set| set.test_groups).filter_map(group).collect()
}

fn pss_groups() -> Vec<Group> {
    let sets = pss::TestName::all().into_iter().map(|name| pss::TestSet::load(name).unwrap());
    let group = |group: pss::TestGroup| {
        let algorithm = match group.hash {
            HashFunction::Sha2_256 => Algorithm::PS256,
            HashFunction::Sha2_384 => Algorithm::PS384,
            HashFunction::Sha2_512 => Algorithm::PS512,
            _ => return None,
        };
        let signatures = group.tests.into_iter().map(|test| test.sig.to_vec()).collect();
        (group.key_size >= 2048).then(|| Group { algorithm, jwk: rsa_jwk(&group.key.n, &group.key.e), signatures })
    };
    sets.flat_map(|set| set.test_groups).filter_map(group).collect()
}

/// Tries every signature of `groups` on a token of ours; how many there were, and on how many keys.
fn refused(groups: &[Group]) -> (usize, usize) {
    let mut count = 0;
    for group in groups {
        let key = key(group);
        assert!(key.algorithms().any(|own| own == group.algorithm));
        let input = format!("{}.{}", b64(format!(r#"{{"alg":"{}"}}"#, group.algorithm).as_bytes()), b64(b"123400"));
        for signature in &group.signatures {
            count += 1;
            let token = format!("{input}.{}", b64(signature));
            // An empty signature is no compact JWS at all.
            let verdict = Jws::parse(&token).and_then(|jws| jws.verify(&key).map(drop));
            let expected = if signature.is_empty() { JwtError::NotCompact } else { JwtError::InvalidSignature };
            assert_eq!(verdict, Err(expected), "{token}");
        }
    }
    (groups.len(), count)
}

#[test]
fn no_ecdsa_signature_of_wycheproof_is_good_for_a_token_of_ours() {
    let p256 = ecdsa_groups(ecdsa::TestName::EcdsaSecp256r1Sha256P1363, Algorithm::ES256, "P-256", 32);
    assert_eq!(refused(&p256), (112, 262));
    let p384 = ecdsa_groups(ecdsa::TestName::EcdsaSecp384r1Sha384P1363, Algorithm::ES384, "P-384", 48);
    assert_eq!(refused(&p384), (104, 280));
    // RFC 7518 section 3.4 wants R and S side by side: the DER form is not looked at.
    let der = ecdsa_groups(ecdsa::TestName::EcdsaSecp256r1Sha256, Algorithm::ES256, "P-256", 32);
    assert_eq!(refused(&der), (113, 484));
}

#[test]
fn no_ed25519_signature_of_wycheproof_is_good_for_a_token_of_ours() {
    assert_eq!(refused(&eddsa_groups()), (78, 151));
}

#[test]
fn no_rsa_signature_of_wycheproof_is_good_for_a_token_of_ours() {
    assert_eq!(refused(&pkcs1_groups()), (17, 3106));
    assert_eq!(refused(&pss_groups()), (195, 2206));
}

/// How many points of `name` are keys, and how many are not.
fn points(name: ecdh::TestName, crv: &str, length: usize) -> (usize, usize) {
    let mut counts = (0, 0);
    for test in ecdh::TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
        // A JWK holds both coordinates: it cannot say a compressed point.
        let Some((4, point)) = test.public_key.split_first().map(|(form, rest)| (*form, rest)) else { continue };
        let (x, y) = point.split_at(length);
        let set = parse(&json!({ "kty": "EC", "crv": crv, "x": b64(x), "y": b64(y) }));
        let reason = set.skipped().first().map(|skipped| skipped.reason);
        if test.result.must_fail() {
            assert_eq!(reason, Some(SkipReason::InvalidKey), "{}", test.comment);
            counts.1 += 1;
        } else {
            assert_eq!(reason, None, "{}", test.comment);
            counts.0 += 1;
        }
    }
    counts
}

#[test]
fn a_point_that_is_not_on_its_curve_is_no_key() {
    assert_eq!(points(ecdh::TestName::EcdhSecp256r1Ecpoint, "P-256", 32), (330, 16));
    assert_eq!(points(ecdh::TestName::EcdhSecp384r1Ecpoint, "P-384", 48), (771, 16));
}
