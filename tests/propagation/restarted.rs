//! A resource server is killed while something is revoked, and starts again: it has heard of nothing.

use super::{ASKS, How, Servers, all_accept, all_refuse, status};
use crate::{bus::Place, support::*};

/// Revokes tokens while a resource server that verifies, and one that asks, are away.
async fn away(place: &Place, sections: &str) {
    let servers = Servers::start(&place.url(), sections);
    let asks = [&ASKS[..], &["3600"]].concat();
    let (asking, by_asking) = servers.api(&place.url(), &asks);
    let (verifying, by_jwt) = servers.api(&place.url(), &[]);
    place.until_listeners(4).await;
    let (alone, grant) = (servers.token(0).await, servers.sign_in(1).await);
    let alone = Tokens { access: alone, refresh: None };
    for token in [&alone.access, &grant.access] {
        all_accept(&[by_asking.clone(), by_jwt.clone()], token).await;
    }
    // SIGKILL, while one request is on its way; the other comes afterwards.
    let kill = async {
        asking.kill();
        verifying.kill();
    };
    tokio::join!(servers.revoke(0, How::Token, &alone), kill);
    servers.revoke(1, How::Grant, &grant).await;
    let (_asking, by_asking) = servers.api(&place.url(), &asks);
    let (_verifying, by_jwt) = servers.api(&place.url(), &[]);
    let tokens = [alone.access, grant.access];
    for token in &tokens {
        // It remembers nothing, and asks.
        assert_eq!(status(&by_asking, token).await, 401);
    }
    place.until_listeners(4).await;
    let good = servers.token(0).await;
    all_accept(&[by_asking, by_jwt.clone()], &good).await;
    judge(&by_jwt, &tokens, sections).await;
}

/// As it is documented: without a list, a JWT that was revoked meanwhile is good to its end.
async fn judge(by_jwt: &Remote, tokens: &[String], sections: &str) {
    for token in tokens {
        if sections.is_empty() {
            assert_eq!(status(by_jwt, token).await, 200, "nobody has told it");
        } else {
            all_refuse(std::slice::from_ref(by_jwt), token).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jwt_that_was_revoked_while_its_resource_server_was_down_is_refused_by_its_list_and_by_nothing_else() {
    for sections in ["", "\n[status_list]\nenabled = true\nttl_seconds = 1\n"] {
        // Each issuer has a store of its own.
        for place in [Place::Postgres(new_database().await), Place::Redis(Redis::start(""))] {
            away(&place, sections).await;
        }
    }
}
