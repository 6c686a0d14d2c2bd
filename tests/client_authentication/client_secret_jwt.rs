//! `client_secret_jwt` (OpenID Connect Core section 9).

use jsonwebtoken::Algorithm as Mac;
use oauth_core::{
    client::{AssertionAlgorithm, AuthMethod, Client, ClientId, ClientSecret, GrantType},
    clock::UnixTime,
    jwt::HmacAlgorithm,
};
use serde_json::json;

use super::assertion::{NOW, SECRET, claims, hmac, present, sharing, why, world};
use crate::support::*;

const MACS: [(Mac, HmacAlgorithm); 3] =
    [(Mac::HS256, HmacAlgorithm::HS256), (Mac::HS384, HmacAlgorithm::HS384), (Mac::HS512, HmacAlgorithm::HS512)];

fn assertion(client: &str, jti: &str, secret: &str, mac: Mac) -> String {
    hmac(&json!({ "alg": format!("{mac:?}"), "typ": "JWT" }), &claims(client, jti), secret, mac)
}

// spec: CAU-18
#[tokio::test]
async fn an_hmac_under_the_secret_proves_the_client_and_under_another_nothing() {
    let w = world(&[sharing("sharing").build().unwrap()]).await;
    for (mac, _) in MACS {
        let name = format!("{mac:?}");
        present(&w, &assertion("sharing", &name, SECRET, mac)).await.tokens();
        for secret in ["", "x", &SECRET[1..], &SECRET.to_uppercase(), &format!("{SECRET} ")] {
            present(&w, &assertion("sharing", "1", secret, mac)).await.is_refused(401, "invalid_client");
            assert_eq!(why(&w), "WrongSecret");
        }
        let mut other = json!({ "alg": name, "typ": "at+jwt" });
        present(&w, &hmac(&other, &claims("sharing", "1"), SECRET, mac)).await.is_refused(401, "invalid_client");
        assert_eq!(why(&w), "AssertionOfOtherType");
        // What the header says is not what made the tag.
        other = json!({ "alg": if mac == Mac::HS256 { "HS512" } else { "HS256" } });
        present(&w, &hmac(&other, &claims("sharing", "1"), SECRET, mac)).await.is_refused(401, "invalid_client");
    }
}

// spec: CAU-18
#[tokio::test]
async fn only_the_registered_algorithm_works_and_the_secret_is_as_long_as_the_hash() {
    for (_, registered) in MACS {
        let algorithm = AssertionAlgorithm::Hmac(registered);
        let w = world(&[sharing("sharing").signing_algorithm(algorithm).build().unwrap()]).await;
        for (mac, used) in MACS {
            let answer = present(&w, &assertion("sharing", "1", SECRET, mac)).await;
            if used == registered {
                answer.tokens();
            } else {
                answer.is_refused(401, "invalid_client");
                assert_eq!(why(&w), "AlgorithmNotAllowed");
            }
        }
    }
    // Without a registered one, a secret serves the hashes that it is long enough for.
    for bytes in [32, 47, 48, 63, 64] {
        let client = Client::builder("sharing").auth_method(AuthMethod::ClientSecretJwt);
        let client = client.secret(ClientSecret::in_memory(SECRET[..bytes].into()));
        let w = world(&[client.grant_type(GrantType::CLIENT_CREDENTIALS).build().unwrap()]).await;
        for (mac, used) in MACS {
            let answer = present(&w, &assertion("sharing", &format!("{mac:?}"), &SECRET[..bytes], mac)).await;
            assert_eq!(answer.status == 200, bytes >= used.least_secret_bytes(), "{bytes} {mac:?}");
        }
    }
}

// spec: CAU-12, SEC-07
#[tokio::test]
async fn a_stored_client_has_its_secret_sealed_and_two_may_live_at_once() {
    const NEXT: &str = "another secret of sixty-four bytes, to be changed to, in time ..";
    on_every_store_with(
        |builder| builder,
        async |w| {
            let id = ClientId::new("sharing").unwrap();
            let seal = |secret: &str| w.server.seal_client_secret(&id, &secret.into()).unwrap();
            let client = Client::builder("sharing").auth_method(AuthMethod::ClientSecretJwt);
            let client = client.grant_type(GrantType::CLIENT_CREDENTIALS);
            let client = client.secret(seal(SECRET).expires_at(UnixTime(NOW + 100))).secret(seal(NEXT));
            w.server.store().put_client(client.build().unwrap()).await.unwrap();
            let ask = async |jti: &str, secret| present(&w, &later("sharing", jti, secret)).await;
            w.clock.advance(99);
            ask("1", SECRET).await.tokens();
            ask("2", NEXT).await.tokens();
            w.clock.advance(1);
            ask("3", SECRET).await.is_refused(401, "invalid_client");
            ask("4", NEXT).await.tokens();
            assert!(!w.store.shown().contains(SECRET) && !w.store.shown().contains(NEXT));
        },
    )
    .await;
}

/// An assertion that is good a little longer.
fn later(client: &str, jti: &str, secret: &str) -> String {
    let mut claims = claims(client, jti);
    claims["exp"] = json!(NOW + 1000);
    hmac(&json!({ "alg": "HS256" }), &claims, secret, Mac::HS256)
}

#[tokio::test]
async fn a_secret_that_was_sealed_elsewhere_proves_nobody_and_the_operator_reads_why() {
    let w = world(&[]).await;
    let other = ClientId::new("other").unwrap();
    let foreign = w.server.seal_client_secret(&other, &SECRET.into()).unwrap();
    let client = Client::builder("sharing").auth_method(AuthMethod::ClientSecretJwt).secret(foreign);
    w.server.store().put_client(client.build().unwrap()).await.unwrap();
    present(&w, &assertion("sharing", "1", SECRET, Mac::HS256)).await.is_refused(401, "invalid_client");
    assert_eq!(why(&w), "ForeignSecret");
}
