//! Rules that narrow what one client may exchange.

use oauth_core::{client::ClientId, grant::ExchangeRule};

use super::*;

async fn ruled(rule: ExchangeRule) -> World {
    let gateway = ClientId::new("gateway").unwrap();
    on_memory_with(move |builder| with(builder, TokenExchange::default().rule(gateway.clone(), rule.clone()))).await
}

// spec: TOK-43
#[tokio::test]
async fn a_client_may_be_kept_to_some_resources() {
    let w = ruled(ExchangeRule::default().resources([JWT_API])).await;
    let subject = w.tokens(WEB).await.access;
    exchange(&w, GATEWAY, &subject, &[("resource", API)]).await.is_refused(400, "invalid_target");
    exchange(&w, GATEWAY, &subject, &[("audience", API)]).await.is_refused(400, "invalid_target");
    exchange(&w, GATEWAY, &subject, &[]).await.is_refused(400, "invalid_target");
    exchange(&w, GATEWAY, &subject, &[("resource", JWT_API)]).await.tokens();
    exchange(&w, BILLING, &subject, &[("resource", API)]).await.tokens();
}

// spec: TOK-41
#[tokio::test]
async fn a_client_may_be_kept_to_the_tokens_of_some_clients() {
    let w = ruled(ExchangeRule::default().subject_clients([WEB.client_id(), BILLING.client_id()])).await;
    let theirs = w.tokens(APP).await.access;
    exchange(&w, GATEWAY, &theirs, &[]).await.is_refused(400, "invalid_request");
    // What another client got for it is that client's.
    let passed_on = exchange(&w, BILLING, &theirs, &[]).await.tokens().access;
    exchange(&w, GATEWAY, &passed_on, &[]).await.tokens();
    let good = w.tokens(WEB).await.access;
    exchange(&w, GATEWAY, &good, &[]).await.tokens();
}

// spec: TOK-43
#[tokio::test]
async fn a_client_may_be_kept_to_a_scope() {
    let w = ruled(ExchangeRule::default().scope("write".parse().unwrap())).await;
    let subject = w.tokens(WEB).await.access;
    exchange(&w, GATEWAY, &subject, &[("scope", "read")]).await.is_refused(400, "invalid_scope");
    assert_eq!(exchange(&w, GATEWAY, &subject, &[]).await.member("scope"), "write");
}

// spec: TOK-44
#[tokio::test]
async fn a_client_may_be_kept_from_acting_without_saying_so() {
    let w = ruled(ExchangeRule::default().delegation_only()).await;
    let subject = w.tokens(WEB).await.access;
    exchange(&w, GATEWAY, &subject, &[]).await.is_refused(400, "invalid_request");
    let actor = own_token(&w, GATEWAY).await;
    exchange(&w, GATEWAY, &subject, &[("actor_token", &actor), ("actor_token_type", ACCESS)]).await.tokens();
}
