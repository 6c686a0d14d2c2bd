//! Devices without a browser (RFC 8628), by libraries.

use serde_json::{Value, json};

use super::{features::Feature, in_file, read};
use crate::support::*;

/// A device of the file, which proves itself by `method`.
fn device(id: &str, method: &str) -> Value {
    let mut client = json!({
        "client_id": id,
        "client_name": "A device",
        "token_endpoint_auth_method": method,
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
        "scope": "albums:read",
    });
    if method != "none" {
        client["client_secret"] = "a-device-keeps-no-secret-7Hq2".into();
    }
    client
}

/// Goes where the device says, finds the code filled in, and presses `button` in the end.
async fn decide(alice: &mut Visitor, begun: &Value, button: &str) {
    let page = alice.go(begun["verification_uri_complete"].as_str().unwrap()).await;
    let mut page = alice.press(&page, "confirm", &[]).await;
    if page.has("sign-in") {
        page = alice.press(&page, "sign-in", &[("username", "alice"), ("password", PASSWORD)]).await;
    }
    assert!(page.answer.body.contains(begun["user_code"].as_str().unwrap()), "{}", page.answer);
    assert_eq!(alice.press(&page, button, &[]).await.answer.status, 200);
}

// spec: TOK-36, TOK-37, TOK-38
#[tokio::test]
async fn devices_of_every_kind_are_connected_by_their_person_or_denied() {
    let clients = [device("tv", "none"), device("kiosk", "client_secret_basic"), device("box", "client_secret_post")];
    let server = Reference::with(&format!("[device]\nenabled = true\ninterval = 1\n{}", in_file(&clients)));
    let _program = server.start();
    Feature::Device
        .each(async |library| {
            let mut alice = Visitor::new(server.authority.client());
            for known in &clients {
                let client = Foreign::new(library, &server).known_as(known);
                let begun = client.ask("device", json!({ "parameters": read() })).await.granted();
                assert_eq!((&begun["expires_in"], &begun["interval"]), (&json!(600), &json!(1)));
                let ask = async || client.ask("poll", json!({ "begun": begun })).await;
                // openid-client goes on asking by itself, and waits before.
                let asks_once = library == Library::Oauth4webapi;
                if asks_once {
                    ask().await.refused(400, "authorization_pending");
                }
                decide(&mut alice, &begun, "approve").await;
                let tokens = ask().await.granted();
                assert_eq!(tokens["scope"], "albums:read");
                client.send("refresh", &tokens["refresh_token"]).await.granted();
                if asks_once {
                    ask().await.refused(400, "invalid_grant");
                }

                let begun = client.ask("device", json!({ "parameters": {} })).await.granted();
                decide(&mut alice, &begun, "deny").await;
                client.ask("poll", json!({ "begun": begun })).await.refused(400, "access_denied");
            }
        })
        .await;
}
