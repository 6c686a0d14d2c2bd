use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    jwk::{JwkSet, PublicKey},
    keys::SigningKey,
};

fn b64(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// A token whose signature is nonsense.
fn unsigned(header: impl AsRef<[u8]>) -> String {
    format!("{}.{}.{}", b64(header), b64("{}"), b64("signature"))
}

/// A token with a good signature over a header of the test's making.
fn signed(key: &SigningKey, header: &str, payload: &str) -> String {
    let input = format!("{}.{}", b64(header), b64(payload));
    let signature = b64(key.sign(input.as_bytes()).unwrap());
    format!("{input}.{signature}")
}

fn foreign(key: &Value) -> PublicKey {
    let set = JwkSet::parse(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
    assert_eq!(set.skipped(), []);
    set.keys()[0].clone()
}

const EXAMPLE_PAYLOAD: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

#[test]
fn the_rs256_example_of_rfc_7515_appendix_a_2_verifies() {
    let key = foreign(&json!({
        "kty": "RSA",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-\
              yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-\
              KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_\
              h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        "e": "AQAB",
    }));
    let token = format!(
        "eyJhbGciOiJSUzI1NiJ9.{EXAMPLE_PAYLOAD}.\
         cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb\
         F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383\
         LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy\
         wlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );
    let jws = Jws::parse(&token).unwrap();
    assert_eq!((jws.alg(), jws.kid(), jws.typ()), (Algorithm::RS256, None, None));
    let claims: Value = jws.verify(&key).unwrap().claims().unwrap();
    assert_eq!(claims["iss"], "joe");
}

#[test]
fn the_es256_example_of_rfc_7515_appendix_a_3_verifies() {
    let key = foreign(&json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }));
    let token = format!(
        "eyJhbGciOiJFUzI1NiJ9.{EXAMPLE_PAYLOAD}.\
         DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    assert!(Jws::parse(&token).unwrap().verify(&key).is_ok());
}

#[test]
fn the_ed25519_example_of_rfc_8037_appendix_a_4_verifies_and_its_payload_is_not_json() {
    let key = foreign(&json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }));
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
                 hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let jws = Jws::parse(token).unwrap();
    let verified = jws.verify(&key).unwrap();
    assert_eq!(verified.payload(), b"Example of Ed25519 signing");
    assert_eq!(verified.claims::<Value>().unwrap_err(), JwtError::MalformedPayload);
}

#[test]
fn every_algorithm_signs_what_it_verifies_and_nothing_else() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(*algorithm).unwrap();
        let token = sign(&key, "at+jwt", &json!({ "sub": "ada" })).unwrap();
        let jws = Jws::parse(&token).unwrap();
        assert_eq!((jws.alg(), jws.kid(), jws.typ()), (*algorithm, Some(key.kid()), Some("at+jwt")));
        assert_eq!(jws.verify(key.public_key()).unwrap().claims::<Value>().unwrap(), json!({ "sub": "ada" }));

        let other = SigningKey::generate(*algorithm).unwrap();
        assert_eq!(jws.verify(other.public_key()).unwrap_err(), JwtError::InvalidSignature, "{algorithm}");
    }
}

// spec: RS-15
#[test]
fn the_key_decides_which_algorithms_are_possible_not_the_header() {
    let key = SigningKey::generate(Algorithm::RS256).unwrap();
    for alg in ["RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"] {
        let token = signed(&key, &format!(r#"{{"alg":"{alg}"}}"#), "{}");
        let verdict = Jws::parse(&token).unwrap().verify(key.public_key()).unwrap_err();
        assert_eq!(verdict, JwtError::AlgorithmNotAllowed, "{alg}");
    }
}

// spec: RS-15
#[test]
fn none_and_symmetric_algorithms_are_refused_before_any_key_is_looked_for() {
    for alg in [r#""none""#, r#""None""#, r#""HS256""#, r#""HS384""#, r#""HS512""#, r#""""#, r#""dir""#] {
        let token = unsigned(format!(r#"{{"alg":{alg}}}"#));
        assert_eq!(Jws::parse(&token).unwrap_err(), JwtError::UnsupportedAlgorithm, "{alg}");
    }
    assert_eq!(Jws::parse(&unsigned("{}")).unwrap_err(), JwtError::UnsupportedAlgorithm);
    // An unsecured JWS has an empty third part (RFC 7515 appendix A.5).
    let unsecured = format!("{}.{}.", b64(r#"{"alg":"none"}"#), b64("{}"));
    assert!(Jws::parse(&unsecured).is_err());
}

// spec: RS-15
#[test]
fn crit_is_refused_in_whatever_form_although_the_signature_is_good() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let extensions = [
        r#""crit":["exp"],"exp":1"#,
        r#""crit":[]"#,
        r#""crit":null"#,
        r#""crit":"b64""#,
        r#""crit":["b64"],"b64":false"#,
        r#""b64":true"#,
        r#""cr\u0069t":["x"]"#,
    ];
    for extension in extensions {
        let token = signed(&key, &format!(r#"{{"alg":"EdDSA",{extension}}}"#), "{}");
        assert_eq!(Jws::parse(&token).unwrap_err(), JwtError::CriticalExtension, "{extension}");
    }
}

// spec: RS-15
#[test]
fn a_key_in_the_header_is_never_used() {
    let [own, attacker] = [(); 2].map(|()| SigningKey::generate(Algorithm::ES256).unwrap());
    let header = json!({
        "alg": "ES256",
        "kid": own.kid(),
        "jwk": attacker.public_jwk(),
        "jku": "https://attacker.example/jwks",
        "x5u": "https://attacker.example/x5u",
        "x5c": ["MIIB"],
    });
    let token = signed(&attacker, &header.to_string(), "{}");
    let verdict = Jws::parse(&token).unwrap().verify(own.public_key()).unwrap_err();
    assert_eq!(verdict, JwtError::InvalidSignature);
}

#[test]
fn a_header_is_one_object_with_members_of_the_right_type_each_once() {
    let bad = [
        "",
        "null",
        "[]",
        r#""alg""#,
        r#"{"alg":"ES256""#,
        r#"{"alg":"ES256"} {}"#,
        r#"{"alg":5}"#,
        r#"{"alg":null}"#,
        r#"{"alg":"ES256","kid":5}"#,
        r#"{"alg":"ES256","kid":null}"#,
        r#"{"alg":"ES256","typ":["at+jwt"]}"#,
        r#"{"alg":"ES256","alg":"ES256"}"#,
        r#"{"alg":"ES256","kid":"a","kid":"a"}"#,
        r#"{"alg":"ES256","typ":"a","t\u0079p":"b"}"#,
        r#"{"alg":"ES256","x":1,"x":1}"#,
    ];
    for header in bad {
        let verdict = Jws::parse(&unsigned(header)).unwrap_err();
        let expected = if header.is_empty() { JwtError::NotCompact } else { JwtError::MalformedHeader };
        assert_eq!(verdict, expected, "{header}");
    }
    assert_eq!(Jws::parse(&unsigned(b"{\"alg\":\"ES256\",\"kid\":\"\xff\"}")).unwrap_err(), JwtError::MalformedHeader);
}

#[test]
fn the_size_of_token_and_header_and_the_number_of_members_are_bounded() {
    let padded = |n: usize| unsigned(format!(r#"{{"alg":"ES256","x":"{}"}}"#, "a".repeat(n)));
    let rest = r#"{"alg":"ES256","x":""}"#.len();
    assert!(Jws::parse(&padded(MAX_HEADER_BYTES - rest)).is_ok());
    assert_eq!(Jws::parse(&padded(MAX_HEADER_BYTES - rest + 1)).unwrap_err(), JwtError::TooLarge);

    let members = |n: usize| {
        let others: String = (1..n).map(|i| format!(r#","m{i}":0"#)).collect();
        unsigned(format!(r#"{{"alg":"ES256"{others}}}"#))
    };
    assert!(Jws::parse(&members(MAX_HEADER_MEMBERS)).is_ok());
    assert_eq!(Jws::parse(&members(MAX_HEADER_MEMBERS + 1)).unwrap_err(), JwtError::MalformedHeader);

    let head = b64(r#"{"alg":"ES256"}"#);
    let sized = |n: usize| format!("{head}.{}.AAAA", "A".repeat(n - head.len() - 6));
    assert!(Jws::parse(&sized(MAX_TOKEN_BYTES)).is_ok());
    assert_eq!(Jws::parse(&sized(MAX_TOKEN_BYTES + 4)).unwrap_err(), JwtError::TooLarge);
}

#[test]
fn deep_nesting_is_refused_not_followed() {
    let deep = "[".repeat(2_000);
    assert_eq!(Jws::parse(&unsigned(format!(r#"{{"alg":"ES256","x":{deep}"#))).unwrap_err(), JwtError::MalformedHeader);
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let payload = format!(r#"{{"iss":"a","x":{deep}{}}}"#, "]".repeat(2_000));
    let token = signed(&key, r#"{"alg":"EdDSA"}"#, &payload);
    let jws = Jws::parse(&token).unwrap();
    assert_eq!(jws.verify(key.public_key()).unwrap().claims::<Value>().unwrap_err(), JwtError::MalformedPayload);
}

#[test]
fn a_token_is_exactly_three_non_empty_strict_base64url_parts() {
    let good = unsigned(r#"{"alg":"ES256"}"#);
    assert!(Jws::parse(&good).is_ok());
    let [header, payload, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let bad = [
        String::new(),
        ".".into(),
        "..".into(),
        header.into(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{good}."),
        format!("{good}.{signature}.AA"),
        format!("{good}=="),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{header}.{payload}.+/+/"),
        format!("{header}.-.{signature}"),
        format!("{header}.{payload}.é"),
        // Trailing bits that are not zero: another spelling of the same bytes.
        format!("{header}.{payload}.AB"),
    ];
    for token in bad {
        assert_eq!(Jws::parse(&token).unwrap_err(), JwtError::NotCompact, "{token:?}");
    }
}

// spec: RS-14
#[test]
fn typ_is_compared_as_a_media_type() {
    let typed = |typ: &str| unsigned(json!({ "alg": "ES256", "typ": typ }).to_string());
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
        let token = typed(typ);
        let jws = Jws::parse(&token).unwrap();
        assert!(jws.typ_is("at+jwt") && jws.typ_is("application/at+jwt"), "{typ}");
    }
    for typ in ["JWT", "", "at+jwt ", "text/at+jwt", "application/application/at+jwt", "dpop+jwt", "/at+jwt"] {
        assert!(!Jws::parse(&typed(typ)).unwrap().typ_is("at+jwt"), "{typ}");
    }
    assert!(!Jws::parse(&typed("application/text/x")).unwrap().typ_is("text/x"));
    assert!(!Jws::parse(&unsigned(r#"{"alg":"ES256"}"#)).unwrap().typ_is("at+jwt"));
}

#[test]
fn the_unverified_issuer_is_one_top_level_string_or_nothing() {
    let issuer = |payload: &str| {
        let token = format!("{}.{}.AAAA", b64(r#"{"alg":"ES256"}"#), b64(payload));
        Jws::parse(&token).unwrap().unverified_issuer().map(std::borrow::Cow::into_owned)
    };
    assert_eq!(issuer(r#"{"a":{"iss":"x"},"iss":"https://as.example"}"#).as_deref(), Some("https://as.example"));
    assert_eq!(issuer(r#"{"iss":"https:\/\/as.example"}"#).as_deref(), Some("https://as.example"));
    for payload in [
        "{}",
        "[]",
        r#""iss""#,
        r#"{"iss":5}"#,
        r#"{"iss":null}"#,
        r#"{"iss":["a"]}"#,
        r#"{"iss":"a","iss":"a"}"#,
        r#"{"a":{"iss":"x"}}"#,
        r#"{"iss":"a""#,
        r#"{"iss":"a"}x"#,
    ] {
        assert_eq!(issuer(payload), None, "{payload}");
    }
}

#[test]
fn no_part_of_a_token_can_change_unnoticed() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let token = sign(&key, "at+jwt", &json!({ "sub": "ada" })).unwrap();
    for index in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let bent = String::from_utf8(bytes).unwrap();
        let passes = Jws::parse(&bent).is_ok_and(|jws| jws.verify(key.public_key()).is_ok());
        assert!(!passes, "byte {index}");
    }
}

// spec: SEC-07
#[test]
fn debug_output_and_errors_show_nothing_of_the_token() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let token = sign(&key, "at+jwt", &json!({ "sub": "ada" })).unwrap();
    let jws = Jws::parse(&token).unwrap();
    assert_eq!(format!("{jws:?}"), "Jws { alg: EdDSA, .. }");
    assert_eq!(format!("{:?}", jws.verify(key.public_key()).unwrap()), "VerifiedJws(Jws { alg: EdDSA, .. })");
}

fn their_algorithm(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    algorithm.as_str().parse().unwrap()
}

#[test]
fn jsonwebtoken_verifies_what_is_signed_here() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(*algorithm).unwrap();
        let token = sign(&key, "at+jwt", &json!({ "sub": "ada", "exp": 4_000_000_000_u64 })).unwrap();
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(json!(key.public_jwk())).unwrap();
        let theirs = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
        let validation = jsonwebtoken::Validation::new(their_algorithm(*algorithm));
        let data = jsonwebtoken::decode::<Value>(&token, &theirs, &validation).unwrap();
        assert_eq!(data.claims["sub"], "ada");
        assert_eq!(data.header.kid.as_deref(), Some(key.kid()));
        assert_eq!(jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap(), key.kid());
    }
}

#[test]
fn what_jsonwebtoken_signs_is_verified_here() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(*algorithm).unwrap();
        let pkcs8 = key.to_pkcs8().unwrap();
        let theirs = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 => jsonwebtoken::EncodingKey::from_ec_der(pkcs8.as_bytes()),
            Algorithm::EdDSA => jsonwebtoken::EncodingKey::from_ed_der(pkcs8.as_bytes()),
            // They want PKCS#1, which a PKCS#8 of 2048 bits wraps in 26 bytes.
            _ => jsonwebtoken::EncodingKey::from_rsa_der(&pkcs8.as_bytes()[26..]),
        };
        let header = jsonwebtoken::Header::new(their_algorithm(*algorithm));
        let token = jsonwebtoken::encode(&header, &json!({ "sub": "ada" }), &theirs).unwrap();
        let jws = Jws::parse(&token).unwrap();
        assert!(jws.typ_is("JWT"));
        assert_eq!(jws.verify(key.public_key()).unwrap().claims::<Value>().unwrap(), json!({ "sub": "ada" }));
    }
}

proptest! {
    #[test]
    fn parsing_never_panics(token in ".*") {
        drop(Jws::parse(&token));
    }

    #[test]
    fn a_header_of_any_bytes_never_panics(header in any::<Vec<u8>>(), payload in any::<Vec<u8>>()) {
        if let Ok(jws) = Jws::parse(&format!("{}.{}.AAAA", b64(header), b64(payload))) {
            drop(jws.unverified_issuer());
        }
    }

    #[test]
    fn a_payload_of_any_bytes_never_panics(payload in any::<Vec<u8>>()) {
        let token = format!("{}.{}.AAAA", b64(r#"{"alg":"ES256"}"#), b64(payload));
        if let Ok(jws) = Jws::parse(&token) {
            drop(jws.unverified_issuer());
        }
    }

    #[test]
    fn any_text_in_kid_and_typ_comes_back_as_it_was(kid in ".*", typ in ".*") {
        let token = unsigned(json!({ "alg": "ES256", "kid": kid, "typ": typ }).to_string());
        let jws = Jws::parse(&token).unwrap();
        prop_assert_eq!(jws.kid(), Some(kid.as_str()));
        prop_assert_eq!(jws.typ(), Some(typ.as_str()));
    }
}
