//! Who may revoke what is not theirs, and how often anybody may ask in vain.

use std::net::IpAddr;

use http::Request;
use oauth_core::{
    endpoint::RemoteAddress,
    engine::{
        fault::Fault,
        policy::HostFuture,
        revocation::{ForeignToken, RevocationAuthority, RevocationMode, RevocationPolicy},
    },
};

use super::{jwt, modes::TABLE};
use crate::support::*;

fn is_portal(asked: &ForeignToken<'_>) -> bool {
    asked.client.id.as_str() == "web" && asked.grant.subject.as_deref() == Some("alice")
}

// spec: REV-25
#[tokio::test]
async fn a_privileged_client_revokes_any_token_in_every_mode_and_nobody_else_does() {
    for column in TABLE {
        let set = |builder: oauth_core::server::AuthorizationServerBuilder| {
            builder.revocation(|policy| *policy = RevocationPolicy::new(column.mode)).revocation_authority(is_portal)
        };
        on_every_store_with(set, async |w| {
            for tokens in [w.tokens(APP).await, jwt(&w, APP).await] {
                let refresh = tokens.refresh.unwrap();
                for other in [FORM, OTHER_APP] {
                    if column.of_another_client.0 != 200 {
                        column.is(&w.revoke(other, &tokens.access).await, column.of_another_client);
                        assert!(w.lives(&tokens.access).await);
                    }
                }
                column.is_revoked(&w.revoke(WEB, &tokens.access).await);
                assert!(!w.lives(&tokens.access).await);
                let refreshed = w.refresh(APP, &refresh).await;
                assert_eq!(refreshed.status == 200, !column.access_ends_grant, "as it does for its owner");
            }
            assert!(w.events.all().iter().any(|event| event.starts_with("foreign_revocation")));
            // The client's own: no user is involved, and the portal has no say.
            let own = w.token(FORM, &[("grant_type", "client_credentials")]).await.tokens().access;
            column.is(&w.revoke(WEB, &own).await, column.of_another_client);
        })
        .await;
    }
}

/// Cannot be asked at the moment.
struct Away;

impl RevocationAuthority for Away {
    fn may_revoke<'a>(&'a self, _token: &'a ForeignToken<'a>) -> HostFuture<'a, bool> {
        Box::pin(async { Err(Fault::Host("the directory is away".into())) })
    }
}

// spec: REV-25
#[tokio::test]
async fn a_name_alone_is_no_privilege_and_an_authority_that_fails_is_503() {
    let everybody = |_: &ForeignToken<'_>| true;
    let w = on_memory_with(|builder| builder.revocation_authority(everybody)).await;
    let tokens = w.tokens(APP).await;
    w.revoke(OTHER_APP, &tokens.access).await.is_refused(400, "invalid_grant");
    w.revoke(FORM, &tokens.access).await.is_revoked();
    let w = on_memory_with(|builder| builder.revocation_authority(Away)).await;
    let tokens = w.tokens(APP).await;
    w.revoke(FORM, &tokens.access).await.is_unavailable();
    assert!(w.lives(&tokens.access).await);
    w.revoke(APP, &tokens.access).await.is_revoked();
}

fn from(address: &str, mut request: Request<bytes::Bytes>) -> Request<bytes::Bytes> {
    let address: IpAddr = address.parse().unwrap();
    request.extensions_mut().insert(RemoteAddress(address));
    request
}

// spec: REV-26
#[tokio::test]
async fn a_client_at_an_address_that_revokes_nothing_is_told_to_wait() {
    for column in TABLE {
        let limited = |policy: &mut RevocationPolicy| {
            *policy = RevocationPolicy::new(column.mode);
            policy.misses_per_minute = 3;
        };
        let w = on_memory_with(|builder| builder.revocation(limited)).await;
        let revoke = async |address, caller, token: &str| {
            w.send(from(address, post("/revoke", caller, &[("token", token)]))).await
        };
        // What revokes something is never counted.
        for _ in 0..5 {
            let token = w.tokens(APP).await.access;
            column.is_revoked(&revoke("192.0.2.1", APP, &token).await);
        }
        for _ in 0..3 {
            column.is(&revoke("192.0.2.1", APP, "guess").await, column.unknown);
        }
        let (token, calls) = (w.tokens(APP).await.access, w.store.calls());
        for guess in ["guess", &token] {
            let late = revoke("192.0.2.1", APP, guess).await;
            assert_eq!((late.status.as_u16(), late.header("retry-after")), (429, "60"), "{late}");
        }
        assert_eq!(w.store.calls(), calls, "nobody asks a store for it");
        assert!(w.lives(&token).await);
        column.is(&revoke("192.0.2.2", APP, "guess").await, column.unknown);
        column.is(&revoke("192.0.2.1", OTHER_APP, "guess").await, column.unknown);
        if column.mode != RevocationMode::Rfc7009 {
            column.is(&revoke("192.0.2.1", Caller::Nobody, "guess").await, column.unknown);
        }
        w.clock.advance(60);
        column.is_revoked(&revoke("192.0.2.1", APP, &token).await);
    }
}

// spec: REV-26
#[tokio::test]
async fn a_store_that_fails_is_no_fault_of_the_client_and_another_clients_token_is() {
    let w = on_memory_with(|builder| builder.revocation(|policy| policy.misses_per_minute = 1)).await;
    let (own, foreign) = (w.tokens(APP).await, w.tokens(OTHER_APP).await);
    w.store.set_down(true);
    for _ in 0..3 {
        w.revoke(APP, &own.access).await.is_unavailable();
    }
    w.store.set_down(false);
    w.revoke(APP, &foreign.access).await.is_refused(400, "invalid_grant");
    assert_eq!(w.revoke(APP, &own.access).await.status, 429);
    let unlimited = on_memory_with(|builder| builder.revocation(|policy| policy.misses_per_minute = 0)).await;
    for _ in 0..400 {
        unlimited.revoke(APP, "guess").await.is_revoked();
    }
}
