//! How many requests a client may push.

use std::net::{IpAddr, Ipv4Addr};

use oauth_core::{endpoint::RemoteAddress, server::AuthorizationServerBuilder};

use super::pushing;
use crate::support::*;

async fn push_from(w: &World, caller: Caller, last: u8) -> Answer {
    let mut request = pushing(caller, &Ask::of(caller));
    request.extensions_mut().insert(RemoteAddress(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))));
    w.send(request).await
}

fn two(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    builder.authorization(|settings| settings.pushed.per_minute = 2)
}

// spec: AUZ-36
#[tokio::test]
async fn too_many_in_a_minute_are_429_for_this_client_at_this_address_on_every_node() {
    on_every_store_with(two, async |w| {
        let another = w.another(two).await.unwrap();
        for node in [&w, &another] {
            assert_eq!(push_from(node, APP, 1).await.status, 201);
        }
        for node in [&w, &another] {
            let answer = push_from(node, APP, 1).await;
            answer.is_refused(429, "temporarily_unavailable");
            assert_eq!(answer.header("retry-after"), "60");
        }
        assert_eq!(push_from(&w, APP, 2).await.status, 201);
        assert_eq!(push_from(&w, OTHER_APP, 1).await.status, 201);
        w.clock.advance(59);
        assert_eq!(push_from(&w, APP, 1).await.header("retry-after"), "1");
        w.clock.advance(1);
        assert_eq!(push_from(&w, APP, 1).await.status, 201);
    })
    .await;
}

/// Else a stranger could use up what a client may do.
#[tokio::test]
async fn whoever_does_not_authenticate_uses_nothing_up() {
    let w = on_memory_with(two).await;
    for _ in 0..5 {
        push_from(&w, Caller::Basic("web", "wrong"), 1).await.is_refused(401, "invalid_client");
    }
    assert_eq!(push_from(&w, WEB, 1).await.status, 201);
}

#[tokio::test]
async fn there_is_no_limit_where_it_is_switched_off() {
    let w = on_memory_with(|builder| builder.authorization(|settings| settings.pushed.per_minute = 0)).await;
    for _ in 0..1000 {
        assert_eq!(push_from(&w, APP, 1).await.status, 201);
    }
}
