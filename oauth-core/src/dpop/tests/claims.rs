//! The claims of a proof: all there, of their type, once, and as the request is.

use super::*;

// spec: RS-24
#[test]
fn a_proof_that_lacks_a_claim_is_refused() {
    for name in ["jti", "htm", "htu", "iat", "ath"] {
        let refused = refusal_of_claims(with(claims(), json!({ name: null })));
        assert_eq!(refused, DpopError::MissingClaim(name));
        assert_eq!(refused.code().as_str(), "invalid_dpop_proof");
    }
}

// spec: RS-24
#[test]
fn a_claim_of_the_wrong_type_is_malformed_not_absent() {
    for name in ["jti", "htm", "htu", "ath", "nonce"] {
        for value in [json!(5), json!(true), json!([]), json!(["GET"]), json!({})] {
            let refused = refusal_of_claims(with(claims(), json!({ name: value })));
            assert_eq!(refused, DpopError::MalformedClaim(name), "{value}");
        }
        let null = with(claims(), json!({ name: "x" })).to_string();
        let null = null.replacen(&format!(r#""{name}":"x""#), &format!(r#""{name}":null"#), 1);
        assert_eq!(refusal_of_claims(null), DpopError::MalformedClaim(name));
    }
    for name in ["iat", "exp", "nbf"] {
        let values = [json!("1562262618"), json!(true), json!([]), json!({}), json!(-1), json!(-0.5), json!(1e300)];
        for value in values.into_iter().chain([json!(1_562_262_618_000_000_u64)]) {
            let refused = refusal_of_claims(with(claims(), json!({ name: value })));
            assert_eq!(refused, DpopError::MalformedClaim(name), "{value}");
        }
    }
}

#[test]
fn a_repeated_claim_is_refused_even_if_both_are_the_same() {
    for name in ["jti", "htm", "htu", "iat", "ath", "unknown"] {
        let claims = with(claims(), json!({ "unknown": 1 }));
        let repeated = claims.to_string().replacen('{', &format!(r#"{{"{name}":{},"#, claims[name]), 1);
        assert_eq!(refusal_of_claims(repeated), DpopError::RepeatedClaim, "{name}");
    }
    let escaped = claims().to_string().replacen('{', r#"{"h\u0074m":"GET","#, 1);
    assert_eq!(refusal_of_claims(escaped), DpopError::RepeatedClaim);
}

#[test]
fn the_payload_is_one_bounded_object() {
    for payload in ["null", "[]", "5", r#""GET""#, "{", "{} {}", "\u{feff}{}", r#"{"x":[}"#] {
        assert_eq!(refusal_of_claims(payload), DpopError::MalformedPayload, "{payload}");
    }
    let deep = |name| format!(r#"{{"{name}":{}{}}}"#, "[".repeat(2_000), "]".repeat(2_000));
    assert_eq!(refusal_of_claims(deep("jti")), DpopError::MalformedClaim("jti"));
    assert_eq!(refusal_of_claims(deep("x")), DpopError::MissingClaim("jti"));
    let others = |count: usize| (0..count).map(|i| (format!("m{i}"), json!(0))).collect::<Value>();
    let key = key();
    let known = claims().as_object().unwrap().len();
    assert!(verdict(&forge(&key, header(&key), with(claims(), others(MAX_CLAIMS - known)))).is_ok());
    let many = with(claims(), others(MAX_CLAIMS - known + 1));
    assert_eq!(refusal_of_claims(many), DpopError::MalformedPayload);
}

// spec: RS-24
#[test]
fn an_identifier_is_neither_empty_nor_long() {
    let key = key();
    for name in ["jti", "nonce"] {
        for good in ["x".to_owned(), "é".repeat(MAX_ID_CHARS)] {
            let proof = forge(&key, header(&key), with(claims(), json!({ name: good })));
            assert!(verdict(&proof).is_ok(), "{good}");
        }
        for bad in [String::new(), "x".repeat(MAX_ID_CHARS + 1)] {
            let refused = refusal_of_claims(with(claims(), json!({ name: bad })));
            assert_eq!(refused, DpopError::MalformedClaim(name), "{bad}");
        }
    }
}

// spec: RS-25
#[test]
fn the_method_is_compared_by_case() {
    for htm in ["get", "Get", "GET ", "POST", "HEAD", "", "GE", "GETS"] {
        assert_eq!(refusal_of_claims(with(claims(), json!({ "htm": htm }))), DpopError::WrongMethod, "{htm}");
    }
    let key = key();
    let targets = [target(URL)];
    let proof = forge(&key, header(&key), with(claims(), json!({ "htm": "get" })));
    let verify = |method| Proof::verify(&proof, &ProofRequest::with_token(method, &targets, TOKEN, NOW));
    assert!(verify("get").is_ok());
    assert_eq!(verify("GET").unwrap_err(), DpopError::WrongMethod);
}

/// What becomes of a proof with these claims, under this window.
fn at(claims: Value, window: ProofWindow) -> Option<DpopError> {
    let key = key();
    let targets = [target(URL)];
    let request = ProofRequest::with_token("GET", &targets, TOKEN, NOW).with_window(window);
    Proof::verify(&forge(&key, header(&key), claims), &request).err()
}

// spec: RS-27
#[test]
fn a_proof_is_good_for_sixty_seconds_and_from_ten_seconds_ahead() {
    let issued = |iat: u64| at(with(claims(), json!({ "iat": iat })), ProofWindow::default());
    assert_eq!(issued(NOW.0 + 10), None);
    assert_eq!(issued(NOW.0 + 11), Some(DpopError::FromTheFuture));
    assert_eq!(issued(NOW.0 - 60), None);
    assert_eq!(issued(NOW.0 - 61), Some(DpopError::TooOld));
    assert_eq!(issued(0), Some(DpopError::TooOld));
    assert_eq!(issued(253_402_300_799), Some(DpopError::FromTheFuture));
}

// spec: RS-27
#[test]
fn another_window_moves_both_ends_within_hard_limits() {
    let issued =
        |iat: u64, past, future| at(with(claims(), json!({ "iat": iat })), ProofWindow::new(past, future).unwrap());
    assert_eq!(issued(NOW.0 + 60, 0, 60), None);
    assert_eq!(issued(NOW.0 + 61, 0, 60), Some(DpopError::FromTheFuture));
    assert_eq!(issued(NOW.0 - 300, 300, 0), None);
    assert_eq!(issued(NOW.0 - 301, 300, 0), Some(DpopError::TooOld));
    assert_eq!(issued(NOW.0, 0, 0), None);
    assert_eq!(issued(NOW.0 - 1, 0, 0), Some(DpopError::TooOld));
    assert_eq!(issued(NOW.0 + 1, 0, 0), Some(DpopError::FromTheFuture));
    assert_eq!(ProofWindow::new(301, 0), Err(InvalidWindow));
    assert_eq!(ProofWindow::new(0, 61), Err(InvalidWindow));
}

#[test]
fn a_fraction_of_a_second_is_dropped() {
    let issued = |iat: f64| at(with(claims(), json!({ "iat": iat })), ProofWindow::default());
    let [earliest, latest] = [1_562_262_558.0, 1_562_262_628.0];
    assert_eq!(issued(earliest + 0.5), None);
    assert_eq!(issued(earliest - 0.5), Some(DpopError::TooOld));
    assert_eq!(issued(latest + 0.5), None);
    assert_eq!(issued(latest + 1.0), Some(DpopError::FromTheFuture));
}

#[test]
fn a_proof_that_sets_itself_an_end_or_a_beginning_is_held_to_it() {
    let timed = |members: Value| at(with(claims(), members), ProofWindow::default());
    assert_eq!(timed(json!({ "exp": NOW.0 + 1, "nbf": NOW.0 })), None);
    assert_eq!(timed(json!({ "exp": NOW.0 - 9 })), None, "ten seconds between the clocks");
    assert_eq!(timed(json!({ "exp": NOW.0 - 10 })), Some(DpopError::TooOld));
    assert_eq!(timed(json!({ "nbf": NOW.0 + 10 })), None);
    assert_eq!(timed(json!({ "nbf": NOW.0 + 11 })), Some(DpopError::FromTheFuture));
}

// spec: RS-29
#[test]
fn the_hash_is_that_of_the_token_in_its_one_spelling() {
    let other = proof::token_hash("another token");
    let padded = format!("{TOKEN_HASH}=");
    let hex: String = crate::secret::Digest::of(&[TOKEN.as_bytes()]).as_bytes().map(|b| format!("{b:02x}")).concat();
    for ath in ["", TOKEN, &other, &padded, &hex, &TOKEN_HASH[1..], &TOKEN_HASH.to_lowercase()] {
        assert_eq!(refusal_of_claims(with(claims(), json!({ "ath": ath }))), DpopError::WrongToken, "{ath}");
    }
}

// spec: RS-29
#[test]
fn a_proof_made_for_a_token_is_of_no_use_without_one() {
    let key = key();
    let targets = [target(URL)];
    let request = ProofRequest::without_token("GET", &targets, NOW);
    let proof = forge(&key, header(&key), claims());
    assert_eq!(Proof::verify(&proof, &request).unwrap_err(), DpopError::UnexpectedToken);
    let proof = forge(&key, header(&key), with(claims(), json!({ "ath": null })));
    assert!(Proof::verify(&proof, &request).is_ok());
    assert_eq!(refusal(&proof), DpopError::MissingClaim("ath"));
}
