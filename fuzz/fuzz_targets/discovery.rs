//! Metadata of an issuer, and where they lead: to https, and nowhere but where they say.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth_core_fuzz::{Answer, access_token, ask, object};
use oauth_tower::resource::{Issuer, ResourceServer};
use serde_json::json;

fuzz_target!(|document: &[u8]| {
    let Some(answer) = Answer::new(200, &[], document) else { return };
    let builder = ResourceServer::builder("https://api.example").issuer(Issuer::jwt("https://as.example"));
    let (verdict, asked) = ask(builder, &access_token(&json!({})), answer);
    // The same document is no set of keys, unless it is both.
    let members = object(document);
    let is_both = members.as_ref().is_some_and(|members| members.contains_key("keys"));
    assert!(verdict.is_err() || is_both);
    let [first, rest @ ..] = &asked[..] else { panic!("nobody was asked") };
    assert_eq!(first, "https://as.example/.well-known/oauth-authorization-server");
    for url in rest {
        // What is no object is no metadata: they may be in the other place.
        let Some(members) = &members else {
            assert_eq!(url, "https://as.example/.well-known/openid-configuration");
            continue;
        };
        assert_eq!(members["issuer"], "https://as.example");
        let named = members["jwks_uri"].as_str().expect("a URL");
        assert_eq!(url, &named.parse::<http::Uri>().expect("a URL").to_string());
        assert!(url.starts_with("https://"), "{url}");
    }
    assert!(asked.len() <= 2);
});
