mod wycheproof;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const RFC_7638_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKR\
     XjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0\
     zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU\
     8awapJzKnqDKgw";
const RFC_8037_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const RFC_7515_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const RFC_7515_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

fn rsa() -> Value {
    json!({ "kty": "RSA", "n": RFC_7638_N, "e": "AQAB" })
}

fn ec() -> Value {
    json!({ "kty": "EC", "crv": "P-256", "x": RFC_7515_X, "y": RFC_7515_Y })
}

fn ed() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": RFC_8037_X })
}

/// `key` with other members; `null` removes one.
fn with(mut key: Value, members: Value) -> Value {
    let object = key.as_object_mut().unwrap();
    let Value::Object(members) = members else { panic!("members come as an object") };
    object.extend(members);
    object.retain(|_, value| !value.is_null());
    key
}

fn set(keys: Value) -> JwkSet {
    let document = Value::Object([("keys".to_owned(), keys)].into_iter().collect());
    JwkSet::parse(document.to_string().as_bytes()).unwrap()
}

/// What becomes of one key.
fn reason(key: &Value) -> Option<SkipReason> {
    set(json!([key])).skipped().first().map(|skipped| skipped.reason)
}

fn algorithms(key: &Value) -> Vec<Algorithm> {
    set(json!([key])).keys().first().map(|key| key.algorithms().collect()).unwrap_or_default()
}

fn names(set: &JwkSet, kid: Option<&str>, alg: Algorithm) -> Vec<String> {
    set.candidates(kid, alg).map(|key| key.thumbprint().to_owned()).collect()
}

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm).unwrap()
}

#[test]
fn the_thumbprints_are_those_of_the_rfcs() {
    let thumbprint = |key: Value| set(json!([key])).keys().first().unwrap().thumbprint().to_owned();
    // RFC 7638 section 3.1, with members that must not count.
    let example = with(rsa(), json!({ "alg": "RS256", "kid": "2011-04-29" }));
    assert_eq!(thumbprint(example), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    // RFC 8037 appendix A.3.
    assert_eq!(thumbprint(ed()), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn a_leading_zero_octet_that_some_libraries_write_changes_nothing() {
    let bytes = URL_SAFE_NO_PAD.decode(RFC_7638_N).unwrap();
    let n = URL_SAFE_NO_PAD.encode([&[0], bytes.as_slice()].concat());
    let set = set(json!([with(rsa(), json!({ "n": n, "e": "AAEAAQ" }))]));
    assert_eq!(set.keys().first().unwrap().thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn the_algorithms_follow_from_the_key_and_its_own_alg() {
    use Algorithm::*;
    assert_eq!(algorithms(&rsa()), [RS256, RS384, RS512, PS256, PS384, PS512]);
    assert_eq!(algorithms(&with(rsa(), json!({ "alg": "PS384" }))), [PS384]);
    assert_eq!(algorithms(&ec()), [ES256]);
    assert_eq!(algorithms(&ed()), [EdDSA]);
    assert_eq!(algorithms(&with(ed(), json!({ "alg": "Ed25519" }))), [EdDSA]);
}

#[test]
fn one_bad_key_never_spoils_the_others() {
    let small = URL_SAFE_NO_PAD.encode([0xff; 64]);
    let document = json!({ "keys": [
        { "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "post-quantum" },
        { "kty": "OKP", "crv": "X25519", "x": RFC_8037_X, "use": "enc" },
        with(ec(), json!({ "kid": "twice" })),
        { "kty": "EC", "crv": "secp256k1", "x": RFC_7515_X, "y": RFC_7515_Y },
        with(ed(), json!({ "kid": "twice" })),
        { "kty": "oct", "k": "AAAA", "kid": 5 },
        with(rsa(), json!({ "n": small })),
        17,
        null,
        "key",
        {},
        with(rsa(), json!({ "kid": "last", "x5c": ["MIIB"], "unknown": { "deep": [] } })),
    ]});
    let set = JwkSet::parse(document.to_string().as_bytes()).unwrap();
    let kids: Vec<_> = set.keys().iter().map(PublicKey::kid).collect();
    assert_eq!(kids, [Some("twice"), Some("twice"), Some("last")]);
    let skipped: Vec<_> = set.skipped().iter().map(|skipped| (skipped.index, skipped.reason)).collect();
    assert_eq!(
        skipped,
        [
            (0, SkipReason::UnsupportedKeyType),
            (1, SkipReason::NotForSignatures),
            (3, SkipReason::UnsupportedCurve),
            (5, SkipReason::Symmetric),
            (6, SkipReason::TooSmall),
            (7, SkipReason::Malformed),
            (8, SkipReason::Malformed),
            (9, SkipReason::Malformed),
            (10, SkipReason::Malformed),
        ],
    );
    assert_eq!(set.skipped().first().unwrap().kid.as_deref(), Some("post-quantum"));
}

#[test]
fn each_unfit_key_is_skipped_for_its_own_reason() {
    let odd = |bytes: usize| URL_SAFE_NO_PAD.encode(vec![0xff; bytes]);
    let cases = [
        (with(rsa(), json!({ "use": "sig", "key_ops": ["verify"] })), None),
        (with(rsa(), json!({ "use": "enc" })), Some(SkipReason::NotForSignatures)),
        (with(rsa(), json!({ "use": "other" })), Some(SkipReason::NotForSignatures)),
        (with(rsa(), json!({ "key_ops": ["encrypt", "wrapKey"] })), Some(SkipReason::NotForSignatures)),
        (with(rsa(), json!({ "key_ops": [] })), Some(SkipReason::NotForSignatures)),
        (with(rsa(), json!({ "alg": "RSA-OAEP" })), Some(SkipReason::UnsupportedAlgorithm)),
        (with(rsa(), json!({ "alg": "ES256" })), Some(SkipReason::UnsupportedAlgorithm)),
        (with(rsa(), json!({ "alg": "HS256" })), Some(SkipReason::UnsupportedAlgorithm)),
        (with(rsa(), json!({ "alg": "none" })), Some(SkipReason::UnsupportedAlgorithm)),
        (with(ec(), json!({ "alg": "ES384" })), Some(SkipReason::UnsupportedAlgorithm)),
        (with(ed(), json!({ "alg": "ES256" })), Some(SkipReason::UnsupportedAlgorithm)),
        (with(rsa(), json!({ "alg": 5 })), Some(SkipReason::Malformed)),
        (with(rsa(), json!({ "use": 5 })), Some(SkipReason::Malformed)),
        (with(rsa(), json!({ "kid": ["a"] })), Some(SkipReason::Malformed)),
        (with(rsa(), json!({ "kty": 5 })), Some(SkipReason::Malformed)),
        (with(rsa(), json!({ "n": null })), Some(SkipReason::Malformed)),
        (with(rsa(), json!({ "n": 5 })), Some(SkipReason::Malformed)),
        (with(rsa(), json!({ "n": "+/+/" })), Some(SkipReason::Malformed)),
        (with(rsa(), json!({ "n": "" })), Some(SkipReason::TooSmall)),
        (with(rsa(), json!({ "n": odd(255) })), Some(SkipReason::TooSmall)),
        (with(rsa(), json!({ "n": URL_SAFE_NO_PAD.encode([0x7f; 256]) })), Some(SkipReason::TooSmall)),
        (with(rsa(), json!({ "n": odd(1024) })), None),
        (with(rsa(), json!({ "n": odd(1025) })), Some(SkipReason::TooLarge)),
        (with(rsa(), json!({ "e": "" })), Some(SkipReason::InvalidKey)),
        (with(rsa(), json!({ "e": "AQ" })), Some(SkipReason::InvalidKey)),
        (with(rsa(), json!({ "e": "AQAA" })), Some(SkipReason::InvalidKey)),
        (with(rsa(), json!({ "e": odd(5) })), Some(SkipReason::InvalidKey)),
        (with(ec(), json!({ "y": RFC_7515_X })), Some(SkipReason::InvalidKey)),
        (with(ec(), json!({ "y": odd(31) })), Some(SkipReason::InvalidKey)),
        (with(ec(), json!({ "y": null })), Some(SkipReason::Malformed)),
        (with(ec(), json!({ "crv": "P-384" })), Some(SkipReason::InvalidKey)),
        (with(ec(), json!({ "crv": "P-521" })), Some(SkipReason::UnsupportedCurve)),
        (with(ed(), json!({ "crv": "Ed448" })), Some(SkipReason::UnsupportedCurve)),
        (with(ed(), json!({ "crv": "P-256" })), Some(SkipReason::UnsupportedCurve)),
        (with(ed(), json!({ "x": odd(44) })), Some(SkipReason::InvalidKey)),
    ];
    for (key, expected) in cases {
        assert_eq!(reason(&key), expected, "{key}");
    }
}

#[test]
fn a_key_has_one_encoding_even_where_the_library_would_take_another() {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    // The same point, cut in the wrong place.
    let point = [decode(RFC_7515_X), decode(RFC_7515_Y)].concat();
    let (x, y) = point.split_at(31);
    assert_eq!(reason(&with(ec(), json!({ "x": encode(x), "y": encode(y) }))), Some(SkipReason::InvalidKey));
    // The same key as a SubjectPublicKeyInfo (RFC 8410 section 4).
    let spki = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".to_vec(), decode(RFC_8037_X)].concat();
    assert_eq!(reason(&with(ed(), json!({ "x": encode(&spki) }))), Some(SkipReason::InvalidKey));
}

// spec: MET-08
#[test]
fn a_key_that_reveals_a_private_or_symmetric_member_is_never_used() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"] {
        for key in [rsa(), ec(), ed()] {
            assert_eq!(reason(&with(key, json!({ member: "AAAA" }))), Some(SkipReason::Private), "{member}");
        }
    }
    assert_eq!(reason(&with(rsa(), json!({ "k": "AAAA" }))), Some(SkipReason::Symmetric));
    assert_eq!(reason(&json!({ "kty": "oct" })), Some(SkipReason::Symmetric));
}

// spec: MET-08
#[test]
fn a_published_key_has_kid_use_and_alg_and_public_members_only() {
    let allowed = ["kty", "kid", "use", "alg", "n", "e", "crv", "x", "y"];
    let keys = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA].map(key);
    let document = serde_json::to_value(JwkDocument::of(&keys)).unwrap();
    let published = document.get("keys").unwrap().as_array().unwrap();
    assert_eq!(published.len(), 5);
    for (jwk, key) in published.iter().zip(&keys) {
        let members = jwk.as_object().unwrap();
        assert!(members.keys().all(|member| allowed.contains(&member.as_str())), "{jwk}");
        assert_eq!(members.get("use").unwrap(), "sig");
        assert_eq!(members.get("alg").unwrap(), key.algorithm().as_str());
        assert_eq!(members.get("kid").unwrap(), key.kid());
    }
    let read = JwkSet::parse(document.to_string().as_bytes()).unwrap();
    assert_eq!((read.keys().len(), read.skipped()), (5, [].as_slice()));
    let again: JwkDocument = serde_json::from_value(document).unwrap();
    assert_eq!(again, JwkDocument::of(&keys));
}

// spec: MET-11
#[test]
fn where_a_kid_repeats_every_key_that_fits_the_algorithm_is_a_candidate() {
    let [one, two, other] = [Algorithm::ES256, Algorithm::ES256, Algorithm::EdDSA].map(key);
    let same_kid = [&one, &two, &other].map(|key| with(json!(key.public_jwk()), json!({ "kid": "same" })));
    let set = set(json!(same_kid));
    assert_eq!(names(&set, Some("same"), Algorithm::ES256), [one.kid(), two.kid()]);
    assert_eq!(names(&set, Some("same"), Algorithm::EdDSA), [other.kid()]);
    assert_eq!(names(&set, Some("same"), Algorithm::RS256), [""; 0]);
    assert_eq!(names(&set, Some("SAME"), Algorithm::ES256), [""; 0]);
}

#[test]
fn without_a_kid_every_fitting_key_is_a_candidate_and_a_nameless_key_is_none_for_a_kid() {
    let [one, two] = [Algorithm::ES256, Algorithm::ES256].map(key);
    let nameless = with(json!(two.public_jwk()), json!({ "kid": null }));
    let set = set(json!([one.public_jwk(), nameless]));
    assert_eq!(names(&set, None, Algorithm::ES256), [one.kid(), two.kid()]);
    assert_eq!(names(&set, Some(two.kid()), Algorithm::ES256), [""; 0]);
}

#[test]
fn the_number_of_keys_is_bounded_and_the_first_ones_count() {
    let many: Vec<_> = (0..JwkSet::MAX_KEYS + 5).map(|i| with(ed(), json!({ "kid": i.to_string() }))).collect();
    let set = set(json!(many));
    assert_eq!(set.keys().len(), JwkSet::MAX_KEYS);
    let skipped: Vec<_> = set.skipped().iter().map(|skipped| (skipped.index, skipped.reason)).collect();
    assert_eq!(skipped, [(JwkSet::MAX_KEYS, SkipReason::TooMany)]);
}

#[test]
fn a_document_that_is_no_key_set_is_an_error() {
    for bad in [
        "",
        "[]",
        "{}",
        "null",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        r#"{"keys":[]"#,
        r#"{"keys":[],"keys":[]}"#,
        "[[]]",
        "\t[[{}]]",
    ] {
        assert_eq!(JwkSet::parse(bad.as_bytes()).unwrap_err(), JwkError::Malformed, "{bad}");
    }
    assert!(JwkSet::parse(br#"{"keys":[],"more":1}"#).is_ok());
    assert_eq!(JwkSet::parse(&vec![b' '; JwkSet::MAX_BYTES + 1]).unwrap_err(), JwkError::TooLarge);
}

proptest! {
    #[test]
    fn any_bytes_never_panic(document in any::<Vec<u8>>()) {
        drop(JwkSet::parse(&document));
    }

    #[test]
    fn any_members_never_panic(
        kty in prop_oneof![Just("RSA"), Just("EC"), Just("OKP"), Just("AKP")],
        crv in prop_oneof![Just("P-256"), Just("P-384"), Just("Ed25519"), Just("")],
        values in any::<[Vec<u8>; 4]>(),
    ) {
        let [n, e, x, y] = values.map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        drop(set(json!([{ "kty": kty, "crv": crv, "n": n, "e": e, "x": x, "y": y }])));
    }
}
