//! Signed introspection responses (RFC 9701).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;

const US: &[&str] = &["api", AUDIENCE];
const ASKED: u64 = 1_000;

fn envelope() -> Value {
    json!({
        "iss": ISSUER, "aud": "api", "iat": ASKED + 1,
        "token_introspection": { "active": true, "sub": "ada", "scope": "read" },
    })
}

/// The envelope with one claim changed; `null` removes it.
fn with(name: &str, value: Value) -> Value {
    let mut claims = envelope();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

struct Server {
    key: SigningKey,
    keys: JwkSet,
}

impl Server {
    fn new(algorithm: Algorithm) -> Self {
        let key = SigningKey::generate(algorithm).unwrap();
        let keys = [&key].into_iter().collect();
        Self { key, keys }
    }

    fn answer(&self, typ: &str, claims: &Value) -> String {
        jwt::sign(&self.key, typ, claims).unwrap()
    }

    fn read(&self, answer: &str) -> Result<Map<String, Value>, JwtError> {
        let expected = IntrospectionExpectations::new(ISSUER, US, UnixTime(ASKED), UnixTime(ASKED + 2));
        let expected = expected.with_skew(ClockSkew::ZERO);
        verify_introspection(answer, &self.keys, Algorithm::ALL, &expected).map(|verified| verified.response)
    }

    fn outcome(&self, claims: &Value) -> Result<(), JwtError> {
        self.read(&self.answer(INTROSPECTION_RESPONSE_TYPE, claims)).map(drop)
    }

    /// A payload that `json!` cannot write.
    fn outcome_of(&self, payload: &str) -> Result<(), JwtError> {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let header = json!({ "typ": INTROSPECTION_RESPONSE_TYPE, "alg": self.key.algorithm(), "kid": self.key.kid() });
        let input = format!("{}.{}", part(&header.to_string()), part(payload));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(input.as_bytes()).unwrap());
        self.read(&format!("{input}.{signature}")).map(drop)
    }
}

// spec: INT-11
#[test]
fn a_signed_response_is_one_of_the_issuer_to_us_about_this_question() {
    let server = Server::new(Algorithm::ES256);
    let response = server.read(&server.answer(INTROSPECTION_RESPONSE_TYPE, &envelope())).unwrap();
    assert_eq!((&response["active"], &response["sub"]), (&json!(true), &json!("ada")));
    for aud in [json!(AUDIENCE), json!(["other", "api"])] {
        assert_eq!(server.outcome(&with("aud", aud)), Ok(()));
    }
    let bad = [
        ("iss", json!("https://authorization-server.example.com"), ClaimsError::WrongIssuer),
        ("iss", json!(null), ClaimsError::Missing("iss")),
        ("iss", json!([ISSUER]), ClaimsError::Malformed("iss")),
        ("aud", json!("https://other.example"), ClaimsError::WrongAudience),
        ("aud", json!([]), ClaimsError::WrongAudience),
        ("aud", json!("API"), ClaimsError::WrongAudience),
        ("aud", json!(null), ClaimsError::Missing("aud")),
        ("aud", json!(7), ClaimsError::Malformed("aud")),
        ("iat", json!(null), ClaimsError::Missing("iat")),
        ("iat", json!("1001"), ClaimsError::Malformed("iat")),
        ("iat", json!(-1), ClaimsError::Malformed("iat")),
        ("iat", json!(ASKED - 1), ClaimsError::Stale),
        ("iat", json!(ASKED + 3), ClaimsError::NotYetValid),
        ("exp", json!(ASKED + 2), ClaimsError::Expired),
        ("exp", json!("later"), ClaimsError::Malformed("exp")),
        ("nbf", json!(ASKED + 3), ClaimsError::NotYetValid),
        ("token_introspection", json!(null), ClaimsError::Missing("token_introspection")),
    ];
    for (name, value, error) in bad {
        assert_eq!(server.outcome(&with(name, value.clone())), Err(error.into()), "{name}: {value}");
    }
    for value in [json!("{}"), json!([]), json!(true), json!([{ "active": true }])] {
        assert_eq!(server.outcome(&with("token_introspection", value)), Err(JwtError::MalformedPayload));
    }
}

#[test]
fn the_clocks_may_be_apart_by_the_skew_and_no_more() {
    let server = Server::new(Algorithm::ES256);
    let outcome = |iat: u64| {
        let expected = IntrospectionExpectations::new(ISSUER, US, UnixTime(ASKED), UnixTime(ASKED + 2));
        let answer = server.answer(INTROSPECTION_RESPONSE_TYPE, &with("iat", json!(iat)));
        verify_introspection(&answer, &server.keys, Algorithm::ALL, &expected).map(drop)
    };
    assert_eq!(outcome(ASKED - 30), Ok(()));
    assert_eq!(outcome(ASKED - 31), Err(ClaimsError::Stale.into()));
    assert_eq!(outcome(ASKED + 32), Ok(()));
    assert_eq!(outcome(ASKED + 33), Err(ClaimsError::NotYetValid.into()));
}

// spec: INT-11
#[test]
fn a_jwt_of_another_type_is_no_introspection_response() {
    let server = Server::new(Algorithm::EdDSA);
    for good in ["token-introspection+jwt", "application/token-introspection+jwt", "Token-Introspection+JWT"] {
        assert!(server.read(&server.answer(good, &envelope())).is_ok(), "{good}");
    }
    for other in
        ["JWT", "at+jwt", "client-authentication+jwt", "dpop+jwt", "logout+jwt", "", "text/token-introspection+jwt"]
    {
        assert_eq!(server.read(&server.answer(other, &envelope())), Err(JwtError::WrongType), "{other}");
    }
}

// spec: INT-11
#[test]
fn the_signature_is_the_issuers_by_an_algorithm_on_the_list() {
    let (server, other) = (Server::new(Algorithm::ES256), Server::new(Algorithm::ES256));
    let answer = server.answer(INTROSPECTION_RESPONSE_TYPE, &envelope());
    assert_eq!(other.read(&answer), Err(JwtError::UnknownKey));
    let (input, _) = answer.rsplit_once('.').unwrap();
    let (_, signature) = other.answer(INTROSPECTION_RESPONSE_TYPE, &envelope()).rsplit_once('.').map(own).unwrap();
    assert_eq!(server.read(&format!("{input}.{signature}")), Err(JwtError::InvalidSignature));
    let expected = IntrospectionExpectations::new(ISSUER, US, UnixTime(ASKED), UnixTime(ASKED));
    let outcome = verify_introspection(&answer, &server.keys, &[Algorithm::PS256], &expected).map(drop);
    assert_eq!(outcome, Err(JwtError::AlgorithmNotAllowed));
    for none in ["", "{}", r#"{"active":true}"#, input, "a.b.c.d.e"] {
        assert!(server.read(none).is_err(), "{none}");
    }
}

fn own((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

#[test]
fn of_two_members_of_one_name_neither_is_believed() {
    let server = Server::new(Algorithm::ES256);
    let payload = |claims: &str| format!(r#"{{"iss":"{ISSUER}","aud":"api","iat":1001,{claims}}}"#);
    assert_eq!(server.outcome_of(&payload(r#""token_introspection":{"active":true}"#)), Ok(()));
    for twice in [
        r#""token_introspection":{"active":false,"active":true}"#,
        r#""token_introspection":{"active":false},"token_introspection":{"active":true}"#,
        r#""aud":"other","token_introspection":{"active":true}"#,
    ] {
        assert_eq!(server.outcome_of(&payload(twice)), Err(JwtError::MalformedPayload), "{twice}");
    }
    assert_eq!(server.outcome_of("[]"), Err(ClaimsError::NotAnObject.into()));
    for plain in [r#"{"active":false,"active":true}"#, "[]", "true", "", "{}{}", r#"["active",true]"#] {
        assert_eq!(parse_introspection(plain.as_bytes()), Err(ClaimsError::NotAnObject), "{plain}");
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(parse_introspection(&bytes));
        let server = JwkSet::default();
        let expected = IntrospectionExpectations::new(ISSUER, US, UnixTime(0), UnixTime(0));
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(verify_introspection(&text, &server, Algorithm::ALL, &expected).is_err());
    }
}
