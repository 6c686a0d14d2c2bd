//! Whatever comes in, an answer comes out.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn any_text_is_refused_without_a_panic(proof in ".*") {
        prop_assert!(verdict(&proof).is_err());
    }

    #[test]
    fn any_header_and_payload_is_refused_without_a_panic(header in any::<Vec<u8>>(), payload in any::<Vec<u8>>()) {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
        let proof = format!("{header}.{payload}.AAAA");
        prop_assert!(verdict(&proof).is_err());
    }

    #[test]
    fn any_value_in_the_place_of_the_key_is_refused(jwk in json(), alg in "ES256|EdDSA|RS256") {
        let proof = forge(&key(), json!({ "typ": "dpop+jwt", "alg": alg, "jwk": jwk }), claims());
        prop_assert!(verdict(&proof).is_err());
    }

    #[test]
    fn any_signed_payload_is_refused_without_a_panic(payload in ".*", value in json()) {
        let key = key();
        prop_assert!(verdict(&forge(&key, header(&key), payload)).is_err());
        prop_assert!(verdict(&forge(&key, header(&key), value)).is_err());
    }

    #[test]
    fn any_value_in_the_place_of_a_claim_is_judged(name in "jti|htm|htu|iat|ath", value in json()) {
        let key = key();
        let claims = with(claims(), json!({ &name: &value }));
        let judged = verdict(&forge(&key, header(&key), claims));
        // Any string is an identifier.
        prop_assert_eq!(judged.is_ok(), name == "jti" && value.as_str().is_some_and(|jti| !jti.is_empty()));
    }

    #[test]
    fn no_bit_of_a_proof_can_change(byte in 0_usize..600, bit in 0_u8..7) {
        let key = key();
        let mut proof = forge(&key, header(&key), claims()).into_bytes();
        let byte = byte % proof.len();
        proof[byte] ^= 1 << bit;
        prop_assert!(String::from_utf8(proof).is_ok_and(|proof| verdict(&proof).is_err()));
    }

    #[test]
    fn normalization_never_panics_and_happens_once(uri in ".*", path in "[/.%a-fA-F0-9~|]{0,40}", port in any::<u16>()) {
        drop(TargetUri::parse(&uri));
        if let Ok(target) = TargetUri::parse(&format!("https://h:{port}/{path}")) {
            prop_assert_eq!(&TargetUri::parse(target.as_str()).unwrap(), &target);
            prop_assert!(!target.as_str().contains("/../") && !target.as_str().contains("/./"));
        }
    }

    #[test]
    fn no_text_but_the_issued_one_is_a_nonce(text in ".*", now in any::<u64>()) {
        prop_assert_eq!(DpopNonces::from_bytes([7; 32]).check(&text, UnixTime(now)), NonceCheck::Unknown);
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(true)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n)),
        "[a-zA-Z0-9_-]{0,43}".prop_map(|s| json!(s)),
    ];
    let name = "kty|crv|x|y|n|e|d|k|alg|use|key_ops|EC|[a-z]{1,3}";
    leaf.prop_recursive(3, 24, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|values| json!(values)),
            prop::collection::btree_map(name, inner, 0..8).prop_map(|members| json!(members)),
        ]
    })
}
