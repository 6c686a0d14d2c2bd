//! The device grant: case 59.

use oauth_core::engine::device::{DeviceLookup, Guesser};

use super::*;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn begin(w: &World) -> (String, String) {
    let answer = w.post("/device_authorization", ELEMENT, &[("scope", SCOPE), ("resource", HOME)]).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert!(answer.member("verification_uri_complete").is_string());
    let text = |name| answer.member(name).as_str().unwrap().to_owned();
    (text("device_code"), text("user_code"))
}

async fn poll(w: &World, code: &str) -> Answer {
    w.token(ELEMENT, &[("grant_type", GRANT), ("device_code", code)]).await
}

async fn decide(w: &World, code: &str, yes: bool) {
    let DeviceLookup::Found(request) = w.server.device(code, Guesser::default()).await.unwrap() else { panic!() };
    match yes {
        true => drop(request.approve(Approval::new("alice")).await.unwrap()),
        false => drop(request.deny().await.unwrap()),
    }
}

// spec: MTX-23
#[tokio::test]
async fn case_59_a_device_hears_how_it_goes_and_gets_its_tokens_once() {
    let w = world().await;
    let (code, user_code) = begin(&w).await;
    poll(&w, &code).await.is_refused(400, "authorization_pending");
    poll(&w, &code).await.is_refused(400, "slow_down");
    decide(&w, &user_code, true).await;
    w.clock.advance(30);
    let tokens = poll(&w, &code).await.tokens();
    is_user(&home(&w).await.get(WHOAMI, &tokens.access).await, "@alice:example.org");
    assert_eq!(w.refresh(ELEMENT, tokens.refresh.as_ref().unwrap()).await.status, 200);
    poll(&w, &code).await.is_refused(400, "invalid_grant");
    let (code, user_code) = begin(&w).await;
    decide(&w, &user_code, false).await;
    poll(&w, &code).await.is_refused(400, "access_denied");
    let (code, _) = begin(&w).await;
    w.clock.advance(601);
    poll(&w, &code).await.is_refused(400, "expired_token");
}

// spec: MTX-13
#[tokio::test]
async fn a_device_that_signs_in_by_a_code_ends_its_older_session() {
    let w = world().await;
    let older = sign_in(&w, &ask(ELEMENT)).await;
    let (code, user_code) = begin(&w).await;
    decide(&w, &user_code, true).await;
    assert!(is_live(&w, &poll(&w, &code).await.tokens().access).await);
    is_dead(&w, &older).await;
}
