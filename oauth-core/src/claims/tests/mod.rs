mod introspection;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    jwk::JwkSet,
    jwt::{self, Algorithm, JwtError},
    keys::SigningKey,
};

const ISSUER: &str = "https://authorization-server.example.com/";
const AUDIENCE: &str = "https://rs.example.com/";

/// The example of RFC 9068 section 3.
fn example() -> Value {
    json!({
        "iss": ISSUER,
        "sub": "5ba552d67",
        "aud": AUDIENCE,
        "exp": 1_639_528_912,
        "iat": 1_618_354_090,
        "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
        "client_id": "s6BhdRkqt3",
        "scope": "openid profile reademail",
    })
}

/// The example with one claim changed; `None` removes it.
fn example_with(name: &str, value: Option<Value>) -> Value {
    let mut claims = example();
    let object = claims.as_object_mut().unwrap();
    match value {
        Some(value) => object.insert(name.into(), value),
        None => object.remove(name),
    };
    claims
}

fn read(claims: &Value) -> Result<AccessTokenClaims, ClaimsError> {
    AccessTokenClaims::from_json(claims.to_string().as_bytes())
}

fn expected(now: u64) -> Expectations<'static> {
    Expectations::new(ISSUER, AUDIENCE, UnixTime(now)).with_skew(ClockSkew::ZERO)
}

const NOW: u64 = 1_618_354_100;

#[test]
fn the_example_of_rfc_9068_is_read_and_written_unchanged() {
    let claims = read(&example()).unwrap();
    assert_eq!(claims.iss, ISSUER);
    assert_eq!(claims.aud, [AUDIENCE]);
    assert_eq!(claims.exp, UnixTime(1_639_528_912));
    assert_eq!(claims.scope, Some("reademail openid profile".parse().unwrap()));
    assert_eq!(serde_json::to_value(&claims).unwrap(), example());
    assert_eq!(expected(NOW).check(&claims), Ok(()));
}

#[test]
fn every_claim_survives_a_round_trip() {
    let mut all = example();
    let more = json!({
        "aud": ["https://a.example", "https://b.example"],
        "nbf": 1, "auth_time": 2, "acr": "phr", "amr": ["pwd", "otp"],
        "cnf": { "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" },
        "authorization_details": [{ "type": "payment" }],
        "grant_ref": "q83vEjRWeJA",
        "roles": ["admin"],
    });
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let claims = read(&all).unwrap();
    assert_eq!(serde_json::to_value(&claims).unwrap(), all);
    assert_eq!(serde_json::from_value::<AccessTokenClaims>(all).unwrap(), claims);
    assert_eq!(claims.extra.keys().collect::<Vec<_>>(), ["roles"]);
}

// spec: RS-19
#[test]
fn each_required_claim_is_required() {
    for name in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        assert_eq!(read(&example_with(name, None)).unwrap_err(), ClaimsError::Missing(name));
    }
}

// spec: RS-19
#[test]
fn a_claim_of_the_wrong_type_is_an_error_and_never_an_absent_claim() {
    let texts = [json!(null), json!(5), json!(true), json!(["text"]), json!({})];
    for name in ["iss", "sub", "client_id", "jti", "scope", "acr", "grant_ref"] {
        for value in &texts {
            let claims = example_with(name, Some(value.clone()));
            assert_eq!(read(&claims).unwrap_err(), ClaimsError::Malformed(name), "{value}");
        }
    }
    let dates = [json!(null), json!("1639528912"), json!(true), json!([1]), json!({})];
    for name in ["exp", "iat", "nbf", "auth_time"] {
        for value in &dates {
            let claims = example_with(name, Some(value.clone()));
            assert_eq!(read(&claims).unwrap_err(), ClaimsError::Malformed(name), "{value}");
        }
    }
    let others = [
        ("aud", json!(42)),
        ("aud", json!(null)),
        ("aud", json!([AUDIENCE, 5])),
        ("aud", json!({ "0": AUDIENCE })),
        ("amr", json!("pwd")),
        ("cnf", json!("jkt")),
        ("cnf", json!([])),
        ("cnf", json!({ "jkt": 5 })),
        ("authorization_details", json!({ "type": "payment" })),
    ];
    for (name, value) in others {
        let claims = example_with(name, Some(value.clone()));
        assert_eq!(read(&claims).unwrap_err(), ClaimsError::Malformed(name), "{value}");
    }
}

// spec: RS-20
#[test]
fn scope_is_one_string_of_exact_tokens() {
    let claims = read(&example_with("scope", Some(json!("read:all write")))).unwrap();
    let scope = claims.scope.unwrap();
    assert!(scope.contains("write") && scope.contains("read:all"));
    assert!(!scope.contains("read") && !scope.contains("WRITE"));
    for bad in [json!(["read"]), json!("a  b"), json!("a\tb"), json!("a\"")] {
        assert_eq!(read(&example_with("scope", Some(bad))).unwrap_err(), ClaimsError::Malformed("scope"));
    }
}

#[test]
fn a_date_may_have_a_fraction_but_not_be_negative_or_absurd() {
    let read_exp = |exp: &str| {
        let json = example_with("exp", None).to_string().replacen('{', &format!(r#"{{"exp":{exp},"#), 1);
        AccessTokenClaims::from_json(json.as_bytes()).map(|claims| claims.exp.0)
    };
    assert_eq!(read_exp("1639528912.999"), Ok(1_639_528_912));
    assert_eq!(read_exp("1.639528912e9"), Ok(1_639_528_912));
    assert_eq!(read_exp("0"), Ok(0));
    assert_eq!(read_exp("253402300799"), Ok(253_402_300_799));
    for bad in ["-1", "-0.5", "253402300800", "1639528912000", "18446744073709551616", "1e300", "1e999"] {
        assert_eq!(read_exp(bad), Err(ClaimsError::Malformed("exp")), "{bad}");
    }
}

#[test]
fn a_repeated_claim_is_refused_whether_known_or_not() {
    for repeated in [r#""sub":"eve""#, r#""s\u0075b":"eve""#, r#""aud":[]"#, r#""own":1,"own":1"#] {
        let json = example().to_string().replacen('{', &format!("{{{repeated},"), 1);
        assert_eq!(AccessTokenClaims::from_json(json.as_bytes()).unwrap_err(), ClaimsError::Repeated, "{repeated}");
    }
    let cnf = example().to_string().replacen('{', r#"{"cnf":{"jkt":"a","jkt":"b"},"#, 1);
    assert_eq!(AccessTokenClaims::from_json(cnf.as_bytes()).unwrap_err(), ClaimsError::Malformed("cnf"));
}

#[test]
fn a_payload_that_is_not_one_object_is_refused() {
    for bad in ["", "[]", "null", "\"a\"", "{", "{} {}", "{\"a\":}", "\u{0}"] {
        let verdict = AccessTokenClaims::from_json(bad.as_bytes()).unwrap_err();
        assert!(matches!(verdict, ClaimsError::NotAnObject | ClaimsError::Missing(_)), "{bad}: {verdict:?}");
    }
    let trailing = format!("{}x", example());
    assert_eq!(AccessTokenClaims::from_json(trailing.as_bytes()).unwrap_err(), ClaimsError::NotAnObject);
}

// spec: RS-16
#[test]
fn the_issuer_is_compared_byte_for_byte() {
    let claims = read(&example()).unwrap();
    for issuer in ["https://authorization-server.example.com", "https://Authorization-Server.example.com/", ""] {
        let expectations = Expectations::new(issuer, AUDIENCE, UnixTime(NOW));
        assert_eq!(expectations.check(&claims), Err(ClaimsError::WrongIssuer), "{issuer}");
    }
}

// spec: RS-17
#[test]
fn the_audience_names_this_server_as_a_string_or_in_an_array() {
    let check = |aud: Value| expected(NOW).check(&read(&example_with("aud", Some(aud))).unwrap());
    assert_eq!(check(json!(AUDIENCE)), Ok(()));
    assert_eq!(check(json!(["https://other.example", AUDIENCE])), Ok(()));
    for foreign in [json!([]), json!(""), json!("https://rs.example.com"), json!(["https://other.example"])] {
        assert_eq!(check(foreign.clone()), Err(ClaimsError::WrongAudience), "{foreign}");
    }
    let anybody = Expectations::insecure_any_audience(ISSUER, UnixTime(NOW));
    assert_eq!(anybody.check(&read(&example_with("aud", Some(json!("elsewhere")))).unwrap()), Ok(()));
}

// spec: RS-18
#[test]
fn a_token_dies_at_exp_and_is_not_born_before_nbf_and_iat() {
    let mut claims = read(&example()).unwrap();
    (claims.iat, claims.nbf, claims.exp) = (UnixTime(1_000), Some(UnixTime(1_010)), UnixTime(2_000));
    let at = |now, skew| expected(now).with_skew(ClockSkew::from_secs(skew).unwrap()).check(&claims);
    assert_eq!(at(1_009, 0), Err(ClaimsError::NotYetValid));
    assert_eq!(at(1_010, 0), Ok(()));
    assert_eq!(at(1_999, 0), Ok(()));
    assert_eq!(at(2_000, 0), Err(ClaimsError::Expired));
    assert_eq!(at(950, 60), Ok(()));
    assert_eq!(at(949, 60), Err(ClaimsError::NotYetValid));
    assert_eq!(at(2_059, 60), Ok(()));
    assert_eq!(at(2_060, 60), Err(ClaimsError::Expired));

    claims.nbf = None;
    let at = |now| expected(now).check(&claims);
    assert_eq!(at(999), Err(ClaimsError::NotYetValid));
    assert_eq!(at(1_000), Ok(()));
}

// spec: RS-18
#[test]
fn the_tolerance_is_a_minute_at_most() {
    assert_eq!(ClockSkew::from_secs(60), Ok(ClockSkew::MAX));
    assert_eq!(ClockSkew::from_secs(61), Err(TooMuchSkew));
    assert_eq!(ClockSkew::from_secs(u64::MAX), Err(TooMuchSkew));
}

#[test]
fn a_binding_that_is_not_understood_says_so() {
    let cnf = |cnf: Value| read(&example_with("cnf", Some(cnf))).unwrap().cnf.unwrap();
    assert!(cnf(json!({ "jkt": "a" })).is_understood());
    assert!(cnf(json!({ "x5t#S256": "a" })).is_understood());
    assert!(cnf(json!({ "jkt": "a", "x5t#S256": "b" })).is_understood());
    for unknown in [json!({}), json!({ "kid": "a" }), json!({ "jwk": {} }), json!({ "jkt": "a", "x5t": "b" })] {
        assert!(!cnf(unknown.clone()).is_understood(), "{unknown}");
    }
    assert!(Confirmation::dpop("a").is_understood() && Confirmation::certificate("a").is_understood());
}

// spec: SEC-07
#[test]
fn debug_output_shows_no_claim_and_errors_quote_none() {
    assert_eq!(format!("{:?}", read(&example()).unwrap()), "AccessTokenClaims(..)");
    let error = serde_json::from_value::<AccessTokenClaims>(example_with("jti", Some(json!({ "secret": 1 }))));
    assert!(!error.unwrap_err().to_string().contains("secret"));
}

struct Issuer {
    key: SigningKey,
    keys: JwkSet,
}

impl Issuer {
    fn new() -> Self {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        Self { keys: [&key].into_iter().collect(), key }
    }

    fn verify(&self, token: &str) -> Result<AccessTokenClaims, JwtError> {
        verify_access_token(token, &self.keys, &[Algorithm::ES256], &expected(NOW)).map(|verified| verified.claims)
    }
}

#[test]
fn a_good_token_is_verified_and_the_key_it_rests_on_is_named() {
    let issuer = Issuer::new();
    let token = jwt::sign(&issuer.key, "application/AT+JWT", &example()).unwrap();
    let verified = verify_access_token(&token, &issuer.keys, &[Algorithm::ES256], &expected(NOW)).unwrap();
    assert_eq!(verified.claims.sub, "5ba552d67");
    assert_eq!(verified.key.thumbprint(), issuer.key.kid());
}

// spec: RS-14
#[test]
fn a_token_of_another_type_is_refused_although_signed_by_the_issuer() {
    let issuer = Issuer::new();
    for typ in ["JWT", "dpop+jwt", "token-introspection+jwt", "logout+jwt", "jwt", ""] {
        let token = jwt::sign(&issuer.key, typ, &example()).unwrap();
        assert_eq!(issuer.verify(&token).unwrap_err(), JwtError::WrongType, "{typ}");
    }
}

// spec: RS-15
#[test]
fn only_the_algorithms_allowed_to_the_issuer_pass() {
    let issuer = Issuer::new();
    let token = jwt::sign(&issuer.key, "at+jwt", &example()).unwrap();
    for allowed in [[].as_slice(), &[Algorithm::RS256, Algorithm::ES384]] {
        let verdict = verify_access_token(&token, &issuer.keys, allowed, &expected(NOW)).unwrap_err();
        assert_eq!(verdict, JwtError::AlgorithmNotAllowed);
    }
}

#[test]
fn a_key_not_yet_known_is_told_apart_from_a_wrong_signature() {
    let [issuer, other] = [Issuer::new(), Issuer::new()];
    let foreign = jwt::sign(&other.key, "at+jwt", &example()).unwrap();
    assert_eq!(issuer.verify(&foreign).unwrap_err(), JwtError::UnknownKey);
    assert_eq!(
        verify_access_token(&foreign, &JwkSet::default(), &[Algorithm::ES256], &expected(NOW)).unwrap_err(),
        JwtError::UnknownKey,
    );
    let own = jwt::sign(&issuer.key, "at+jwt", &example()).unwrap();
    let (_, signature) = foreign.rsplit_once('.').unwrap();
    let forged = format!("{}.{signature}", own.rsplit_once('.').unwrap().0);
    assert_eq!(issuer.verify(&forged).unwrap_err(), JwtError::InvalidSignature);
}

#[test]
fn a_token_without_kid_is_tried_on_every_fitting_key() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let [one, two, unknown] = [(); 3].map(|()| SigningKey::generate(Algorithm::ES256).unwrap());
    let keys: JwkSet = [&one, &two].into_iter().collect();
    let verdict = |key: &SigningKey| {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","typ":"at+jwt"}"#);
        let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(example().to_string()));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()).unwrap());
        let verified = verify_access_token(&format!("{input}.{signature}"), &keys, &[Algorithm::ES256], &expected(NOW));
        verified.map(|verified| verified.key.thumbprint().to_owned())
    };
    assert_eq!(verdict(&one).unwrap(), one.kid());
    assert_eq!(verdict(&two).unwrap(), two.kid());
    assert_eq!(verdict(&unknown), Err(JwtError::UnknownKey));
}

// spec: MET-11
#[test]
fn where_a_kid_repeats_the_right_key_is_found() {
    let keys = [(); 3].map(|()| SigningKey::generate(Algorithm::ES256).unwrap());
    let last = keys.last().unwrap();
    let mut document = crate::jwk::JwkDocument::of(&keys);
    for jwk in &mut document.keys {
        jwk.kid = last.kid().to_owned();
    }
    let set = JwkSet::parse(&serde_json::to_vec(&document).unwrap()).unwrap();
    let token = jwt::sign(last, "at+jwt", &example()).unwrap();
    let verified = verify_access_token(&token, &set, &[Algorithm::ES256], &expected(NOW)).unwrap();
    assert_eq!(verified.key.thumbprint(), last.kid());
}

#[test]
fn claims_are_judged_after_the_signature() {
    let [issuer, other] = [Issuer::new(), Issuer::new()];
    let bad = [
        (example_with("jti", None), ClaimsError::Missing("jti")),
        (example_with("exp", Some(json!(NOW))), ClaimsError::Expired),
        (example_with("iss", Some(json!("https://evil.example"))), ClaimsError::WrongIssuer),
        (example_with("iss", Some(json!([ISSUER]))), ClaimsError::Malformed("iss")),
        (example_with("aud", Some(json!("https://evil.example"))), ClaimsError::WrongAudience),
        (example_with("nbf", Some(json!(NOW + 1))), ClaimsError::NotYetValid),
    ];
    for (claims, fault) in bad {
        let token = jwt::sign(&issuer.key, "at+jwt", &claims).unwrap();
        assert_eq!(issuer.verify(&token).unwrap_err(), JwtError::Claims(fault));
        let foreign = jwt::sign(&other.key, "at+jwt", &claims).unwrap();
        assert_eq!(issuer.verify(&foreign).unwrap_err(), JwtError::UnknownKey);
    }
}

proptest! {
    #[test]
    fn any_bytes_never_panic(payload in any::<Vec<u8>>()) {
        drop(AccessTokenClaims::from_json(&payload));
    }

    #[test]
    fn any_token_never_panics(token in "[A-Za-z0-9_.-]{0,200}") {
        let keys = JwkSet::default();
        prop_assert!(verify_access_token(&token, &keys, Algorithm::ALL, &expected(NOW)).is_err());
    }

    #[test]
    fn any_text_survives_a_round_trip(sub in ".*", client_id in ".*", aud in prop::collection::vec(".*", 0..4)) {
        let claims = AccessTokenClaims::new(ISSUER, aud, sub, client_id, "1", UnixTime(1), UnixTime(2));
        prop_assert_eq!(read(&serde_json::to_value(&claims).unwrap()).unwrap(), claims);
    }
}
