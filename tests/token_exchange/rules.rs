//! Rules that narrow what one client may exchange.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use oauth_core::{
    client::ClientId,
    engine::{fault::Fault, policy::HostFuture},
    grant::{Acting, ExchangeRule, MayAct},
};

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

/// The gateway may act for alice; what is not known while the house is down.
#[derive(Clone, Debug, Default)]
struct House(Arc<AtomicBool>);

impl MayAct for House {
    fn may_act<'a>(&'a self, acting: Acting<'a>) -> HostFuture<'a, bool> {
        let own = acting.subject_issuer.is_none() && acting.actor_issuer.is_none();
        let may = own && (acting.subject, acting.actor) == ("alice", "gateway");
        let down = self.0.load(Ordering::SeqCst);
        Box::pin(async move { if down { Err(Fault::Host("the house is down".into())) } else { Ok(may) } })
    }
}

#[tokio::test]
async fn the_host_says_who_may_act_for_whom_with_an_actor_token_and_without() {
    let house = House::default();
    let host = house.clone();
    let w = on_memory_with(move |builder| with(builder, TokenExchange::default().may_act(host.clone()))).await;
    let subject = w.tokens(WEB).await.access;
    let (gateway, billing) = (own_token(&w, GATEWAY).await, own_token(&w, BILLING).await);
    let by = |actor: &str| [("actor_token", actor.to_owned()), ("actor_token_type", ACCESS.to_owned())];
    let ask = async |caller: Caller, subject: &str, more: &[(&str, String)]| {
        let more: Vec<_> = more.iter().map(|(name, value)| (*name, value.as_str())).collect();
        exchange(&w, caller, subject, &more).await
    };
    // Without an actor it is the client that takes her place.
    ask(GATEWAY, &subject, &[]).await.tokens();
    ask(BILLING, &subject, &[]).await.is_refused(400, "invalid_request");
    // With one it is the actor, whoever asks.
    ask(GATEWAY, &subject, &by(&gateway)).await.tokens();
    ask(BILLING, &subject, &by(&gateway)).await.tokens();
    ask(GATEWAY, &subject, &by(&billing)).await.is_refused(400, "invalid_request");
    ask(GATEWAY, &billing, &by(&gateway)).await.is_refused(400, "invalid_request");
    // Not to know is no answer.
    house.0.store(true, Ordering::SeqCst);
    ask(GATEWAY, &subject, &[]).await.is_unavailable();
}
