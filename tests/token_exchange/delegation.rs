//! Who acts for whom (RFC 8693 section 4.1).

use serde_json::json;

use super::*;

async fn delegate(w: &World, caller: Caller, subject: &str, actor: &str) -> Answer {
    exchange(w, caller, subject, &[("actor_token", actor), ("actor_token_type", ACCESS), ("resource", JWT_API)]).await
}

/// What the JWT itself says.
fn act_of(jwt: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&payload).unwrap()["act"].clone()
}

// spec: TOK-44
#[tokio::test]
async fn the_actor_is_in_act_in_the_token_and_wherever_it_is_introspected() {
    on_every_store_with(exchanging, async |w| {
        let subject = w.tokens(WEB).await.access;
        let actor = own_token(&w, GATEWAY).await;
        let token = delegate(&w, GATEWAY, &subject, &actor).await.tokens().access;
        let act = json!({ "sub": "gateway" });
        assert_eq!((act_of(&token), &known(&w, &token).await["act"]), (act.clone(), &act));
        let valid = w.server.validate_access(&token).await.unwrap().unwrap();
        assert_eq!(valid.claims.actor().unwrap().unwrap().sub, "gateway");
        assert_eq!(valid.claims.sub, "alice");
    })
    .await;
}

// spec: TOK-44
#[tokio::test]
async fn whoever_acted_before_stays_inside_even_when_nobody_is_added() {
    let w = on_memory_with(exchanging).await;
    let subject = w.tokens(WEB).await.access;
    let (gateway, billing) = (own_token(&w, GATEWAY).await, own_token(&w, BILLING).await);
    let first = delegate(&w, GATEWAY, &subject, &gateway).await.tokens().access;
    let second = delegate(&w, BILLING, &first, &billing).await.tokens().access;
    let chain = json!({ "sub": "billing", "act": { "sub": "gateway" } });
    assert_eq!(act_of(&second), chain);
    // To impersonate does not wash it clean.
    let third = exchange(&w, GATEWAY, &second, &[("resource", JWT_API)]).await.tokens().access;
    assert_eq!(act_of(&third), chain);
}

// spec: TOK-44
#[tokio::test]
async fn a_chain_is_bounded() {
    let w = on_memory_with(|builder| with(builder, TokenExchange::default().max_actors(3))).await;
    let mut token = w.tokens(WEB).await.access;
    let actor = own_token(&w, GATEWAY).await;
    for _ in 0..3 {
        token = delegate(&w, GATEWAY, &token, &actor).await.tokens().access;
    }
    delegate(&w, GATEWAY, &token, &actor).await.is_refused(400, "invalid_request");
}

// spec: TOK-44
#[tokio::test]
async fn whoever_acts_for_another_is_no_actor() {
    let w = on_memory_with(exchanging).await;
    let subject = w.tokens(WEB).await.access;
    let actor = own_token(&w, GATEWAY).await;
    let acting = delegate(&w, GATEWAY, &subject, &actor).await.tokens().access;
    delegate(&w, GATEWAY, &subject, &acting).await.is_refused(400, "invalid_request");
}
