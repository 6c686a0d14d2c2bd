//! Pushed authorization requests (RFC 9126), by libraries.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use url::Url;

use super::{Alice, METHODS, OPEN, app, features::Feature, read, silently, with_key};
use crate::support::*;

/// What asks by a reference.
fn pushing(parameters: &Value) -> Value {
    json!({ "by": ["par"], "parameters": parameters })
}

/// A client of `library` that must push its requests, and proves itself by `method`.
async fn pusher(library: Library, server: &Reference, method: &str) -> Foreign {
    let (private, public) = library.key("ES256").await;
    let mut app = app(method);
    app["require_pushed_authorization_requests"] = true.into();
    let app = if method == "private_key_jwt" { with_key(app, &public) } else { app };
    Foreign::new(library, server).proving("key", private).registered(&app).await
}

/// The parameters that the browser carries.
fn names(link: &str) -> BTreeSet<String> {
    Url::parse(link).unwrap().query_pairs().map(|(name, _)| name.into_owned()).collect()
}

// spec: AUZ-36, AUZ-39
#[tokio::test]
async fn clients_of_every_kind_push_their_requests_and_the_reference_is_good_once() {
    let server = Reference::with(OPEN);
    let _program = server.start();
    Feature::Par
        .each(async |library| {
            let mut alice = Alice::at(&server);
            for method in METHODS {
                let client = pusher(library, &server, method).await;
                let mut begun = client.ask("authorize", pushing(&read())).await.granted();
                let link = begun["url"].as_str().unwrap().to_owned();
                assert_eq!(names(&link), BTreeSet::from(["client_id", "request_uri"].map(str::to_owned)));
                begun["url"] = alice.agree(&link).await.answer.location().into();
                assert_eq!(client.ask("redeem", begun).await.granted()["scope"], "albums:read");
                alice.0.go(&link).await.answer.is_error_page();
            }
        })
        .await;
}

// spec: AUZ-38, AUZ-40
#[tokio::test]
async fn a_reference_is_one_clients_and_what_stands_beside_it_changes_nothing() {
    let server = Reference::with(OPEN);
    let _program = server.start();
    Feature::Par
        .each(async |library| {
            let mut alice = Alice::at(&server);
            let client = pusher(library, &server, "client_secret_basic").await;
            let other = pusher(library, &server, "none").await;
            let mut begun = client.ask("authorize", pushing(&read())).await.granted();
            let link = begun["url"].as_str().unwrap().to_owned();
            let [own, foreign] = [&client, &other].map(|client| client.client["client_id"].as_str().unwrap());
            alice.0.go(&link.replace(own, foreign)).await.answer.is_error_page();
            let beside = "&scope=albums%3Awrite&state=x&redirect_uri=https%3A%2F%2Fevil.example%2Fcb&prompt=none";
            begun["url"] = alice.agree(&format!("{link}{beside}")).await.answer.location().into();
            assert_eq!(client.ask("redeem", begun).await.granted()["scope"], "albums:read");
        })
        .await;
}

// spec: AUZ-37
#[tokio::test]
async fn what_is_wrong_with_a_request_the_client_hears_when_it_pushes_it() {
    let server = Reference::with(OPEN);
    let _program = server.start();
    Feature::Par
        .each(async |library| {
            for method in ["client_secret_basic", "private_key_jwt", "none"] {
                let client = pusher(library, &server, method).await;
                for (parameter, value, code) in [
                    ("scope", "nonsense", "invalid_scope"),
                    ("redirect_uri", "https://evil.example/cb", "invalid_request"),
                    ("code_challenge_method", "plain", "invalid_request"),
                    ("response_type", "token", "unsupported_response_type"),
                    ("response_mode", "web_message", "invalid_request"),
                    ("prompt", "none login", "invalid_request"),
                    ("resource", "https://elsewhere.example", "invalid_target"),
                ] {
                    let asked = pushing(&json!({ parameter: value }));
                    client.ask("authorize", asked).await.refused(400, code);
                }
                // Nobody is signed in, but that is for the authorization endpoint to find out.
                let mut visitor = Visitor::new(server.authority.client());
                let answered = silently(&mut visitor, &client, pushing(&read())).await;
                client.ask("redeem", answered).await.refused_in_front("login_required");
            }
            let client = pusher(library, &server, "client_secret_basic").await;
            let mistaken = client.with("client_secret", "mistaken-secret-9Wd2Kv7Rm4Hs1Qp6Zx3");
            mistaken.ask("authorize", pushing(&read())).await.refused(401, "invalid_client");
        })
        .await;
}

// spec: AUZ-41
#[tokio::test]
async fn where_requests_must_be_pushed_each_library_hears_that_it_did_not() {
    let own = Reference::with(OPEN);
    let all = Reference::with(&format!("{OPEN}[par]\nrequired = true\n"));
    let _programs = [own.start(), all.start()];
    Library::each(async |library| {
        for (server, everybody) in [(&own, false), (&all, true)] {
            let client = match everybody {
                true => Foreign::new(library, server).registered(&app("none")).await,
                false => pusher(library, server, "none").await,
            };
            let found = client.ask("discover", json!({})).await.granted();
            assert_eq!(found["pushed_authorization_request_endpoint"], format!("{}/par", server.issuer));
            assert_eq!(found["require_pushed_authorization_requests"].as_bool().unwrap_or_default(), everybody);
            let mut visitor = Visitor::new(server.authority.client());
            let answered = silently(&mut visitor, &client, json!({ "parameters": read() })).await;
            client.ask("redeem", answered).await.refused_in_front("invalid_request");
            if Feature::Par.is_in(library) {
                Alice::at(server).grant(&client, pushing(&read())).await;
            }
        }
    })
    .await;
}
