//! What Matrix has that others have not: whoever has a token ends its session, however old the token is.

use oauth_core::{
    client::{Client, GrantType},
    engine::revocation::{RevocationMode, RevocationPolicy},
    grant::TokenExchange,
};

use super::jwt;
use crate::support::*;

fn matrix(policy: &mut RevocationPolicy) {
    *policy = RevocationPolicy::new(RevocationMode::Matrix);
}

async fn on_matrix(test: impl AsyncFn(World)) {
    on_every_store_with(|builder| builder.revocation(matrix), test).await;
}

// spec: REV-08, REV-13
#[tokio::test]
async fn an_access_token_that_expired_and_was_swept_still_ends_its_session() {
    on_matrix(async |w| {
        for swept in [false, true] {
            for caller in [APP, Caller::Nobody, OTHER_APP] {
                let sessions = [w.tokens(APP).await, jwt(&w, APP).await];
                w.clock.advance(4 * 3600);
                if swept {
                    assert!(w.server.maintain().await.unwrap() > 0);
                }
                for tokens in sessions {
                    let refresh = tokens.refresh.unwrap();
                    assert_eq!(w.revoke(caller, &tokens.access).await.body, "{}");
                    w.refresh(APP, &refresh).await.is_refused(400, "invalid_grant");
                }
            }
        }
        assert_eq!(w.events.count("grant_revoked"), 12);
    })
    .await;
}

// spec: REV-14
#[tokio::test]
async fn both_tokens_of_a_session_may_be_revoked_at_once() {
    on_matrix(async |w| {
        let tokens = w.tokens(APP).await;
        let refresh = tokens.refresh.unwrap();
        let (one, two) = tokio::join!(w.revoke(APP, &tokens.access), w.revoke(APP, &refresh));
        assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200));
        assert!(!w.lives(&tokens.access).await);
        w.refresh(APP, &refresh).await.is_refused(400, "invalid_grant");
        assert_eq!(w.events.count("grant_revoked"), 1);
    })
    .await;
}

// spec: REV-07
#[tokio::test]
async fn the_owner_can_be_told_that_somebody_else_revoked_a_token() {
    on_matrix(async |w| {
        let said =
            |w: &World| w.events.take().into_iter().filter(|event| event.starts_with("foreign")).collect::<Vec<_>>();
        for (owner, caller, by) in [
            (APP, Caller::Nobody, "by: None"),
            (APP, OTHER_APP, "by: Some(ClientId(other-app))"),
            (APP, WEB, "by: Some(ClientId(web))"),
            (APP, Caller::Public("never registered"), "by: None"),
            (APP, Caller::Public("\u{7}"), "by: None"),
            // A confidential client's name is anybody's.
            (WEB, Caller::Public("web"), "by: None"),
        ] {
            let tokens = w.tokens(owner).await;
            said(&w);
            assert_eq!(w.revoke(caller, &tokens.access).await.body, "{}");
            let told = said(&w);
            assert_eq!(told.len(), 1, "{caller:?}: {told:?}");
            assert!(told[0].contains(owner.id()) && told[0].contains(by), "{told:?}");
            // What had ended before is nothing to be told of.
            w.revoke(caller, &tokens.access).await;
            assert!(said(&w).is_empty());
        }
        for owner in [APP, WEB] {
            let tokens = w.tokens(owner).await;
            w.revoke(owner, &tokens.access).await;
            assert!(said(&w).is_empty());
        }
    })
    .await;
}

// spec: REV-13
#[tokio::test]
async fn a_token_that_was_exchanged_ends_itself_and_no_session_of_others() {
    let gateway = || {
        let Caller::Basic(id, secret) = GATEWAY else { panic!() };
        let client = Client::builder(id).secret(oauth_core::client::ClientSecret::new(&secret.into())).scope("read");
        client.grant_type(GrantType::TOKEN_EXCHANGE).build().unwrap()
    };
    let set = |builder: oauth_core::server::AuthorizationServerBuilder| {
        builder.revocation(matrix).grant(TokenExchange::default()).client(gateway())
    };
    on_every_store_with(set, async |w| {
        let tokens = w.tokens(APP).await;
        let exchanged = async || {
            let params = [
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("subject_token", &*tokens.access),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ];
            w.token(GATEWAY, &params).await.tokens().access
        };
        let (one, two) = (exchanged().await, exchanged().await);
        assert_eq!(w.revoke(Caller::Nobody, &one).await.body, "{}");
        assert!(!w.lives(&one).await && w.lives(&two).await && w.lives(&tokens.access).await);
        w.clock.advance(4 * 3600);
        assert!(w.server.maintain().await.unwrap() > 0);
        for caller in [Caller::Nobody, GATEWAY, OTHER_APP] {
            assert_eq!(w.revoke(caller, &two).await.body, "{}");
        }
        let refreshed = w.refresh(APP, &tokens.refresh.unwrap()).await.tokens();
        // The session's own client may, by whatever names it.
        w.clock.advance(4 * 3600);
        w.server.maintain().await.unwrap();
        assert_eq!(w.revoke(APP, &refreshed.access).await.body, "{}");
        w.refresh(APP, &refreshed.refresh.unwrap()).await.is_refused(400, "invalid_grant");
    })
    .await;
}

const GATEWAY: Caller = Caller::Basic("gateway", "gateway-secret-4Hs6");
