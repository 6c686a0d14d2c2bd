//! When it ends, who can end it, and who may look at it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use oauth_core::{
    client::ClientId,
    engine::policy::{HostFuture, Subjects},
    store::Clients,
};

use super::*;

// spec: TOK-43
#[tokio::test]
async fn it_ends_when_the_subject_token_does() {
    let w = on_memory_with(exchanging).await;
    let subject = w.tokens(WEB).await.access;
    w.clock.advance(200);
    let answer = exchange(&w, GATEWAY, &subject, &[]).await;
    assert_eq!(answer.member("expires_in"), 100);
    let token = answer.tokens().access;
    w.clock.advance(99);
    let again = exchange(&w, BILLING, &token, &[]).await;
    assert_eq!(again.member("expires_in"), 1, "and so on, however often");
    w.clock.advance(1);
    assert!(!w.lives(&token).await && !w.lives(&again.tokens().access).await);
}

// spec: TOK-43
#[tokio::test]
async fn it_dies_with_the_grant_of_the_subject_token_at_whatever_resource_it_is_good() {
    on_every_store_with(exchanging, async |w| {
        let tokens = w.tokens(WEB).await;
        let first = exchange(&w, GATEWAY, &tokens.access, &[("resource", JWT_API)]).await.tokens().access;
        let second = exchange(&w, BILLING, &first, &[("resource", API)]).await.tokens().access;
        w.revoke(WEB, &tokens.refresh.unwrap()).await.is_revoked();
        for token in [tokens.access, first, second] {
            assert!(!w.lives(&token).await);
        }
    })
    .await;
}

// spec: TOK-43
#[tokio::test]
async fn a_revocation_that_races_an_exchange_wins() {
    on_every_store_with(exchanging, async |w| {
        let tokens = w.tokens(WEB).await;
        let (other, refresh) = (w.clone(), tokens.refresh.unwrap());
        w.store.just_before("insert_access", async move { other.revoke(WEB, &refresh).await.is_revoked() });
        exchange(&w, GATEWAY, &tokens.access, &[]).await.is_refused(400, "invalid_request");
    })
    .await;
}

// spec: TOK-43
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_exchanges_that_race_a_revocation_none_leaves_a_live_token() {
    on_every_store_with(exchanging, async |w| {
        let tokens = w.tokens(WEB).await;
        let ask = |number: usize| {
            let (w, tokens) = (w.clone(), tokens.clone());
            async move {
                if number == 10 {
                    w.revoke(WEB, &tokens.refresh.unwrap()).await.is_revoked();
                    return None;
                }
                let answer = exchange(&w, GATEWAY, &tokens.access, &[("resource", JWT_API)]).await;
                (answer.status == 200).then(|| answer.tokens().access)
            }
        };
        for token in all_at_once(20, ask).await.into_iter().flatten() {
            assert!(!w.lives(&token).await);
        }
    })
    .await;
}

// spec: TOK-43
#[tokio::test]
async fn its_client_can_revoke_it_and_nothing_else_and_nobody_else_can() {
    for ends_grants in [false, true] {
        let set = |builder: AuthorizationServerBuilder| {
            exchanging(builder).revocation(|policy| policy.access_revokes_grant = ends_grants)
        };
        on_every_store_with(set, async |w| {
            let tokens = w.tokens(WEB).await;
            let token = exchange(&w, GATEWAY, &tokens.access, &[]).await.tokens().access;
            for stranger in [WEB, BILLING] {
                w.revoke(stranger, &token).await.is_refused(400, "invalid_grant");
            }
            w.revoke(GATEWAY, &tokens.access).await.is_refused(400, "invalid_grant");
            assert!(w.lives(&token).await && w.lives(&tokens.access).await, "it is another client's");
            w.revoke(GATEWAY, &token).await.is_revoked();
            w.revoke(GATEWAY, &token).await.is_revoked();
            assert!(!w.lives(&token).await && w.lives(&tokens.access).await);
            w.refresh(WEB, &tokens.refresh.unwrap()).await.tokens();
        })
        .await;
    }
}

// spec: TOK-43
#[tokio::test]
async fn its_client_and_the_resource_server_may_look_at_it_and_the_first_client_not() {
    let w = on_memory_with(exchanging).await;
    let subject = w.tokens(WEB).await.access;
    let token = exchange(&w, GATEWAY, &subject, &[]).await.tokens().access;
    for caller in [GATEWAY, RESOURCE_SERVER, AUDITOR] {
        assert_eq!(w.introspect(caller, &token).await.member("client_id"), "gateway");
    }
    for stranger in [WEB, BILLING] {
        w.introspect(stranger, &token).await.is_inactive();
    }
    w.introspect(GATEWAY, &subject).await.is_inactive();
}

// spec: TOK-43
#[tokio::test]
async fn it_dies_with_its_client_too() {
    on_every_store_with(exchanging, async |w| {
        w.store.put_client(exchanger(Caller::Basic("brief-gateway", "x-secret-77"))).await.unwrap();
        let subject = w.tokens(WEB).await.access;
        let brief = Caller::Basic("brief-gateway", "x-secret-77");
        let token = exchange(&w, brief, &subject, &[]).await.tokens().access;
        assert!(w.lives(&token).await);
        w.store.delete_client(ClientId::new("brief-gateway").unwrap()).await.unwrap();
        assert!(!w.lives(&token).await && w.lives(&subject).await);
    })
    .await;
}

/// Whether anybody may act: until the switch is turned.
#[derive(Debug, Default)]
struct Switch(AtomicBool);

impl Subjects for Switch {
    fn is_active<'a>(&'a self, _: &'a str) -> HostFuture<'a, bool> {
        Box::pin(std::future::ready(Ok(!self.0.load(Ordering::SeqCst))))
    }
}

// spec: TOK-41
#[tokio::test]
async fn the_token_of_a_user_who_may_not_act_any_more_is_not_exchanged_and_its_grant_ends() {
    let off = Arc::new(Switch::default());
    let w = on_memory_with(|builder| exchanging(builder).subjects(Arc::clone(&off))).await;
    let subject = w.tokens(WEB).await.access;
    exchange(&w, GATEWAY, &subject, &[]).await.tokens();
    off.0.store(true, Ordering::SeqCst);
    exchange(&w, GATEWAY, &subject, &[]).await.is_refused(400, "invalid_request");
    assert!(!w.lives(&subject).await);
}

// spec: TOK-41
#[tokio::test]
async fn an_outage_is_never_a_verdict_on_the_token() {
    let w = on_memory_with(exchanging).await;
    let subject = w.tokens(WEB).await.access;
    w.store.set_down(true);
    exchange(&w, GATEWAY, &subject, &[]).await.is_unavailable();
    w.store.set_down(false);
    exchange(&w, GATEWAY, &subject, &[]).await.tokens();
}
