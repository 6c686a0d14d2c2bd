//! `grant_type=client_credentials`: a client acts for itself.

use oauth_core::{
    client::{Client, GrantType, InvalidClient},
    engine::interaction::Approval,
};
use serde_json::Value;

use crate::support::*;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

// spec: TOK-21
#[tokio::test]
async fn a_public_client_may_not_act_for_itself() {
    let w = on_memory().await;
    w.token(APP, &[GRANT]).await.is_refused(400, "unauthorized_client");
    w.token(Caller::Post("app", "guess"), &[GRANT]).await.is_refused(401, "invalid_client");
    // It cannot even be registered for it.
    let client = Client::builder("x").grant_type(GrantType::CLIENT_CREDENTIALS).build();
    assert_eq!(client, Err(InvalidClient::PublicClientCredentials));
}

// spec: TOK-21, REG-02
#[tokio::test]
async fn credentials_alone_do_not_bring_the_grant() {
    let w = on_memory().await;
    w.token(RESOURCE_SERVER, &[GRANT]).await.is_refused(400, "unauthorized_client");
}

// spec: TOK-22
#[tokio::test]
async fn the_client_can_ask_again_so_it_gets_no_refresh_token() {
    on_every_store(async |w| {
        // Even one that may use refresh tokens.
        let tokens = w.token(WEB, &[GRANT]).await.tokens();
        assert_eq!(tokens.refresh, None);
        assert!(w.lives(&tokens.access).await);
    })
    .await;
}

// spec: TOK-22
#[tokio::test]
async fn the_subject_is_the_client_which_tells_it_from_a_users_token() {
    let w = on_memory().await;
    let own = w.token(WEB, &[GRANT, ("resource", JWT_API)]).await.tokens();
    let users = w.code_for(&Ask::of(WEB).with("resource", JWT_API)).await;
    let users = w.redeem(WEB, &users).await.tokens();
    for (token, subject) in [(own, "web"), (users, "alice")] {
        let claims = claims(&token.access);
        assert_eq!((&claims["sub"], &claims["client_id"]), (&subject.into(), &"web".into()));
        let known = w.introspect(AUDITOR, &token.access).await;
        assert_eq!((known.member("sub"), known.member("client_id")), (subject.into(), "web".into()));
    }
}

// spec: TOK-22
#[tokio::test]
async fn no_user_can_pass_for_a_client() {
    let w = on_memory().await;
    let mut browser = Browser::new(&w);
    // A token with `sub` = `client_id` would say that nobody but the client is behind it.
    for client in ["web", "app"] {
        let id = browser.begin(&Ask::of(WEB)).await;
        assert!(browser.interaction(&id).await.unwrap().approve(Approval::new(client)).await.is_err());
        assert!(browser.interaction(&id).await.is_some(), "nothing was decided");
    }
}

// spec: TOK-21, AUZ-18
#[tokio::test]
async fn the_scope_is_what_the_client_is_registered_for_or_less() {
    let w = on_memory().await;
    let scope = async |scope: &str| w.token(WEB, &[GRANT, ("scope", scope), ("resource", API)]).await;
    assert_eq!(scope("write").await.member("scope"), "write");
    assert_eq!(scope("write read").await.member("scope"), "write read");
    for bad in ["root", "read root", "READ", "read  write", " read", "read\twrite", "re\"ad"] {
        scope(bad).await.is_refused(400, "invalid_scope");
    }
}

// spec: SEC-23
#[tokio::test]
async fn the_token_ends_when_it_said_it_would() {
    on_every_store(async |w| {
        let answer = w.token(WEB, &[GRANT]).await;
        let (access, lifetime) = (answer.tokens().access, answer.member("expires_in").as_u64().unwrap());
        w.clock.advance(lifetime - 1);
        assert!(w.lives(&access).await);
        w.clock.advance(1);
        assert!(!w.lives(&access).await);
    })
    .await;
}

#[tokio::test]
async fn a_resource_that_is_not_served_is_an_invalid_target() {
    let w = on_memory().await;
    for bad in ["https://elsewhere.example", "nonsense", "https://api.example/", "https://api.example#x"] {
        w.token(WEB, &[GRANT, ("resource", bad)]).await.is_refused(400, "invalid_target");
    }
}

/// What a JWT says, unverified.
fn claims(jwt: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}
