//! Project Wycheproof's signature vectors, each over its own message: no public function can do that, since a JWS signs
//! its own text.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use wycheproof::{
    HashFunction, TestResult, ecdsa, eddsa, rsa_pkcs1_verify as pkcs1,
    rsa_pss_verify::{self as pss, TestName as Pss},
};

use crate::{
    jwk::JwkSet,
    jwt::{Algorithm, JwtError},
};

/// How many vectors were accepted and refused, all as they should.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    valid: usize,
    invalid: usize,
}

impl Counts {
    /// Checks one vector. What is merely "acceptable" (a missing NULL in PKCS #1) is refused here.
    fn check(&mut self, (jwk, algorithm): (&Value, Algorithm), (message, signature): (&[u8], &[u8]), good: bool) {
        let set = JwkSet::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap();
        assert_eq!(set.skipped(), [], "{jwk}");
        let verdict = set.keys()[0].verify(algorithm, message, signature);
        let expected = if good { Ok(()) } else { Err(JwtError::InvalidSignature) };
        assert_eq!(verdict, expected, "{algorithm} {jwk} {signature:02x?}");
        *(if good { &mut self.valid } else { &mut self.invalid }) += 1;
    }
}

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An integer without its leading zeros, or with just as many as fill `length`.
fn integer(bytes: &[u8], length: usize) -> String {
    let digits: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    b64(&[vec![0; length.saturating_sub(digits.len())], digits].concat())
}

fn ecdsa(name: ecdsa::TestName, algorithm: Algorithm, crv: &str, length: usize) -> Counts {
    let mut counts = Counts::default();
    for group in ecdsa::TestSet::load(name).unwrap().test_groups {
        let (x, y) = (integer(&group.key.affine_x, length), integer(&group.key.affine_y, length));
        let jwk = json!({ "kty": "EC", "crv": crv, "x": x, "y": y });
        for test in group.tests {
            counts.check((&jwk, algorithm), (&test.msg, &test.sig), test.result == TestResult::Valid);
        }
    }
    counts
}

#[test]
fn the_ecdsa_vectors_of_wycheproof_are_judged_as_they_should() {
    let p256 = ecdsa(ecdsa::TestName::EcdsaSecp256r1Sha256P1363, Algorithm::ES256, "P-256", 32);
    assert_eq!(p256, Counts { valid: 173, invalid: 89 });
    let p384 = ecdsa(ecdsa::TestName::EcdsaSecp384r1Sha384P1363, Algorithm::ES384, "P-384", 48);
    assert_eq!(p384, Counts { valid: 193, invalid: 87 });
}

#[test]
fn the_ed25519_vectors_of_wycheproof_are_judged_as_they_should() {
    let mut counts = Counts::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(&group.key.pk) });
        for test in group.tests {
            counts.check((&jwk, Algorithm::EdDSA), (&test.msg, &test.sig), test.result == TestResult::Valid);
        }
    }
    assert_eq!(counts, Counts { valid: 88, invalid: 63 });
}

#[test]
fn the_rsa_pkcs1_vectors_of_wycheproof_are_judged_as_they_should() {
    let mut counts = Counts::default();
    let sets = pkcs1::TestName::all().into_iter().map(|name| pkcs1::TestSet::load(name).unwrap());
    for group in sets.flat_map(|set| set.test_groups) {
        let algorithm = match group.hash {
            HashFunction::Sha2_256 => Algorithm::RS256,
            HashFunction::Sha2_384 => Algorithm::RS384,
            HashFunction::Sha2_512 => Algorithm::RS512,
            _ => continue,
        };
        let jwk = json!({ "kty": "RSA", "n": integer(&group.key.n, 0), "e": integer(&group.key.e, 0) });
        for test in group.tests {
            counts.check((&jwk, algorithm), (&test.msg, &test.sig), test.result == TestResult::Valid);
        }
    }
    assert_eq!(counts, Counts { valid: 89, invalid: 3017 });
}

/// The groups of `names`, with the key of each, and the algorithm that its hash names.
fn pss_groups(names: &[Pss]) -> impl Iterator<Item = (Value, Algorithm, Vec<pss::Test>)> {
    names.iter().flat_map(|name| pss::TestSet::load(*name).unwrap().test_groups).map(|group| {
        let algorithm = match group.hash {
            HashFunction::Sha2_256 => Algorithm::PS256,
            HashFunction::Sha2_384 => Algorithm::PS384,
            _ => Algorithm::PS512,
        };
        let jwk = json!({ "kty": "RSA", "n": integer(&group.key.n, 0), "e": integer(&group.key.e, 0) });
        (jwk, algorithm, group.tests)
    })
}

#[test]
fn the_rsa_pss_vectors_of_wycheproof_are_judged_as_they_should() {
    let mut counts = Counts::default();
    let names = [
        Pss::RsaPss2048Sha256Mgf1SaltLen32,
        Pss::RsaPss2048Sha384Mgf1SaltLen48,
        Pss::RsaPss3072Sha256Mgf1SaltLen32,
        Pss::RsaPss4096Sha256Mgf1SaltLen32,
        Pss::RsaPss4096Sha384Mgf1SaltLen48,
        Pss::RsaPss4096Sha512Mgf1SaltLen64,
    ];
    for (jwk, algorithm, tests) in pss_groups(&names) {
        for test in tests {
            counts.check((&jwk, algorithm), (&test.msg, &test.sig), test.result == TestResult::Valid);
        }
    }
    assert_eq!(counts, Counts { valid: 511, invalid: 274 });
}

// RFC 7518 section 3.5: "The size of the salt value is the same size as the hash function output", and the mask is made
// with the same hash.
#[test]
fn a_pss_signature_that_is_good_with_another_salt_or_mask_is_refused() {
    let mut counts = Counts::default();
    let names = [
        Pss::RsaPss2048Sha256Mgf1SaltLen0,
        Pss::RsaPss2048Sha256Mgf1Sha1_20,
        Pss::RsaPss2048Sha512Mgf1Sha256SaltLen32WithParams,
        Pss::RsaPss4096Sha512Mgf1SaltLen32,
    ];
    for (jwk, algorithm, tests) in pss_groups(&names) {
        // What is invalid there may be right here: the other salt may be the one that the RFC wants.
        for test in tests.into_iter().filter(|test| test.result == TestResult::Valid) {
            counts.check((&jwk, algorithm), (&test.msg, &test.sig), false);
        }
    }
    assert_eq!(counts, Counts { valid: 0, invalid: 61 + 63 + 132 + 132 });
}
