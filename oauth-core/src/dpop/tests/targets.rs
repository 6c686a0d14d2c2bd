//! `htu`: which spellings of a URI are one, and which are not.

use super::*;

fn normal(uri: &str) -> Option<String> {
    TargetUri::parse(uri).ok().map(|target| target.as_str().to_owned())
}

// spec: RS-26
#[test]
fn equivalent_spellings_of_a_uri_are_one() {
    let same = "https://api.example/~ada/a%2Fb";
    for spelling in [
        "https://api.example/~ada/a%2Fb",
        "HTTPS://API.Example/~ada/a%2Fb",
        "https://api.example:443/~ada/a%2fb",
        "https://api.example:/~ada/a%2Fb",
        "https://api.example:00443/~ada/a%2Fb",
        "https://api.example/%7Eada/a%2Fb",
        "https://api.example/%7e%61da/a%2fb",
        "https://api.example/./~ada/x/../a%2Fb",
        "https://api.example/../../~ada/%2e/a%2Fb",
        "https://api.example/%2E%2e/~ada/a%2Fb",
        "https://api.example/~ada/a%2Fb?page=2",
        "https://api.example/~ada/a%2Fb#top",
        "https://api.example/~ada/a%2Fb?x#top?y",
        "https://api.example/~ada/a%2Fb#https://other.example/",
        "https://api.example/~ada/a%2Fb?",
    ] {
        assert_eq!(normal(spelling).as_deref(), Some(same), "{spelling}");
        let key = key();
        let proof = forge(&key, header(&key), with(claims(), json!({ "htu": spelling })));
        let [here, elsewhere] = [[target(same)], [target(URL)]];
        let verify = |targets| Proof::verify(&proof, &ProofRequest::with_token("GET", targets, TOKEN, NOW));
        assert!(verify(&here).is_ok(), "{spelling}");
        assert_eq!(verify(&elsewhere).unwrap_err(), DpopError::WrongTarget);
    }
}

// spec: RS-26
#[test]
fn another_uri_is_another_uri() {
    for htu in [
        "http://api.example/photos",
        "https://api.example:8443/photos",
        "https://api.example:80/photos",
        "https://api.example.evil.example/photos",
        "https://api.example./photos",
        "https://other.example/photos",
        "https://api.example/",
        "https://api.example",
        "https://api.example/photos/",
        "https://api.example/photo",
        "https://api.example/photos/1",
        "https://api.example/Photos",
        "https://api.example//photos",
        "https://api.example/photos%2F",
        "https://api.example/photos%3Fx",
        "https://api.example/photos;x",
        "https://api.example/photos%00",
    ] {
        let refused = refusal_of_claims(with(claims(), json!({ "htu": htu })));
        assert_eq!(refused, DpopError::WrongTarget, "{htu}");
    }
}

// spec: RS-26
#[test]
fn what_is_no_absolute_http_uri_matches_nothing() {
    for uri in [
        "",
        "/photos",
        "photos",
        "//api.example/photos",
        "api.example/photos",
        "https:/api.example/photos",
        "https:///photos",
        "https://",
        "https://:443/",
        "https:\\\\api.example\\photos",
        "ftp://api.example/photos",
        "javascript://api.example/photos",
        "htu:https://api.example/photos",
        " https://api.example/photos",
        "https://api.example/photos ",
        "https://api.example/pho tos",
        "https://api.example/photos\n",
        "https://api.example/photos\0",
        "https://api.example/fotoß",
        "https://äpi.example/photos",
        "https://ada@api.example/photos",
        "https://ada:pw@api.example/photos",
        "https://api.example@evil.example/photos",
        "https://api.ex%61mple/photos",
        "https://api.example:x/photos",
        "https://api.example:+443/photos",
        "https://api.example:-1/photos",
        "https://api.example:65536/photos",
        "https://api.example:443:443/photos",
        "https://api.example\\photos",
        "https://api.example/%",
        "https://api.example/%4",
        "https://api.example/%zz",
        "https://[::1/photos",
        "https://[::1]x/photos",
        "https://[api.example]/photos",
        "https://[fe80::1%25eth0]/photos",
        "https://::1/photos",
    ] {
        assert_eq!(normal(uri), None, "{uri:?}");
        let refused = refusal_of_claims(with(claims(), json!({ "htu": uri })));
        assert_eq!(refused, DpopError::MalformedClaim("htu"), "{uri:?}");
    }
}

#[test]
fn the_normal_form_is_as_rfc_3986_has_it() {
    for (uri, expected) in [
        // Section 6.2.3.
        ("http://example.com", "http://example.com/"),
        ("http://example.com:/", "http://example.com/"),
        ("http://example.com:80/", "http://example.com/"),
        ("http://example.com:443", "http://example.com:443/"),
        ("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/a"),
        // Section 5.2.4.
        ("https://h/a/b/c/./../../g", "https://h/a/g"),
        ("https://h/mid/content=5/../6", "https://h/mid/6"),
        // Section 5.4, as merged.
        ("https://h/b/c/.", "https://h/b/c/"),
        ("https://h/b/c/..", "https://h/b/"),
        ("https://h/b/c/../..", "https://h/"),
        ("https://h/b/c/../../../../g", "https://h/g"),
        ("https://h/b/c/g.", "https://h/b/c/g."),
        ("https://h/b/c/..g", "https://h/b/c/..g"),
        ("https://h/..", "https://h/"),
        ("https://h/.", "https://h/"),
        ("https://h/a//../b", "https://h/a/b"),
        ("https://h//", "https://h//"),
        // One address has one form (RFC 5952).
        ("https://[2001:DB8:0:0::1]:443/", "https://[2001:db8::1]/"),
        ("https://[::FFFF:127.0.0.1]/", "https://[::ffff:127.0.0.1]/"),
        // What browsers leave as it is in a path.
        ("https://h/a|b^[c]", "https://h/a%7Cb%5E%5Bc%5D"),
        ("https://h/a\\..\\b", "https://h/a%5C..%5Cb"),
        // Nothing is decoded twice, and nothing that would change the meaning.
        ("https://h/%252e%252e/a", "https://h/%252e%252e/a"),
        ("https://h/a%2f..%2fb", "https://h/a%2F..%2Fb"),
        ("https://h/%c3%a9%20!$&'()*+,;=:@", "https://h/%C3%A9%20!$&'()*+,;=:@"),
    ] {
        assert_eq!(normal(uri).as_deref(), Some(expected), "{uri}");
        assert_eq!(normal(expected).as_deref(), Some(expected), "once is enough");
    }
}

#[test]
fn a_uri_is_bounded() {
    let sized = |length: usize| format!("https://h/{}", "a".repeat(length - 10));
    assert!(TargetUri::parse(&sized(TargetUri::MAX_BYTES)).is_ok());
    assert_eq!(TargetUri::parse(&sized(TargetUri::MAX_BYTES + 1)), Err(InvalidTargetUri));
}

// spec: RS-26
#[test]
fn a_server_with_several_names_accepts_each_and_no_other() {
    let key = key();
    let proof = forge(&key, header(&key), claims());
    let verify =
        |targets: &[TargetUri]| Proof::verify(&proof, &ProofRequest::with_token("GET", targets, TOKEN, NOW)).err();
    assert_eq!(verify(&[target("https://b.example/photos"), target(URL)]), None);
    assert_eq!(verify(&[target("https://b.example/photos")]), Some(DpopError::WrongTarget));
    assert_eq!(verify(&[]), Some(DpopError::WrongTarget));
}
