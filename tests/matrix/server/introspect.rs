//! `/oauth2/introspect`: for a homeserver in another process.

use super::*;

async fn asked(w: &World, secret: &str, token: &str, more: &str, apart: bool) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish() + more;
    let request = Request::post("/oauth2/introspect")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::AUTHORIZATION, format!("Bearer {secret}"));
    let request = if apart { request.header("x-mas-supports-device-id", "1") } else { request };
    w.send(request.body(Bytes::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_homeserver_hears_what_it_needs() {
    let w = world().await;
    let tokens = sign_in(&w, &ask(ELEMENT)).await;
    w.clock.advance(100);
    let answer = asked(&w, SECRET, &tokens.access, "&token_type_hint=access_token", true).await;
    let body = answer.json();
    assert_eq!((&body["active"], &body["username"], &body["expires_in"]), (&json!(true), &json!("alice"), &json!(200)));
    assert_eq!(body["device_id"], "ABCDEFGHIJ");
    assert_eq!(body["scope"], "urn:matrix:client:api:* urn:matrix:org.matrix.msc2967.client:api:*");
    let body = asked(&w, SECRET, &tokens.access, "", false).await.json();
    assert!(body.get("device_id").is_none());
    let scope = body["scope"].as_str().unwrap();
    for twin in ["urn:matrix:client:device:ABCDEFGHIJ", "urn:matrix:org.matrix.msc2967.client:device:ABCDEFGHIJ"] {
        assert!(scope.split(' ').any(|token| token == twin), "{scope}");
    }
}

#[tokio::test]
async fn what_is_no_good_access_token_is_inactive_and_nothing_more() {
    let w = world().await;
    let tokens = sign_in(&w, &ask(ELEMENT)).await;
    let refresh = tokens.refresh.as_ref().unwrap();
    for hint in ["", "&token_type_hint=access_token", "&token_type_hint=refresh_token"] {
        asked(&w, SECRET, refresh, hint, true).await.is_inactive();
    }
    asked(&w, SECRET, "junk", "", true).await.is_inactive();
    let machine = w.token(WEB, &[("grant_type", "client_credentials"), ("scope", "read")]).await.tokens();
    asked(&w, SECRET, &machine.access, "", true).await.is_inactive();
    w.clock.advance(300);
    asked(&w, SECRET, &tokens.access, "", true).await.is_inactive();
}

#[tokio::test]
async fn nobody_else_may_ask() {
    let w = world().await;
    let tokens = sign_in(&w, &ask(ELEMENT)).await;
    for secret in ["", "wrong", &tokens.access] {
        let answer = asked(&w, secret, &tokens.access, "", true).await;
        assert_eq!((answer.status.as_u16(), answer.member("error")), (401, json!("access_denied")), "{answer}");
        assert!(answer.member("active").is_null());
    }
    let w = World::opaque(MemoryStore::default(), |builder| builder.profile(Matrix::new(NAME))).await;
    assert_eq!(asked(&w, "", "x", "", false).await.status, 404);
    let w = on_memory().await;
    assert_eq!(asked(&w, SECRET, "x", "", false).await.status, 404);
}

/// A stranger may share the address of the homeserver, that of a proxy: it would be shut out.
#[tokio::test]
async fn wrong_secrets_never_keep_the_right_one_out() {
    let w = world().await;
    let tokens = sign_in(&w, &ask(ELEMENT)).await;
    for _ in 0..400 {
        assert_eq!(asked(&w, "wrong", &tokens.access, "", true).await.status, 401);
    }
    assert_eq!(asked(&w, SECRET, &tokens.access, "", true).await.member("active"), true);
}

// spec: MTX-16
#[tokio::test]
async fn to_ask_about_a_token_is_to_use_it() {
    let w = world().await;
    let first = sign_in(&w, &ask(ELEMENT)).await.refresh.unwrap();
    let second = w.refresh(ELEMENT, &first).await.tokens();
    assert_eq!(asked(&w, SECRET, &second.access, "", true).await.member("active"), true);
    w.refresh(ELEMENT, &first).await.is_refused(400, "invalid_grant");
    asked(&w, SECRET, &second.access, "", true).await.is_inactive();
}
