//! The examples that the RFCs print and that no unit test has: RFC 7515 appendix A, RFC 7517 appendix A, RFC 7520
//! section 4. Those in an algorithm that does not exist here are good signatures all the same, and refused.

use oauth_core::{
    claims::{AccessTokenClaims, ClaimsError, Expectations, verify_access_token},
    clock::UnixTime,
    jwk::{JwkSet, PublicKey, SkipReason},
    jwt::{Algorithm, Jws, JwtError},
};
use serde_json::{Value, json};

/// The payload of RFC 7515 appendix A.
const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// RFC 7520 figure 8.
const FRODO: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9h\
    ZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0\
    by4";
const BILBO: &str = "bilbo.baggins@hobbiton.example";

/// RFC 7638 section 3.1, and the RSA key of RFC 7517 appendix A.
const RFC_7517_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKR\
    XjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0\
    zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU\
    8awapJzKnqDKgw";
const RFC_7517_X: &str = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
const RFC_7517_Y: &str = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";

fn set(keys: &Value) -> JwkSet {
    JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn reasons(set: &JwkSet) -> Vec<SkipReason> {
    set.skipped().iter().map(|skipped| skipped.reason).collect()
}

fn only(jwk: &Value) -> PublicKey {
    let set = set(&json!([jwk]));
    assert_eq!(set.skipped(), []);
    set.keys()[0].clone()
}

fn refusal(token: &str) -> JwtError {
    Jws::parse(token).unwrap_err()
}

/// RFC 7520 figure 3, with the public members of figure 4.
fn bilbo_rsa() -> Value {
    json!({
        "kty": "RSA",
        "kid": BILBO,
        "use": "sig",
        "n": "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2\
              wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9\
              bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUk\
              Rz5iaiQkqgc5gHdrNP5zw",
        "e": "AQAB",
    })
}

/// RFC 7520 section 4.1.
fn rfc_7520_rs256() -> String {
    format!(
        "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.{FRODO}.\
         MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA\
         78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQ\
         dLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18\
         kDquDg"
    )
}

/// RFC 7520 section 4.2.
fn rfc_7520_ps384() -> String {
    format!(
        "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.{FRODO}.\
         cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcb\
         UrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8I\
         mUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-\
         X72Eaw"
    )
}

// spec: RS-15
#[test]
fn the_hmac_of_rfc_7515_appendix_a_1_is_refused_and_its_key_is_no_key() {
    let token = format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{JOE}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(refusal(&token), JwtError::UnsupportedAlgorithm);
    let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    assert_eq!(reasons(&set(&json!([{ "kty": "oct", "k": key }]))), [SkipReason::Symmetric]);
}

#[test]
fn the_p521_signature_of_rfc_7515_appendix_a_4_is_refused_as_unsupported() {
    let token = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.\
                 AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2\
                 YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
    assert_eq!(refusal(token), JwtError::UnsupportedAlgorithm);
    let key = json!({
        "kty": "EC",
        "crv": "P-521",
        "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
    });
    assert_eq!(reasons(&set(&json!([key]))), [SkipReason::UnsupportedCurve]);
}

// spec: RS-15
#[test]
fn the_unsecured_jws_of_rfc_7515_appendix_a_5_is_refused_with_and_without_a_third_part() {
    assert_eq!(refusal(&format!("eyJhbGciOiJub25lIn0.{JOE}.")), JwtError::UnsupportedAlgorithm);
    assert_eq!(refusal(&format!("eyJhbGciOiJub25lIn0.{JOE}.AA")), JwtError::UnsupportedAlgorithm);
}

#[test]
fn the_public_set_of_rfc_7517_appendix_a_1_has_one_key_for_signatures() {
    let set = set(&json!([
        { "kty": "EC", "crv": "P-256", "x": RFC_7517_X, "y": RFC_7517_Y, "use": "enc", "kid": "1" },
        { "kty": "RSA", "n": RFC_7517_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" },
    ]));
    assert_eq!(reasons(&set), [SkipReason::NotForSignatures]);
    assert_eq!(set.skipped()[0].kid.as_deref(), Some("1"));
    let [key] = set.keys() else { panic!("one key is for signatures") };
    assert_eq!((key.kid(), key.algorithms().collect::<Vec<_>>()), (Some("2011-04-29"), vec![Algorithm::RS256]));
    // RFC 7638 section 3.1 takes the thumbprint of this very key.
    assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    // Without `use` the other one is a key as good.
    let plain = only(&json!({ "kty": "EC", "crv": "P-256", "x": RFC_7517_X, "y": RFC_7517_Y, "kid": "1" }));
    assert_eq!(plain.algorithms().collect::<Vec<_>>(), [Algorithm::ES256]);
}

#[test]
fn the_private_keys_of_rfc_7517_appendix_a_2_are_not_used() {
    let ec = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE";
    let rsa = "X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH-HLLKD9M7dx5oo7GURknchnrRweUkC7hT5fJLM0WbFAKNLWY2vv7B6NqXSzUvxT0\
               _YSfqijwp3RTzlBaCxWp4doFk5N2o8Gy_nHNKroADIkJ46pRUohsXywbReAdYaMwFs9tv8d_cPVY3i07a3t8MN6TNwm0dSawm9v47UiCl3Sk5ZiG7x\
               ojPLu4sbg1U2jx4IBTNBznbJSzFHK66jT8bgkuqsk0GjskDJk19Z4qwjwbsnn4j2WBii3RL-Us2lGVkY8fkFzme1z0HbIkfz0Y6mqnOYtqc0X4jfcK\
               oAC8Q";
    let set = set(&json!([
        { "kty": "EC", "crv": "P-256", "x": RFC_7517_X, "y": RFC_7517_Y, "d": ec, "use": "enc", "kid": "1" },
        { "kty": "RSA", "n": RFC_7517_N, "e": "AQAB", "d": rsa, "alg": "RS256", "kid": "2011-04-29" },
    ]));
    assert!(set.keys().is_empty());
    assert_eq!(reasons(&set), [SkipReason::Private; 2]);
}

#[test]
fn the_rsa_signatures_of_rfc_7520_sections_4_1_and_4_2_verify() {
    let set = set(&json!([bilbo_rsa()]));
    let payload = "It\u{2019}s a dangerous business, Frodo, going out your door. You step onto the road, and if you don't \
                   keep your feet, there\u{2019}s no knowing where you might be swept off to.";
    for (token, algorithm) in [(rfc_7520_rs256(), Algorithm::RS256), (rfc_7520_ps384(), Algorithm::PS384)] {
        let jws = Jws::parse(&token).unwrap();
        assert_eq!((jws.alg(), jws.kid(), jws.typ()), (algorithm, Some(BILBO), None));
        let key = set.candidates(jws.kid(), jws.alg()).next().unwrap();
        assert_eq!(jws.verify(key).unwrap().payload(), payload.as_bytes());
        assert_eq!(jws.unverified_issuer(), None);
    }
}

#[test]
fn the_signature_of_one_example_in_rfc_7520_is_not_good_for_the_header_of_the_other() {
    let key = only(&bilbo_rsa());
    let (rs256, ps384) = (rfc_7520_rs256(), rfc_7520_ps384());
    let (signed, _) = rs256.rsplit_once('.').unwrap();
    let (_, signature) = ps384.rsplit_once('.').unwrap();
    let mixed = format!("{signed}.{signature}");
    assert_eq!(Jws::parse(&mixed).unwrap().verify(&key).unwrap_err(), JwtError::InvalidSignature);
    let other = only(&json!({ "kty": "RSA", "n": RFC_7517_N, "e": "AQAB" }));
    assert_eq!(Jws::parse(&rs256).unwrap().verify(&other).unwrap_err(), JwtError::InvalidSignature);
}

#[test]
fn the_p521_signature_and_the_hmac_of_rfc_7520_sections_4_3_and_4_4_are_refused() {
    let es512 = format!(
        "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.{FRODO}.\
         AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxX\
         Pn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2"
    );
    let hs256 = format!(
        "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9.{FRODO}.\
         s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"
    );
    assert_eq!(refusal(&es512), JwtError::UnsupportedAlgorithm);
    assert_eq!(refusal(&hs256), JwtError::UnsupportedAlgorithm);
    let p521 = json!({
        "kty": "EC",
        "kid": BILBO,
        "use": "sig",
        "crv": "P-521",
        "x": "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt",
        "y": "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1",
    });
    let hmac = json!({
        "kty": "oct",
        "kid": "018c0ae5-4d9b-471b-bfd6-eef314bc7037",
        "use": "sig",
        "alg": "HS256",
        "k": "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
    });
    let set = set(&json!([p521, hmac, bilbo_rsa()]));
    assert_eq!(reasons(&set), [SkipReason::UnsupportedCurve, SkipReason::Symmetric]);
    assert_eq!(set.keys().len(), 1, "the keys beside it are not spoiled");
}

#[test]
fn a_good_signature_over_something_else_is_no_access_token() {
    let set = set(&json!([bilbo_rsa()]));
    let expected = Expectations::new("joe", "https://rs.example.com/", UnixTime(1_300_819_000));
    let verdict = verify_access_token(&rfc_7520_rs256(), &set, Algorithm::ALL, &expected);
    assert_eq!(verdict.unwrap_err(), JwtError::WrongType);
    let payload = br#"{"iss":"joe","exp":1300819380,"http://example.com/is_root":true}"#;
    assert_eq!(AccessTokenClaims::from_json(payload), Err(ClaimsError::Missing("aud")));
}
