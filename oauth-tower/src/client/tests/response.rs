//! The authorization response, and what becomes of its code.

use super::{
    authorization::{builder, metadata},
    *,
};

/// An attempt at a server that promises `iss`, or does not.
fn pending(promised: bool) -> PendingAuthorization {
    let mut metadata = metadata();
    metadata.authorization_response_iss_parameter_supported = promised;
    builder(&metadata).resource("https://api.example").build().unwrap().into_pending()
}

fn query(pending: &PendingAuthorization, rest: &str) -> String {
    format!("state={}{rest}", pending.state().expose())
}

// spec: MCP-22
#[test]
fn the_issuer_of_a_response_is_compared_byte_for_byte_whenever_it_is_there() {
    let own = "&iss=https%3A%2F%2Fas.example";
    for (promised, iss, good) in [
        (true, own, true),
        (true, "", false),
        (false, own, true),
        (false, "", true),
        (true, "&iss=", false),
        (false, "&iss=", false),
        (false, "&iss", false),
        (true, "&iss=https://as.example/", false),
        (false, "&iss=https://as.example/", false),
        (false, "&iss=https://AS.example", false),
        (false, "&iss=https://evil.example", false),
        (false, "&iss=https://as.example:443", false),
        (true, "&iss=https://as.example&iss=https://as.example", false),
    ] {
        let pending = pending(promised);
        let checked = pending.check(&query(&pending, &format!("&code=c{iss}")));
        assert_eq!(checked.is_ok(), good, "{promised} {iss}");
    }
}

// spec: MCP-22
#[test]
fn on_a_mismatch_the_error_fields_are_not_shown() {
    let error = "&error=access_denied&error_description=click+https%3A%2F%2Fevil.example";
    for (promised, iss) in [(true, ""), (true, "&iss=https://evil.example"), (false, "&iss=https://evil.example")] {
        let pending = pending(promised);
        let refused = pending.check(&query(&pending, &format!("{error}{iss}"))).unwrap_err();
        assert_eq!(refused, ResponseError::WrongIssuer);
        assert!(!format!("{refused} {refused:?}").contains("click"));
    }
    let pending = pending(true);
    let stranger = pending.check(&format!("state=x{error}&iss=https://as.example")).unwrap_err();
    assert_eq!(stranger, ResponseError::WrongState);
    let refused = pending.check(&query(&pending, &format!("{error}&iss=https://as.example"))).unwrap_err();
    let description = Some("click https://evil.example".to_owned());
    assert_eq!(refused, ResponseError::Refused { error: "access_denied".into(), description });
}

#[test]
fn a_response_without_the_state_of_its_attempt_is_not_looked_at() {
    let pending = pending(false);
    let other = self::pending(false);
    for query in ["code=c", "code=c&state=", &query(&other, "&code=c"), &format!("{}x&code=c", query(&pending, ""))] {
        assert_eq!(pending.check(query).unwrap_err(), ResponseError::WrongState, "{query}");
    }
    for rest in ["", "&code=", "&code=a&code=b", "&code=%zz", "&error=%00"] {
        assert_eq!(pending.check(&query(&pending, rest)).unwrap_err(), ResponseError::Malformed, "{rest}");
    }
}

// spec: TOK-48
#[test]
fn a_reciprocal_parameter_is_read_as_a_scope_or_ignored() {
    let pending = pending(false);
    let read = |value: &str| {
        let code = pending.check(&query(&pending, &format!("&code=c&reciprocal={value}"))).unwrap();
        code.reciprocal().cloned()
    };
    assert_eq!(read("calendar+contact"), Some("calendar contact".parse().unwrap()));
    for malformed in ["", "%22example_scope%22", "a++b", "%C3%A9"] {
        assert_eq!(read(malformed), None, "{malformed}");
    }
}

#[test]
fn an_attempt_is_the_same_after_it_was_kept_elsewhere() {
    let pending = pending(true);
    assert_eq!(PendingAuthorization::restore(&pending.save()), Some(pending.clone()));
    assert_eq!(PendingAuthorization::restore(&"{}".into()), None);
    let shown = format!("{pending:?} {:?}", pending.save());
    assert!(!shown.contains(pending.verifier.expose()) && !shown.contains(pending.state().expose()));
}

// spec: MCP-15
#[tokio::test]
async fn a_code_is_redeemed_with_the_verifier_and_the_resource_of_its_request() {
    let (http, sent) = network(|_, _| reply(200, &[], TOKEN));
    let client = TokenClient::discovered(&metadata(), ClientAuth::None { id: "app".into() }).build(http).unwrap();
    let pending = pending(false);
    let code = pending.check(&query(&pending, "&code=c")).unwrap();
    client.redeem(code).await.unwrap();
    let form = String::from_utf8(sent.lock().unwrap().pop().unwrap().into_body().to_vec()).unwrap();
    let verifier = pending.verifier.expose();
    assert_eq!(
        form,
        format!(
            "grant_type=authorization_code&code=c&code_verifier={verifier}\
             &redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fx%3D1&resource=https%3A%2F%2Fapi.example&client_id=app"
        ),
    );
}

// spec: MCP-23
#[tokio::test]
async fn the_code_of_one_issuer_goes_to_no_other() {
    let mut other = metadata();
    other.issuer = "https://other.example".into();
    let (http, sent) = network(|_, _| reply(200, &[], TOKEN));
    let client = TokenClient::discovered(&other, ClientAuth::None { id: "app".into() }).build(http).unwrap();
    let pending = pending(false);
    let error = client.redeem(pending.check(&query(&pending, "&code=c")).unwrap()).await.unwrap_err();
    assert!(matches!(error, TokenError::Foreign) && sent.lock().unwrap().is_empty());
}
