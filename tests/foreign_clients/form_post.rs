//! The authorization response as a form that the browser posts, by libraries.

use serde_json::{Map, Value, json};

use super::{Alice, OPEN, app, features::Feature, with_key};
use crate::support::*;

/// Every way to ask.
const WAYS: [&[&str]; 4] = [&[], &["par"], &["jar"], &["jar", "par"]];

/// Those that `library` has. Authlib has none to name.
fn ways(library: Library) -> &'static [&'static [&'static str]] {
    if Feature::Par.is_in(library) { &WAYS } else { &WAYS[..1] }
}

fn asking(by: &[&str]) -> Value {
    let mut asked = json!({ "parameters": { "scope": "albums:read", "response_mode": "form_post" } });
    if !by.is_empty() {
        asked["by"] = json!(by);
    }
    asked
}

/// What arrives at the client when the browser has sent the form of `page`.
fn posted(mut begun: Value, page: &Page) -> Value {
    let fields: Map<String, Value> =
        page.posted(CALLBACK).into_iter().map(|(name, value)| (name, value.into())).collect();
    begun["url"] = CALLBACK.into();
    begun["form"] = fields.into();
    begun
}

// spec: AUZ-31, AUZ-32
#[tokio::test]
async fn each_library_reads_the_form_that_the_browser_posts() {
    let server = Reference::with(OPEN);
    let _program = server.start();
    Library::each(async |library| {
        let (private, public) = library.key("ES256").await;
        let nobody = Foreign::new(library, &server).proving("key", private);
        let found = nobody.ask("discover", json!({})).await.granted();
        assert!(found["response_modes_supported"].as_array().unwrap().contains(&json!("form_post")));
        let mut alice = Alice::at(&server);
        for method in ["client_secret_basic", "none"] {
            let client = nobody.registered(&with_key(app(method), &public)).await;
            for by in ways(library) {
                let begun = client.ask("authorize", asking(by)).await.granted();
                let page = alice.agree(begun["url"].as_str().unwrap()).await;
                let tokens = client.ask("redeem", posted(begun, &page)).await.granted();
                assert_eq!(tokens["scope"], "albums:read", "{library:?} {method} {by:?}");
            }
        }
    })
    .await;
}

// spec: AUZ-32
#[tokio::test]
async fn a_no_comes_in_a_form_too() {
    let server = Reference::with(OPEN);
    let _program = server.start();
    Library::each(async |library| {
        let client = Foreign::new(library, &server).registered(&app("none")).await;
        let begun = client.ask("authorize", asking(&[])).await.granted();
        let mut visitor = Visitor::new(server.authority.client());
        let page = visitor.decide(begun["url"].as_str().unwrap(), ("alice", PASSWORD), "deny").await;
        let answered = posted(begun, &page);
        assert_eq!(answered["form"]["error"], "access_denied");
        let outcome = client.ask("redeem", answered).await;
        match Feature::ErrorByPost.is_in(library) {
            true => outcome.refused_in_front("access_denied"),
            // It looks for a code and for nothing else.
            false => outcome.is_error("missing_code"),
        }
    })
    .await;
}
