//! The program, configured: over TLS, on a file.

use http::Method;
use oauth_axum_rs::oauth_core::client::ClientId;
use serde_json::{Value, json};

use super::{Registered, request};
use crate::support::*;

const OPEN: &str = "[registration]\nopen = true\nmanagement = true\n";

fn remote(reference: &Reference) -> Remote {
    Remote::new(reference.authority.client(), &reference.issuer)
}

async fn register(remote: &Remote, token: Option<&str>, body: &Value) -> Answer {
    remote.send(request(Method::POST, "/register", token, &body.to_string())).await
}

fn app() -> Value {
    json!({ "redirect_uris": [CALLBACK], "client_name": "App", "scope": "albums:read" })
}

// spec: REG-13, REG-23, REG-25, REG-05
#[tokio::test]
async fn a_client_registers_is_kept_over_a_restart_and_deletes_itself() {
    let reference = Reference::with(OPEN);
    let program = reference.start();
    let remote = remote(&reference);
    let metadata = remote.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.member("registration_endpoint"), format!("{}/register", reference.issuer));
    let client = Registered::read(&register(&remote, None, &app()).await);
    assert!(ClientId::new(client.id()).is_ok());
    assert_eq!(remote.introspect(client.caller(), "oat_x").await.status, 200);
    // A request line of 8000 octets.
    let state = "x".repeat(7900);
    let long = remote.get(&format!("/authorize?client_id={}&prompt=none&state={state}", client.id())).await;
    assert_eq!(response_at(CALLBACK, long.location()).get("state"), Some(&*state));
    drop(program);
    let _program = reference.start();
    let remote = self::remote(&reference);
    let path = client.text("registration_client_uri").strip_prefix(&reference.issuer).unwrap();
    let manage = async |method| remote.send(request(method, path, Some(client.token()), "")).await;
    assert_eq!(manage(Method::GET).await.member("client_name"), "App");
    assert_eq!(manage(Method::DELETE).await.status, 204);
    assert_eq!(manage(Method::GET).await.status, 401);
    remote.introspect(client.caller(), "oat_x").await.is_refused(401, "invalid_client");
}

// spec: REG-19
#[tokio::test]
async fn the_file_says_who_may_register_and_how_often_they_may_be_wrong() {
    let tokens = "[registration]\ninitial_access_tokens = [\"let-me-in\"]\n";
    let sections = format!("{tokens}[limits]\nclient_auth_failures_per_minute = 1\n");
    let reference = Reference::with(&sections);
    let _program = reference.start();
    let remote = remote(&reference);
    let client = register(&remote, Some("let-me-in"), &app()).await;
    assert_eq!(client.status, 201);
    assert!(!client.json().as_object().unwrap().contains_key("registration_client_uri"), "management is off");
    for token in [None, Some("let-me-out")] {
        let answer = register(&remote, token, &app()).await;
        assert_eq!(answer.status, 401, "{answer}");
        assert!(answer.header("www-authenticate").starts_with("Bearer "), "{answer}");
    }
    for token in ["let-me-out", "let-me-in"] {
        is_limited(&register(&remote, Some(token), &app()).await);
    }
}

// spec: REG-19
#[tokio::test]
async fn the_file_says_how_often_strangers_may_register() {
    let reference = Reference::with("[registration]\nopen = true\n[limits]\nregistrations_per_minute = 1\n");
    let _program = reference.start();
    let remote = remote(&reference);
    assert_eq!(register(&remote, None, &app()).await.status, 201);
    // A minute may have ended meanwhile, but not two.
    let mut answer = register(&remote, None, &app()).await;
    if answer.status == 201 {
        answer = register(&remote, None, &app()).await;
    }
    is_limited(&answer);
}

#[track_caller]
fn is_limited(answer: &Answer) {
    answer.is_refused(429, "temporarily_unavailable");
    assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=60).contains(&seconds)));
}

#[tokio::test]
async fn without_the_section_nobody_registers() {
    let reference = Reference::new();
    let _program = reference.start();
    let remote = remote(&reference);
    assert_eq!(register(&remote, None, &app()).await.status, 404);
    let metadata = remote.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata.get("registration_endpoint"), None);
}
