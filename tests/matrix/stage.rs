//! User-interactive authentication, and its one stage.

use http::StatusCode;
use serde_json::json;

use super::*;

const UPLOAD: &str = "/_matrix/client/v3/keys/device_signing/upload";

async fn home() -> Home {
    let service = Service::new().await;
    service.good("t", json!({}));
    service.good("admin", json!({ "username": "root" }));
    Home::asking(&service, |settings| settings.appservice(bridge())).await
}

async fn upload(home: &Home, token: &str, auth: Option<&str>) -> Answer {
    let body = auth.map_or(json!({}), |session| json!({ "auth": { "session": session } }));
    home.send("POST", UPLOAD, &[("authorization", &format!("Bearer {token}"))], &body.to_string()).await
}

/// The session in an answer that asks for the stage.
#[track_caller]
fn asks(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer}");
    let body = answer.json();
    assert_eq!(body["flows"], json!([{ "stages": ["m.oauth"] }]), "{answer}");
    assert_eq!(body["params"]["m.oauth"], json!({ "url": RESET }), "{answer}");
    assert!(body.get("errcode").is_none(), "no error yet: {answer}");
    body["session"].as_str().unwrap().to_owned()
}

// spec: MTX-26
#[tokio::test]
async fn keys_are_replaced_once_the_user_has_agreed_at_the_authorization_server() {
    let home = home().await;
    let alice = UserId::new("alice", NAME).unwrap();
    let session = asks(&upload(&home, "t", None).await);
    assert_eq!(asks(&upload(&home, "t", Some(&session)).await), session, "not yet");
    home.stage.approve(&alice).unwrap();
    asks(&upload(&home, "t", None).await);
    asks(&upload(&home, "t", Some("another")).await);
    asks(&upload(&home, "admin", Some(&session)).await);
    assert_eq!(upload(&home, "t", Some(&session)).await.status, StatusCode::OK);
    assert_ne!(asks(&upload(&home, "t", Some(&session)).await), session, "once");
    // What was agreed to does not wait for ever.
    let session = asks(&upload(&home, "t", None).await);
    home.stage.approve(&alice).unwrap();
    home.clock.advance(600);
    assert_ne!(asks(&upload(&home, "t", Some(&session)).await), session);
}

// spec: MTX-26
#[tokio::test]
async fn other_endpoints_with_that_authentication_are_not_for_the_oauth_api() {
    let home = home().await;
    let path = "/_matrix/client/v3/devices/ABCDEFGHIJ";
    let delete = |token: &'static str, query: &'static str| {
        let (home, path) = (&home, format!("{path}{query}"));
        async move { home.send("DELETE", &path, &[("authorization", &format!("Bearer {token}"))], "").await }
    };
    is_refused(&delete("t", "").await, 403, "M_FORBIDDEN");
    is_user(&home.get(WHOAMI, "t").await, "@alice:example.org");
    home.users.insert("bot_one", User::default());
    assert_eq!(delete(AS_TOKEN, "?user_id=@bot_one:example.org").await.status, StatusCode::OK);
    let gone = format!("{WHOAMI}?user_id=@bot_one:example.org&device_id=ABCDEFGHIJ");
    is_refused(&home.get(&gone, AS_TOKEN).await, 400, "M_UNKNOWN_DEVICE");
}
