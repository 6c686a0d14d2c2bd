//! What a document is for.

use futures_util::FutureExt;

use super::*;

// spec: REG-28, AUZ-45
#[test]
fn each_purpose_takes_its_own_media_types_and_nothing_else() {
    let json = ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/cimd+json ;x"];
    let tokens = ["application/oauth-authz-req+jwt", "application/jwt"];
    let neither = ["", "text/html", "text/json", "application/", "application/+json", "application/json-seq", "*/*"];
    for (purpose, good, bad) in [
        (Purpose::ClientMetadata, &json[..], &tokens[..]),
        (Purpose::JwkSet, &json, &tokens),
        (Purpose::RequestObject, &tokens, &json),
    ] {
        assert!(good.iter().all(|name| purpose.takes(name)), "{purpose:?}");
        let others = [bad, &neither, &["application/xjson", "application/jwt, application/json"]].concat();
        others.iter().for_each(|name| assert!(!purpose.takes(name), "{purpose:?}: {name}"));
    }
    assert!(Purpose::JwkSet.takes("application/jwk-set+json"));
}

#[test]
fn a_document_that_cannot_be_what_it_should_be_is_none() {
    let is = |purpose: Purpose, text: &str| {
        FetchRequest::new("https://app.example/", purpose).check(text.as_bytes()).is_ok()
    };
    assert!(is(Purpose::JwkSet, "{\"keys\":[]}") && is(Purpose::ClientMetadata, "{}"));
    assert!(is(Purpose::RequestObject, "a.b.c"));
    assert!(!is(Purpose::JwkSet, "{}") && !is(Purpose::ClientMetadata, "[]") && !is(Purpose::RequestObject, "a b"));
    // Whoever reads this set can sign in the client's name.
    assert!(!is(Purpose::JwkSet, r#"{"keys":[{"kty":"oct","k":"AA"}]}"#));
    let picky = FetchRequest::new("https://app.example/", Purpose::JwkSet).valid_if(|url, document| {
        assert_eq!(url, "https://app.example/");
        if document == b"yes" { Ok(()) } else { Err("is not yes".to_owned()) }
    });
    assert!(picky.check(b"yes").is_ok());
    let refused = picky.check(b"{\"keys\":[]}").unwrap_err();
    assert_eq!(refused.to_string(), "the document is not what was asked for: is not yes");
}

#[test]
fn nothing_is_fetched_unless_the_host_chooses_who_does_it() {
    let request = FetchRequest::new("https://app.example/jwks", Purpose::JwkSet);
    let error = NoFetch.fetch(request).now_or_never().unwrap().unwrap_err();
    assert!(matches!(error, FetchError::Refused(Refusal::Disabled)) && !error.is_outage());
    assert!(matches!(NoFetch.check("https://app.example/"), Err(FetchError::Refused(Refusal::Disabled))));
}

#[test]
fn what_may_pass_by_itself_is_an_outage_and_the_rest_is_not() {
    let status = |code: u16| FetchError::Status(http::StatusCode::from_u16(code).unwrap());
    let outages = [
        FetchError::TimedOut,
        FetchError::Limited { retry_after: 7 },
        FetchError::unavailable(Stage::Connect, "no route"),
        status(503),
        status(429),
    ];
    assert!(outages.iter().all(FetchError::is_outage));
    let faults = [
        FetchError::TooLarge,
        FetchError::MediaType,
        FetchError::Encoded,
        FetchError::Invalid { why: None },
        status(404),
    ];
    assert!(faults.iter().all(|error| !error.is_outage() && error.retry_after().is_none()));
    assert_eq!(outages[1].retry_after(), Some(7));
}
