//! One assertion is good once, everywhere (RFC 7523 section 3).

use oauth_core::jwt::Algorithm;
use serde_json::json;

use super::{
    ENDPOINTS,
    assertion::{NOW, Signer, body, present, why},
    send,
};
use crate::support::*;

// spec: CAU-17
#[tokio::test]
async fn an_assertion_that_was_used_is_refused_at_every_endpoint_and_every_node() {
    let (signer, other) = (Signer::new("signer", Algorithm::ES256), Signer::new("other-signer", Algorithm::ES256));
    on_every_store_with(
        |builder| builder.client(signer.registered()).client(other.registered()),
        async |w| {
            let node = w.another(|builder| builder.client(signer.registered())).await.unwrap();
            for (at, first) in ENDPOINTS.into_iter().enumerate() {
                let assertion = body(&signer.good(first));
                assert_eq!(send(&w, first, &[], &assertion).await.status, 200);
                for again in ENDPOINTS {
                    for world in [&w, &node] {
                        send(world, again, &[], &assertion).await.is_refused(401, "invalid_client");
                    }
                    assert_eq!(why(&w), "Replayed", "{at}");
                }
                // The same identifier in another assertion is the same use.
                let mut claims = signer.claims(first);
                claims["exp"] = json!(NOW + 120);
                let another = body(&signer.sign(&signer.header(), &claims));
                send(&node, first, &[], &another).await.is_refused(401, "invalid_client");
                // Another client's is its own.
                assert_eq!(send(&w, first, &[], &body(&other.good(first))).await.status, 200);
            }
        },
    )
    .await;
}

// spec: CAU-17
#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_on_several_nodes_one_succeeds() {
    let signer = Signer::new("signer", Algorithm::ES256);
    on_every_store_with(
        |builder| {
            let builder = builder.client(signer.registered());
            builder.client_authentication(|how| how.failures_per_minute = 0)
        },
        async |w| {
            let set = |builder: oauth_core::server::AuthorizationServerBuilder| {
                let builder = builder.client(signer.registered());
                builder.client_authentication(|how| how.failures_per_minute = 0)
            };
            let nodes = [w.clone(), w.another(set).await.unwrap(), w.another(set).await.unwrap()];
            for round in 0..3 {
                let assertion = signer.good(&round.to_string());
                let answers = all_at_once(100, |number| {
                    let (node, assertion) = (nodes[number % nodes.len()].clone(), assertion.clone());
                    async move { present(&node, &assertion).await.status.as_u16() }
                })
                .await;
                let (good, refused) =
                    (answers.iter().filter(|s| **s == 200).count(), answers.iter().filter(|s| **s == 401).count());
                assert_eq!((good, refused), (1, 99));
            }
        },
    )
    .await;
}

#[tokio::test]
async fn while_the_store_is_down_nobody_is_told_that_an_assertion_is_good_or_bad() {
    let signer = Signer::new("signer", Algorithm::ES256);
    let w = on_memory_with(|builder| builder.client(signer.registered())).await;
    w.store.set_down(true);
    present(&w, &signer.good("1")).await.is_unavailable();
    w.store.set_down(false);
    // One whose use may have been written is used.
    w.store.lose_the_answer_of("first_use");
    present(&w, &signer.good("2")).await.is_unavailable();
    present(&w, &signer.good("2")).await.is_refused(401, "invalid_client");
    present(&w, &signer.good("1")).await.tokens();
}
