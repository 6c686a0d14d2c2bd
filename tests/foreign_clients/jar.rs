//! Signed authorization requests (RFC 9101), by libraries.

use serde_json::{Value, json};

use super::{Alice, OPEN, app, features::Feature, read, silently, with_key};
use crate::support::*;

const WAYS: [&[&str]; 2] = [&["jar"], &["jar", "par"]];

fn signing(by: &[&str], parameters: &Value) -> Value {
    json!({ "by": by, "parameters": parameters })
}

/// A client of `library` that must sign its requests, and proves itself by `method`.
async fn signer(library: Library, server: &Reference, method: &str, algorithm: &str) -> Foreign {
    let (private, public) = library.key(algorithm).await;
    let mut app = with_key(app(method), &public);
    app["require_signed_request_object"] = true.into();
    Foreign::new(library, server).proving("key", private).registered(&app).await
}

// spec: AUZ-42
#[tokio::test]
async fn requests_signed_by_clients_of_every_kind_are_taken_and_may_be_pushed() {
    let server = Reference::with(OPEN);
    let _program = server.start();
    Feature::Jar
        .each(async |library| {
            let mut alice = Alice::at(&server);
            let methods = ["client_secret_basic", "private_key_jwt", "none"].map(|method| (method, "ES256"));
            let algorithms = ["RS256", "PS256", "EdDSA"].map(|algorithm| ("none", algorithm));
            for (method, algorithm) in [methods, algorithms].concat() {
                let client = signer(library, &server, method, algorithm).await;
                for by in WAYS {
                    let tokens = alice.grant(&client, signing(by, &read())).await;
                    assert_eq!(tokens["scope"], "albums:read", "{library:?} {method} {algorithm} {by:?}");
                }
            }
        })
        .await;
}

// spec: AUZ-45
#[tokio::test]
async fn who_must_sign_requests_and_does_not_is_refused() {
    let server = Reference::with(OPEN);
    let _program = server.start();
    Feature::Jar
        .each(async |library| {
            let client = signer(library, &server, "client_secret_basic", "ES256").await;
            let mut visitor = Visitor::new(server.authority.client());
            let answered = silently(&mut visitor, &client, json!({ "parameters": read() })).await;
            client.ask("redeem", answered).await.refused_in_front("invalid_request");
            client.ask("authorize", signing(&["par"], &read())).await.refused(400, "invalid_request");
        })
        .await;
}

// spec: AUZ-42
#[tokio::test]
async fn nothing_but_what_was_signed_counts_and_no_other_key_signs() {
    let server = Reference::with(OPEN);
    let _program = server.start();
    Feature::Jar
        .each(async |library| {
            let mut alice = Alice::at(&server);
            let client = signer(library, &server, "client_secret_basic", "ES256").await;
            let mut begun = client.ask("authorize", signing(&["jar"], &read())).await.granted();
            let beside = "&scope=albums%3Awrite&state=x&prompt=none";
            let link = format!("{}{beside}", begun["url"].as_str().unwrap());
            begun["url"] = alice.agree(&link).await.answer.location().into();
            assert_eq!(client.ask("redeem", begun).await.granted()["scope"], "albums:read");

            let (stranger, _) = library.key("ES256").await;
            let stranger = client.proving("key", stranger);
            stranger.ask("authorize", signing(&["jar", "par"], &read())).await.refused(400, "invalid_request_object");
            // Nobody is shown a page, so that the answer goes to the client at once.
            let forged = stranger.ask("authorize", signing(&["jar"], &read())).await.granted();
            let page = alice.0.go(&format!("{}&prompt=none", forged["url"].as_str().unwrap())).await;
            assert_eq!(page.response(CALLBACK).get("error"), Some("invalid_request_object"));
        })
        .await;
}
